/**
 * Leadership of three peers in two terms, with a crash and a link that breaks: everything that can happen.
 */
import { assert, describe, it } from "@effect/vitest"
import * as LeadershipModel from "@conclave/testkit/LeadershipModel"

const bounds = { ...LeadershipModel.none, terms: 2, crashes: 1, losses: 1 }

const peers = LeadershipModel.alike(3)

describe("leadership of three peers", () => {
  it.each<readonly [string, LeadershipModel.Options]>([
    ["fenced, who follows four times", { peers, lease: null, bounds: { ...bounds, dials: 4 } }],
    ["leased, who follows three times", { peers, lease: LeadershipModel.defaultLease, bounds: { ...bounds, dials: 3 } }]
  ])("holds: %s", (_, options) => {
    const { complete, violation } = LeadershipModel.explore(options)
    assert.isNull(violation)
    assert.isTrue(complete)
  })
})
