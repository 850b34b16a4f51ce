import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import type { Member, Scenario } from "../src/Scenario.ts"
import * as Simulator from "../src/Simulator.ts"

const SEEDS = 150

// Elections alone: all start at the same time, and nothing goes wrong.
const coldStart = (seed: number): Scenario => {
  const scenario = Profile.draw("weights", 3 + seed % 5, seed)
  const members = scenario.members.map((member): Member => ({ ...member, starts: 0 }))
  return { ...scenario, members, activation: false, pending: null, loss: 0, faults: [], faultsUntil: 5_000 }
}

const best = ({ members, quorum }: Scenario): number =>
  members
    .filter(({ electable, role, weight, zxid }) =>
      role === "Voter" && electable && zxid >= 0 && (quorum !== "Weighted" || weight > 0)
    )
    .toSorted((a, b) => a.epoch - b.epoch || a.zxid - b.zxid || a.sid - b.sid)
    .at(-1)!.sid

describe("an ensemble", () => {
  it("on a cold start without loss elects the best who may win, within seconds", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const scenario = coldStart(seed)
      const leaders = new Map<bigint, bigint>()
      const { healed, violation } = Simulator.run(scenario, {
        observe: ({ outputs, sid }) => {
          for (const output of outputs) if (output._tag === "Elected") leaders.set(sid, output.vote.leader)
        }
      })
      assert.isNull(violation, `seed ${seed}`)
      assert.strictEqual(healed, 0, `seed ${seed}`)
      assert.deepStrictEqual(new Set(leaders.values()), new Set([BigInt(best(scenario))]), `seed ${seed}`)
    }
  })

  it("of which a majority is gone elects nobody, and somebody as soon as it is back", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const drawn = Profile.draw("lossy", 7, seed)
      const members = drawn.members.map((member): Member => ({
        ...member,
        starts: member.sid <= 3 ? member.starts : drawn.faultsUntil
      }))
      let early = 0
      let late = 0
      const { violation } = Simulator.run({ ...drawn, members }, {
        observe: ({ at, outputs }) => {
          const elected = outputs.filter(({ _tag }) => _tag === "Elected").length
          if (at < drawn.faultsUntil) early += elected
          else late += elected
        }
      })
      assert.isNull(violation, `seed ${seed}`)
      assert.strictEqual(early, 0, `seed ${seed}`)
      assert.isAtLeast(late, 7, `seed ${seed}`)
    }
  })
})
