/**
 * An ensemble of worker processes, and what can be done to it. Everything that is done is in its journal, with who may
 * lead from then on.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Spawned from "../support/Spawned.ts"
import * as Transcript from "../support/Transcript.ts"
import * as Entry from "./Entry.ts"
import * as Journal from "./Journal.ts"
import type { Network } from "./Network.ts"
import * as Reach from "./Reach.ts"
import type { Settings, Timing } from "./Settings.ts"

/** Who hears whom. */
export type Passes = (from: bigint, to: bigint) => boolean

/** A running ensemble. */
export interface Ensemble {
  readonly sids: ReadonlyArray<bigint>
  readonly journal: Journal.Journal
  /** Servers whose process is there, stopped or not. */
  readonly living: () => ReadonlyArray<bigint>
  /** Who led last, of those whose process is there and was not stopped. */
  readonly leader: () => bigint | null
  /** Starts these servers, and waits until they have said where they stand. */
  readonly start: (sids: ReadonlyArray<bigint>) => Promise<void>
  /** Ends these servers with a signal, and waits for it. */
  readonly end: (sids: ReadonlyArray<bigint>, signal: "SIGKILL" | "SIGTERM") => Promise<void>
  readonly stop: (sids: ReadonlyArray<bigint>) => void
  readonly proceed: (sids: ReadonlyArray<bigint>) => void
  readonly part: (what: string, passes: Passes) => void
  readonly unplug: (sid: bigint) => void
  /** All links work again. */
  readonly mend: () => void
  /** The last lines that every process has logged. */
  readonly logs: () => string
  /** Ends all processes and removes what they wrote, but for a journal that is to be kept. */
  readonly close: () => Promise<void>
}

/** How long a worker may take to come up on a busy machine. */
const START_TIMEOUT_MS = 30_000

/** An ensemble of which nothing runs yet. */
export const make = (network: Network, timing: Timing, resource: string | null = null): Ensemble => {
  const directory = mkdtempSync(join(tmpdir(), "conclave-chaos-"))
  const journal = Journal.open(join(directory, "journal.jsonl"))
  const sids = Object.keys(network.voters).map(BigInt)
  const workers = new Map<bigint, Spawned.Spawned>()
  const stopped = new Set<bigint>()
  const transcripts = new Map<bigint, Transcript.Transcript>()
  let started = 0
  let passes: Passes = () => true
  let unplugged: bigint | null = null

  const living = () => sids.filter((sid) => workers.get(sid)?.isRunning() === true)
  const running = () => living().filter((sid) => !stopped.has(sid))
  const reaches: Passes = (from, to) => from !== unplugged && to !== unplugged && passes(from, to)
  const done = (at: number, what: string, absent: ReadonlyArray<bigint> = []) => {
    const able = Reach.able(sids.length, { running: running().filter((sid) => !absent.includes(sid)), passes: reaches })
    journal.append({ kind: "fault", at, what, able })
  }
  const spawn = (sid: bigint) => {
    const settings: Settings = {
      sid: Number(sid),
      process: ++started,
      voters: network.voters,
      dataDir: join(directory, `${sid}`),
      journal: journal.file,
      resource,
      timing
    }
    const [file = "", ...args] = [...network.at(sid), process.execPath, WORKER, JSON.stringify(settings)]
    const worker = Spawned.start({ label: `server ${sid}, process ${started}`, file, args })
    workers.set(sid, worker)
    transcripts.set(sid, worker.stderr)
    return { sid, process: started, worker }
  }
  const names = (who: ReadonlyArray<bigint>) => who.join(" and ")

  return {
    sids,
    journal,
    living,
    leader: () => {
      const acts = journal.entries().findLast((entry) => entry.kind === "start" || entry.kind === "beat")
      const sid = acts?.kind === "start" || acts?.kind === "beat" ? acts.sid : null
      return sid !== null && running().includes(sid) ? sid : null
    },
    start: async (who) => {
      const spawned = who.map(spawn)
      for (const { process, sid, worker } of spawned) {
        const isUp = await journal.until(START_TIMEOUT_MS, (entries) => {
          if (!worker.isRunning()) throw new Error(`server ${sid} ended\n${Transcript.tail(worker.stderr)}`)
          return entries.findLast((entry) => entry.kind === "status" && entry.process === process)
        })
        if (isUp === undefined) throw new Error(`server ${sid} does not come up\n${Transcript.tail(worker.stderr)}`)
      }
      done(Entry.now(), `start ${names(who)}`)
    },
    end: async (who, signal) => {
      done(Entry.now(), `${signal} ${names(who)}`, who)
      await Promise.all(who.map((sid) => workers.get(sid)?.kill(signal)))
      who.forEach((sid) => stopped.delete(sid))
    },
    stop: (who) => {
      done(Entry.now(), `SIGSTOP ${names(who)}`, who)
      for (const sid of who) {
        workers.get(sid)?.signal("SIGSTOP")
        stopped.add(sid)
      }
    },
    proceed: (who) => {
      for (const sid of who) stopped.delete(sid)
      done(Entry.now(), `SIGCONT ${names(who)}`)
      for (const sid of who) workers.get(sid)?.signal("SIGCONT")
    },
    part: (what, next) => {
      passes = next
      const at = Entry.now()
      network.allow(passes)
      done(at, what)
    },
    unplug: (sid) => {
      unplugged = sid
      const at = Entry.now()
      network.plug(sid, false)
      done(at, `unplug ${sid}`)
    },
    mend: () => {
      passes = () => true
      if (unplugged !== null) network.plug(unplugged, true)
      unplugged = null
      network.allow(passes)
      done(Entry.now(), "mend")
    },
    logs: () => Array.from(transcripts.values(), (transcript) => Transcript.tail(transcript, 40)).join("\n"),
    close: async () => {
      await Promise.all(living().map((sid) => workers.get(sid)?.kill("SIGKILL")))
      journal.close()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url))
