/**
 * Prints which defect is found by which seed, how fast, and by what; and by exploring what, how deep, and how fast.
 *
 *     node packages/testkit/test/defects/main.ts [--runs N] [--name TEXT]
 *
 * Exit status: 0 all were found, by the simulator and by the explorer; 1 some were not, within N seeds each (1,000
 * unless told).
 */
import { parseArgs } from "node:util"
import * as Campaign from "../../src/Campaign.ts"
import type { Violation } from "../../src/Explorer.ts"
import * as Defects from "./Defects.ts"
import * as Explorations from "./Explorations.ts"
import * as Hunt from "./Hunt.ts"
import * as LeadershipDefects from "./LeadershipDefects.ts"
import * as LeadershipHunt from "./LeadershipHunt.ts"

const { values } = parseArgs({
  options: { runs: { type: "string", default: "1000" }, name: { type: "string", default: "" } }
})

const NOT_FOUND = "**not found**"

const cells = (...columns: ReadonlyArray<string | number>): string => `| ${columns.join(" | ")} |`

const simulated = async (defect: Defects.Defect): Promise<ReadonlyArray<string | number>> => {
  const { peers, profile } = defect
  const trophy = await Hunt.hunt(defect, Number(values.runs))
  if (trophy === null) return [profile, peers, "-", "-", "-", NOT_FOUND]
  const { millis, seed, violation } = trophy
  const { shrunk } = Campaign.investigate({ peers, profile, ...trophy }, violation)
  return [profile, peers, seed, millis.toFixed(0), shrunk.faults.length, violation.property]
}

interface Find {
  readonly violation: Violation
  readonly states: number
  readonly millis: number
}

const explored = (where: string, find: Find | null): ReadonlyArray<string | number> =>
  find === null
    ? [where, "-", "-", "-", NOT_FOUND]
    : [where, find.violation.path.length, find.states, find.millis.toFixed(0), find.violation.property]

const ofElections = async (defect: Defects.Defect): Promise<ReadonlyArray<string | number>> => {
  const find = await Explorations.hunt(defect)
  return explored(find?.name ?? "", find)
}

const ofLeadership = async (defect: LeadershipDefects.LeadershipDefect): Promise<ReadonlyArray<string | number>> =>
  explored(LeadershipHunt.settingOf(defect), await LeadershipHunt.hunt(defect))

const print = ({ name, origin }: Defects.Defect, ...found: ReadonlyArray<ReadonlyArray<string | number>>): void => {
  console.log(cells(name, origin, ...found.flat()))
  if (found.flat().includes(NOT_FOUND)) process.exitCode = 1
}

const isAskedFor = ({ name }: Defects.Defect): boolean => name.includes(values.name)

const simulator = ["Trouble", "Peers", "Seed", "ms", "Left", "Broken"]
const explorer = ["Explored", "Depth", "States", "ms", "Broken"]
console.log(cells("Defect", "From", ...simulator, ...explorer))
console.log("|---|---|---|---:|---:|---:|---:|---|---|---:|---:|---:|---|")
for (const defect of Defects.elections.filter(isAskedFor)) {
  print(defect, await simulated(defect), await ofElections(defect))
}
for (const defect of LeadershipDefects.all.filter(isAskedFor)) {
  print(defect, await simulated(defect), await ofLeadership(defect))
}
