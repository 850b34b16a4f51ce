/** What one core simulates, as figures. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Elections from "../../testkit/bench/elections.ts"
import * as Samples from "./Samples.ts"

/** Prints how many elections of five peers are simulated in a second of processor time, and how many merely decided. */
export const run = Effect.suspend(() => {
  const profiles = ["calm", "lossy", "partitions", "crashes", "chaos"] as const
  return Console.log(`simulations: five voters, every step checked; per second of processor time\n${
    Samples.table([
      ["trouble", "simulations", "elections", "searches", "searches / 5", "ns a step"],
      ...profiles.map((name) => row(name, Elections.simulate(name))),
      row("in a row, five look one after another", Elections.inARow("OneByOne")),
      row("in a row, five look at once", Elections.inARow("AtOnce")),
      row("in a row, the leader is killed", Elections.inARow("Killed")),
      row("the reducer alone", Elections.bare())
    ])
  }`)
})

const row = (name: string, { elections, searches, seconds, simulations, steps }: Elections.Figures) => [
  name,
  ...[simulations, elections, searches, searches / 5].map((count) => (count / seconds).toFixed(0)),
  (seconds * 1e9 / steps).toFixed(0)
]
