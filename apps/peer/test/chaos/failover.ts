/**
 * Prints how long it takes until work goes on elsewhere when a leader is lost, and what takes how long.
 *
 *     npm run failover -- [--repetitions 20] [--peers 3]
 *
 * Figures are printed, never judged: they are as good as the machine is idle.
 */
import * as Core from "@conclave/core/Ensemble"
import { availableParallelism, cpus } from "node:os"
import { parseArgs } from "node:util"
import * as Samples from "../../../../packages/quorum-node/bench/Samples.ts"
import * as Ensemble from "./Ensemble.ts"
import * as Entry from "./Entry.ts"
import * as Network from "./Network.ts"
import * as Promises from "./Promises.ts"
import * as Rounds from "./Rounds.ts"

/** The moments that part the phases, in the order in which they come. */
interface Moments {
  readonly lost: number
  /** The next leader looks for one, or knows that it is named. */
  readonly noticed: number
  readonly elected: number
  readonly activated: number
  readonly working: number
}

type Loss = "kill -9" | "SIGTERM" | "silence"

const { values } = parseArgs({
  options: { repetitions: { type: "string", default: "20" }, peers: { type: "string", default: "3" } }
})
const repetitions = Number(values.repetitions)
const peers = Number(values.peers)
if (!(Number.isInteger(repetitions) && repetitions > 0 && Number.isInteger(peers) && peers >= 3 && peers <= 7)) {
  console.error("--repetitions is a positive number, --peers one from 3 to 7")
  process.exit(2)
}

// As it is unless told otherwise.
const { finalizeWait } = Core.defaultTiming

const obstacle = Network.obstacle()

const measure = async (mode: Promises.Mode, loss: Loss): Promise<ReadonlyArray<Moments>> => {
  const promise = Promises.of(mode)
  const network = loss === "silence" ? Network.namespaces(peers) : await Network.loopback(peers)
  const ensemble = Ensemble.make(network, { ...promise.timing, finalizeWait })
  const measured: Array<Moments> = []
  try {
    await Rounds.begin(ensemble, promise)
    while (measured.length < repetitions) {
      await Rounds.awaitAll(ensemble, promise)
      const leader = ensemble.leader()
      if (leader === null) continue
      const lost = Entry.now()
      const mend = await lose(ensemble, leader, loss)
      const moments = await ensemble.journal.until(promise.bound, (entries) => momentsOf(entries, leader, lost))
      if (moments === undefined) throw new Rounds.Broken(`nobody led after ${loss}\n${ensemble.logs()}`)
      measured.push(moments)
      await mend()
    }
    return measured
  } finally {
    await ensemble.close()
    network.close()
  }
}

const lose = async (ensemble: Ensemble.Ensemble, leader: bigint, loss: Loss): Promise<() => Promise<void>> => {
  if (loss === "silence") {
    ensemble.part(`parted: ${leader}`, (from, to) => from !== leader && to !== leader)
    return async () => ensemble.mend()
  }
  await ensemble.end([leader], loss === "SIGTERM" ? "SIGTERM" : "SIGKILL")
  return () => ensemble.start([leader])
}

// As the next leader tells it. An attempt that failed is part of the phase in which it did.
const momentsOf = (
  entries: ReadonlyArray<Entry.Entry>,
  leader: bigint,
  lost: number
): Moments | undefined => {
  const start = entries.find((entry) => entry.kind === "start" && entry.at > lost && entry.sid !== leader)
  if (start?.kind !== "start") return undefined
  const own = entries.filter((entry) => entry.kind === "status" && entry.sid === start.sid && entry.at > lost)
  const at = (accept: (status: Entry.Status) => boolean) =>
    own.find((entry) => entry.kind === "status" && accept(entry))?.at ?? start.at
  return {
    lost,
    noticed: at(({ state }) => state === "LOOKING"),
    elected: at(({ reason }) => reason === "Activating"),
    activated: at(({ state }) => state === "LEADING"),
    working: start.at
  }
}

const row = (mode: Promises.Mode, loss: Loss, measured: ReadonlyArray<Moments>): ReadonlyArray<string> => {
  const median = (time: (moments: Moments) => number) => Samples.ms(Samples.median(measured.map(time)))
  return [
    `${mode}, ${loss}`,
    `${measured.length}`,
    median(({ lost, noticed }) => noticed - lost),
    median(({ elected, noticed }) => elected - noticed),
    median(({ activated, elected }) => activated - elected),
    median(({ activated, working }) => working - activated),
    median(({ lost, working }) => working - lost),
    Samples.ms(Samples.p90(measured.map(({ lost, working }) => working - lost)))
  ]
}

const { timing } = Promises.of("leased")
console.log(`${availableParallelism()} cores, ${cpus()[0]?.model ?? "of unknown make"}; Node ${process.versions.node}`)
console.log(
  `${peers} processes; tickTime ${timing.tickTime} ms, syncLimit ${timing.syncLimit}, ` +
    `finalizeWait ${finalizeWait} ms, lease ${timing.lease} ms`
)
const rows = [["", "times", "detect", "elect", "activate", "start", "in all", "p90"]]
for (const mode of Promises.modes) {
  for (const loss of ["kill -9", "SIGTERM", "silence"] as const) {
    if (loss === "silence" && obstacle !== null) console.log(`silence is left out: ${obstacle}`)
    else rows.push([...row(mode, loss, await measure(mode, loss))])
  }
}
console.log(Samples.table(rows))
