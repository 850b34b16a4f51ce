/**
 * What fresh seeds found, as scenarios, which mean the same when kinds of trouble change: each broke a property once.
 *
 * - `abstainers-to-and-fro`, `endless-lies`: votes for who had stepped aside had others change rounds without end.
 * - `half-written-epoch`: the next role of a learner did not know of an epoch that was being written.
 * - `last-round`: a lie had taken all to the last round there is, and a proposal that cannot win was kept there.
 * - `late-leader`: who had ended its wait for a better vote at once gave its leader up, by the original's rules, before
 *   that had ended its own.
 * - `many-at-once`: what waited for a search was judged by the state at its end.
 * - `misled-by-silence`: all voted for who had stepped aside, by a lie; it had voted for another since, and did not say
 *   again that it cannot be voted for.
 * - `still-voted-for`: by the original's rules some went on voting for who had stepped aside; who knew of it and voted
 *   for another waited with them.
 * - `two-lead-in-turn`: who had stepped aside voted for one that knew less, and was turned away by it.
 * - `weightless-in-office`: a lie had a server of no weight take its own vote for that of a quorum.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as ScenarioJson from "../src/ScenarioJson.ts"
import * as Simulator from "../src/Simulator.ts"

const folder = fileURLToPath(new URL("found/", import.meta.url))

describe("what once broke holds", () => {
  it.each(readdirSync(folder))("%s", (file) => {
    const scenario = Result.getOrThrow(ScenarioJson.parse(readFileSync(`${folder}${file}`, "utf8")))
    const { stats, violation } = Simulator.run(scenario)
    assert.isNull(violation)
    assert.isAbove(stats.elections, 0)
  })
})
