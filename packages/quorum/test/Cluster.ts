/**
 * An ensemble in memory, for tests: every peer is the production code over the
 * in-memory network, each in a scope of its own, so that it can crash alone.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as History from "../src/History.ts"
import * as MemoryNetwork from "../src/MemoryNetwork.ts"
import type { PeerStatus } from "../src/PeerStatus.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as QuorumPeer from "../src/QuorumPeer.ts"

/** A running peer, and how to end it. */
export interface Member {
  readonly sid: bigint
  readonly peer: QuorumPeer.QuorumPeer["Service"]
  readonly stop: Effect.Effect<void>
}

/** What a peer may be given beyond its id. */
export type MemberOptions = NonNullable<Parameters<typeof QuorumConfig.layerVoters>[2]> & {
  readonly facts?: History.Facts
}

/** The host of a peer. */
export const host = (sid: bigint): string => `peer${sid}`

/** Starts one peer of an ensemble of the voters 1 to `size`. */
export const start = Effect.fnUntraced(function*(size: number, sid: bigint, options: MemberOptions = {}) {
  const voters = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`${index + 1}`, { host: host(BigInt(index + 1)), port: 3888 }])
  )
  const { facts, ...config } = options
  const scope = yield* Scope.fork(yield* Effect.scope)
  const layer = QuorumPeer.layer.pipe(
    Layer.provide([
      QuorumConfig.layerVoters(sid, voters, config),
      History.layer(facts),
      MemoryNetwork.layerTransport(host(sid))
    ])
  )
  const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope)
  const member: Member = {
    sid,
    peer: Context.get(context, QuorumPeer.QuorumPeer),
    stop: Scope.close(scope, Exit.void)
  }
  return member
})

/** Starts the voters 1 to `size`, all with the same options. */
export const startAll = (size: number, options?: MemberOptions) =>
  Effect.forEach(Array.from({ length: size }, (_, index) => BigInt(index + 1)), (sid) => start(size, sid, options))

/** How far the clock moves at a time: less than any timer of the election, so that none is jumped over. */
const TICK = "20 millis"

/** The steps after which a test gives up: two minutes of virtual time. */
const TICKS_MAX = 6_000

/**
 * Moves the test clock in small steps until the statuses of these peers are as
 * wanted. Fails, with what they are, when that takes longer than two minutes.
 */
export const until = Effect.fnUntraced(function*(
  members: ReadonlyArray<Member>,
  holds: (statuses: ReadonlyArray<PeerStatus>) => boolean
) {
  for (let tick = 0; tick < TICKS_MAX; tick++) {
    const statuses = yield* Effect.forEach(members, ({ peer }) => peer.status)
    if (holds(statuses)) return statuses
    yield* TestClock.adjust(TICK)
    // Work in flight between fibers goes on without the clock.
    yield* Effect.yieldNow
  }
  const statuses = yield* Effect.forEach(members, ({ peer }) => peer.status)
  return yield* Effect.die(new Error(`not reached; the peers are ${statuses.map(describe).join("; ")}`))
})

/** Do all of these have this leader, and does the leader say so? */
export const agreeOn = (leader: bigint) => (statuses: ReadonlyArray<PeerStatus>): boolean =>
  statuses.every((status) =>
    status._tag === "Settled" && status.report.vote.leader === leader &&
    (status.report.state === "LEADING") === (status.report.sid === leader)
  )

const describe = (status: PeerStatus): string =>
  status._tag === "Looking" ? "LOOKING" : `${status.report.sid} ${status.report.state} ${status.report.vote.leader}`
