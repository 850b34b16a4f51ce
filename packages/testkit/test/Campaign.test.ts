import { assert, describe, it } from "@effect/vitest"
import * as Campaign from "../src/Campaign.ts"
import * as Reducers from "../src/Reducers.ts"
import * as ScenarioJson from "../src/ScenarioJson.ts"
import * as Simulator from "../src/Simulator.ts"
import * as Story from "../src/Story.ts"

// Settles nobody: the end of the wait before a quorum is believed is not noticed, once server 3 has restarted.
const { Election } = Reducers.shipped
const deaf: Reducers.Reducers = {
  ...Reducers.shipped,
  Election: {
    ...Election,
    step: (ensemble, state, event) =>
      event._tag === "FinalizeTimeout" && ensemble.mySid === 3n && state.logicalClock > 1n
        ? [state, []]
        : Election.step(ensemble, state, event)
  }
}

const options = { profile: "crashes", peers: 3, seed: 1, runs: 40 } as const

describe("a campaign", () => {
  it("runs its seeds and adds up what they come to", () => {
    const campaign = Campaign.make(options)
    while (campaign.next());
    assert.isNull(campaign.failure())
    assert.strictEqual(campaign.done(), 40)
    const { elections, healed, leaderless, messages, rounds, searches, steps } = campaign.summary()
    assert.strictEqual(leaderless.length, elections)
    assert.strictEqual(healed.length, 40)
    assert.isAtLeast(elections, 40)
    assert.isAtLeast(searches, 3 * 40)
    assert.isAtLeast(rounds, searches)
    assert.isAbove(steps, messages)
    assert.deepStrictEqual(leaderless, leaderless.toSorted((a, b) => a - b))
  })

  it("stops at what is broken, with a smaller scenario that breaks the same, and tells it", () => {
    const campaign = Campaign.make({ ...options, runs: 300, reducers: deaf })
    while (campaign.next());
    const failure = campaign.failure()
    assert.isNotNull(failure)
    const { scenario, seed, shrunk, violation } = failure!
    assert.strictEqual(campaign.done(), seed)
    assert.isAtMost(shrunk.faults.length, scenario.faults.length)
    assert.strictEqual(Simulator.run(shrunk, { reducers: deaf }).violation?.property, violation.property)
    assert.isNull(Simulator.run(shrunk).violation)
    const story = Story.tell(shrunk, { reducers: deaf })
    assert.include(story.at(-2), Simulator.explain(violation.property))
    assert.isBelow(story.length, 60)
    assert.strictEqual(
      Campaign.command(options, seed),
      `conclave simulate --profile crashes --peers 3 --seed ${seed} --runs 1`
    )
    assert.deepStrictEqual(Campaign.check({ ...options, seed, reducers: deaf }), violation)
    assert.strictEqual(ScenarioJson.format(shrunk).split("\n").length, 1)
  })

  it("knows percentiles of nothing, of one and of many", () => {
    assert.strictEqual(Campaign.percentile([], 50), 0)
    assert.strictEqual(Campaign.percentile([7], 99), 7)
    const values = Array.from({ length: 200 }, (_, index) => index + 1)
    assert.deepStrictEqual([0, 50, 99, 100].map((percent) => Campaign.percentile(values, percent)), [1, 100, 198, 200])
  })
})
