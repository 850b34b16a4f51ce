/** What the ensembles of these tests promise, and how patient they are. */
import * as Lease from "@conclave/core/Lease"
import type * as Checker from "./Checker.ts"
import type { Timing } from "./Settings.ts"

/** The two contracts. */
export const modes = ["fenced", "leased"] as const

/** One of the two contracts. */
export type Mode = typeof modes[number]

/** How long silence is borne. */
export const paces = [
  /** As ZooKeeper's sample configuration has it, in small ticks: a quarter of a second. */
  "brisk",
  /** As long as a lease lasts: a leader that hears nothing works on until then, and only pledges make others wait. */
  "patient"
] as const

/** How long silence is borne. */
export type Pace = typeof paces[number]

/** A promise, and the timing with which it is kept. */
export interface Timed extends Checker.Promise {
  readonly timing: Timing
}

/** The smallest tick that is supported. In milliseconds. */
const TICK = 50

/** How long silence is borne. In ticks. */
type Limits = Pick<Timing, "initLimit" | "syncLimit">

const limits: Record<Pace, Limits> = {
  brisk: { initLimit: 10, syncLimit: 5 },
  patient: { initLimit: 40, syncLimit: 40 }
}

/** A quarter of the original's, so that an election is over long before a lease is. In milliseconds. */
const FINALIZE_WAIT = 50

/**
 * How soon there is a leader again: seconds to notice, to wait for the end of a lease, to elect and to activate; the
 * three seconds after which the second try to connect is repeated, for a network that was mended; and once more as long
 * on a machine that is busy. In milliseconds.
 */
const BOUND = 10_000

/** As long a lease as these limits allow. In milliseconds. */
const longestLease = (limits: Limits) =>
  Lease.bounds({ tickTime: TICK, ...limits }, { grace: 0, clockDrift: Lease.CLOCK_DRIFT }).longest

/** With the given contract. */
export const of = (mode: Mode, pace: Pace = "brisk"): Timed => {
  const promise = leased(limits[pace])
  return mode === "leased" ? promise : { ...promise, mode, timing: { ...promise.timing, lease: null } }
}

/** With leases that end just within these limits; in milliseconds. */
export const leased = (limits: Limits) => {
  const lease = longestLease(limits)
  const timing = { tickTime: TICK, ...limits, finalizeWait: FINALIZE_WAIT, lease }
  return { mode: "leased", grace: Lease.defaultGrace(lease), bound: BOUND, timing } as const satisfies Timed
}
