/**
 * One peer of an ensemble: it starts, looks for a leader, and looks again when
 * there is none any more.
 *
 * A leader here is one that was elected, no more: nothing yet activates it, and it
 * is lost when connections close. See the README of this package.
 *
 * Java: `QuorumPeer`.
 */
import type { Address } from "@conclave/core/Address"
import * as Election from "@conclave/core/Election"
import * as Ensemble from "@conclave/core/Ensemble"
import type { Output } from "@conclave/core/ElectionOutput"
import * as Lease from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as ElectionAlgorithm from "./ElectionAlgorithm.ts"
import * as FastLeaderElection from "./FastLeaderElection.ts"
import { History } from "./History.ts"
import * as LeaseClock from "./LeaseClock.ts"
import type { PeerStory } from "./LinkBook.ts"
import { MembershipStore } from "./MembershipStore.ts"
import * as Office from "./Office.ts"
import type * as PeerStatus from "./PeerStatus.ts"
import * as Pledges from "./Pledges.ts"
import { QuorumConfig } from "./QuorumConfig.ts"
import * as QuorumAuth from "./QuorumAuth.ts"
import type { RoleContext } from "./RoleContext.ts"
import * as StatusBoard from "./StatusBoard.ts"
import { Tenure, TransferRefused } from "./Tenure.ts"
import * as TraceSink from "./TraceSink.ts"
import { type ListenError, Transport } from "./Transport.ts"

/** A peer whose id is not among the servers of its configuration. */
export class NotInView extends Schema.TaggedError<NotInView>()("NotInView", {
  sid: Schema.BigInt
}) {
  override get message(): string {
    return `My id ${this.sid} not in the peer list; add a line server.${this.sid}=host:port:port, or correct myid`
  }
}

/** A lease that is of no use with the ticks there are. Our configuration is at fault. */
export class UselessLease extends Schema.TaggedError<UselessLease>()("UselessLease", {
  duration: Schema.Finite,
  shortest: Schema.Finite,
  longest: Schema.Finite
}) {
  override get message(): string {
    return `a lease of ${this.duration} ms is of no use here; choose more than a tick and its grace, ` +
      `${this.shortest} ms, and no more than ${this.longest} ms, initLimit ticks by clocks that are as wrong as allowed`
  }
}

/** What can keep a peer from starting. */
export type StartError = NotInView | UselessLease | ElectionAlgorithm.UnsupportedElectionAlgorithm | ListenError

/** A running peer. */
export class QuorumPeer extends Context.Service<QuorumPeer, {
  readonly sid: Sid
  /** Where it listens for elections. */
  readonly addresses: ReadonlyArray<Address>
  /** Where it stands. */
  readonly status: Effect.Effect<PeerStatus.PeerStatus>
  /** Where it stands, now and after every change; a subscriber misses none. */
  readonly changes: Stream.Stream<PeerStatus.PeerStatus>
  /** What the election decides, with reasons, from now on; a subscriber that lags loses the oldest. */
  readonly outputs: Stream.Stream<Output>
  /** Looks for a leader again, as if it had been lost. Returns at once. */
  readonly lookForLeader: Effect.Effect<void>
  /** Waits for a leader, and gives the result of the election that found it. */
  readonly awaitLeader: Effect.Effect<PeerStatus.ElectionReport>
  /** The configurations in force and on their way. */
  readonly membership: Effect.Effect<Ensemble.Membership>
  /** The connections, by the sid of the far end. */
  readonly connected: Effect.Effect<ReadonlySet<Sid>>
  /** What is known of the connections with every other member, and with whoever else is connected. */
  readonly connections: Effect.Effect<ReadonlyArray<PeerStory>>
  /** How many connections were turned away, by reason. */
  readonly rejections: Effect.Effect<ReadonlyMap<string, number>>
  /** Never returns; fails when the peer cannot go on, which is when it cannot listen after a new configuration. */
  readonly join: Effect.Effect<never, StartError>
}>()("@conclave/quorum/QuorumPeer") {}

/** Outputs kept for a subscriber of `outputs` that lags: those of some hundred notifications. */
const OUTPUTS_CAPACITY = 1024

