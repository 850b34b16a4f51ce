/**
 * How a state of all peers, and of the connections among them, lies in words of 32 bits.
 *
 *     0    what is left of each bound, four bits each
 *     1    who has asked for a connection with whom and must come to have it, one bit for each two
 *     one word for each peer: its number
 *     one word for each two peers: the number of what connections they have
 *     one word for each peer, if there are strangers: the same of strangers
 */
import type { Bounds } from "./Setting.ts"

/** A state. */
export type Words = Uint32Array

/** Where the parts of a state are. */
export interface Layout {
  readonly peers: number
  /** How many bundles of connections there are. */
  readonly bundles: number
  readonly size: number
  /** Of which two peers a bundle is; of a peer and of strangers, if both are the same. */
  readonly ends: ReadonlyArray<readonly [number, number]>
  /** The bundle of these two, or of this one and strangers. */
  readonly bundle: (peer: number, other: number) => number
}

/** The layout for so many peers. */
export const layout = (peers: number, isVisited: boolean): Layout => {
  const numbers = Array.from({ length: peers }, (_, peer) => peer)
  const ends = [
    ...numbers.flatMap((peer) => numbers.slice(peer + 1).map((other) => [peer, other] as const)),
    ...(isVisited ? numbers.map((peer) => [peer, peer] as const) : [])
  ]
  const placeOf = (low: number, high: number): number => ends.findIndex((two) => two[0] === low && two[1] === high)
  const places = numbers.map((peer) =>
    numbers.map((other) => placeOf(Math.min(peer, other), Math.max(peer, other))))
  return {
    peers,
    bundles: ends.length,
    size: 2 + peers + ends.length,
    ends,
    bundle: (peer, other) => places[peer]![other] ?? places[peer]![peer]!
  }
}

/** The word of a peer. */
export const peerAt = (peer: number): number => 2 + peer

/** The word of a bundle. */
export const bundleAt = ({ peers }: Layout, bundle: number): number => 2 + peers + bundle

/** The bounds, in the order in which they lie in their word. */
export const budgets = [
  "breaks",
  "crashes",
  "outages",
  "failures",
  "requests",
  "changes",
  "strangers",
  "probes"
] as const satisfies ReadonlyArray<keyof Bounds>

/** One of the bounds. */
export type Budget = typeof budgets[number]

/** The word with all that is left of the bounds. */
export const budgetWord = (bounds: Bounds): number =>
  budgets.reduce((word, name, index) => (word | bounds[name] << 4 * index) >>> 0, 0)

const shifts = Object.fromEntries(budgets.map((name, index) => [name, 4 * index])) as Record<Budget, number>

/** What is left of a bound. */
export const left = (words: Words, budget: Budget): number => words[0]! >>> shifts[budget] & 15

/** Uses up one of a bound. */
export const spend = (words: Words, budget: Budget): void => {
  words[0] = (words[0]! - 2 ** shifts[budget]) >>> 0
}

const askedBit = (peer: number, other: number): number => 1 << peer * 4 + other

/** Must a peer come to have a connection, since it has asked for it? */
export const isAsked = (words: Words, peer: number, other: number): boolean =>
  (words[1]! & askedBit(peer, other)) !== 0

/** Notes that a peer has asked. */
export const ask = (words: Words, peer: number, other: number): void => {
  words[1] = words[1]! | askedBit(peer, other)
}

/** Notes that what a peer has asked for was in vain. */
export const forgive = (words: Words, peer: number, other: number): void => {
  words[1] = words[1]! & ~askedBit(peer, other)
}
