import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Pledges from "../src/Pledges.ts"

describe("a pledge", () => {
  it.effect("is released when the process of its leader is gone, and who waits for that is told", Effect.fnUntraced(
    function*() {
      const pledges = Pledges.make({ leader: 3n, until: 1_000 })
      const waiting = yield* Effect.forkChild(pledges.released, { startImmediately: true })
      pledges.release(2n)
      yield* Effect.yieldNow
      assert.isUndefined(waiting.pollUnsafe())
      assert.deepStrictEqual(pledges.get(), { leader: 3n, until: 1_000 })
      pledges.release(3n)
      yield* Fiber.join(waiting)
      assert.isNull(pledges.get())
    }
  ))

  it("of a process that does not know whom it supported is released by nobody", () => {
    const pledges = Pledges.make({ leader: null, until: 1_000 })
    pledges.release(3n)
    assert.isNotNull(pledges.get())
  })
})
