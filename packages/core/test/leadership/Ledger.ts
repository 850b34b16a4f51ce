/**
 * What is written down of a simulation, and what is wrong with it.
 */

/** A while in which a leader may act, in true time. */
interface Reign {
  readonly sid: bigint
  readonly epoch: bigint
  readonly start: number
  end: number
}

/** What must not be. */
export type Violation =
  /** Two may act at a time. */
  | "Overlap"
  /** Who acts later has a lower token. */
  | "TokenFell"
  /** An epoch has been activated more than once, or one no higher than the last of the same peer. */
  | "EpochActivatedTwice"
  /** A peer accepted an epoch, in a way that counts, that is no higher than one it had accepted. */
  | "EpochPromisedTwice"

/** What came of a simulation. */
export interface Outcome {
  readonly violations: ReadonlySet<Violation>
  readonly activations: number
  /** How many acted, each as long as it could. */
  readonly reigns: number
  /** How often somebody began to act who is not who acted last. */
  readonly changes: number
}

/** The notes of one simulation. */
export interface Ledger {
  readonly activated: (sid: bigint, epoch: bigint) => void
  readonly promised: (sid: bigint, epoch: bigint, counts: boolean) => void
  /** May act from now until then. */
  readonly extended: (sid: bigint, epoch: bigint, now: number, until: number) => void
  /** Acts no longer than that. */
  readonly ended: (sid: bigint, end: number) => void
  readonly outcome: () => Outcome
}

/** Empty notes. */
export const make = (): Ledger => {
  const violations = new Set<Violation>()
  const reigns: Array<Reign> = []
  const latest = new Map<bigint, Reign>()
  const epochs = new Set<bigint>()
  const lastEpoch = new Map<bigint, bigint>()
  const lastPromise = new Map<bigint, bigint>()
  return {
    activated: (sid, epoch) => {
      if (epochs.has(epoch) || epoch <= (lastEpoch.get(sid) ?? -1n)) violations.add("EpochActivatedTwice")
      epochs.add(epoch)
      lastEpoch.set(sid, epoch)
    },
    promised: (sid, epoch, counts) => {
      const last = lastPromise.get(sid) ?? -1n
      if (epoch < last || (counts && epoch === last)) violations.add("EpochPromisedTwice")
      lastPromise.set(sid, epoch)
    },
    extended: (sid, epoch, now, until) => {
      const last = latest.get(sid)
      if (last !== undefined && last.epoch === epoch && last.end >= now) {
        last.end = until
        return
      }
      const reign = { sid, epoch, start: now, end: until }
      latest.set(sid, reign)
      reigns.push(reign)
    },
    ended: (sid, end) => {
      const last = latest.get(sid)
      if (last !== undefined) last.end = Math.min(last.end, end)
    },
    outcome: () => {
      judge(reigns, violations)
      const changes = reigns.filter(({ sid }, index) => index > 0 && reigns[index - 1]!.sid !== sid).length
      return { violations, activations: epochs.size, reigns: reigns.length, changes }
    }
  }
}

// Each against all before it, which are in the order in which they began.
const judge = (reigns: ReadonlyArray<Reign>, violations: Set<Violation>): void => {
  for (const [index, one] of reigns.entries()) {
    for (const other of reigns.slice(0, index)) {
      if (one.sid !== other.sid && one.start < other.end && other.start < one.end) violations.add("Overlap")
      if (one.epoch < other.epoch) violations.add("TokenFell")
    }
  }
}
