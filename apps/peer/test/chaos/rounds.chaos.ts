/** A few rounds of every kind of fault, on three servers and five, with both contracts. `npm run chaos` does more. */
import { describe, it } from "@effect/vitest"
import * as Run from "./Run.ts"

const runs: ReadonlyArray<Run.Options> = [
  { seed: 1, rounds: 6, peers: 3, mode: "fenced", pace: "brisk", kinds: ["kill", "stop", "resign"] },
  { seed: 2, rounds: 6, peers: 3, mode: "leased", pace: "brisk", kinds: ["kill", "stop", "resign"] },
  { seed: 3, rounds: 4, peers: 3, mode: "leased", pace: "patient", kinds: ["partition"] },
  { seed: 4, rounds: 6, peers: 5, mode: "fenced", pace: "brisk", kinds: ["kill", "stop", "resign", "partition"] },
  { seed: 5, rounds: 6, peers: 5, mode: "leased", pace: "brisk", kinds: ["kill", "stop", "resign", "partition"] }
]

describe("leadership keeps its promises", () => {
  for (const options of runs) {
    const obstacle = Run.obstacle(options)
    if (obstacle !== null) console.warn(`left out: ${Run.describe(options)}\n  ${obstacle}`)
    it.skipIf(obstacle !== null)(Run.describe(options), async () => {
      await Run.run(options, () => undefined)
    })
  }
})
