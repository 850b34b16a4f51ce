/**
 * Leadership within larger bounds, explored to its ends.
 */
import * as Explorer from "@conclave/testkit/Explorer"
import * as LeadershipModel from "@conclave/testkit/LeadershipModel"
import { assert, describe, it } from "@effect/vitest"
import * as Leaderships from "./Leaderships.ts"

describe("nothing is broken, and there can be a leader again", () => {
  it.each(Leaderships.all.filter(({ extent }) => extent === "Suite"))("$name", ({ options }) => {
    const { complete, violation } = Explorer.explore(LeadershipModel.make(options))
    assert.isNull(violation)
    assert.isTrue(complete)
  })
})
