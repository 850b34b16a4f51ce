/**
 * Lets processes of an ensemble fail, over and over, and checks that leadership keeps its promises.
 *
 *     npm run chaos -- --rounds 200 --seed 7 --peers 5 --mode leased --faults kill,stop,resign,partition
 *
 * The schedule is a function of the seed. Exit status 1 if a promise was broken, 2 for arguments that make no sense.
 */
import { parseArgs } from "node:util"
import * as Checker from "./Checker.ts"
import * as Promises from "./Promises.ts"
import * as Rounds from "./Rounds.ts"
import * as Run from "./Run.ts"
import * as Schedule from "./Schedule.ts"
import * as Tally from "./Tally.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 1_000_000)}` },
    peers: { type: "string", default: "3" },
    mode: { type: "string", default: "leased" },
    pace: { type: "string", default: "brisk" },
    faults: { type: "string", default: Schedule.faultKinds.join(",") },
    verbose: { type: "boolean", default: false }
  }
})

const refuse = (problem: string): never => {
  console.error(problem)
  process.exit(2)
}

const integer = (name: "rounds" | "seed" | "peers", least: number, most: number): number => {
  const value = Number(values[name])
  return Number.isInteger(value) && value >= least && value <= most
    ? value
    : refuse(`--${name} ${values[name]}: a whole number from ${least} to ${most} is needed`)
}

const oneOf = <A extends string>(name: string, value: string, all: ReadonlyArray<A>): A =>
  all.find((known) => known === value) ?? refuse(`--${name} ${value}: there are ${all.join(", ")}`)

const options: Run.Options = {
  seed: integer("seed", 0, 2 ** 32 - 1),
  rounds: integer("rounds", 1, 1_000_000),
  peers: integer("peers", 3, 7),
  mode: oneOf("mode", values.mode, Promises.modes),
  pace: oneOf("pace", values.pace, Promises.paces),
  kinds: values.faults.split(",").map((name) => oneOf("faults", name, Schedule.faultKinds))
}

const obstacle = Run.obstacle(options)
if (obstacle !== null) refuse(`no partitions here: ${obstacle}`)

// Signals end what was started here, as an error does.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))

console.log(Run.describe(options))
try {
  const entries = await Run.run(options, (round) => {
    if (values.verbose) console.log(round)
  })
  const { length } = Checker.intervals(Promises.of(options.mode, options.pace), entries)
  console.log(`${Tally.print(entries)}\n${options.rounds} rounds, ${length} leaderships, no promise broken`)
} catch (cause) {
  console.error(cause instanceof Rounds.Broken ? cause.message : cause)
  process.exitCode = 1
}
