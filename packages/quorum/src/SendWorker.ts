/**
 * Sends what is queued for one peer over one connection.
 *
 * Java: `QuorumCnxManager.SendWorker`.
 */
import * as Frame from "@conclave/core/Frame"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Traffic } from "./LinkBook.ts"
import type { Outbox } from "./Outboxes.ts"
import type { Connection, ConnectionError } from "./Transport.ts"

/**
 * Sends until the connection fails. A message may have been lost with the
 * connection before this one; so if nothing newer is queued, the last one goes
 * out again.
 */
export const run = Effect.fnUntraced(function*(
  connection: Connection,
  outbox: Outbox,
  traffic: Traffic
): Effect.fn.Return<never, ConnectionError> {
  const send = (message: Uint8Array) => {
    const frame = Frame.encode(message)
    outbox.lastMessageSent = message
    traffic.framesSent++
    traffic.bytesSent += frame.length
    return connection.write(frame)
  }
  if (outbox.lastMessageSent !== null && Queue.sizeUnsafe(outbox.sendQueue) === 0) {
    yield* send(outbox.lastMessageSent)
  }
  while (true) yield* send(yield* Queue.take(outbox.sendQueue))
})
