/**
 * Plain sockets on loopback that a test holds itself: a port that is taken, somebody who dials a peer, somebody whom a
 * peer dials. All are closed when the test has finished.
 */
import * as InitialMessage from "@conclave/core/InitialMessage"
import { once } from "node:events"
import { connect, createServer, type Server, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import * as Ports from "./Ports.ts"

/** The longest a peer may take to answer on a socket; it takes milliseconds on an idle machine. */
const ANSWER_TIMEOUT_MS = 15_000

/** Takes a port. Who dials it is accepted and told nothing. */
export const listen = async (host: string, port: number): Promise<Server> => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on("error", () => undefined)))
  onTestFinished(() => {
    server.close()
    sockets.forEach((socket) => socket.destroy())
  })
  server.listen({ host, port })
  await once(server, "listening", { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  return server
}

/** Dials a peer and says nothing. */
export const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ host: Ports.HOST, port })
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect", { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  return socket.on("error", () => undefined)
}

/** Dials a peer as this server. */
export const dialAs = async (sid: bigint, port: number): Promise<Socket> => {
  const socket = await dial(port)
  const addresses = [{ host: Ports.HOST, port: 1 }]
  socket.write(InitialMessage.encode({ sid, addresses, multiAddress: false }))
  return socket
}

/** The first so many bytes of whoever dials next. */
export const heard = async (server: Server, length: number): Promise<Buffer> => {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  const [socket] = (await once(server, "connection", { signal })) as [Socket]
  let bytes = Buffer.alloc(0)
  while (bytes.length < length) {
    const [chunk] = (await once(socket, "data", { signal })) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
  }
  return bytes
}
