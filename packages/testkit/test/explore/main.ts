/**
 * Explores elections, connections and leadership within larger bounds, and prints what it came to as a table.
 *
 *     node packages/testkit/test/explore/main.ts [--name TEXT] [--states N]
 *
 * Exit status: 0 nothing was broken, 1 something was.
 */
import * as ConnectionsModel from "@conclave/testkit/ConnectionsModel"
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import * as Explorer from "@conclave/testkit/Explorer"
import * as LeadershipModel from "@conclave/testkit/LeadershipModel"
import { parseArgs } from "node:util"
import * as Connections from "./Connections.ts"
import * as Elections from "./Elections.ts"
import * as Leaderships from "./Leaderships.ts"

const { values } = parseArgs({
  options: { name: { type: "string", default: "" }, states: { type: "string", default: String(Elections.PART) } }
})

const expeditions = [
  ...Elections.all.map((one) => ({ ...one, model: () => ElectionModel.make(one.options) })),
  ...Connections.all.map((one) => ({
    ...one,
    name: `connections: ${one.name}`,
    model: () => ConnectionsModel.make(one.options)
  })),
  ...Leaderships.all.map((one) => ({ ...one, model: () => LeadershipModel.make(one.options) }))
]

console.log("| Bounds | States | Steps | Depth | Complete | Seconds | States a second | MiB |")
console.log("|---|---:|---:|---:|---|---:|---:|---:|")
for (const { extent, model, name } of expeditions.filter(({ name }) => name.includes(values.name))) {
  const start = process.cpuUsage()
  const statesMax = extent === "Part" ? Number(values.states) : Elections.STATES_MAX
  const outcome = Explorer.explore(model(), { statesMax })
  const { system, user } = process.cpuUsage(start)
  const seconds = (system + user) / 1e6
  const speed = Math.round(outcome.states / seconds)
  const { complete, depth, states, transitions, violation } = outcome
  const figures = [states, transitions, depth, complete ? "yes" : "no", seconds.toFixed(1), speed]
  console.log(`| ${name} | ${figures.join(" | ")} | ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} |`)
  if (violation === null) continue
  console.log([violation.detail, ...violation.path].join("\n"))
  process.exitCode = 1
}
