/** A schedule can be repeated, and leaves nothing out. */
import { assert, describe, it } from "@effect/vitest"
import * as Schedule from "./Schedule.ts"

const options = { rounds: 300, peers: 5, kinds: Schedule.faultKinds }

describe("Schedule", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepStrictEqual(Schedule.make(7, options), Schedule.make(7, options))
    assert.notDeepEqual(Schedule.make(7, options), Schedule.make(8, options))
  })

  it("begins alike, however long it is", () => {
    assert.deepStrictEqual(Schedule.make(7, { ...options, rounds: 3 }), Schedule.make(7, options).slice(0, 3))
  })

  it("has every kind of fault and of partition, for the leader and for others", () => {
    const rounds = Schedule.make(7, { ...options, rounds: 2_000 })
    const seen = new Set(rounds.map(({ kind, partition, target }) => `${partition ?? kind} ${target}`))
    const partitions = Schedule.partitions.length
    assert.strictEqual(seen.size, 2 * (Schedule.faultKinds.length - 1 + partitions))
  })

  it("has only the faults that are asked for", () => {
    assert.isTrue(Schedule.make(7, { ...options, kinds: ["kill"] }).every(({ kind }) => kind === "kill"))
  })
})
