import { assert, describe, it } from "@effect/vitest"
import * as Leadership from "@conclave/quorum/Leadership"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestEnsemble from "../src/TestEnsemble.ts"

/** A run of guarded work; `end` is `null` while it runs. */
interface Interval {
  readonly sid: bigint
  readonly epoch: bigint
  readonly start: number
  end: number | null
}

/** How long the work takes to end. */
const ENDING = 500

/** Ticks of 50 ms: leader and learner give each other up after a quarter of a second. */
const quick = { ticks: { tickTime: 50, initLimit: 50, syncLimit: 5 }, abstainFor: 2_000 }

/**
 * A lease that outlasts the patience of the ticks, so that it is pledges that keep others from leading, and not that
 * they are slow to notice. Within its grace the work ends.
 */
const lease = { duration: 2_000, grace: 1_000 }

/** Work that notes when it runs, by the one clock of all. */
const noting = (intervals: Array<Interval>) =>
  Leadership.singleton(({ epoch }) =>
    Effect.gen(function*() {
      const { sid } = yield* Leadership.Leadership
      const interval: Interval = { sid, epoch, start: yield* Clock.currentTimeMillis, end: null }
      intervals.push(interval)
      const end = Effect.map(Clock.currentTimeMillis, (now) => void (interval.end = now))
      return yield* Effect.ensuring(Effect.never, Effect.delay(end, ENDING))
    }))

const working = (intervals: ReadonlyArray<Interval>) =>
  intervals.flatMap(({ end, sid }) => end === null ? [sid] : [])

const assertTokensIncrease = (intervals: ReadonlyArray<Interval>) => {
  for (const [index, { epoch }] of intervals.slice(1).entries()) {
    assert.isAbove(Number(epoch), Number(intervals[index]!.epoch))
  }
}

/** No two replicas work at a time. */
const assertNoOverlap = (intervals: ReadonlyArray<Interval>) => {
  for (const [index, { start }] of intervals.entries()) {
    for (const { end } of intervals.slice(0, index)) assert.isTrue(end !== null && end <= start)
  }
}

describe.each([{ contract: "Fenced", lease: null }, { contract: "Leased", lease }])(
  "three replicas with a singleton ($contract)",
  ({ contract, lease }) => {
    const replicated = <A, E>(
      test: (ensemble: TestEnsemble.TestEnsemble["Service"], intervals: ReadonlyArray<Interval>) => Effect.Effect<A, E>
    ) =>
    () =>
      Effect.gen(function*() {
        const intervals: Array<Interval> = []
        const ensemble = yield* TestEnsemble.TestEnsemble
        yield* ensemble.deploy(noting(intervals))
        yield* ensemble.awaitLeader()
        yield* test(ensemble, intervals)
        assertTokensIncrease(intervals)
        if (contract === "Leased") assertNoOverlap(intervals)
      }).pipe(Effect.provide(TestEnsemble.layer({ ...quick, lease })))

    it.effect("run it on one of them, and on another when that one stops", replicated(
      Effect.fnUntraced(function*({ start, stop, until }, intervals) {
        for (let turn = 0; turn < 5; turn++) {
          yield* until(() => working(intervals).length === 1)
          const sid = working(intervals)[0]!
          // As SIGTERM does: the work is ended, the others are told, and the peer is gone.
          yield* stop(sid)
          assert.notInclude(working(intervals), sid)
          yield* until(() => working(intervals).length === 1)
          assert.notInclude(working(intervals), sid)
          yield* start(sid)
        }
        assertNoOverlap(intervals)
      })
    ))

    it.effect("keep the leader they have when one comes back", replicated(
      Effect.fnUntraced(function*({ advance, crash, start, until }, intervals) {
        yield* crash(3n)
        yield* until(() => intervals.length === 2)
        yield* start(3n)
        yield* advance("20 seconds")
        assert.strictEqual(intervals.length, 2)
        assert.isNull(intervals[1]!.end)
        // Nobody was there to tell that the work of the killed process has ended.
        intervals[0]!.end = 0
      })
    ))

    it.effect("let the leader resign, and hand leadership to whom it chooses", replicated(
      Effect.fnUntraced(function*({ run, transferTo, until }, intervals) {
        const [first] = working(intervals)
        yield* run(first!, Leadership.Leadership.use(({ resign }) => resign))
        yield* until(() => intervals.length === 2)
        const second = intervals[1]!.sid
        assert.notStrictEqual(second, first)
        const third = [1n, 2n, 3n].find((sid) => sid !== first && sid !== second)!
        yield* transferTo(third)
        assert.strictEqual(intervals[2]!.sid, third)
        assertNoOverlap(intervals)
      })
    ))

    it.effect("go on without a leader that is cut off", replicated(
      Effect.fnUntraced(function*({ heal, partition, until }, intervals) {
        for (let turn = 0; turn < 3; turn++) {
          yield* until(() => working(intervals).length === 1)
          const [old] = working(intervals)
          const count = intervals.length
          yield* partition([old!])
          yield* until(() => intervals.length > count)
          assert.notStrictEqual(intervals[count]!.sid, old)
          yield* until(() => working(intervals).length === 1)
          yield* heal
        }
      })
    ))

    it.effect("go on without a leader that is paused", replicated(
      Effect.fnUntraced(function*({ pause, resume, until }, intervals) {
        for (let turn = 0; turn < 3; turn++) {
          yield* until(() => working(intervals).length === 1)
          const [old] = working(intervals)
          const count = intervals.length
          yield* pause(old!)
          yield* until(() => intervals.length > count)
          // Paused work does nothing, whatever the contract; it ends as soon as it can.
          const paused = intervals[count - 1]!
          assert.isNull(paused.end)
          yield* resume(old!)
          yield* until(() => paused.end !== null)
          assert.notStrictEqual(intervals[count]!.sid, old)
          paused.end = Math.min(paused.end!, intervals[count]!.start)
        }
      })
    ))
  }
)
