/**
 * Which faults come, in which order and for how long: the same for the same seed.
 *
 * Whom they hit is said by role, because who leads is only known when it comes to it.
 */

/** Kinds of faults, as they are asked for. */
export const faultKinds = ["kill", "stop", "resign", "partition"] as const

/** A kind of faults. */
export type FaultKind = typeof faultKinds[number]

/** How an ensemble is divided, seen from whom it hits first. */
export const partitions = [
  /** It hears nobody, and nobody hears it. */
  "Alone",
  /** Its cable is pulled: nothing passes, and it may know. */
  "Unplugged",
  /** Nobody hears it, and it hears everybody. */
  "Mute",
  /** It hears nobody, and everybody hears it. */
  "Deaf",
  /** One other hears it and is heard by it, and nobody else. */
  "Tethered",
  /** It and as many more as make no majority are parted from the rest. */
  "Minority",
  /** It and as many more as make a majority are parted from the rest. */
  "Majority",
  /** No two hear each other. */
  "Shattered"
] as const

/** How an ensemble is divided. */
export type Partition = typeof partitions[number]

/** One round: a fault, and how long it lasts. */
export interface Round {
  readonly kind: FaultKind
  readonly partition: Partition | null
  /** Whom it hits first: the leader, or somebody else. */
  readonly target: "leader" | "follower"
  /** How many are hit: with the first, so many others. Parting has its own numbers. */
  readonly others: number
  /** How long it lasts at least, in milliseconds. */
  readonly duration: number
  /** How long there is peace before it, in milliseconds; 0 if it comes while the ensemble recovers from the last. */
  readonly peace: number
  /** Chooses among those it may hit. */
  readonly pick: number
}

/** Numbers from 0 to 1, without 1, that look like chance. mulberry32. */
export const random = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** How long a fault lasts at most: several times what it takes to notice it and to have another leader. */
const DURATION_MAX = 2_000

/** How many rounds, of which faults, for how many servers. */
export interface Options {
  readonly rounds: number
  readonly peers: number
  readonly kinds: ReadonlyArray<FaultKind>
}

/** The rounds of that seed. */
export const make = (seed: number, { kinds, peers, rounds }: Options): ReadonlyArray<Round> => {
  const next = random(seed)
  const oneOf = <A>(items: ReadonlyArray<A>): A => items[Math.floor(next() * items.length)]!
  return Array.from({ length: rounds }, () => {
    const kind = oneOf(kinds)
    const partition = oneOf(partitions)
    return {
      kind,
      partition: kind === "partition" ? partition : null,
      target: next() < 0.65 ? "leader" : "follower",
      others: next() < 0.75 ? 0 : Math.floor(next() * peers),
      // As often short as long: what matters is whether it outlasts a timeout.
      duration: Math.round(DURATION_MAX ** (0.5 + next() / 2)),
      peace: next() < 0.7 ? Math.round(next() * 300) : 0,
      pick: next()
    }
  })
}

/** A round in words. */
export const describe = ({ duration, kind, others, partition, target }: Round): string =>
  `${partition ?? kind} ${target}${others > 0 && partition === null ? ` and ${others} more` : ""} for ${duration} ms`
