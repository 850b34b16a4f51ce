/** Who can still lead. */
import { assert, describe, it } from "@effect/vitest"
import * as Reach from "./Reach.ts"

const all = [1n, 2n, 3n, 4n, 5n]

const without = (...cut: ReadonlyArray<string>) => (from: bigint, to: bigint) => !cut.includes(`${from}>${to}`)

describe("Reach", () => {
  it("is everybody while everything works", () => {
    assert.deepStrictEqual(Reach.able(5, { running: all, passes: without() }), all)
  })

  it("is nobody without a majority", () => {
    assert.deepStrictEqual(Reach.able(5, { running: [1n, 2n], passes: without() }), [])
    assert.deepStrictEqual(Reach.able(3, { running: [1n, 2n], passes: without("1>2") }), [])
    assert.deepStrictEqual(Reach.able(3, { running: [1n, 2n], passes: without() }), [1n, 2n])
  })

  it("is not who is heard by everybody and hears nobody", () => {
    const passes = without("1>3", "2>3")
    assert.deepStrictEqual(Reach.able(3, { running: [1n, 2n, 3n], passes }), [1n, 2n])
  })

  it("is nobody where one is in touch with a majority whose members are not", () => {
    const passes = without("1>2", "1>4", "1>5", "2>4", "2>5", "4>5")
    assert.deepStrictEqual(Reach.able(5, { running: all, passes }), [])
  })
})
