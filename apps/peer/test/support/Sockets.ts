/**
 * Plain sockets on loopback that a test holds itself: a port that is taken, somebody who dials a peer, somebody whom a
 * peer dials. All are closed when the test has finished.
 */
import * as InitialMessage from "@conclave/core/InitialMessage"
import { once } from "node:events"
import { connect, createServer, type Server, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import * as Ports from "./Ports.ts"
import * as Transcript from "./Transcript.ts"

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
export const dial = async (port: number, host = Ports.HOST): Promise<Socket> => {
  const socket = connect({ host, port })
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect", { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  return socket.on("error", () => undefined)
}

/** Dials a peer as this server. */
export const dialAs = async (sid: bigint, port: number, host = Ports.HOST): Promise<Socket> => {
  const socket = await dial(port, host)
  const addresses = [{ host: Ports.HOST, port: 1 }]
  socket.write(InitialMessage.encode({ sid, addresses, multiAddress: false }))
  return socket
}

/** Frees a port taken with `listen` that nobody has dialled. */
export const leave = async (server: Server): Promise<void> => {
  server.close()
  await once(server, "close", { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
}

/** What those who dial from now on say first: one line each, protocol version and sid. */
export const handshakes = (server: Server): Transcript.Transcript => {
  const said = Transcript.make("handshakes")
  server.on("connection", (socket: Socket) => {
    let bytes = Buffer.alloc(0)
    socket.on("data", (chunk: Buffer) => {
      const before = bytes.length
      bytes = Buffer.concat([bytes, chunk])
      if (before < 16 && bytes.length >= 16) said.append(`${bytes.readBigInt64BE(0)} ${bytes.readBigInt64BE(8)}`)
    })
  })
  return said
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
