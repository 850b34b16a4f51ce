/** What one core simulates, as figures. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"
import * as Elections from "../../testkit/bench/elections.ts"
import * as Samples from "./Samples.ts"

/** Prints how many elections of five peers are simulated in a second of processor time, and how many merely decided. */
export const run = Effect.gen(function*() {
  const rows = yield* Effect.forEach(Object.keys(Elections.kinds) as Array<Elections.Kind>, row)
  yield* Console.log(`simulations: five voters, every step checked; per second of processor time\n${
    Samples.table([["trouble", "simulations", "elections", "searches", "searches / 5", "ns a step"], ...rows])
  }`)
})

const row = (kind: Elections.Kind) =>
  Effect.map(measure(kind), ({ elections, searches, seconds, simulations, steps }) => [
    kind,
    ...[simulations, elections, searches, searches / 5].map((count) => (count / seconds).toFixed(0)),
    (seconds * 1e9 / steps).toFixed(0)
  ])

// Each with an engine of its own: how fast a kind is depends on what was compiled for those before.
const measure = (kind: Elections.Kind) =>
  Effect.callback<Elections.Figures>((resume) => {
    const worker = new Worker(new URL("./simulationsWorker.ts", import.meta.url), { workerData: kind })
    worker.once("message", (figures: Elections.Figures) => resume(Effect.succeed(figures)))
    worker.once("error", (error) => resume(Effect.die(error)))
  })
