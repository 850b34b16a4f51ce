import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Timers from "../src/internal/Timers.ts"

describe("timers", () => {
  it.effect("fire at whole milliseconds, for who is woken early would ask for the rest without end", Effect.fnUntraced(
    function*() {
      const fired: Array<string> = []
      const timers = yield* Timers.make<"Lease">(({ timer }) => Effect.sync(() => fired.push(timer)))
      yield* timers.set("Lease", 10.2)
      yield* TestClock.adjust("10500 micros")
      assert.deepStrictEqual(fired, [])
      yield* TestClock.adjust("500 micros")
      assert.deepStrictEqual(fired, ["Lease"])
    }
  ))

  it.effect("count once, and not after they were set anew or cancelled", Effect.fnUntraced(function*() {
    const fired: Array<Timers.Fired<"Lease">> = []
    const timers = yield* Timers.make<"Lease">((one) => Effect.sync(() => fired.push(one)))
    yield* timers.set("Lease", 10)
    yield* TestClock.adjust(10)
    yield* timers.set("Lease", 10)
    assert.isFalse(timers.claim(fired[0]!), "set anew")
    yield* TestClock.adjust(10)
    assert.deepStrictEqual([timers.claim(fired[1]!), timers.claim(fired[1]!)], [true, false])
    yield* timers.set("Lease", 10)
    yield* timers.cancel("Lease")
    yield* TestClock.adjust(10)
    assert.lengthOf(fired, 2)
  }))
})
