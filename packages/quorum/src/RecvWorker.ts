/**
 * Receives the frames of one connection.
 *
 * Java: `QuorumCnxManager.RecvWorker`.
 */
import type { MalformedFrame } from "@conclave/core/CodecError"
import * as Frame from "@conclave/core/Frame"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Traffic } from "./LinkBook.ts"
import type { Connection, ConnectionError } from "./Transport.ts"

/** Messages received and not yet handled, of all peers together; the oldest go first. Java: RECV_CAPACITY. */
export const RECV_CAPACITY = 100

/** A payload, and who sent it. Java: QuorumCnxManager.Message. */
export interface Message {
  readonly sid: bigint
  readonly payload: Uint8Array
}

/**
 * Receives until the connection fails or sends a frame that cannot be. `rest` is
 * what of the stream came along with the handshake.
 */
export const run = Effect.fnUntraced(function*(
  connection: Connection,
  sid: bigint,
  rest: Uint8Array,
  recvQueue: Queue.Enqueue<Message>,
  traffic: Traffic
): Effect.fn.Return<never, ConnectionError | MalformedFrame> {
  let left = Frame.empty
  const receive = Effect.fnUntraced(function*(chunk: Uint8Array) {
    const decoded = yield* Effect.fromResult(Frame.decode(left, chunk))
    left = decoded.rest
    traffic.framesReceived += decoded.payloads.length
    traffic.bytesReceived += chunk.length
    yield* Queue.offerAll(recvQueue, decoded.payloads.map((payload) => ({ sid, payload })))
  })
  yield* receive(rest)
  while (true) {
    for (const chunk of yield* connection.pull) yield* receive(chunk)
  }
})
