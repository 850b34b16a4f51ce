/**
 * Chance from a seed: the same seed, the same draws, on every machine.
 */

/** Draws. */
export interface Random {
  /** A whole number from 0 up to, but not including, the limit. */
  readonly below: (limit: number) => number
  /** True so often in a hundred. */
  readonly percent: (chance: number) => boolean
  /** One of these. */
  readonly pick: <A>(list: ReadonlyArray<A>) => A
  /** Any signed 64-bit number, small and extreme ones often. */
  readonly long: () => bigint
}

const EXTREMES = [0n, 1n, -1n, 2n, 0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n, 1n << 32n, (1n << 53n) + 1n]

/** A stream of draws. The generator is xorshift32, which is good enough to choose tests. */
export const make = (seed: number): Random => {
  let state = (seed * 0x9e37_79b1) | 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  for (let i = 0; i < 8; i++) next()
  const below: Random["below"] = (limit) => next() % limit
  const pick: Random["pick"] = (list) => list[below(list.length)]!
  return {
    below,
    percent: (chance) => below(100) < chance,
    pick,
    long: () =>
      below(3) > 0 ? pick(EXTREMES) : BigInt.asIntN(64, (BigInt(next()) << 32n) | BigInt(next()))
  }
}
