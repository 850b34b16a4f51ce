import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { host } from "./Cluster.ts"
import * as Replicas from "./Replicas.ts"

const { replicated, until, working } = Replicas

describe.each(["Fenced", "Leased"] as const)("three replicas with a singleton (%s)", (contract) => {
  it.effect(
    "run it on one of them, and on another when that one stops",
    replicated(contract, Effect.fnUntraced(function*({ intervals, running, start, startAll }) {
      yield* startAll
      for (let turn = 0; turn < 5; turn++) {
        yield* until(() => working(intervals).length === 1)
        const sid = working(intervals)[0]!
        // As SIGTERM does: the work is ended, the others are told, and the peer is gone.
        const stopping = yield* Effect.forkChild(running.get(sid)!.stop)
        yield* until(() => stopping.pollUnsafe() !== undefined)
        yield* Fiber.join(stopping)
        assert.notInclude(working(intervals), sid)
        yield* until(() => working(intervals).length === 1)
        assert.notInclude(working(intervals), sid)
        yield* start(sid)
      }
      yield* until(() => running.size === 3)
      Replicas.assertTokensIncrease(intervals)
      Replicas.assertNoOverlap(intervals)
    }))
  )

  it.effect(
    "keep the leader they have when one comes back",
    replicated(contract, Effect.fnUntraced(function*({ intervals, start }) {
      yield* start(1n)
      yield* start(2n)
      yield* until(() => working(intervals).length === 1)
      const before = working(intervals)
      yield* start(3n)
      let waited = 0
      yield* until(() => ++waited > 400)
      assert.deepStrictEqual(working(intervals), before)
      assert.strictEqual(intervals.length, 1)
    }))
  )

  it.effect(
    "let the leader resign, and hand leadership to whom it chooses",
    replicated(contract, Effect.fnUntraced(function*({ intervals, running, startAll }) {
      yield* startAll
      yield* until(() => working(intervals).length === 1)
      const [first] = working(intervals)
      const resigning = yield* Effect.forkChild(running.get(first!)!.leadership.resign)
      yield* until(() => intervals.length === 2)
      yield* Fiber.join(resigning)
      const second = intervals[1]!.sid
      assert.notStrictEqual(second, first)
      const third = [1n, 2n, 3n].find((sid) => sid !== first && sid !== second)!
      const handing = yield* Effect.forkChild(running.get(second)!.leadership.transferTo(third))
      yield* until(() => intervals.length === 3)
      yield* Fiber.join(handing)
      assert.strictEqual(intervals[2]!.sid, third)
      Replicas.assertTokensIncrease(intervals)
      Replicas.assertNoOverlap(intervals)
    }))
  )

  it.effect(
    "go on without a leader that is cut off",
    replicated(contract, Effect.fnUntraced(function*({ intervals, startAll }, network) {
      yield* startAll
      for (let turn = 0; turn < 3; turn++) {
        yield* until(() => working(intervals).length === 1)
        const [old] = working(intervals)
        const count = intervals.length
        yield* network.partition(host(old!), [1n, 2n, 3n].filter((sid) => sid !== old).map((sid) => host(sid)))
        yield* until(() => intervals.length > count)
        assert.notStrictEqual(intervals[count]!.sid, old)
        yield* until(() => working(intervals).length === 1)
        yield* network.heal
      }
      Replicas.assertTokensIncrease(intervals)
      if (contract === "Leased") Replicas.assertNoOverlap(intervals)
    }))
  )
})
