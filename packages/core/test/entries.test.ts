import { assert, describe, it } from "@effect/vitest"
import { withEntry, withoutEntry } from "../src/internal/entries.ts"

describe("entries", () => {
  const map = new Map([["a", 1], ["b", 2]])

  it.each<readonly [key: string, expected: ReadonlyArray<readonly [string, number]>]>([
    ["a", [["a", 9], ["b", 2]]],
    ["c", [["a", 1], ["b", 2], ["c", 9]]]
  ])("with %s: in its place, or last", (key, expected) => {
    assert.deepStrictEqual(Array.from(withEntry(map, key, 9)), expected)
    assert.deepStrictEqual(Array.from(map), [["a", 1], ["b", 2]])
  })

  it("without an entry: a copy, or the same map if there was none", () => {
    assert.deepStrictEqual(Array.from(withoutEntry(map, "a")), [["b", 2]])
    assert.deepStrictEqual(Array.from(map), [["a", 1], ["b", 2]])
    assert.strictEqual(withoutEntry(map, "c"), map)
  })
})
