import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Cycles from "../Cycles.ts"

const CYCLES = 10_000

/** After so many the heap has its size: by then the code is compiled that runs for every connection. */
const WARM_UP = 3_000

/** About 100 bytes a cycle, less than a forgotten entry of a table takes; up to 0.4 MB were measured. */
const HEAP_GROWTH_MAX = 1_000_000

describe("connections that come and go", () => {
  it.live(`leave nothing behind, ${CYCLES} times`, () =>
    Effect.gen(function*() {
      const figures = yield* Cycles.run(WARM_UP, CYCLES)
      console.log(Cycles.show(figures))
      Cycles.check(figures, HEAP_GROWTH_MAX)
    }).pipe(Effect.provide(Logger.layer([]))))
})
