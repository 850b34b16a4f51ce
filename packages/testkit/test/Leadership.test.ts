/**
 * What the simulator shows of leaders and learners, and what it keeps for them: timers, a disk, contracts.
 */
import * as Lease from "@conclave/core/Lease"
import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import * as Simulator from "../src/Simulator.ts"

const names = Object.keys(Profile.profiles) as Array<Profile.ProfileName>

/** Of each kind of trouble at most; some fifteen are enough to see everything, whichever they are. */
const SEEDS = 100

/** What happened to leaders and learners, and why they stopped, seed after seed until all this did. */
const seen = (expected: ReadonlyArray<string>): ReadonlySet<string> => {
  const met = new Set<string>()
  const isAll = () => expected.every((what) => met.has(what))
  for (let seed = 1; seed <= SEEDS && !isAll(); seed++) {
    for (const name of names) {
      Simulator.run(Profile.draw(name, 5, seed), {
        observeLeadership: ({ event, outputs, reducer }) => {
          met.add(`${reducer} ${event._tag}`)
          for (const output of outputs) if ("reason" in output) met.add(`${reducer} ${output.reason}`)
        }
      })
    }
  }
  return met
}

describe("leaders and learners", () => {
  it("meet what can happen to them, but for what only real servers do, and what takes more seeds", () => {
    const expected = [
      "leader Started",
      "leader Connected",
      "leader Received",
      "leader Disconnected",
      "leader AcceptedEpochStored",
      "leader CurrentEpochStored",
      "leader StoreFailed",
      "leader HalfTick",
      "leader TimedOut",
      "leader Resign",
      "learner Connected",
      "learner Received",
      "learner Disconnected",
      "learner NotReached",
      "learner AcceptedEpochStored",
      "learner CurrentEpochStored",
      "learner StoreFailed",
      "learner TimedOut",
      "leader Resigned",
      "leader QuorumLost",
      "leader LeaseExpired",
      "leader NoEpochQuorum",
      "leader NoEpochAckQuorum",
      "leader NoSyncQuorum",
      "leader StorageFailed",
      "leader AheadOfLeader",
      "leader Replaced",
      "leader Silent",
      "learner ConnectionClosed",
      "learner NotReached",
      "learner LeaderSilent",
      "learner StorageFailed",
      "learner LeaderResigned"
    ]
    assert.includeMembers([...seen(expected)], expected)
  })

  it("show their roles from the first step on, each with what it began with", () => {
    const roles = new Map<string, Simulator.LeadershipMoment>()
    Simulator.run(Profile.draw("crashes", 5, 3), {
      observeLeadership: (moment) => {
        const { at, history, instance, reducer, sid } = moment
        const first = roles.get(`${sid} ${instance} ${reducer}`)
        if (first === undefined) {
          roles.set(`${sid} ${instance} ${reducer}`, moment)
          return
        }
        assert.isAtLeast(at, first.at)
        // A process that starts again counts from 1 again, and knows no less.
        assert.isTrue(history.acceptedEpoch >= first.history.acceptedEpoch)
      }
    })
    assert.isAbove(roles.size, 5)
  })
})

describe("contracts", () => {
  it("are fenced, or leased with a lease that is of use and clocks within their bound", () => {
    const drawn = names.flatMap((name) =>
      Array.from({ length: 50 }, (_, seed) => Profile.draw(name, 1 + seed % 7, seed)))
    const leased = drawn.filter(({ lease }) => lease !== null)
    assert.isAbove(leased.length, drawn.length / 3)
    assert.isBelow(leased.length, drawn.length * 2 / 3)
    for (const { lease, members, ticks } of leased) {
      assert.isNotNull(lease)
      assert.isTrue(Lease.fits(lease!, ticks))
      for (const { clock } of members) assert.isAtMost(Math.abs(100 / clock - 1), lease!.clockDrift)
    }
  })
})
