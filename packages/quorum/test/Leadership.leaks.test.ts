import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

/** Counts the fibers that an effect starts and that have not ended. */
const counter = () => {
  let fibers = 0
  const service: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => void fibers++,
    recordFiberEnd: () => void fibers--
  }
  return {
    now: () => fibers,
    count: <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.provideService(self, Metric.FiberRuntimeMetrics, service)
  }
}

const CHANGES = 200

/** Longer than any timer runs that a change of leaders has started. */
const REST = 5

describe("two hundred changes of leader", () => {
  it.effect("leave no fiber and no connection behind", Cluster.networked(Effect.fnUntraced(function*(network) {
    const { count, now } = counter()
    const members = yield* count(Cluster.startAll(3, Leaders.activated({ abstainFor: 1 })))
    const ledger = yield* Leaders.ledger
    for (const member of members) yield* ledger.guard(member)
    const measure = Effect.gen(function*() {
      yield* Leaders.stays(members, REST, Leaders.agree)
      const connections = yield* network.connections
      return { fibers: now(), connections: connections.map(({ state }) => state) }
    })
    yield* Leaders.until(members, Leaders.ledBy(3n, 1n))
    const before = yield* measure
    assert.lengthOf(before.connections, 5, "three for elections, two for pings")
    for (let change = 1; change <= CHANGES; change++) {
      const { leader } = yield* Leaders.led(members)
      const next = change % 2 === 0 ? 3n : change % 4 === 1 ? 1n : 2n
      yield* Effect.forkChild(Effect.ignore(leader.leadership.transferTo(next)))
      yield* Leaders.until(members, Leaders.ledBy(next, BigInt(change + 1)))
    }
    assert.deepStrictEqual(yield* measure, before)
    assert.lengthOf(ledger.spans, CHANGES + 1)
    assert.deepStrictEqual(ledger.overlaps, [])
    yield* Leaders.stopAll(members)
    assert.deepStrictEqual([now(), yield* network.connections], [0, []])
  })), 30_000)
})
