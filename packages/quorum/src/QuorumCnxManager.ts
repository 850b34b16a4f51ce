/**
 * One connection to every other peer, and a way to send and receive over it.
 *
 * The links are decided by `Connections` in the core and kept by `LinkKeeper`.
 * Nothing here fails while it runs; only a listener that cannot be opened is an
 * error.
 *
 * Java: `QuorumCnxManager`.
 */
import type * as Address from "@conclave/core/Address"
import type { Membership } from "@conclave/core/Ensemble"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as ElectionListener from "./ElectionListener.ts"
import type * as LinkBook from "./LinkBook.ts"
import * as LinkKeeper from "./LinkKeeper.ts"
import type { QuorumConfig } from "./QuorumConfig.ts"
import type * as RecvWorker from "./RecvWorker.ts"
import type * as Transport from "./Transport.ts"

export type { LinkChange } from "./LinkKeeper.ts"

/** The connections of one peer while an election algorithm runs. */
export interface QuorumCnxManager {
  /** Queues a message in place of any that waits for the same peer, and connects to it if need be. */
  readonly toSend: (sid: bigint, message: Uint8Array) => Effect.Effect<void>
  /** What has been received, from ourselves too. */
  readonly recvQueue: Queue.Dequeue<RecvWorker.Message>
  /** Connects to this peer if there is no connection. Java: connectOne. */
  readonly connectOne: (sid: bigint) => Effect.Effect<void>
  /**
   * Keeps connected with these peers, and with no others: who cannot be reached is dialled again and again, with
   * growing pauses.
   */
  readonly want: (sids: ReadonlySet<bigint>) => Effect.Effect<void>
  /** Connects to every peer that something was ever queued for. Java: connectAll. */
  readonly connectAll: Effect.Effect<void>
  /** Is the queue of any peer empty? Java: haveDelivered. */
  readonly haveDelivered: Effect.Effect<boolean>
  /** The peers whose queue is not empty. */
  readonly undelivered: Effect.Effect<ReadonlySet<bigint>>
  /** The peers with a connection. */
  readonly connected: Effect.Effect<ReadonlySet<bigint>>
  /** What is known of the connections with each peer. */
  readonly stories: Effect.Effect<ReadonlyArray<LinkBook.PeerStory>>
  /** How many connections were turned away, by reason. */
  readonly rejections: Effect.Effect<ReadonlyMap<string, number>>
  /** Every change of a link, from now on; the subscription lives as long as the scope. */
  readonly linkChanges: Effect.Effect<PubSub.Subscription<LinkKeeper.LinkChange>, never, Scope.Scope>
  /** Where the listeners listen. */
  readonly addresses: ReadonlyArray<Address.Address>
}

/** Listens, and connects whenever something is to be sent. Everything ends with the scope. */
export const make = Effect.fnUntraced(function*(
  membership: Membership
): Effect.fn.Return<
  QuorumCnxManager,
  Transport.ListenError,
  Scope.Scope | QuorumConfig | Transport.Transport
> {
  const self = yield* LinkKeeper.make(membership)
  const addresses = yield* ElectionListener.open(self.view, (connection) => LinkKeeper.accept(self, connection))
  const connectOne = (sid: bigint) => LinkKeeper.decide(self, { _tag: "ConnectRequested", sid })
  return {
    toSend: (sid, message) => toSend(self, sid, message),
    recvQueue: self.recvQueue,
    connectOne,
    want: (sids) => LinkKeeper.decide(self, { _tag: "Wanted", sids }),
    connectAll: Effect.suspend(() => Effect.forEach(self.outboxes.sids(), connectOne, { discard: true })),
    haveDelivered: Effect.sync(() => self.outboxes.undelivered().size < self.outboxes.sids().length),
    undelivered: Effect.sync(self.outboxes.undelivered),
    connected: Effect.sync(() => new Set(self.state.links.keys())),
    stories: Effect.sync(self.book.stories),
    rejections: Effect.sync(self.book.rejections),
    linkChanges: PubSub.subscribe(self.linkChanges),
    addresses
  }
})

const toSend = Effect.fnUntraced(function*(self: LinkKeeper.LinkKeeper, sid: bigint, message: Uint8Array) {
  if (sid === self.view.mySid) {
    yield* Queue.offer(self.recvQueue, { sid, payload: message })
    return
  }
  // An answer to somebody whom no configuration knows, and who is gone already.
  if (LinkKeeper.isStranger(self, sid) && !self.state.links.has(sid)) return
  const outbox = yield* self.outboxes.of(sid)
  yield* Queue.offer(outbox.sendQueue, message)
  yield* LinkKeeper.decide(self, { _tag: "ConnectRequested", sid })
})
