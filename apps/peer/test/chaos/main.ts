/**
 * Lets processes of an ensemble fail, over and over, and checks that leadership keeps its promises.
 *
 *     npm run chaos -- --rounds 200 --seed 7 --peers 5 --mode leased --faults kill,stop,resign,partition
 *
 * The schedule is a function of the seed. Exit status 1 if a promise was broken, 2 for arguments that make no sense.
 */
import { parseArgs } from "node:util"
import * as Checker from "./Checker.ts"
import * as Ensemble from "./Ensemble.ts"
import * as Network from "./Network.ts"
import * as Promises from "./Promises.ts"
import * as Rounds from "./Rounds.ts"
import * as Schedule from "./Schedule.ts"
import * as Tally from "./Tally.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 1_000_000)}` },
    peers: { type: "string", default: "3" },
    mode: { type: "string", default: "leased" },
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

const mode = Promises.modes.find((mode) => mode === values.mode) ??
  refuse(`--mode ${values.mode}: there are ${Promises.modes.join(" and ")}`)

const kinds = values.faults.split(",").map((name) =>
  Schedule.faultKinds.find((kind) => kind === name) ??
    refuse(`--faults ${name}: there are ${Schedule.faultKinds.join(", ")}`)
)

const seed = integer("seed", 0, 2 ** 32 - 1)
const peers = integer("peers", 3, 7)
const schedule = Schedule.make(seed, { rounds: integer("rounds", 1, 1_000_000), peers, kinds })
const repeat = `npm run chaos -- --rounds ${schedule.length} --seed ${seed} --peers ${peers} --mode ${mode} ` +
  `--faults ${kinds.join(",")}`

const needsLinks = kinds.includes("partition")
const obstacle = needsLinks ? Network.obstacle() : null
if (obstacle !== null) refuse(`no partitions here: ${obstacle}`)

console.log(repeat)
const promise = Promises.of(mode)
const network = needsLinks ? Network.namespaces(peers) : await Network.loopback(peers)
const ensemble = Ensemble.make(network, promise.timing)

// Signals end what was started here, as an error does.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))

const describe = (index: number, round: Schedule.Round): string =>
  `round ${index + 1}: ${Schedule.describe(round)}`

let at = "start"
try {
  await Rounds.begin(ensemble, promise)
  for (const [index, round] of schedule.entries()) {
    at = describe(index, round)
    if (values.verbose) console.log(at)
    await Rounds.perform(ensemble, promise, round)
  }
  await Rounds.awaitAll(ensemble, promise)
  const entries = ensemble.journal.entries()
  console.log(Tally.print(entries))
  console.log(`${schedule.length} rounds, ${Checker.intervals(promise, entries).length} leaderships, no promise broken`)
} catch (cause) {
  console.error(`${at}\n${cause instanceof Rounds.Broken ? cause.message : cause instanceof Error ? cause.stack : cause}`)
  console.error(`to repeat: ${repeat}`)
  process.exitCode = 1
} finally {
  await ensemble.close()
  network.close()
}
