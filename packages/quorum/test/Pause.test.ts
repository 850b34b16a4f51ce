import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import * as LeadershipMetrics from "../src/LeadershipMetrics.ts"
import * as Pause from "../src/Pause.ts"
import * as Term from "../src/Term.ts"
import { activation, logs, make, settle, until } from "./ScriptedPeer.ts"

/** The test clock, but time can pass without anybody being woken, as for a process that is suspended. */
const suspendable = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  let suspended = 0n
  const now = () => clock.monotonicTimeNanosUnsafe() + suspended
  const suspend = (millis: number) => {
    suspended += BigInt(millis) * 1_000_000n
  }
  return {
    suspend,
    clock: { ...clock, monotonicTimeNanosUnsafe: now, monotonicTimeNanos: Effect.sync(now) } satisfies Clock.Clock
  }
})

const readPauses = Metric.value(LeadershipMetrics.of(LeadershipMetrics.pauseTime, 9n))

describe("a pause of the process", () => {
  it.effect("is measured at the next tick, and told if it was long", Effect.fnUntraced(function*() {
    const { clock, suspend } = yield* suspendable
    const { layer, lines } = logs()
    let ticks = 0
    const before = yield* readPauses
    yield* Pause.run(9n, Pause.defaults, Effect.sync(() => ticks++)).pipe(
      Effect.provide(layer),
      Effect.provideService(Clock.Clock, clock),
      Effect.forkChild
    )
    yield* settle
    for (const [index, pause] of [0, 40, 1_000, 1_001, 10_000, 10_001].entries()) {
      suspend(pause)
      yield* TestClock.adjust(499)
      assert.strictEqual(ticks, index)
      yield* TestClock.adjust(1)
      assert.strictEqual(ticks, index + 1)
    }
    const told = (level: string, millis: number) =>
      `${level}: the process did not run for about ${millis} ms: it was suspended, or its event loop blocked`
    assert.deepStrictEqual(lines, [told("Info", 1_001), told("Info", 10_000), told("Warn", 10_001)])
    const after = yield* readPauses
    assert.strictEqual(after.count - before.count, 6)
    assert.strictEqual(after.sum - before.sum, 22_042)
    assert.strictEqual(after.max, 10_001)
  }))

  it.effect("that outlasted a lease ends guarded work, and is told and counted once", Effect.fnUntraced(function*() {
    const { clock, suspend } = yield* suspendable
    const { layer, lines } = logs()
    const lost = Metric.value(LeadershipMetrics.of(LeadershipMetrics.leasesLost, 1n))
    const before = yield* lost
    yield* Effect.gen(function*() {
      const peer = yield* make()
      let ended = 0
      const work = () => Effect.ensuring(Effect.never, Effect.sync(() => ended++))
      yield* Effect.forkChild(peer.leadership.whileLeader(work))
      yield* Effect.forkChild(peer.leadership.whileLeader(work))
      yield* peer.lead(2_000)
      yield* settle
      suspend(2_000)
      yield* TestClock.adjust(499)
      assert.strictEqual(ended, 0, "nothing of it runs, so nobody has noticed")
      yield* TestClock.adjust(1)
      yield* until(() => ended === 2)
      yield* TestClock.adjust(5_000)
      yield* peer.lose({ _tag: "LeaseExpired" })
    }).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, clock))
    assert.strictEqual((yield* lost).count - before.count, 1)
    assert.deepStrictEqual(lines, [
      "Warn: the lease of epoch 1 ran out before this process ran on; its guarded work was interrupted",
      "Info: the process did not run for about 2000 ms: it was suspended, or its event loop blocked",
      "Info: leadership of epoch 1 ends: the lease had run out before this process ran on"
    ])
  }))

  it.effect("is not blamed for the end of a term that had no lease", Effect.fnUntraced(function*() {
    const { layer, lines } = logs()
    yield* Effect.gen(function*() {
      const peer = yield* make()
      const facts = { epoch: 1n, leader: 1n, since: 0, reason: activation, contract: "Fenced" } as const
      let holds = true
      let ended = 0
      yield* Effect.forkChild(peer.leadership.whileLeader(() =>
        Effect.ensuring(Effect.never, Effect.sync(() => ended++))))
      yield* peer.office.enter(Term.make(facts, () => holds))
      yield* settle
      holds = false
      yield* TestClock.adjust(500)
      yield* until(() => ended === 1)
      yield* settle
    }).pipe(Effect.provide(layer))
    assert.deepStrictEqual(lines, [])
  }))

  it.effect("is looked for unless that is switched off", Effect.fnUntraced(function*() {
    const peer = yield* Effect.provideService(make(), Pause.PauseOptions, { ...Pause.defaults, enabled: false })
    let ended = 0
    yield* Effect.forkChild(peer.leadership.whileLeader(() =>
      Effect.ensuring(Effect.never, Effect.sync(() => ended++))))
    yield* peer.lead(100)
    yield* settle
    yield* TestClock.adjust(5_000)
    assert.strictEqual(ended, 0)
  }))
})
