/**
 * Performs what `Connections` decides: dials, accepts, works on the links there are,
 * closes them, and reports what happened.
 *
 * Nothing here fails while it runs: a lost message or a dead link is no error.
 */
import * as Address from "@conclave/core/Address"
import * as Connections from "@conclave/core/Connections"
import type * as ConnectionsOutput from "@conclave/core/ConnectionsOutput"
import type { Membership } from "@conclave/core/Ensemble"
import * as InitialMessage from "@conclave/core/InitialMessage"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Dialing from "./Dialing.ts"
import * as Handshake from "./Handshake.ts"
import * as HandshakeGate from "./HandshakeGate.ts"
import * as LinkBook from "./LinkBook.ts"
import * as LinkLog from "./LinkLog.ts"
import * as Links from "./Links.ts"
import * as Outboxes from "./Outboxes.ts"
import * as QuorumAuth from "./QuorumAuth.ts"
import * as PeerHosts from "./PeerHosts.ts"
import { QuorumConfig } from "./QuorumConfig.ts"
import * as RecvWorker from "./RecvWorker.ts"
import * as SendWorker from "./SendWorker.ts"
import * as TraceSink from "./TraceSink.ts"
import * as Transport from "./Transport.ts"

/** A link came up, went down, or could not be made. */
export interface LinkChange {
  readonly _tag: "Up" | "Down" | "DialFailed"
  readonly sid: bigint
  /** Why it could not be made. */
  readonly reason?: Transport.DialReason
}

/** Link changes kept for a subscriber that lags; it looks at the present links anyway, so old ones may go. */
const LINK_CHANGES_CAPACITY = 64

/** How long a replaced connection is left to the other side to close: time to read a handshake on a busy machine. */
const LINGER = "1 second"

/** One connection manager at work; mutable in its state alone, which only `decide` writes. */
export interface LinkKeeper {
  readonly config: QuorumConfig["Service"]
  readonly transport: Transport.Transport["Service"]
  readonly auth: QuorumAuth.QuorumAuth
  readonly view: Connections.View
  /** Our own handshake. */
  readonly hello: Uint8Array
  readonly recvQueue: Queue.Queue<RecvWorker.Message>
  readonly outboxes: Outboxes.Outboxes
  readonly links: Links.Links
  readonly linkChanges: PubSub.PubSub<LinkChange>
  readonly gate: HandshakeGate.HandshakeGate
  readonly book: LinkBook.LinkBook
  /** Dials under way. */
  readonly fork: (effect: Effect.Effect<void>) => void
  /** Dials to come, by peer. */
  readonly redials: FiberMap.FiberMap<bigint, void>
  /** Probes under way, by peer. */
  readonly probes: FiberMap.FiberMap<bigint, void>
  /** Told every step. */
  readonly trace: TraceSink.Tracer<"connections">
  state: Connections.State
}

/** A keeper without links. */
export const make = Effect.fnUntraced(function*(
  membership: Membership
): Effect.fn.Return<LinkKeeper, never, Scope.Scope | QuorumConfig | Transport.Transport> {
  const config = yield* QuorumConfig
  const { multiAddress, mySid, rules } = config.ensemble
  const probeAddresses = multiAddress && config.reachabilityCheckEnabled
  const view = { mySid, membership, rules, probeAddresses }
  const dials = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(dials)<never>()
  return {
    config,
    transport: yield* Transport.Transport,
    auth: yield* QuorumAuth.QuorumAuth,
    view,
    hello: InitialMessage.encode({ sid: mySid, addresses: Connections.addressesOf(membership, mySid), multiAddress }),
    recvQueue: yield* Queue.sliding<RecvWorker.Message>(RecvWorker.RECV_CAPACITY),
    outboxes: Outboxes.make(),
    links: Links.make(),
    linkChanges: yield* PubSub.sliding<LinkChange>({ capacity: LINK_CHANGES_CAPACITY }),
    gate: HandshakeGate.make(config.quorumCnxnThreadsSize),
    book: LinkBook.make(),
    fork: (effect) => void fork(effect),
    redials: yield* FiberMap.make<bigint, void>(),
    probes: yield* FiberMap.make<bigint, void>(),
    trace: yield* TraceSink.connections(view),
    state: Connections.empty
  }
})

/**
 * Decides, then performs. Deciding never waits, so that the state has one writer
 * at a time. `before` comes between the two: what ended is told of before what
 * takes its place, because a dial may lead to a connection at once.
 */
