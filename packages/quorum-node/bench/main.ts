/**
 * Runs the benchmarks, or those named as arguments.
 *
 *     node packages/quorum-node/bench/main.ts [unreachable] [failover] [cold-start] [notifications] [simulations]
 *
 * Figures are printed, never judged: they are as good as the machine is idle. Exit status 2 for an unknown name.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { availableParallelism, cpus } from "node:os"
import * as Leaders from "./leaders.ts"
import * as Notifications from "./notifications.ts"
import * as Simulations from "./simulations.ts"
import * as Unreachable from "./unreachable.ts"

const benchmarks = new Map<string, Effect.Effect<void, unknown>>([
  ["unreachable", Unreachable.run],
  ["failover", Leaders.failover],
  ["cold-start", Leaders.coldStart],
  ["notifications", Notifications.run],
  ["simulations", Simulations.run]
])

const machine = `${availableParallelism()} cores, ${cpus()[0]?.model ?? "of unknown make"}; ` +
  `${process.platform} ${process.arch}, Node ${process.versions.node}`

const main = (names: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    yield* Console.log(machine)
    for (const name of names) {
      yield* Console.log("")
      yield* benchmarks.get(name)!
    }
    // What the peers log is not for here.
  }).pipe(Effect.provide(Logger.layer([])))

const names = process.argv.slice(2)
const unknown = names.filter((name) => !benchmarks.has(name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(", ")}; there are ${Array.from(benchmarks.keys()).join(", ")}`)
  process.exitCode = 2
} else await Effect.runPromise(main(names.length > 0 ? names : Array.from(benchmarks.keys())))
