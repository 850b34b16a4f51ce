/**
 * How a state of all peers and links lies in words of 32 bits.
 *
 *     0          epochs that were activated, one bit each; in bits 16 to 19 the highest in which somebody acted
 *     1          what is left of each bound, four bits each
 *     two words for each peer:
 *       role     its number
 *       disk     accepted, current epoch, the last that it accepted in a way that counts, four bits each;
 *                is its clock fast; in bits 13 to 31 the number of its pledge
 *     one word for each link, `LINKS` for each peer that follows, the newest first; 0 if there is none:
 *       leader + 1, three bits; four flags; packets for the leader, packets for the learner, by numbers of queues
 */
import { LINKS } from "./Setting.ts"

/** A state. */
export type Words = Uint32Array

/** Where the parts of a state are, for so many peers. */
export interface Layout {
  readonly peers: number
  readonly links: number
  readonly size: number
}

/** The layout for so many peers. */
export const layout = (peers: number): Layout => ({
  peers,
  links: peers * LINKS,
  size: 2 + 2 * peers + peers * LINKS
})

/** The word of a peer's role. */
export const roleAt = (peer: number): number => 2 + 2 * peer

/** The word of a peer's disk. */
export const diskAt = (peer: number): number => 3 + 2 * peer

/** The word of a link. */
export const linkAt = ({ peers }: Layout, link: number): number => 2 + 2 * peers + link

/** The bounds, in the order in which they lie in their word. */
export const budgets = ["terms", "dials", "crashes", "losses", "ticks", "resignations", "failures"] as const

/** One of the bounds. */
export type Budget = typeof budgets[number]

/** The word with all that is left of the bounds. */
export const budgetWord = (bounds: Readonly<Record<Budget, number>>): number =>
  budgets.reduce((word, name, index) => word | bounds[name] << 4 * index, 0)

const shifts = Object.fromEntries(budgets.map((name, index) => [name, 4 * index])) as Record<Budget, number>

/** What is left of a bound. */
export const left = (words: Words, budget: Budget): number => words[1]! >>> shifts[budget] & 15

/** Uses up one of a bound. */
export const spend = (words: Words, budget: Budget): void => {
  words[1] = words[1]! - (1 << shifts[budget])
}

/** The accepted epoch of a disk word. */
export const accepted = (disk: number): number => disk & 15

/** The current epoch. */
export const current = (disk: number): number => disk >>> 4 & 15

/** The last epoch that was accepted in a way that counts. */
export const counted = (disk: number): number => disk >>> 8 & 15

/** Is the clock of this peer a fast one? */
export const isFast = (disk: number): boolean => (disk & 1 << 12) !== 0

/** The number of the pledge. */
export const pledgeOf = (disk: number): number => disk >>> 13

/** A disk word with other epochs. */
export const withEpochs = (disk: number, acceptedEpoch: number, currentEpoch: number): number =>
  (disk & ~0xff | acceptedEpoch | currentEpoch << 4) >>> 0

/** A disk word with another last epoch that counts. */
export const withCounted = (disk: number, epoch: number): number => (disk & ~0xf00 | epoch << 8) >>> 0

/** A disk word with another pledge. */
export const withPledge = (disk: number, pledge: number): number => (disk & 0x1fff | pledge << 13) >>> 0

/** The learner's end is open. */
export const LEARNER_OPEN = 8
/** The leader's end is open. */
export const LEADER_OPEN = 16
/** Nothing comes through any more. */
export const BROKEN = 32
/** The leader's process is gone. */
export const GONE = 64

/** The leader of a link word. */
export const leaderOf = (link: number): number => (link & 7) - 1

/** The packets on their way to the leader. */
export const up = (link: number): number => link >>> 7 & 0xfff

/** The packets on their way to the learner. */
export const down = (link: number): number => link >>> 19

/** A link word with other packets for the leader. */
export const withUp = (link: number, queue: number): number => (link & ~(0xfff << 7) | queue << 7) >>> 0

/** A link word with other packets for the learner. */
export const withDown = (link: number, queue: number): number => (link & 0x7ffff | queue << 19) >>> 0
