import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Profile from "../src/Profile.ts"
import * as ScenarioJson from "../src/ScenarioJson.ts"

describe("a scenario", () => {
  it("is the same after it was written and read, whatever was drawn", () => {
    for (const name of Object.keys(Profile.profiles) as Array<Profile.ProfileName>) {
      for (let seed = 1; seed <= 50; seed++) {
        const scenario = Profile.draw(name, 1 + seed % 7, seed)
        assert.deepStrictEqual(Result.getOrThrow(ScenarioJson.parse(ScenarioJson.format(scenario))), scenario)
      }
    }
  })

  const good = ScenarioJson.format(Profile.draw("partitions", 5, 1))

  it.each([
    ["no JSON", "{", "JSON"],
    ["another value", "[]", "Expected object"],
    ["an unknown fault", good.replace("\"Cut\"", "\"Bite\""), "faults"],
    ["a time beyond all bounds", good.replace(/"faultsUntil":\d+/, "\"faultsUntil\":999999999"), "faultsUntil"],
    ["a rule that does not exist", good.replace("\"rules\":\"conclave\"", "\"rules\":[\"none\"]"), "rules"]
  ])("is refused with the place of the fault: %s", (_, text, place) => {
    const parsed = ScenarioJson.parse(text)
    assert(Result.isFailure(parsed))
    assert.include(parsed.failure, place)
  })
})
