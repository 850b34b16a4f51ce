/**
 * What may still happen of what is bounded: four bits each, in one word of a state.
 */

/** How often each thing may happen in all; at most 14, or `UNBOUNDED`. */
export interface Allowance {
  /** Processes that end and lose what they knew; each may start again. */
  readonly crashes: number
  /** Messages that are lost without a word, which those are that a newer one replaces before they are sent. */
  readonly losses: number
  /** Connections that break and are made again. */
  readonly breaks: number
  /** Notification timers that fire while something may be on its way. */
  readonly timeouts: number
  /** Peers that give their leader up. */
  readonly looks: number
  /** Epochs that a quorum agrees on. */
  readonly epochs: number
}

/** As often as it will. */
export const UNBOUNDED = 15

/** What is counted. */
export type Kind = keyof Allowance

const shifts: Record<Kind, number> = { crashes: 0, losses: 4, breaks: 8, timeouts: 12, looks: 16, epochs: 20 }

/** All that is allowed. */
export const make = (allowance: Allowance): number => {
  let word = 0
  for (const [kind, shift] of Object.entries(shifts)) {
    word |= Math.min(UNBOUNDED, allowance[kind as Kind]) << shift
  }
  return word
}

/** How often may it happen yet? */
export const left = (word: number, kind: Kind): number => (word >>> shifts[kind]) & 15

/** What is allowed after it has happened once. */
export const spend = (word: number, kind: Kind): number =>
  left(word, kind) === UNBOUNDED ? word : word - (1 << shifts[kind])
