/**
 * Replicas of a service in memory, for tests: peers with leadership and one piece
 * of guarded work each, whose intervals are written down by one clock.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as History from "../src/History.ts"
import * as Leadership from "../src/Leadership.ts"
import * as MemoryNetwork from "../src/MemoryNetwork.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as QuorumPeer from "../src/QuorumPeer.ts"
import type { Contract } from "../src/Term.ts"
import { host, networked, sids } from "./Cluster.ts"

/** A run of guarded work; `end` is `null` while it runs. */
export interface Interval {
  readonly sid: bigint
  readonly epoch: bigint
  readonly start: number
  end: number | null
}

/** A replica that runs. */
export interface Replica {
  readonly leadership: Leadership.Leadership["Service"]
  readonly stop: Effect.Effect<void>
}

/** Ticks of 50 ms: leader and learner give each other up after a quarter of a second. */
const activation: QuorumConfig.Activation = {
  ...QuorumConfig.defaultActivation,
  ticks: { tickTime: 50, initLimit: 20, syncLimit: 5 },
  abstainFor: 2_000
}

/**
 * A lease that outlasts the patience of the ticks, so that it is pledges that keep others from leading, and not that
 * they are slow to notice. Within its grace the work ends.
 */
const lease = { duration: 2_000, grace: 1_000, clockDrift: 0.01 } as const

/** How long the work takes to end. */
const ENDING = 500

/** Replicas of a service that a test starts and stops. */
export interface Replicas {
  readonly intervals: ReadonlyArray<Interval>
  readonly running: ReadonlyMap<bigint, Replica>
  readonly start: (sid: bigint) => Effect.Effect<void, unknown, Scope.Scope | MemoryNetwork.MemoryNetwork>
  readonly startAll: Effect.Effect<void, unknown, Scope.Scope | MemoryNetwork.MemoryNetwork>
}

/** A test with three replicas on a network of their own. */
export const replicated = <A, E>(
  contract: Contract,
  test: (
    replicas: Replicas,
    network: MemoryNetwork.MemoryNetwork["Service"]
  ) => Effect.Effect<A, E, Scope.Scope | MemoryNetwork.MemoryNetwork>
) =>
  networked((network) => {
    // When the test is over nobody moves its clock.
    const over = Deferred.makeUnsafe<void>()
    return Effect.flatMap(make(3, contract, over), (replicas) =>
      Effect.ensuring(test(replicas, network), Deferred.succeed(over, undefined)))
  })

// Histories outlive the replicas.
const make = Effect.fnUntraced(function*(size: number, contract: Contract, over: Deferred.Deferred<void>) {
  const intervals: Array<Interval> = []
  const running = new Map<bigint, Replica>()
  const histories = new Map<bigint, History.History["Service"]>()
  for (const sid of sids(1, size)) histories.set(sid, yield* History.make())

  const start = Effect.fnUntraced(function*(sid: bigint) {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const voters = sids(1, size).map((voter) => [`${voter}`, { host: host(voter) }] as const)
    const work = ({ epoch }: { readonly epoch: bigint }) =>
      Effect.flatMap(Clock.currentTimeMillis, (start) => {
        const interval: Interval = { sid, epoch, start, end: null }
        intervals.push(interval)
        return Effect.ensuring(
          Effect.never,
          Effect.map(
            Effect.andThen(Effect.timeoutOption(Deferred.await(over), ENDING), Clock.currentTimeMillis),
            (end) => void (interval.end = end)
          )
        )
      })
    const layer = Leadership.singleton(work).pipe(
      Layer.provideMerge(Leadership.layer),
      Layer.provide(QuorumPeer.layer),
      Layer.provide([
        QuorumConfig.layerVoters(sid, Object.fromEntries(voters), {
          activation: { ...activation, lease: contract === "Leased" ? lease : null }
        }),
        Layer.succeed(History.History, histories.get(sid)!),
        MemoryNetwork.layerTransport(host(sid))
      ])
    )
    const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope)
    running.set(sid, {
      leadership: Context.get(context, Leadership.Leadership),
      stop: Effect.andThen(Effect.sync(() => running.delete(sid)), Scope.close(scope, Exit.void))
    })
  })
  return {
    intervals,
    running,
    start,
    startAll: Effect.forEach(sids(1, size), start, { discard: true })
  }
})

/** Moves the test clock in small steps until `holds`; fails when that takes longer than so many seconds. */
export const until = Effect.fnUntraced(function*(holds: () => boolean, seconds = 30) {
  for (let steps = 0; !holds(); steps++) {
    assert.isBelow(steps, seconds * 200, "what the test waits for does not happen")
    yield* TestClock.adjust(5)
    yield* Effect.yieldNow
  }
})

/** Who does guarded work now. */
export const working = (intervals: ReadonlyArray<Interval>): ReadonlyArray<bigint> =>
  intervals.filter(({ end }) => end === null).map(({ sid }) => sid)

/** Every token is greater than all before it. */
export const assertTokensIncrease = (intervals: ReadonlyArray<Interval>): void => {
  for (const [index, { epoch }] of intervals.entries()) {
    if (index > 0) assert.isAbove(Number(epoch), Number(intervals[index - 1]!.epoch))
  }
}

/** No two replicas work at a time. */
export const assertNoOverlap = (intervals: ReadonlyArray<Interval>): void => {
  for (const [index, { start }] of intervals.entries()) {
    for (const { end } of intervals.slice(0, index)) assert.isTrue(end !== null && end <= start)
  }
}
