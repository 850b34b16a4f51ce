import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import type { Scenario } from "../src/Scenario.ts"
import * as Shrink from "../src/Shrink.ts"

const scenario = Profile.draw("chaos", 5, 4)

const crashes = ({ faults }: Scenario) => faults.filter(({ _tag }) => _tag === "Crash")

describe("shrink", () => {
  it("leaves of the faults and of the members only what it takes", () => {
    const resets = ({ faults }: Scenario) => faults.filter(({ _tag }) => _tag === "Reset")
    assert.isAbove(crashes(scenario).length, 1)
    assert.isAbove(resets(scenario).length, 0)
    const isBad = (candidate: Scenario) => crashes(candidate).length > 1 && resets(candidate).length > 0
    const shrunk = Shrink.shrink(scenario, isBad)
    assert.isTrue(isBad(shrunk))
    assert.deepStrictEqual([crashes(shrunk).length, resets(shrunk).length, shrunk.faults.length], [2, 1, 3])
    assert.strictEqual(shrunk.members.length, 1, "somebody is left who could lead")
  })

  it("makes everything ordinary that may be, and nothing else", () => {
    const slow = (candidate: Scenario) => candidate.members.some(({ clock, sid }) => sid === 2 && clock !== 100)
    assert.isTrue(slow(scenario))
    const { bytes, duplication, faults, loopback, loss, members } = Shrink.shrink(scenario, slow)
    assert.deepStrictEqual({ bytes, duplication, faults, loopback, loss }, {
      bytes: false,
      duplication: 0,
      faults: [],
      loopback: 0,
      loss: 0
    })
    assert.deepStrictEqual(members.map(({ sid, starts }) => [sid, starts]), [[2, 0]])
    assert.notStrictEqual(members[0]?.clock, 100)
  })

  it("tries the same in the same order, and no more often than it may", () => {
    let attempts = 0
    const isBad = (candidate: Scenario) => {
      attempts++
      return candidate.members.length === scenario.members.length
    }
    const first = Shrink.shrink(scenario, isBad)
    assert.isAtMost(attempts, Shrink.ATTEMPTS_MAX)
    assert.deepStrictEqual(Shrink.shrink(scenario, isBad), first)
  })
})
