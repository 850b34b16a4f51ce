import { assert, describe, it } from "@effect/vitest"
import type { Sid } from "../src/Sid.ts"
import * as SidMap from "../src/internal/sidMap.ts"
import * as SidSet from "../src/internal/sidSet.ts"
import * as Random from "./support/Random.ts"

const SEEDS = 40

/** Some more ids than an array is used for, small and extreme ones. */
const ids = [
  0n,
  -1n,
  0x7fff_ffff_ffff_ffffn,
  -0x8000_0000_0000_0000n,
  1n << 32n,
  ...Array.from({ length: SidSet.FEW }, (_, index) => BigInt(index + 1))
]

/** The same number, as another value: as it comes out of a message. */
const copy = (sid: Sid): Sid => BigInt(`${sid}`)

const sameSet = (self: ReadonlySet<Sid>, that: ReadonlySet<Sid>, other: ReadonlySet<Sid>): void => {
  assert.strictEqual(self.size, that.size)
  for (const sid of ids) assert.strictEqual(self.has(copy(sid)), that.has(sid))
  const order = Array.from(that)
  assert.deepStrictEqual(Array.from(self), order)
  assert.deepStrictEqual(Array.from(self.keys()), order)
  assert.deepStrictEqual(Array.from(self.values()), order)
  assert.deepStrictEqual(Array.from(self.entries()), Array.from(that.entries()))
  const seen: Array<unknown> = []
  self.forEach((...each) => seen.push(each))
  assert.deepStrictEqual(seen, order.map((sid) => [sid, sid, self]))
  for (const name of ["union", "intersection", "difference", "symmetricDifference"] as const) {
    assert.deepStrictEqual(Array.from(self[name](other)), Array.from(that[name](other)), name)
    assert.deepStrictEqual(Array.from(other[name](self)), Array.from(other[name](that)), name)
  }
  for (const name of ["isSubsetOf", "isSupersetOf", "isDisjointFrom"] as const) {
    assert.strictEqual(self[name](other), that[name](other), name)
    assert.isTrue(self[name](self) === that[name](that), name)
  }
}

const sameMap = (self: ReadonlyMap<Sid, number>, that: ReadonlyMap<Sid, number>): void => {
  assert.strictEqual(self.size, that.size)
  for (const sid of ids) {
    assert.strictEqual(self.get(copy(sid)), that.get(sid))
    assert.strictEqual(self.has(copy(sid)), that.has(sid))
  }
  const order = Array.from(that)
  assert.deepStrictEqual(Array.from(self), order)
  assert.deepStrictEqual(Array.from(self.entries()), order)
  assert.deepStrictEqual(Array.from(self.keys()), Array.from(that.keys()))
  assert.deepStrictEqual(Array.from(self.values()), Array.from(that.values()))
  const seen: Array<unknown> = []
  self.forEach((...each) => seen.push(each))
  assert.deepStrictEqual(seen, order.map(([sid, item]) => [item, sid, self]))
}

describe("a set of ids", () => {
  it("is at every moment what a Set is with the same added and taken away, and never changes", () => {
    let largest = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = Random.make(seed)
      const other = new Set(ids.filter(() => random.percent(50)))
      let set = SidSet.empty
      const expected = new Set<Sid>()
      for (let turn = 0; turn < 40; turn++) {
        const sid = random.pick(ids)
        const before = Array.from(set)
        const grows = random.percent(80)
        const changes = expected.has(sid) !== grows
        if (grows) expected.add(sid)
        else expected.delete(sid)
        const next = grows ? SidSet.add(set, copy(sid)) : SidSet.remove(set, copy(sid))
        if (!changes) assert.strictEqual(next, set)
        assert.deepStrictEqual(Array.from(set), before)
        sameSet(next, expected, other)
        set = next
        largest = Math.max(largest, set.size)
      }
    }
    assert.isAbove(largest, SidSet.FEW)
  })

  it("is made of ids each once, whatever holds them", () => {
    assert.deepStrictEqual(Array.from(SidSet.from([2n, 1n, 2n])), [2n, 1n])
    assert.deepStrictEqual(Array.from(SidSet.from([...ids, ...ids])), ids)
    assert.deepStrictEqual(Array.from(SidSet.add(new Set([2n]), 1n)), [2n, 1n])
    assert.deepStrictEqual(Array.from(SidSet.remove(new Set([2n, 1n]), 2n)), [1n])
  })

  it("passes for a Set, and cannot be written to", () => {
    const set: ReadonlySet<Sid> = SidSet.from([1n])
    assert.instanceOf(set, Set)
    assert.throws(() => (set as Set<Sid>).add(2n), TypeError)
    assert.deepStrictEqual(Array.from(set), [1n])
  })
})

describe("a map by id", () => {
  it("is at every moment what a Map is with the same set and taken away, and never changes", () => {
    let largest = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = Random.make(seed)
      let map: ReadonlyMap<Sid, number> = SidMap.empty
      const expected = new Map<Sid, number>()
      for (let turn = 0; turn < 40; turn++) {
        const sid = random.pick(ids)
        const before = Array.from(map)
        const grows = random.percent(80)
        if (!grows && !expected.has(sid)) assert.strictEqual(SidMap.remove(map, copy(sid)), map)
        if (grows) expected.set(sid, turn)
        else expected.delete(sid)
        const next = grows ? SidMap.set(map, copy(sid), turn) : SidMap.remove(map, copy(sid))
        assert.deepStrictEqual(Array.from(map), before)
        sameMap(next, expected)
        const isEven = (item: number) => item % 2 === 0
        const even = Array.from(expected.keys()).filter((key) => isEven(expected.get(key)!))
        assert.deepStrictEqual(Array.from(SidMap.where(next, isEven)), even)
        map = next
        largest = Math.max(largest, map.size)
      }
    }
    assert.isAbove(largest, SidSet.FEW)
  })

  it("grows out of any map", () => {
    assert.deepStrictEqual(Array.from(SidMap.set(new Map([[2n, 0]]), 1n, 1)), [[2n, 0], [1n, 1]])
    assert.deepStrictEqual(Array.from(SidMap.remove(new Map([[2n, 0], [1n, 1]]), 2n)), [[1n, 1]])
  })

  it("passes for a Map, and cannot be written to", () => {
    const map = SidMap.set(SidMap.empty as ReadonlyMap<Sid, number>, 1n, 1)
    assert.instanceOf(map, Map)
    assert.throws(() => (map as Map<Sid, number>).set(2n, 1), TypeError)
    assert.deepStrictEqual(Array.from(map), [[1n, 1]])
  })
})
