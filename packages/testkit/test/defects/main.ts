/**
 * Prints which defect is found by which seed, how fast, and by what; and by exploring what, how deep, and how fast.
 *
 *     node packages/testkit/test/defects/main.ts [--runs N] [--states N] [--name TEXT]
 *
 * Exit status: 0 all were found, by the simulator and by the explorer, but for what the explorer knows nothing of;
 * 1 some were not, within N seeds each (1,000 unless told), or N states an exploration.
 */
import { parseArgs } from "node:util"
import * as Campaign from "../../src/Campaign.ts"
import * as Defects from "./Defects.ts"
import * as Explorations from "./Explorations.ts"
import * as Hunt from "./Hunt.ts"

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    states: { type: "string", default: String(Explorations.STATES_MAX) },
    name: { type: "string", default: "" }
  }
})

const simulated = async (defect: Defects.Defect): Promise<string> => {
  const trophy = await Hunt.hunt(defect, Number(values.runs))
  if (trophy === null) return "- | - | - | **not found**"
  const { peers, profile } = defect
  const { shrunk } = Campaign.investigate({ peers, profile, ...trophy }, trophy.violation)
  return `${trophy.seed} | ${trophy.millis.toFixed(0)} | ${shrunk.faults.length} | ${trophy.violation.property}`
}

const explored = async (defect: Defects.Defect): Promise<string> => {
  if (!Explorations.concerns(defect)) return "no links in it | | | | "
  const find = await Explorations.hunt(defect, Number(values.states))
  if (find === null) return "**not found** | - | - | - | -"
  const { millis, name, states, violation } = find
  return `${name} | ${violation.path.length} | ${states} | ${millis.toFixed(0)} | ${violation.property}`
}

const simulator = ["Trouble", "Peers", "Seed", "ms", "Faults left", "Broken"]
const explorer = ["Explored", "Depth", "States", "ms", "Broken"]
console.log(`| Defect | From | ${simulator.join(" | ")} | ${explorer.join(" | ")} |`)
console.log("|---|---|---|---:|---:|---:|---:|---|---|---:|---:|---:|---|")
for (const defect of Defects.all.filter(({ name }) => name.includes(values.name))) {
  const { name, origin, peers, profile } = defect
  const found = `${await simulated(defect)} | ${await explored(defect)}`
  console.log(`| ${name} | ${origin} | ${profile} | ${peers} | ${found} |`)
  if (found.includes("**not found**")) process.exitCode = 1
}
