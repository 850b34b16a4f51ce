import { assert, describe, it } from "@effect/vitest"
import * as Interner from "../src/internal/explorer/Interner.ts"

describe("Interner", () => {
  it("gives equal values the same number, and the first of them back", () => {
    const interner = Interner.make<{ readonly name: string }>(({ name }) => name)
    const first = { name: "a" }
    const ids = [first, { name: "b" }, { name: "a" }, first].map(interner.id)
    assert.deepStrictEqual(ids, [0, 1, 0, 0])
    assert.strictEqual(interner.get(0), first)
    assert.strictEqual(interner.size(), 2)
  })

  it("asks for the key of the same object once", () => {
    const asked: Array<number> = []
    const interner = Interner.make<ReadonlyArray<number>>((value) => {
      asked.push(value.length)
      return value.join()
    })
    const value = [1, 2, 3]
    interner.id(value)
    interner.id(value)
    assert.deepStrictEqual(asked, [3])
  })
})
