/**
 * An ensemble in memory, for tests: every peer is the production code over the
 * in-memory network, each in a scope of its own, so that it can crash alone.
 */
import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumServer from "@conclave/core/QuorumServer"
import type { QuorumVerifier } from "@conclave/core/QuorumVerifier"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as History from "../src/History.ts"
import { MembershipStore } from "../src/MembershipStore.ts"
import * as Leadership from "../src/Leadership.ts"
import * as MemoryNetwork from "../src/MemoryNetwork.ts"
import * as Pause from "../src/Pause.ts"
import * as PeerStatus from "../src/PeerStatus.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as QuorumPeer from "../src/QuorumPeer.ts"
import { Tenure } from "../src/Tenure.ts"

/** A running peer, and how to end it. */
export interface Member {
  readonly sid: bigint
  readonly peer: QuorumPeer.QuorumPeer["Service"]
  readonly tenure: Tenure["Service"]
  readonly leadership: Leadership.Leadership["Service"]
  /** Where it keeps its epochs: to be given to who starts again. */
  readonly history: History.History["Service"]
  /** In good order; returns when it has stopped. */
  readonly stop: Effect.Effect<void>
  /** Kills the process: connections break, its host refuses. Returns at once. */
  readonly crash: Effect.Effect<void>
  /** Takes the machine away: nobody hears anything. Returns at once. */
  readonly vanish: Effect.Effect<void>
}

/** What a peer may be given beyond its id. It takes part in elections alone unless told how leaders are activated. */
export type MemberOptions = NonNullable<Parameters<typeof QuorumConfig.layerVoters>[2]> & {
  readonly facts?: Partial<History.Facts>
  /** Instead of the test clock: one that is wrong. */
  readonly clock?: Clock.Clock
  /** Instead of one in memory that begins with `facts`. */
  readonly history?: History.History["Service"]
  readonly position?: Effect.Effect<bigint>
  /** A pending configuration; only for members that are given as a verifier. */
  readonly lastSeen?: QuorumVerifier
  readonly store?: MembershipStore
}

/** The voters 1 to so many, or other members. */
export type Members = number | QuorumVerifier

/** The host of a peer. */
export const host = (sid: bigint): string => `peer${sid}`

/** A member at its host. */
export const server = (sid: bigint, role?: QuorumServer.LearnerType): QuorumServer.QuorumServer =>
  QuorumServer.make(sid, { host: host(sid), quorumPort: 2888, electionPort: 3888 }, role)

/** The ids from the first to the last. */
export const sids = (first: number, last: number): ReadonlyArray<bigint> =>
  Array.from({ length: last - first + 1 }, (_, index) => BigInt(first + index))

const configOf = (members: Members, sid: bigint, config: MemberOptions) => {
  if (typeof members !== "number") {
    return QuorumConfig.layer({
      ...config,
      ensemble: Ensemble.make({ ...config, mySid: sid }),
      membership: Ensemble.membership({ mySid: sid, committed: members, lastSeen: config.lastSeen })
    })
  }
  const voters = sids(1, members).map((voter) => [`${voter}`, { host: host(voter) }] as const)
  return QuorumConfig.layerVoters(sid, Object.fromEntries(voters), config)
}

/** Starts one peer of an ensemble. */
export const start = Effect.fnUntraced(function*(members: Members, sid: bigint, options: MemberOptions = {}) {
  const { clock = yield* Clock.Clock, facts, history: kept, position, store, ...given } = options
  const config: MemberOptions = { activation: null, ...given }
  const scope = yield* Scope.fork(yield* Effect.scope)
  const made = kept ?? (yield* History.make(facts))
  const history = position === undefined ? made : History.withPosition(made, position)
  const network = yield* MemoryNetwork.MemoryNetwork
  const layer = Leadership.layer.pipe(
    Layer.provideMerge(QuorumPeer.layer),
    Layer.provide([
      configOf(members, sid, config),
      Layer.succeed(History.History, history),
      Layer.succeed(Pause.PauseOptions, { ...Pause.defaults, enabled: false }),
      store === undefined ? Layer.empty : Layer.succeed(MembershipStore, store),
      MemoryNetwork.layerTransport(host(sid))
    ])
  )
  const context = yield* Effect.provideService(
    Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope),
    Clock.Clock,
    clock
  )
  const stop = Scope.close(scope, Exit.void)
  // What is left of it ends as the clock moves, and nobody hears of it.
  const discard = Effect.forkDetach(stop)
  const member: Member = {
    sid,
    peer: Context.get(context, QuorumPeer.QuorumPeer),
    tenure: Context.get(context, Tenure),
    leadership: Context.get(context, Leadership.Leadership),
    history,
    stop,
    crash: Effect.asVoid(Effect.andThen(network.crash(host(sid)), discard)),
    vanish: Effect.asVoid(Effect.andThen(network.vanish(host(sid)), discard))
  }
  return member
})

