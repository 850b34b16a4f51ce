/**
 * Every fault of leadership put into the core on purpose is found by exploration.
 */
import { assert, describe, it } from "@effect/vitest"
import * as LeadershipDefects from "./defects/LeadershipDefects.ts"
import * as LeadershipHunt from "./defects/LeadershipHunt.ts"

describe("found", { timeout: 60_000 }, () => {
  it.each(LeadershipDefects.all)("$name ($origin)", async (defect) => {
    const found = await LeadershipHunt.hunt(defect)
    assert.strictEqual(found?.violation.property, defect.property)
  })
})

describe("a copy of the core without a defect", () => {
  it("is as good as the core", async () => {
    const [defect] = LeadershipDefects.all
    const harmless = { ...defect!, instead: defect!.text }
    assert.isNull(await LeadershipHunt.hunt(harmless))
  })
})