export const decide = (
  self: LinkKeeper,
  event: Connections.Event,
  before: Effect.Effect<void> = Effect.void
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const [state, outputs] = Connections.step(self.view, self.state, event)
    self.state = state
    self.trace(event, outputs)
    return Effect.andThen(before, Effect.forEach(outputs, (output) => perform(self, output), { discard: true }))
  })

const perform = (self: LinkKeeper, output: ConnectionsOutput.Output): Effect.Effect<void> => {
  switch (output._tag) {
    case "Dial":
      return Effect.sync(() => self.fork(dial(self, output.sid, output.addresses)))
    case "Adopt":
      return self.links.adopt(output.link, output.sid)
    case "Close":
      return close(self, output)
    case "RedialLater":
      return redialLater(self, output.sid, output.failures)
    case "Probe":
      // One at a time: every message sent asks for one.
      return Effect.asVoid(FiberMap.run(self.probes, output.sid, probe(self, output), { onlyIfMissing: true }))
    case "NoAddress":
      return LinkLog.noAddress(output.sid)
  }
}

// -----------------------------------------------------------------------------
// dialling and accepting
// -----------------------------------------------------------------------------

const dial = (self: LinkKeeper, sid: bigint, addresses: ReadonlyArray<Address.Address>): Effect.Effect<void> =>
  connect(self, sid, addresses).pipe(
    // A transport that throws has a bug, but this peer must not count as dialled for ever.
    Effect.catchDefect((cause) => {
      const address = addresses.map(Address.format).join(" and ")
      return Effect.fail(new Transport.DialError({ address, reason: "Failed", cause }))
    }),
    Effect.matchEffect({
      onFailure: (error) => onDialFailed(self, sid, error),
      onSuccess: ({ link, rest }) =>
        Effect.andThen(decide(self, { _tag: "Dialed", link: link.id, sid }), serve(self, link, rest))
    }),
    Effect.scoped
  )

const connect = Effect.fnUntraced(function*(
  self: LinkKeeper,
  sid: bigint,
  addresses: ReadonlyArray<Address.Address>
) {
  const connection = yield* Dialing.dialAny(self.transport, addresses, self.config.cnxTimeout)
  const link = yield* self.links.open(connection, "Us")
  yield* connection.identify(PeerHosts.ofDialed(self.view.membership, sid, addresses))
  const [member] = Connections.addressesOf(self.view.membership, sid)
  const rest = yield* Handshake.send(connection, self.hello, self.auth, member?.host, self.config.handshakeTimeout)
  return { link, rest }
})

const onDialFailed = Effect.fnUntraced(function*(self: LinkKeeper, sid: bigint, error: Dialing.DialFailure) {
  const { reason, rejected } = Dialing.whatFailed(error)
  if (rejected !== null) self.book.rejected(rejected)
  const at = yield* Clock.currentTimeMillis
  const news = self.book.failed(sid, { reason, message: error.message, at })
  yield* decide(self, { _tag: "DialFailed", sid })
  yield* LinkLog.dialFailed(sid, error, news)
  if (isStranger(self, sid) && !self.state.links.has(sid)) forget(self, sid)
  // Who has called meanwhile is dialled once more.
  if (!self.state.dialing.has(sid)) yield* publish(self, { _tag: "DialFailed", sid, reason })
})

const redialLater = (self: LinkKeeper, sid: bigint, failures: number): Effect.Effect<void> =>
  Effect.asVoid(FiberMap.run(
    self.redials,
    sid,
    Effect.gen(function*() {
      yield* Effect.sleep(yield* Dialing.redialDelay(failures))
      // Not in this fiber, which the next redial of this peer would interrupt.
      self.fork(decide(self, { _tag: "RedialDue", sid }))
    })
  ))

type Probe = ConnectionsOutput.Output & { readonly _tag: "Probe" }

const probe = Effect.fnUntraced(function*(self: LinkKeeper, { link, sid }: Probe) {
  const host = PeerHosts.hostOf(self.links.remoteOf(link) ?? "")
  if (host === null) return
  const answers = yield* Dialing.isReachable(self.transport, host, self.config.reachabilityCheckTimeout)
  if (!answers) yield* decide(self, { _tag: "ProbeFailed", link, sid })
})

