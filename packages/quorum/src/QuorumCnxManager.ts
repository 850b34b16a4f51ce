/**
 * One connection to every other peer, and a way to send and receive over it.
 *
 * The links are decided by `Connections.step`; this file performs: it dials,
 * accepts, runs the two workers of a link, and reports what happened. Nothing
 * here fails while it runs: a lost message or a dead link is no error, only a
 * listener that cannot be opened is.
 *
 * Java: `QuorumCnxManager`.
 */
import * as Address from "@conclave/core/Address"
import * as Connections from "@conclave/core/Connections"
import type { Membership } from "@conclave/core/Ensemble"
import * as InitialMessage from "@conclave/core/InitialMessage"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as ElectionListener from "./ElectionListener.ts"
import * as Handshake from "./Handshake.ts"
import * as LinkLog from "./LinkLog.ts"
import * as Links from "./Links.ts"
import * as Outboxes from "./Outboxes.ts"
import { QuorumConfig } from "./QuorumConfig.ts"
import * as RecvWorker from "./RecvWorker.ts"
import * as SendWorker from "./SendWorker.ts"
import * as Transport from "./Transport.ts"

/** The connections of one peer while an election algorithm runs. */
export interface QuorumCnxManager {
  /** Queues a message in place of any that waits for the same peer, and connects to it if need be. */
  readonly toSend: (sid: bigint, message: Uint8Array) => Effect.Effect<void>
  /** What has been received, from ourselves too. */
  readonly recvQueue: Queue.Dequeue<RecvWorker.Message>
  /** Connects to this peer if there is no connection. Java: connectOne. */
  readonly connectOne: (sid: bigint) => Effect.Effect<void>
  /** Connects to every peer that something was ever queued for. Java: connectAll. */
  readonly connectAll: Effect.Effect<void>
  /** Is the queue of any peer empty? Java: haveDelivered. */
  readonly haveDelivered: Effect.Effect<boolean>
  /** The peers whose queue is not empty. */
  readonly undelivered: Effect.Effect<ReadonlySet<bigint>>
  /** The peers with a connection. */
  readonly connected: Effect.Effect<ReadonlySet<bigint>>
  /** Every change of a link, from now on; the subscription lives as long as the scope. */
  readonly linkChanges: Effect.Effect<PubSub.Subscription<LinkChange>, never, Scope.Scope>
  /** Where the listeners listen. */
  readonly addresses: ReadonlyArray<Address.Address>
}

/** A link came up, went down, or could not be made. */
export interface LinkChange {
  readonly _tag: "Up" | "Down" | "DialFailed"
  readonly sid: bigint
}

/** Link changes kept for a subscriber that lags; it looks at the present links anyway, so old ones may go. */
const LINK_CHANGES_CAPACITY = 64

/** How long a replaced connection is left to the other side to close: time to read a handshake on a busy machine. */
const LINGER = "1 second"

