/**
 * How long a leader may act on the word of a quorum, and how long those who gave it
 * support nobody else.
 *
 * Every answer to a ping grants the leader a lease. The leader counts it from when
 * it *sent* the ping, the learner its pledge from when it *received* it, which is
 * later; and the learner waits a little longer by its own clock. So as long as no
 * two clocks differ in their rates by more than `clockDrift` each from true time,
 * the lease has ended wherever a pledge has. A new leader needs a quorum free of
 * pledges, every two quorums share a voter, and so no two leaders act at a time.
 *
 * Not in the original. Gray and Cheriton, "Leases", 1989; Ongaro, "Consensus",
 * section 6.4.1.
 */
import * as SidSet from "./internal/sidSet.ts"
import type { Membership, Millis, Ticks } from "./Ensemble.ts"
import type { Sid } from "./Sid.ts"
import * as VoteTracker from "./VoteTracker.ts"

/**
 * A moment on the own clock, in milliseconds since some moment of no meaning; it never goes back. A fact that comes
 * with an event: the core reads no clock.
 */
export type Instant = number

/**
 * Now, for a leader that may have given a pledge itself. The two clocks may be the same. If they are not, that of a
 * lease may run ahead, which shortens leases, and that of a pledge never does.
 */
export interface Now {
  /** By the clock of who holds a lease. */
  readonly at: Instant
  /** By the clock of who has given a pledge. */
  readonly pledgeAt: Instant
}

/** The lease that an ensemble has agreed on; the same at all members, or longer at those who learn. */
export interface Lease {
  /** How long it lasts, by the leader's clock. */
  readonly duration: Millis
  /** How long before its end the leader begins to end what depends on it. */
  readonly grace: Millis
  /** How much faster or slower than true time a clock may run at most, 0.01 for one per cent. */
  readonly clockDrift: number
}

/** A lease of so many milliseconds. */
export const make = (duration: Millis, options: Partial<Omit<Lease, "duration">> = {}): Lease => ({
  duration,
  grace: options.grace ?? defaultGrace(duration),
  clockDrift: options.clockDrift ?? CLOCK_DRIFT
})

/**
 * Which leases are of use with these ticks: a leader hears of a quorum twice a tick and needs the grace besides, and
 * who is to follow another waits for the end of a pledge by a slow clock, for which its leader waits initLimit ticks
 * by a fast one. In milliseconds, the first bound excluded.
 */
export const bounds = ({ initLimit, tickTime }: Ticks, { clockDrift, grace }: Omit<Lease, "duration">) => ({
  shortest: grace + tickTime,
  longest: Math.floor(initLimit * tickTime * ((1 - clockDrift) / (1 + clockDrift)) ** 2)
})

/** Is the lease of use with these ticks? */
export const fits = (lease: Lease, ticks: Ticks): boolean => {
  const { longest, shortest } = bounds(ticks, lease)
  return lease.duration > shortest && lease.duration <= longest
}

/** The drift that is allowed for unless told otherwise: ten times what a clock without NTP has, or more. */
export const CLOCK_DRIFT = 0.01

/** The time for guarded work to end unless told otherwise: a fifth of the lease. */
export const defaultGrace = (duration: Millis): Millis => Math.floor(duration / 5)

/** To support nobody but this leader for a while. */
export interface Pledge {
  /** `null` for a process that has just started: it may have pledged itself before, and does not know to whom. */
  readonly leader: Sid | null
  readonly until: Instant
}

/** The pledge that goes with the answer to a ping received now. */
export const pledge = (leader: Sid | null, now: Instant, duration: Millis, clockDrift: number): Pledge => ({
  leader,
  until: now + duration * (1 + clockDrift) / (1 - clockDrift)
})

/**
 * What is left of a pledge when the process of its leader is proven gone: nothing, unless nobody knows any more to whom
 * it was given.
 */
export const release = (pledge: Pledge | null): Pledge | null =>
  pledge === null || pledge.leader === null ? pledge : null

/** How long a pledge still forbids to support this leader; 0 if it does not. */
export const remaining = (pledge: Pledge | null, leader: Sid, now: Instant): Millis =>
  pledge === null || pledge.leader === leader ? 0 : Math.max(0, pledge.until - now)

/**
 * Until when a leader may act, given when the newest ping that each voter has answered was sent: a quorum, with the
 * leader itself, has granted as much. `null` if no quorum has answered, or none has granted longer than to `after`.
 */
export const expiry = (
  { duration }: Lease,
  mySid: Sid,
  membership: Membership,
  answered: ReadonlyMap<Sid, Instant>,
  now: Instant,
  after: Instant = -Infinity
): Instant | null => {
  let granted = SidSet.of([mySid])
  if (VoteTracker.hasAllQuorums(membership, granted, false)) return now + duration
  const longer = Array.from(answered).filter(([sid, sent]) => sid !== mySid && sent + duration > after)
  const newestFirst = longer.toSorted(([, a], [, b]) => b - a)
  for (const [sid, sent] of newestFirst) {
    granted = SidSet.add(granted, sid)
    if (VoteTracker.hasAllQuorums(membership, granted, false)) return sent + duration
  }
  return null
}
