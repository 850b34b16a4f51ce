/**
 * Just enough of a ZooKeeper client to make a real server write: one session that creates nodes.
 */
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import * as Ports from "./Ports.ts"

const ANSWER_TIMEOUT_MS = 15_000

/** The request to create a node. */
const CREATE = 1

const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const buffer = (bytes: Buffer): Buffer => Buffer.concat([i32(bytes.length), bytes])

const text = (value: string): Buffer => buffer(Buffer.from(value))

/** Sends one packet and gives what is answered, without its length. */
const ask = async (socket: Socket, request: Buffer): Promise<Buffer> => {
  socket.write(buffer(request))
  let answer = Buffer.alloc(0)
  while (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) {
    const [chunk] = (await once(socket, "data", { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })) as [Buffer]
    answer = Buffer.concat([answer, chunk])
  }
  return answer.subarray(4)
}

/** Creates `count` nodes named `/<prefix>-<n>` in one session, which is left open when the connection closes. */
export const createNodes = async (clientPort: number, prefix: string, count: number): Promise<void> => {
  const socket = connect({ host: Ports.HOST, port: clientPort })
  try {
    // Version 0, nothing seen, four seconds, no session and no password yet, not read-only.
    const session = [Buffer.alloc(12), i32(4_000), Buffer.alloc(8), buffer(Buffer.alloc(16)), Buffer.alloc(1)]
    await ask(socket, Buffer.concat(session))
    const anyone = Buffer.concat([i32(31), text("world"), text("anyone")])
    for (let index = 1; index <= count; index++) {
      const node = Buffer.concat([text(`/${prefix}-${index}`), text("data"), i32(1), anyone, i32(0)])
      const answer = await ask(socket, Buffer.concat([i32(index), i32(CREATE), node]))
      const error = answer.readInt32BE(12)
      if (error !== 0) throw new Error(`/${prefix}-${index} was not created: error ${error}`)
    }
  } finally {
    socket.destroy()
  }
}
