import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Cycles from "./Cycles.ts"

/** The heap may grow by 10 KiB a cycle: only a coarse leak shows in so few. `npm run soak` looks closely. */
const HEAP_GROWTH_MAX = 3_000_000

describe("connections that come and go", () => {
  it.live("leave nothing behind, 300 times", () =>
    Effect.gen(function*() {
      const figures = yield* Cycles.run(100, 300)
      console.log(Cycles.show(figures))
      Cycles.check(figures, HEAP_GROWTH_MAX)
    }).pipe(Effect.provide(Logger.layer([]))), 20_000)
})
