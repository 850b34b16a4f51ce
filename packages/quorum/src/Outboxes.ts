/**
 * What waits to be sent, by peer. Outlives connections: a message queued while
 * there is none goes out when there is one.
 *
 * Java: `QuorumCnxManager.queueSendMap`, `lastMessageSent`.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

/** Messages that wait for one peer. The newest wins: an older vote is of no use. Java: SEND_CAPACITY. */
export const SEND_CAPACITY = 1

/** What is to be sent to one peer. */
export interface Outbox {
  readonly sendQueue: Queue.Queue<Uint8Array>
  /** What was handed to a connection last; it may never have arrived. */
  lastMessageSent: Uint8Array | null
}

/** The outboxes of all peers that something was ever queued for, or that ever connected. */
export interface Outboxes {
  /** The outbox of a peer, made when first asked for. */
  readonly of: (sid: bigint) => Effect.Effect<Outbox>
  /** Throws away what waits for a peer, and remembers nothing of it. */
  readonly forget: (sid: bigint) => void
  readonly sids: () => ReadonlyArray<bigint>
  /** The peers whose queue is not empty. */
  readonly undelivered: () => ReadonlySet<bigint>
}

/** No outboxes. */
export const make = (): Outboxes => {
  const outboxes = new Map<bigint, Outbox>()
  const create = (sid: bigint) =>
    Effect.map(Queue.sliding<Uint8Array>(SEND_CAPACITY), (sendQueue) => {
      // Somebody else may have asked while the queue was made.
      const outbox: Outbox = outboxes.get(sid) ?? { sendQueue, lastMessageSent: null }
      outboxes.set(sid, outbox)
      return outbox
    })
  return {
    of: (sid) =>
      Effect.suspend(() => {
        const outbox = outboxes.get(sid)
        return outbox === undefined ? create(sid) : Effect.succeed(outbox)
      }),
    forget: (sid) => void outboxes.delete(sid),
    sids: () => Array.from(outboxes.keys()),
    undelivered: () => {
      const waiting = new Set<bigint>()
      for (const [sid, { sendQueue }] of outboxes) if (Queue.sizeUnsafe(sendQueue) > 0) waiting.add(sid)
      return waiting
    }
  }
}
