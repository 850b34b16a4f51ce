import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Leadership from "../src/Leadership.ts"
import type { Term } from "../src/Term.ts"
import { layer, logs, make, type ScriptedPeer, settle, until } from "./ScriptedPeer.ts"

/** Starts a singleton on a peer; the answer ends it. */
const start = Effect.fnUntraced(function*(
  peer: ScriptedPeer,
  work: Effect.Effect<unknown, unknown> | ((term: Term) => Effect.Effect<unknown, unknown>)
) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const { layer: logger, lines } = logs()
  const whole = Leadership.singleton(work, { name: "job" }).pipe(Layer.provide(layer(peer)), Layer.provideMerge(logger))
  yield* Layer.buildWithMemoMap(whole, yield* Layer.makeMemoMap, scope)
  return { stop: Scope.close(scope, Exit.void), lines }
})

describe("a singleton", () => {
  it.effect("runs while its peer leads, and as long as its layer lives", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const notes: Array<string> = []
    const { stop } = yield* start(peer, ({ epoch }) =>
      Effect.ensuring(
        Effect.andThen(Effect.sync(() => notes.push(`start ${epoch}`)), Effect.never),
        Effect.sync(() => notes.push(`end ${epoch}`))
      ))
    yield* settle
    yield* peer.lead()
    yield* until(() => notes.length === 1)
    yield* peer.lose()
    yield* peer.lead()
    yield* until(() => notes.length === 3)
    yield* stop
    assert.deepStrictEqual(notes, ["start 1", "end 1", "start 2", "end 2"])
    assert.strictEqual(peer.resigned(), 0)
  }))

  it.effect("may be an effect that needs no term", Effect.fnUntraced(function*() {
    const peer = yield* make()
    let runs = 0
    yield* start(peer, Effect.sync(() => runs++))
    yield* peer.lead()
    yield* until(() => runs === 1)
    yield* settle
    assert.strictEqual(runs, 1, "it has run to its end in this term")
    assert.strictEqual(peer.resigned(), 0)
  }))

  it.effect("that fails is logged, resigns, and comes back when elected again, each time later", Effect.fnUntraced(
    function*() {
      const peer = yield* make()
      const starts: Array<number> = []
      const { lines } = yield* start(
        peer,
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          starts.push(now)
          return Effect.fail("no luck")
        })
      )
      for (let failures = 1; failures <= 8; failures++) {
        yield* peer.lead()
        // It is elected again at once, and waits all the same.
        const wait = failures === 1 ? 0 : Math.min(1_000 * 2 ** (failures - 2), 60_000)
        if (wait > 0) {
          yield* TestClock.adjust(wait - 1)
          assert.strictEqual(starts.length, failures - 1)
          yield* TestClock.adjust(1)
        }
        yield* until(() => peer.resigned() === failures)
        assert.strictEqual(starts.length, failures)
        yield* settle
      }
      assert.deepStrictEqual(
        starts.map((start, index) => (start - (starts[index - 1] ?? 0)) / 1_000),
        [0, 1, 2, 4, 8, 16, 32, 60]
      )
      assert.deepStrictEqual(
        lines.filter((line) => line.startsWith("Error")).slice(0, 2),
        [1_000, 2_000].map((wait) => `Error: job failed; this peer resigns, and does not start it again for ${wait} ms`)
      )
    }
  ))

  it.effect("that ran for long before it failed comes back soon", Effect.fnUntraced(function*() {
    const peer = yield* make()
    let runs = 0
    const lasting = [0, 0, 60_000, 0]
    yield* start(
      peer,
      Effect.suspend(() => Effect.andThen(Effect.sleep(lasting[runs++] ?? 0), Effect.die("no luck")))
    )
    const waits = [0, 1_000, 2_000, 1_000]
    for (const [run, wait] of waits.entries()) {
      yield* peer.lead()
      yield* settle
      if (wait > 0) {
        yield* TestClock.adjust(wait - 1)
        assert.strictEqual(runs, run)
        yield* TestClock.adjust(1)
      }
      yield* until(() => runs === run + 1)
      yield* TestClock.adjust(lasting[run]!)
      yield* until(() => peer.resigned() === run + 1)
      yield* settle
    }
  }))

  it.effect("that does not end holds up the end of its layer for a while only", Effect.fnUntraced(function*() {
    const peer = yield* make()
    let started = false
    const { lines, stop } = yield* start(
      peer,
      Effect.ensuring(Effect.andThen(Effect.sync(() => void (started = true)), Effect.never), Effect.never)
    )
    yield* peer.lead()
    yield* until(() => started)
    const stopping = yield* Effect.forkChild(stop)
    yield* settle
    yield* TestClock.adjust(4_999)
    assert.isUndefined(stopping.pollUnsafe())
    yield* TestClock.adjust(1)
    yield* Fiber.join(stopping)
    assert.deepStrictEqual(lines, ["Warn: job has not ended within 5000 ms, and is left behind"])
  }))
})