/** Starts the voters 1 to `size`, all with the same options. */
export const startAll = (size: number, options?: MemberOptions) => startSome(size, sids(1, size), options)

/** Starts these members of an ensemble, all with the same options. */
export const startSome = (members: Members, which: ReadonlyArray<bigint>, options?: MemberOptions) =>
  Effect.forEach(which, (sid) => start(members, sid, options))

/** How far the clock moves at a time: less than any timer of the election, so that none is jumped over. */
const TICK = "20 millis"

/** So many steps are a second. */
const TICKS_PER_SECOND = 50

/** What must become true of the statuses of peers, or stay true. */
export type Fact = (statuses: ReadonlyArray<PeerStatus.PeerStatus>) => boolean

const statusesOf = (members: ReadonlyArray<Member>) => Effect.forEach(members, ({ peer }) => peer.status)

/** Moves the test clock one step. */
export const tick = Effect.gen(function*() {
  yield* TestClock.adjust(TICK)
  // Work in flight between fibers goes on without the clock.
  yield* Effect.yieldNow
})

/**
 * Moves the test clock in small steps until the statuses of these peers are as
 * wanted. Fails, with what they are, when that takes longer than so many seconds.
 */
export const until = Effect.fnUntraced(function*(members: ReadonlyArray<Member>, holds: Fact, seconds = 120) {
  for (let ticks = 0; ticks < seconds * TICKS_PER_SECOND; ticks++) {
    const statuses = yield* statusesOf(members)
    if (holds(statuses)) return statuses
    yield* tick
  }
  const statuses = yield* statusesOf(members)
  return yield* Effect.die(new Error(`not reached; the peers are ${statuses.map(describe).join("; ")}`))
})

/** Moves the test clock by so many seconds; the statuses must be as wanted all the while. */
export const stays = Effect.fnUntraced(function*(members: ReadonlyArray<Member>, seconds: number, holds: Fact) {
  for (let ticks = 0; ticks < seconds * TICKS_PER_SECOND; ticks++) {
    const statuses = yield* statusesOf(members)
    if (!holds(statuses)) assert.fail(`after ${ticks} steps the peers are ${statuses.map(describe).join("; ")}`)
    yield* tick
  }
})

/** Every status of a peer from now on, in an array that grows. */
export const watch = Effect.fnUntraced(function*({ peer }: Member) {
  const seen: Array<PeerStatus.PeerStatus> = []
  yield* Effect.forkScoped(
    Stream.runForEach(peer.changes, (status) => Effect.sync(() => seen.push(status))),
    { startImmediately: true }
  )
  return seen
})

/** Do all of these have this leader, and does the leader say so? */
export const agreeOn = (leader: bigint): Fact => (statuses) =>
  statuses.every((status) =>
    status._tag === "Settled" && status.report.vote.leader === leader &&
    (status.report.state === "LEADING") === (status.report.sid === leader)
  )

/** Do all have the same leader, one of them, and does it say so? */
export const agree: Fact = (statuses) => {
  const leader = statuses.find((status) => PeerStatus.serverState(status) === "LEADING")
  return leader?._tag === "Settled" && agreeOn(leader.report.sid)(statuses)
}

/** Does none of them have a leader? */
export const allLook: Fact = (statuses) => statuses.every(({ _tag }) => _tag === "Looking")

/** The report of a peer that has a leader. */
export const reportOf = Effect.fnUntraced(function*({ peer }: Member) {
  const status = yield* peer.status
  return status._tag === "Settled" ? status.report : assert.fail("looks for a leader")
})

/** A test on a network of its own. */
export const networked = <A, E>(
  test: (
    network: MemoryNetwork.MemoryNetwork["Service"]
  ) => Effect.Effect<A, E, Scope.Scope | MemoryNetwork.MemoryNetwork>
) => () => Effect.asVoid(MemoryNetwork.MemoryNetwork.use(test)).pipe(Effect.provide(MemoryNetwork.layer))

const describe = (status: PeerStatus.PeerStatus): string =>
  status._tag === "Looking"
    ? `LOOKING, ${PeerStatus.describeCause(status.cause)}`
    : `${status.report.sid} ${status.report.state} ${status.report.vote.leader} in ${status.report.vote.electionEpoch}`
