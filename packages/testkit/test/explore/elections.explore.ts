/**
 * Elections within larger bounds, explored to their ends.
 */
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import * as Explorer from "@conclave/testkit/Explorer"
import { assert, describe, it } from "@effect/vitest"
import * as Elections from "./Elections.ts"

describe("nothing is broken, and a leader is found in the end", () => {
  it.each(Elections.all.filter(({ extent }) => extent === "Suite"))("$name", ({ options }) => {
    const { complete, violation } = Explorer.explore(ElectionModel.make(options))
    assert.isNull(violation)
    assert.isTrue(complete)
  })
})
