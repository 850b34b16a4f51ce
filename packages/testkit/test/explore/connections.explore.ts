/**
 * Connections within larger bounds, explored to their ends.
 */
import * as ConnectionsModel from "@conclave/testkit/ConnectionsModel"
import * as Explorer from "@conclave/testkit/Explorer"
import { assert, describe, it } from "@effect/vitest"
import * as Connections from "./Connections.ts"

describe("nothing is broken, and connections come to rest", () => {
  it.each(Connections.all.filter(({ extent }) => extent === "Suite"))("$name", ({ options }) => {
    const { complete, violation } = Explorer.explore(ConnectionsModel.make(options))
    assert.isNull(violation)
    assert.isTrue(complete)
  })
})
