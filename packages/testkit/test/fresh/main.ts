/**
 * Runs seeds that nobody has run, for a while: every kind of trouble among two to seven voters, in turn.
 *
 *     node packages/testkit/test/fresh/main.ts [--minutes N] [--seed N]
 *
 * Exit status: 0 nothing was broken in N minutes (5 unless told), 1 something was. The command that repeats it is
 * printed, and the smallest scenario found that breaks the same.
 */
import { parseArgs } from "node:util"
import * as Campaign from "../../src/Campaign.ts"
import * as Profile from "../../src/Profile.ts"
import * as ScenarioJson from "../../src/ScenarioJson.ts"
import * as Story from "../../src/Story.ts"

/** Simulations of one kind before the next has its turn. */
const RUNS = 200

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: `${Date.now() % 2 ** 40}` }
  }
})

const names = Object.keys(Profile.profiles) as Array<Profile.ProfileName>
const end = performance.now() + Number(values.minutes) * 60_000
const totals = { simulations: 0, elections: 0 }
console.log(`seeds from ${values.seed} on, for ${values.minutes} minutes`)

for (let seed = Number(values.seed), turn = 0; performance.now() < end && process.exitCode === undefined; turn++) {
  const options = { profile: names[turn % names.length]!, peers: 2 + turn % 6, seed, runs: RUNS }
  const campaign = Campaign.make(options)
  while (campaign.next());
  totals.simulations += campaign.done()
  totals.elections += campaign.summary().elections
  const failure = campaign.failure()
  if (failure !== null) {
    console.log(Campaign.command(options, failure.seed))
    console.log(ScenarioJson.format(failure.shrunk))
    console.log(Story.tell(failure.shrunk).join("\n"))
    process.exitCode = 1
  }
  seed += RUNS
}

console.log(`${totals.simulations} simulations, ${totals.elections} elections`)
