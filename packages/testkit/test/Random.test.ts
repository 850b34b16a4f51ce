import { assert, describe, it } from "@effect/vitest"
import * as Random from "../src/Random.ts"

const draws = (seed: number, count = 200) => {
  const random = Random.make(seed)
  return Array.from({ length: count }, () => random.below(1_000_000))
}

describe("Random", () => {
  it("draws the same from the same seed, on every machine", () => {
    assert.deepStrictEqual(draws(1), draws(1))
    assert.deepStrictEqual(draws(1, 3), [537_442, 454_165, 82_430])
  })

  it("draws otherwise from a neighbour, and from a seed that differs in its high bits only", () => {
    for (const other of [2, 1 + 2 ** 32, 1 + 2 ** 51]) {
      const same = draws(other).filter((draw, index) => draw === draws(1)[index])
      assert.isBelow(same.length, 3, `seed ${other}`)
    }
  })

  it("keeps within its bounds and reaches them", () => {
    const random = Random.make(3)
    const between = new Set(Array.from({ length: 500 }, () => random.between(-2, 2)))
    assert.deepStrictEqual([...between].toSorted((a, b) => a - b), [-2, -1, 0, 1, 2])
    assert.strictEqual(Array.from({ length: 500 }, () => random.percent(0)).filter(Boolean).length, 0)
    assert.strictEqual(Array.from({ length: 500 }, () => random.percent(100)).filter(Boolean).length, 500)
  })

  it("is fair: a tenth is a tenth, within five standard deviations", () => {
    const random = Random.make(4)
    const times = Array.from({ length: 100_000 }, () => random.percent(10)).filter(Boolean).length
    assert.closeTo(times, 10_000, 475)
  })

  it("gives signed numbers of 64 bits", () => {
    const random = Random.make(5)
    for (let i = 0; i < 1_000; i++) {
      const long = random.long()
      assert.strictEqual(BigInt.asIntN(64, long), long)
    }
  })
})
