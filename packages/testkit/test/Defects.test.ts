/**
 * Every fault put into the core on purpose is found: by the simulator within a few hundred seeds, and if it is about
 * elections or connections also by exploring small ensembles.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Explorer from "../src/Explorer.ts"
import * as Defects from "./defects/Defects.ts"
import * as Explorations from "./defects/Explorations.ts"
import * as Hunt from "./defects/Hunt.ts"
import * as Mutant from "./defects/Mutant.ts"

const SEEDS = 300

describe("found", () => {
  it.each(Defects.all)("$name ($origin)", async (defect) => {
    const trophy = await Hunt.hunt(defect, SEEDS)
    assert.isNotNull(trophy, `not within ${SEEDS} seeds of ${defect.profile}`)
  })
})

describe("found by exploring", () => {
  it.each(Defects.elections)("$name ($origin)", { timeout: 60_000 }, async (defect) => {
    const find = await Explorations.hunt(defect)
    assert.isNotNull(find, `not within ${Explorations.STATES_MAX} states of each exploration`)
  })

  it("and one that simulations hardly ever show", { timeout: 60_000 }, async () => {
    const find = await Explorations.hunt(Defects.rare)
    assert.strictEqual(find?.violation.property, "endless")
  })

  const expeditions = [...Explorations.elections, ...Explorations.connections]

  it.each(expeditions)("and nothing in the core as shipped: $name", { timeout: 60_000 }, ({ model }) => {
    const { violation } = Explorer.explore(model(), { statesMax: Explorations.STATES_MAX })
    assert.isNull(violation)
  })
})

describe("a copy of the core without a defect", () => {
  it("is as good as the core", async () => {
    const harmless: Defects.Defect = {
      ...Defects.all[0]!,
      text: "const better = {",
      instead: "const better = {"
    }
    assert.isNull(await Hunt.hunt(harmless, 20))
  })

  it("is not made if what it changes is not there", async () => {
    const moved: Defects.Defect = { ...Defects.all[0]!, text: "nothing like this" }
    const error = await Mutant.load(moved).then(() => null, (error: Error) => error)
    assert.include(error?.message, "0 times in Vote.ts")
  })
})
