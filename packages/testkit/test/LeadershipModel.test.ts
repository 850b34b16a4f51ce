import { assert, describe, it } from "@effect/vitest"
import * as Explorer from "@conclave/testkit/Explorer"
import * as LeadershipClaims from "@conclave/testkit/LeadershipClaims"
import * as LeadershipModel from "@conclave/testkit/LeadershipModel"
import * as Actions from "../src/internal/explorer/leadership/Actions.ts"
import * as Machine from "../src/internal/explorer/leadership/Machine.ts"
import * as Properties from "../src/internal/explorer/leadership/Properties.ts"
import * as Setting from "../src/internal/explorer/leadership/Setting.ts"
import * as Symmetry from "../src/internal/explorer/leadership/Symmetry.ts"
import * as Words from "../src/internal/explorer/leadership/Words.ts"
import * as LeadershipDefects from "./defects/LeadershipDefects.ts"
import * as Mutant from "./defects/Mutant.ts"

const { alike, defaultLease, none, shortLease } = LeadershipModel

const fenced = (bounds: Partial<LeadershipModel.Bounds>): LeadershipModel.Options => ({
  peers: alike(3),
  lease: null,
  bounds: { ...none, ...bounds }
})

const leased = (bounds: Partial<LeadershipModel.Bounds>): LeadershipModel.Options => ({
  ...fenced(bounds),
  lease: defaultLease
})

const unequal = alike(3).map((peer) => ({ ...peer, lastLoggedZxid: peer.sid, currentEpoch: 1n, acceptedEpoch: 1n }))

describe("leadership, as shipped", { timeout: 60_000 }, () => {
  it.each<readonly [string, LeadershipModel.Options]>([
    ["two terms", fenced({ terms: 2, dials: 2 })],
    ["a loss, a crash, a bad disk", fenced({ terms: 1, dials: 2, crashes: 1, losses: 1, failures: 1 })],
    ["half ticks, and a resignation", fenced({ terms: 1, dials: 2, ticks: 2, resignations: 1 })],
    ["unequal histories", { ...fenced({ terms: 1, dials: 3 }), peers: unequal }],
    ["an observer", { ...fenced({ terms: 1, dials: 2 }), peers: alike(2, 1) }],
    ["leases", leased({ terms: 1, dials: 2 })],
    ["leases, and a crash", { ...leased({ terms: 2, dials: 1, crashes: 1 }), lease: shortLease }],
    ["leases, by any clocks", { ...leased({ terms: 1, dials: 1 }), clocks: "Every" }]
  ])("breaks nothing: %s", (_, options) => {
    const { complete, violation } = LeadershipModel.explore(options)
    assert.isNull(violation)
    assert.isTrue(complete)
  })
})

describe("what looks true and is not", { timeout: 60_000 }, () => {
  const steps: Readonly<Record<LeadershipClaims.ClaimName, number>> = {
    one: 33,
    order: 33,
    gap: 22,
    accepted: 21,
    proposal: 7,
    newest: 34,
    current: 10,
    support: 17,
    fresh: 16,
    lease: 37,
    granted: 16
  }

  it.each(Object.keys(steps) as Array<LeadershipClaims.ClaimName>)("%s", (name) => {
    const claim: LeadershipClaims.FalseClaim = LeadershipClaims.claims[name]
    const { violation } = Explorer.explore(LeadershipModel.make(LeadershipClaims.optionsOf(claim)))
    assert.deepStrictEqual([violation?.property, violation?.path.length], [claim.says, steps[name]])
  })

  it("is refuted by a path in which peers keep their names", () => {
    const { violation } = LeadershipModel.explore(LeadershipClaims.optionsOf(LeadershipClaims.claims.proposal))
    assert.deepStrictEqual(violation?.path, [
      "server 1 takes itself for the leader",
      "server 2 takes itself for the leader",
      "server 3 follows server 1",
      "server 3 follows no longer",
      "server 3 follows server 2",
      "server 2 gets FOLLOWERINFO of server 3, decides epoch 1, makes accepted epoch 1 durable",
      "server 1 gets FOLLOWERINFO of server 3, decides epoch 1, makes accepted epoch 1 durable"
    ])
  })
})

/** All states that are reached, each by its words. */
const reach = (machine: Machine.Machine, bounds: LeadershipModel.Bounds): ReadonlyMap<string, Words.Words> => {
  const first = new Uint32Array(machine.layout.size)
  first[1] = Words.budgetWord(bounds)
  const states = new Map([[first.join(), first]])
  for (const state of states.values()) {
    Actions.each(machine, state, (action) => {
      const next = state.slice()
      Machine.act(machine, next, action)
      Properties.ofState(machine, next)
      states.set(next.join(), states.get(next.join()) ?? next)
    })
  }
  return states
}

describe("folding", { timeout: 60_000 }, () => {
  it.each([
    fenced({ terms: 2, dials: 1, crashes: 1 }),
    { ...fenced({ terms: 1, dials: 1, crashes: 1 }), peers: alike(4) },
    fenced({ terms: 1, dials: 2, losses: 1, resignations: 1 }),
    leased({ terms: 1, dials: 1, crashes: 1, ticks: 1 })
  ])("leaves one of those that differ by who is who, and none out", (options) => {
    const setting = Setting.make({ ...options, progress: false })
    const machine = Machine.make(setting)
    const fold = Symmetry.make(machine)
    const states = reach(machine, setting.bounds)
    const folded = new Set(Array.from(states.values(), (words) => {
      const folded = words.slice()
      fold(folded)
      return folded.join()
    }))
    // Who has changed places is in a state that can be reached, too.
    assert.isTrue(folded.isSubsetOf(new Set(states.keys())))
    assert.strictEqual(Explorer.explore(LeadershipModel.make({ ...options, progress: false })).states, folded.size)
  })
})

describe("what is left out of states", { timeout: 60_000 }, () => {
  const names = [
    "who says that its word does not count is counted",
    "the grace is forgotten",
    "a leader is acknowledged in spite of a pledge to another"
  ]
  const sample = LeadershipDefects.all.filter(({ name }) => names.includes(name))

  it.each(sample)("does not hide a defect, or bring it nearer: $name", async (defect) => {
    const reducers = await Mutant.load(defect)
    const outcomes = [{}, { folded: false }, { reduced: false }, { clocks: "Every" as const }].map((options) => {
      const { violation } = Explorer.explore(LeadershipModel.make({ ...defect.setting, ...options, reducers }))
      return { property: violation?.property, steps: violation?.path.length }
    })
    assert.lengthOf(sample, names.length)
    assert.deepStrictEqual(outcomes, Array(outcomes.length).fill(outcomes[0]))
  })

  const settings = [fenced({ terms: 1, dials: 2 }), leased({ terms: 1, dials: 2 })]

  it.each(settings)("makes fewer states, as deep", (options) => {
    const reduced = LeadershipModel.explore(options)
    const whole = LeadershipModel.explore({ ...options, reduced: false })
    assert.isBelow(reduced.states, whole.states)
    assert.strictEqual(reduced.depth, whole.depth)
    assert.isNull(whole.violation)
  })
})