/** Serves somebody who dialled us, from its handshake on. */
export const accept = (self: LinkKeeper, connection: Transport.Connection): Effect.Effect<void> =>
  Effect.gen(function*() {
    const link = yield* self.links.open(connection, "Them")
    const hosts = (message: InitialMessage.InitialMessage) =>
      PeerHosts.ofCaller(self.view.membership, message, connection)
    const handshake = Handshake.receive(connection, self.auth, hosts, self.config.handshakeTimeout)
    const { message, rest } = yield* self.gate.run(connection.remote, handshake)
    const { addresses, sid } = message
    yield* decide(self, { _tag: "Accepted", link: link.id, sid, announced: addresses })
    yield* serve(self, link, rest)
  }).pipe(
    Effect.catch((error) => {
      const news = self.book.rejected(Handshake.reasonOf(error), PeerHosts.hostOf(connection.remote))
      return LinkLog.handshakeFailed(connection.remote, error, news)
    }),
    Effect.scoped
  )

// -----------------------------------------------------------------------------
// links
// -----------------------------------------------------------------------------

const close = (self: LinkKeeper, order: Links.CloseOrder): Effect.Effect<void> => {
  const isRejection = order.reason === "OwnSid" || order.reason === "TooManyStrangers"
  const remote = self.links.remoteOf(order.link)
  const news = !isRejection || self.book.rejected(order.reason, PeerHosts.hostOf(remote ?? ""))
  const own = Connections.addressesOf(self.view.membership, self.view.mySid).map(Address.format).join(" and ")
  return Effect.andThen(LinkLog.closing(order, own, remote, news), self.links.close(order))
}

// Works on a link from the moment it is adopted until either side ends it.
const serve = Effect.fnUntraced(function*(self: LinkKeeper, link: Links.Link, rest: Uint8Array) {
  const sid = yield* Effect.raceFirst(Deferred.await(link.adopted), Deferred.await(link.closed))
  if (typeof sid !== "bigint") return
  const { connection, dialedBy, traffic } = link
  const { remote } = connection
  self.book.up(sid, { dialedBy, remote, since: yield* Clock.currentTimeMillis, traffic })
  yield* publish(self, { _tag: "Up", sid })
  yield* LinkLog.up(sid, remote)
  yield* work(self, link, sid, rest).pipe(
    Effect.onExit((exit) => onLinkEnded(self, link, sid, exit)),
    Effect.ignore
  )
})

const work = Effect.fnUntraced(function*(self: LinkKeeper, link: Links.Link, sid: bigint, rest: Uint8Array) {
  const { closed, connection, traffic } = link
  const outbox = yield* self.outboxes.of(sid)
  const send = Effect.raceFirst(SendWorker.run(connection, outbox, traffic), Deferred.await(closed))
  const linger = Effect.flatMap(send, (order) => (order.linger ? Effect.sleep(LINGER) : Effect.void))
  yield* Effect.raceFirst(RecvWorker.run(connection, sid, rest, self.recvQueue, traffic), linger)
})

const onLinkEnded = (self: LinkKeeper, link: Links.Link, sid: bigint, exit: Exit.Exit<void, LinkLog.LinkError>) =>
  Effect.suspend(() => {
    const useful = link.traffic.framesReceived > 0
    const isCurrent = self.state.links.get(sid) === link.id
    const ended = isCurrent ? down(self, link, sid, exit) : Effect.void
    return decide(self, { _tag: "Closed", link: link.id, sid, useful }, ended)
  })

const down = Effect.fnUntraced(function*(
  self: LinkKeeper,
  { connection: { remote }, traffic }: Links.Link,
  sid: bigint,
  exit: Exit.Exit<void, LinkLog.LinkError>
) {
  self.book.down(sid, traffic)
  if (Exit.isFailure(exit)) {
    const { message, rejected } = LinkLog.endOf(exit.cause)
    if (rejected !== null) self.book.rejected(rejected)
    self.book.failed(sid, { reason: "Lost", message, at: yield* Clock.currentTimeMillis })
    yield* LinkLog.down(sid, remote, exit.cause)
  }
  if (isStranger(self, sid)) forget(self, sid)
  yield* publish(self, { _tag: "Down", sid })
})

/** Is this a peer that no configuration knows? Nothing is kept of those, or anybody could fill our memory. */
export const isStranger = ({ view: { membership: { committed, lastSeen } } }: LinkKeeper, sid: bigint): boolean =>
  !committed.servers.has(sid) && !lastSeen.servers.has(sid)

const forget = (self: LinkKeeper, sid: bigint): void => {
  self.outboxes.forget(sid)
  self.book.forget(sid)
}

const publish = ({ linkChanges }: LinkKeeper, change: LinkChange) => PubSub.publish(linkChanges, change)
