/** Performs a schedule of faults on an ensemble, and checks after each what must always hold. */
import { setTimeout as delay } from "node:timers/promises"
import * as Checker from "./Checker.ts"
import type { Ensemble } from "./Ensemble.ts"
import * as Entry from "./Entry.ts"
import * as Schedule from "./Schedule.ts"

/** A round that broke a promise, with what led to it. */
export class Broken extends Error {}

/** Starts all servers and waits for the first leader. */
export const begin = async (ensemble: Ensemble, promise: Checker.Promise): Promise<void> => {
  await ensemble.start(ensemble.sids)
  await awaitLeader(ensemble, promise)
  verify(ensemble, promise)
}

/** One round: a fault, a leader in spite of it if there can be one, and the fault mended. */
export const perform = async (ensemble: Ensemble, promise: Checker.Promise, round: Schedule.Round): Promise<void> => {
  if (round.peace > 0) {
    await awaitAll(ensemble, promise)
    await delay(round.peace)
  }
  const mend = await inject(ensemble, round)
  const until = Entry.now() + round.duration
  await awaitLeader(ensemble, promise)
  await delay(Math.max(0, until - Entry.now()))
  await mend()
  verify(ensemble, promise)
}

/** Waits until the ensemble has a leader that all follow. */
export const awaitAll = async (ensemble: Ensemble, promise: Checker.Promise): Promise<void> => {
  const all = await ensemble.journal.until(promise.bound, (entries) => {
    const last = ensemble.sids.map((sid) => entries.findLast((entry) => entry.kind === "status" && entry.sid === sid))
    const epochs = new Set(last.map((entry) => (entry?.kind === "status" ? entry.epoch : null)))
    return epochs.size === 1 && !epochs.has(null) ? true : undefined
  })
  verify(ensemble, promise)
  if (all === undefined) throw new Broken(`not all follow one leader after ${promise.bound} ms${story(ensemble)}`)
}

/** Waits until somebody leads who may, and no longer than that is allowed to take. */
export const awaitLeader = async (ensemble: Ensemble, promise: Checker.Promise): Promise<void> => {
  await ensemble.journal.until(promise.bound * 1.1, (entries) => {
    const fault = entries.findLast((entry) => entry.kind === "fault")
    if (fault?.kind !== "fault" || fault.able.length === 0) return true
    const act = entries.findLast((entry) =>
      (entry.kind === "start" || entry.kind === "beat") && fault.able.includes(entry.sid))
    return act !== undefined && act.at >= fault.at ? true : undefined
  })
}

/** Throws if a promise was broken. */
export const verify = (ensemble: Ensemble, promise: Checker.Promise): void => {
  const violations = Checker.check(promise, ensemble.journal.entries())
  if (violations.length > 0) throw new Broken(`${violations.map(Checker.describe).join("\n")}${story(ensemble)}`)
}

// -----------------------------------------------------------------------------

const STORY_ENTRIES = 60

const story = ({ journal, logs }: Ensemble): string => {
  const entries = journal.entries().toSorted((self, that) => self.at - that.at)
  // Of the beats only the first and the last tell something.
  const telling = entries.filter((entry, index) => {
    const isBeat = (other: Entry.Entry | undefined) =>
      entry.kind === "beat" && other?.kind === "beat" && other.sid === entry.sid
    return !(isBeat(entries[index - 1]) && isBeat(entries[index + 1]))
  })
  const lines = telling.slice(-STORY_ENTRIES).map((entry) => Entry.format(entry, 0))
  return `\n--- what happened ---\n${lines.join("\n")}\n${logs()}`
}

const inject = (ensemble: Ensemble, round: Schedule.Round): Promise<() => Promise<void>> => {
  const victims = choose(ensemble, round)
  switch (round.kind) {
    case "kill":
      return end(ensemble, victims, "SIGKILL")
    case "resign":
      return end(ensemble, victims, "SIGTERM")
    case "stop":
      ensemble.stop(victims)
      return Promise.resolve(async () => ensemble.proceed(victims))
    case "partition":
      part(ensemble, round, victims[0] ?? 1n)
      return Promise.resolve(async () => ensemble.mend())
  }
}

const end = async (ensemble: Ensemble, victims: ReadonlyArray<bigint>, signal: "SIGKILL" | "SIGTERM") => {
  await ensemble.end(victims, signal)
  return () => ensemble.start(victims)
}

// The leader or somebody else, and then whoever comes next.
const choose = (ensemble: Ensemble, { others, pick, target }: Schedule.Round): ReadonlyArray<bigint> => {
  const { sids } = ensemble
  const leader = ensemble.leader()
  const followers = sids.filter((sid) => sid !== leader)
  const first = target === "leader" && leader !== null ? leader : followers[Math.floor(pick * followers.length)] ?? 1n
  const from = sids.indexOf(first)
  return Array.from({ length: Math.min(others + 1, sids.length) }, (_, index) => sids[(from + index) % sids.length]!)
}

const part = (ensemble: Ensemble, { partition }: Schedule.Round, first: bigint): void => {
  const { sids } = ensemble
  const minority = Math.ceil(sids.length / 2) - 1
  const group = (size: number) => {
    const from = sids.indexOf(first)
    return new Set(Array.from({ length: size }, (_, index) => sids[(from + index) % sids.length]))
  }
  const apart = (size: number, what: string) => {
    const inside = group(size)
    ensemble.part(`${what}: ${[...inside].join(" and ")}`, (from, to) => inside.has(from) === inside.has(to))
  }
  switch (partition) {
    case "Alone":
      return apart(1, "parted")
    case "Minority":
      return apart(minority, "parted minority")
    case "Majority":
      return apart(sids.length - minority, "parted majority")
    case "Unplugged":
      return ensemble.unplug(first)
    case "Mute":
      return ensemble.part(`mute: ${first}`, (from) => from !== first)
    case "Deaf":
      return ensemble.part(`deaf: ${first}`, (_, to) => to !== first)
    case "Tethered": {
      const pair = group(2)
      const isFirst = (sid: bigint) => sid === first
      return ensemble.part(`tethered to ${[...pair].at(-1)}: ${first}`, (from, to) =>
        isFirst(from) || isFirst(to) ? pair.has(from) && pair.has(to) : true)
    }
    case "Shattered":
    case null:
      return ensemble.part("shattered", () => false)
  }
}
