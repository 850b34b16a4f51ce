/**
 * Prints which defect of leadership is found by exploration, where, how far away, and how fast.
 *
 *     node packages/testkit/test/defects/leadership.ts [--name TEXT]
 *
 * Exit status: 0 all were found, 1 some were not.
 */
import { parseArgs } from "node:util"
import * as LeadershipExplorations from "./LeadershipExplorations.ts"
import * as LeadershipHunt from "./LeadershipHunt.ts"

const { values } = parseArgs({ options: { name: { type: "string", default: "" } } })

console.log("| Defect | From | Setting | Depth | States | ms | Broken |")
console.log("|---|---|---|---:|---:|---:|---|")
for (const defect of LeadershipExplorations.all.filter(({ name }) => name.includes(values.name))) {
  const { bounds, lease, peers } = defect.setting
  const used = Object.entries(bounds).filter(([, bound]) => bound > 0).map(([name, bound]) => `${bound} ${name}`)
  const observers = peers.filter(({ observes }) => observes).length
  const who = observers === 0 ? `${peers.length} peers` : `${peers.length - observers} and ${observers} observers`
  const setting = [lease === null ? "fenced" : "leased", who, ...used].join(", ")
  const found = await LeadershipHunt.hunt(defect)
  const columns = found === null
    ? "- | - | - | **not found**"
    : `${found.violation.path.length} | ${found.states} | ${found.millis.toFixed(0)} | ${found.violation.property}`
  console.log(`| ${defect.name} | ${defect.origin} | ${setting} | ${columns} |`)
  if (found === null) process.exitCode = 1
}