/** Starts a peer; it runs until the scope closes, and then leaves nothing behind. */
export const make = Effect.gen(function*() {
  const config = yield* QuorumConfig
  const { ensemble, membership } = config
  const { mySid } = ensemble
  if (!membership.committed.servers.has(mySid)) return yield* new NotInView({ sid: mySid })
  const history = yield* History
  const algorithm = yield* ElectionAlgorithm.make
  const outputs = yield* PubSub.sliding<Output>({ capacity: OUTPUTS_CAPACITY })
  const inbox = yield* Queue.bounded<FastLeaderElection.Input>(FastLeaderElection.INBOX_CAPACITY)
  const started: PeerStatus.LookCause = { _tag: "Started" }
  const board = yield* StatusBoard.make(started)
  const office = yield* Office.make({ sid: mySid })
  const roles = yield* makeRoles(config, office)
  const observe = (decided: ReadonlyArray<Output>) => {
    for (const output of decided) {
      if (output._tag === "AdoptConfig") members = Ensemble.adopt(members, mySid, output.verifier)
    }
    return Effect.asVoid(PubSub.publishAll(outputs, decided))
  }

  let manager = yield* algorithm.create(config.electionAlg, membership)
  let members = membership
  const main = Effect.gen(function*() {
    const facts = yield* history.read
    const trace = yield* TraceSink.election(ensemble, membership, facts)
    let state: Election.State = Election.make(ensemble, membership, facts)
    let cause: PeerStatus.LookCause = started
    while (true) {
      const options = { manager, inbox, board, roles, observe, trace }
      state = yield* Effect.scoped(FastLeaderElection.run(options, state, cause))
      cause = { _tag: "ConfigChanged" }
      yield* StatusBoard.looking(board, cause)
      manager = yield* algorithm.create(config.electionAlg, state.membership)
    }
  })
  const { addresses } = manager
  const fiber = yield* Effect.forkScoped(main)

  const peer = QuorumPeer.of({
    sid: mySid,
    addresses,
    status: SubscriptionRef.get(board.elections),
    changes: SubscriptionRef.changes(board.elections),
    outputs: Stream.fromPubSub(outputs),
    lookForLeader: Effect.asVoid(Queue.offer(inbox, { _tag: "Look", cause: { _tag: "Requested" } })),
    awaitLeader: SubscriptionRef.changes(board.elections).pipe(
      Stream.filter((status) => status._tag === "Settled"),
      Stream.map(({ report }) => report),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption),
      Effect.orDie
    ),
    membership: Effect.sync(() => members),
    connected: Effect.suspend(() => manager.connected),
    connections: Effect.suspend(() => Effect.map(manager.stories, (stories) => complete(members, mySid, stories))),
    rejections: Effect.suspend(() => manager.rejections),
    join: Fiber.join(fiber)
  })
  // Who has stopped has left office, and answers nobody.
  const stopped = (to: Sid | null) =>
    Effect.andThen(
      Fiber.await(fiber),
      to === null ? Effect.void : Effect.fail(new TransferRefused({ to, problem: "NotLeading" }))
    )
  const resign = (to: Sid | null) =>
    Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void, TransferRefused>()
      const answer = Effect.andThen(Queue.offer(inbox, { _tag: "Resign", to, done }), Deferred.await(done))
      return Effect.raceFirst(answer, stopped(to))
    })
  const tenure = Tenure.of({
    sid: mySid,
    office,
    status: SubscriptionRef.get(board.leadership),
    changes: SubscriptionRef.changes(board.leadership),
    // Only a transfer to somebody can be refused.
    resign: Effect.orDie(resign(null)),
    transferTo: resign
  })
  return Context.make(QuorumPeer, peer).pipe(Context.add(Tenure, tenure))
})

// A process that has been here before may have pledged itself before it was started again.
const makeRoles = Effect.fnUntraced(function*(config: QuorumConfig["Service"], office: Office.Office) {
  const { activation } = config
  if (activation === null) return null
  const { lease, ticks } = activation
  if (lease !== null && !Lease.fits(lease, ticks)) {
    return yield* new UselessLease({ duration: lease.duration, ...Lease.bounds(ticks, lease) })
  }
  const history = yield* History
  const { acceptedEpoch } = yield* history.read
  const now = (yield* LeaseClock.pledges)()
  const mayBePledged = lease !== null && acceptedEpoch > 0n
  const roles: RoleContext = {
    config,
    activation,
    transport: yield* Transport,
    auth: yield* QuorumAuth.QuorumAuth,
    history,
    office,
    store: yield* MembershipStore,
    pledges: Pledges.make(mayBePledged ? Lease.pledge(null, now, lease.duration, lease.clockDrift) : null)
  }
  return roles
})

// Of a member that was never tried there is no story yet; it is listed all the same.
const complete = (
  { committed, lastSeen }: Ensemble.Membership,
  mySid: Sid,
  stories: ReadonlyArray<PeerStory>
): ReadonlyArray<PeerStory> => {
  const bySid = new Map(stories.map((story) => [story.sid, story]))
  const others = new Set([...committed.servers.keys(), ...lastSeen.servers.keys(), ...bySid.keys()])
  others.delete(mySid)
  return Array.from(others, (sid) => bySid.get(sid) ?? { sid, link: null, failure: null })
}

/** A peer as a Layer, over any transport. */
export const layer: Layer.Layer<QuorumPeer | Tenure, StartError, QuorumConfig | History | Transport> =
  Layer.effectContext(make)
