/**
 * Chance from a seed: the same seed, the same draws, on every machine.
 */

/** Draws. */
export interface Random {
  /** A whole number from 0 up to, but not including, the limit. */
  readonly below: (limit: number) => number
  /** A whole number between the two, both included. */
  readonly between: (least: number, most: number) => number
  /** True so often in a hundred, fractions included. */
  readonly percent: (chance: number) => boolean
  /** One of these. */
  readonly pick: <A>(list: ReadonlyArray<A>) => A
  /** Any signed 64-bit number, small and extreme ones often. */
  readonly long: () => bigint
}

const EXTREMES = [0n, 1n, -1n, 2n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n, 1n << 32n, (1n << 53n) + 1n]

const RANGE = 2 ** 32

/**
 * A stream of draws from a seed of up to 53 bits. The generator is sfc32 of PractRand, 128 bits of state; seeds are
 * whole numbers, and neighbours have nothing in common.
 */
export const make = (seed: number): Random => {
  let a = seed >>> 0
  let b = Math.floor(seed / RANGE) >>> 0
  let c = 0x9e37_79b9
  let counter = 1
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 15; i++) next()
  const below = (limit: number) => Math.floor(next() / RANGE * limit)
  const pick: Random["pick"] = (list) => list[below(list.length)]!
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    percent: (chance) => next() / RANGE * 100 < chance,
    pick,
    long: () => below(3) > 0 ? pick(EXTREMES) : BigInt.asIntN(64, (BigInt(next()) << 32n) | BigInt(next()))
  }
}
