/** What the ensembles of these tests promise, and how patient they are. */
import * as Lease from "@conclave/core/Lease"
import type * as Checker from "./Checker.ts"
import type { Timing } from "./Settings.ts"

/** The two contracts. */
export const modes = ["fenced", "leased"] as const

/** One of the two contracts. */
export type Mode = typeof modes[number]

/** A promise, and the timing with which it is kept. */
export interface Timed extends Checker.Promise {
  readonly timing: Timing
}

/** The smallest tick that is supported. In milliseconds. */
const TICK = 50

/** As ZooKeeper's sample configuration has it. */
const LIMITS = { initLimit: 10, syncLimit: 5 }

/**
 * As long as may be, initLimit ticks: those who notice silence and elect another before that have to wait for its end.
 * In milliseconds.
 */
const LEASE = TICK * LIMITS.initLimit

/** A quarter of the original's, so that an election is over long before a lease is. In milliseconds. */
const FINALIZE_WAIT = 50

/**
 * How soon there is a leader again: a second to notice, elect and activate; and for what the network may have to do
 * again after it was mended, the three seconds after which a second try to connect is repeated, once more as long on a
 * machine that is busy. In milliseconds.
 */
const BOUND = 10_000

/** With the given contract. */
export const of = (mode: Mode): Timed => ({
  mode,
  grace: Lease.defaultGrace(LEASE),
  bound: BOUND,
  timing: { tickTime: TICK, ...LIMITS, finalizeWait: FINALIZE_WAIT, lease: mode === "leased" ? LEASE : null }
})
