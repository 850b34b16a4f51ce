/**
 * What must always hold of an ensemble under faults, checked on what its processes wrote down.
 *
 * A process that is killed or stopped does nothing more, so its work ends with the last step it wrote down. One that
 * runs on after it was stopped may end its work, in finalizers; every other step is an act of a leader.
 */
import type * as Entry from "./Entry.ts"

/** What is promised, and how soon. */
export interface Promise {
  readonly mode: "fenced" | "leased"
  /** How long before the end of its lease a leader ends its work. A process that stood still for longer is too late. */
  readonly grace: number
  /** How soon a majority whose members can talk has a leader. */
  readonly bound: number
}

/** The work of one process in one epoch. */
export interface Interval {
  readonly sid: bigint
  readonly process: number
  readonly epoch: bigint
  readonly start: number
  /** Its last act. */
  readonly end: number
}

/** A promise that was not kept. */
export type Violation =
  /** Two processes led in one epoch. */
  | { readonly _tag: "SharedEpoch"; readonly first: Interval; readonly second: Interval }
  /** A leadership began after another with a token as high or higher. */
  | { readonly _tag: "TokenNotHigher"; readonly first: Interval; readonly second: Interval }
  /** Work of two leaderships at a time, which leases exclude. */
  | { readonly _tag: "Overlap"; readonly first: Interval; readonly second: Interval }
  /** Somebody could have led, and nobody did. */
  | { readonly _tag: "NoLeader"; readonly fault: Entry.Fault; readonly after: number }

/** Every promise that was not kept. */
export const check = (promise: Promise, entries: ReadonlyArray<Entry.Entry>): ReadonlyArray<Violation> => {
  const work = intervals(promise, entries)
  return [
    ...sharedEpochs(work),
    ...tokens(work),
    ...(promise.mode === "leased" ? overlaps(work) : []),
    ...leaderless(promise, entries)
  ]
}

/** The work of each process in each epoch, in the order of their starts. */
export const intervals = (
  { grace }: Promise,
  entries: ReadonlyArray<Entry.Entry>
): ReadonlyArray<Interval> => {
  const found = new Map<string, Interval>()
  for (const entry of entries) {
    if (entry.kind === "fault" || entry.kind === "status") continue
    const { at, epoch, kind, process, sid } = entry
    const key = `${sid} ${process} ${epoch}`
    const before = found.get(key) ?? { sid, process, epoch, start: at, end: at }
    // What had stood still for longer than the grace only cleans up.
    if (kind === "end" && at - before.end > grace) continue
    found.set(key, { ...before, start: Math.min(before.start, at), end: Math.max(before.end, at) })
  }
  return Array.from(found.values()).toSorted((self, that) => self.start - that.start)
}

/** How long after each change nobody led who could, in milliseconds; `null` where the next change came before. */
export const leaderlessTimes = (
  entries: ReadonlyArray<Entry.Entry>
): ReadonlyArray<{ readonly fault: Entry.Fault; readonly after: number | null }> => {
  const inOrder = entries.toSorted((self, that) => self.at - that.at)
  const times: Array<{ readonly fault: Entry.Fault; readonly after: number | null }> = []
  let open: Entry.Fault | null = null
  for (const entry of inOrder) {
    if (entry.kind === "fault") {
      if (open !== null) times.push({ fault: open, after: null })
      open = entry.able.length > 0 ? entry : null
    } else if (open !== null && isAct(entry) && open.able.includes(entry.sid)) {
      times.push({ fault: open, after: entry.at - open.at })
      open = null
    }
  }
  if (open !== null) times.push({ fault: open, after: null })
  return times
}

/** A violation in words. */
export const describe = (violation: Violation): string => {
  switch (violation._tag) {
    case "NoLeader":
      return `nobody led for ${violation.after.toFixed(0)} ms after: ${violation.fault.what}`
    case "SharedEpoch":
      return `two processes led in one epoch: ${both(violation)}`
    case "TokenNotHigher":
      return `the later leadership has no higher token: ${both(violation)}`
    case "Overlap":
      return `work of two leaderships overlaps by ${(violation.first.end - violation.second.start).toFixed(1)} ms: ` +
        both(violation)
  }
}

// -----------------------------------------------------------------------------

const both = ({ first, second }: { readonly first: Interval; readonly second: Interval }): string =>
  [first, second].map(({ end, epoch, process, sid, start }) =>
    `server ${sid} (process ${process}) in epoch ${epoch} from ${start.toFixed(1)} to ${end.toFixed(1)}`
  ).join(", ")

const isAct = ({ kind }: Entry.Entry): boolean => kind === "start" || kind === "beat"

const sharedEpochs = (work: ReadonlyArray<Interval>): ReadonlyArray<Violation> => {
  const holders = new Map<bigint, Interval>()
  return work.flatMap((second): ReadonlyArray<Violation> => {
    const first = holders.get(second.epoch)
    if (first !== undefined) return [{ _tag: "SharedEpoch", first, second }]
    holders.set(second.epoch, second)
    return []
  })
}

const tokens = (work: ReadonlyArray<Interval>): ReadonlyArray<Violation> =>
  work.slice(1).flatMap((second, index): ReadonlyArray<Violation> => {
    const first = work[index]!
    return second.epoch > first.epoch ? [] : [{ _tag: "TokenNotHigher", first, second }]
  })

const overlaps = (work: ReadonlyArray<Interval>): ReadonlyArray<Violation> => {
  const violations: Array<Violation> = []
  let last: Interval | null = null
  for (const second of work) {
    if (last !== null && last.end > second.start) violations.push({ _tag: "Overlap", first: last, second })
    if (last === null || second.end > last.end) last = second
  }
  return violations
}

const leaderless = ({ bound }: Promise, entries: ReadonlyArray<Entry.Entry>): ReadonlyArray<Violation> => {
  const last = Math.max(...entries.map(({ at }) => at))
  const changes = entries.flatMap((entry) => (entry.kind === "fault" ? [entry.at] : []))
  return leaderlessTimes(entries).flatMap(({ after, fault }): ReadonlyArray<Violation> => {
    // Nobody led until the next change, or to the end.
    const waited = after ?? Math.min(last, ...changes.filter((at) => at > fault.at)) - fault.at
    return waited > bound ? [{ _tag: "NoLeader", fault, after: waited }] : []
  })
}