/** Listens, and connects whenever something is to be sent. Everything ends with the scope. */
export const make = Effect.fnUntraced(function*(
  membership: Membership
): Effect.fn.Return<
  QuorumCnxManager,
  Transport.ListenError,
  Scope.Scope | QuorumConfig | Transport.Transport
> {
  const self = yield* makeSelf(membership)
  const listeners = yield* ElectionListener.open(self.view)
  for (const listener of listeners) yield* Effect.forkScoped(listener.run((connection) => accept(self, connection)))

  const connectOne = (sid: bigint) => decide(self, { _tag: "ConnectRequested", sid })
  return {
    toSend: Effect.fnUntraced(function*(sid: bigint, message: Uint8Array) {
      if (sid === self.view.mySid) {
        yield* Queue.offer(self.recvQueue, { sid, payload: message })
        return
      }
      const outbox = yield* self.outboxes.of(sid)
      yield* Queue.offer(outbox.sendQueue, message)
      yield* connectOne(sid)
    }),
    recvQueue: self.recvQueue,
    connectOne,
    connectAll: Effect.suspend(() => Effect.forEach(self.outboxes.sids(), connectOne, { discard: true })),
    haveDelivered: Effect.sync(() => self.outboxes.undelivered().size < self.outboxes.sids().length),
    undelivered: Effect.sync(self.outboxes.undelivered),
    connected: Effect.sync(() => new Set(self.state.links.keys())),
    linkChanges: PubSub.subscribe(self.linkChanges),
    addresses: listeners.map(({ address }) => address)
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self {
  readonly config: QuorumConfig["Service"]
  readonly transport: Transport.Transport["Service"]
  readonly view: Connections.View
  /** Our own handshake. */
  readonly hello: Uint8Array
  readonly recvQueue: Queue.Queue<RecvWorker.Message>
  readonly outboxes: Outboxes.Outboxes
  readonly links: Links.Links
  readonly linkChanges: PubSub.PubSub<LinkChange>
  readonly told: LinkLog.Told
  readonly fork: (effect: Effect.Effect<void>) => void
  state: Connections.State
}

const makeSelf = Effect.fnUntraced(function*(
  membership: Membership
): Effect.fn.Return<Self, never, Scope.Scope | QuorumConfig | Transport.Transport> {
  const config = yield* QuorumConfig
  const { multiAddress, mySid, rules } = config.ensemble
  const dials = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(dials)<never>()
  return {
    config,
    transport: yield* Transport.Transport,
    view: { mySid, membership, rules },
    hello: InitialMessage.encode({ sid: mySid, addresses: Connections.addressesOf(membership, mySid), multiAddress }),
    recvQueue: yield* Queue.sliding<RecvWorker.Message>(RecvWorker.RECV_CAPACITY),
    outboxes: Outboxes.make(),
    links: Links.make(),
    linkChanges: yield* PubSub.sliding<LinkChange>({ capacity: LINK_CHANGES_CAPACITY }),
    told: new Map(),
    fork: (effect) => void fork(effect),
    state: Connections.empty
  }
})

// Decides, then performs. Deciding never waits, so that the state has one writer at a time.
const decide = (self: Self, event: Connections.Event): Effect.Effect<void> =>
  Effect.suspend(() => {
    const [state, outputs] = Connections.step(self.view, self.state, event)
    self.state = state
    return Effect.forEach(outputs, (output) => perform(self, output), { discard: true })
  })

const perform = (self: Self, output: Connections.Output): Effect.Effect<void> => {
  switch (output._tag) {
    case "Dial":
      return Effect.sync(() => self.fork(dial(self, output.sid, output.addresses)))
    case "Adopt":
      return self.links.adopt(output.link, output.sid)
    case "Close":
      return Effect.andThen(
        LinkLog.closing(output, self.links.remoteOf(output.link)),
        self.links.close(output)
      )
    case "NoAddress":
      return LinkLog.noAddress(output.sid)
  }
}

const dial = (self: Self, sid: bigint, addresses: ReadonlyArray<Address.Address>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const connection = yield* dialFirst(self, addresses)
    const link = yield* self.links.open(connection)
    yield* connection.write(self.hello)
    yield* decide(self, { _tag: "Dialed", link: link.id, sid })
    yield* serve(self, link, new Uint8Array(0))
  }).pipe(
    Effect.catch(Effect.fnUntraced(function*(error) {
      yield* decide(self, { _tag: "DialFailed", sid })
      yield* LinkLog.dialFailed(self.told, sid, error)
      // Who has called meanwhile is dialled once more.
      if (!self.state.dialing.has(sid)) yield* publish(self, "DialFailed", sid)
    })),
    Effect.scoped
  )

const accept = (self: Self, connection: Transport.Connection): Effect.Effect<void> =>
  Effect.gen(function*() {
    const link = yield* self.links.open(connection)
    const { message, rest } = yield* Handshake.receive(connection, self.config.handshakeTimeout)
    const { addresses, sid } = message
    yield* decide(self, { _tag: "Accepted", link: link.id, sid, announced: addresses })
    yield* serve(self, link, rest)
  }).pipe(
    Effect.catch((error) => LinkLog.handshakeFailed(connection.remote, error)),
    Effect.scoped
  )

// Works on a link from the moment it is adopted until either side ends it.
const serve = Effect.fnUntraced(function*(self: Self, link: Links.Link, rest: Uint8Array) {
  const verdict = yield* Effect.raceFirst(Deferred.await(link.adopted), Deferred.await(link.closed))
  if (typeof verdict !== "bigint") return
  const { connection, id } = link
  yield* publish(self, "Up", verdict)
  yield* LinkLog.up(self.told, verdict, connection.remote)
  yield* work(self, link, verdict, rest).pipe(
    Effect.onExit(Effect.fnUntraced(function*(exit) {
      const current = self.state.links.get(verdict) === id
      yield* decide(self, { _tag: "Closed", link: id, sid: verdict })
      if (!current) return
      if (Exit.isFailure(exit)) yield* LinkLog.down(verdict, connection.remote, exit.cause)
      yield* publish(self, "Down", verdict)
    })),
    Effect.ignore
  )
})

const work = Effect.fnUntraced(function*(self: Self, link: Links.Link, sid: bigint, rest: Uint8Array) {
  const { closed, connection } = link
  const outbox = yield* self.outboxes.of(sid)
  const send = Effect.raceFirst(SendWorker.run(connection, outbox), Deferred.await(closed))
  const linger = Effect.flatMap(send, (order) => (order.linger ? Effect.sleep(LINGER) : Effect.void))
  yield* Effect.raceFirst(RecvWorker.run(connection, sid, rest, self.recvQueue), linger)
})

const publish = ({ linkChanges }: Self, _tag: LinkChange["_tag"], sid: bigint) =>
  PubSub.publish(linkChanges, { _tag, sid })

// The addresses in order, each with the same deadline; the last failure counts.
const dialFirst = ({ config, transport }: Self, addresses: ReadonlyArray<Address.Address>) => {
  const { cnxTimeout } = config
  const attempts = addresses.map((address) =>
    transport.dial(address).pipe(
      Effect.timeoutOrElse({
        duration: Duration.millis(cnxTimeout),
        orElse: () => Effect.fail(timedOut(address, cnxTimeout))
      })
    )
  )
  return attempts.reduce((first, next) => Effect.catch(first, () => next))
}

const timedOut = (address: Address.Address, millis: number) =>
  new Transport.DialError({
    address: Address.format(address),
    reason: "TimedOut",
    cause: new Error(`no connection within ${millis} ms`)
  })
