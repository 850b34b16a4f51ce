/**
 * Prints which defect is found by which seed, how fast, and by what.
 *
 *     node packages/testkit/test/defects/main.ts [--runs N] [--name TEXT]
 *
 * Exit status: 0 all were found, 1 some were not, within N seeds each (1,000 unless told).
 */
import { parseArgs } from "node:util"
import * as Campaign from "../../src/Campaign.ts"
import * as Defects from "./Defects.ts"
import * as Hunt from "./Hunt.ts"

const { values } = parseArgs({
  options: { runs: { type: "string", default: "1000" }, name: { type: "string", default: "" } }
})

console.log("| Defect | From | Trouble | Peers | Seed | ms | Faults left | Broken |")
console.log("|---|---|---|---:|---:|---:|---:|---|")
for (const defect of Defects.all.filter(({ name }) => name.includes(values.name))) {
  const trophy = await Hunt.hunt(defect, Number(values.runs))
  const { name, origin, peers, profile } = defect
  const left = trophy === null
    ? 0
    : Campaign.investigate({ peers, profile, ...trophy }, trophy.violation).shrunk.faults.length
  const found = trophy === null
    ? "| - | - | - | **not found** |"
    : `| ${trophy.seed} | ${trophy.millis.toFixed(0)} | ${left} | ${trophy.violation.property} |`
  console.log(`| ${name} | ${origin} | ${profile} | ${peers} ${found}`)
  if (trophy === null) process.exitCode = 1
}
