/**
 * What matters only if the moment is right: that simulations have such moments, and see by what a fault shows there.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import * as Simulator from "../src/Simulator.ts"
import type { Defect } from "./defects/Defects.ts"
import * as Hunt from "./defects/Hunt.ts"
import * as LeadershipDefects from "./defects/LeadershipDefects.ts"

const SEEDS = 300

/** Faults by name, and what simulations see them break: itself, and not what comes of it. */
const shown: Readonly<Record<string, string>> = {
  "a leader tells its epoch before it is durable": "durable",
  "a leader brings others in sync before its current epoch is durable": "durable",
  "a lower epoch is accepted": "promise",
  "the grace is forgotten": "grace",
  "a lease that ran out is taken up again": "lapse",
  "who waits for the end of a pledge sets no timer": "prompt"
}

const slip = { origin: "slip", profile: "moments", peers: 5 } as const

/** Others that must not be missed either: the same, elsewhere. */
const alike: ReadonlyArray<Defect & { readonly property: string }> = [
  {
    ...slip,
    name: "a leader that waits for the end of its own pledge sets no timer",
    property: "prompt",
    file: "internal/discovery.ts",
    text: "? [state, [{ _tag: \"SetTimer\", timer: \"Pledge\", after: remaining }]]",
    instead: "? [state, []]"
  },
  {
    ...slip,
    name: "a lease has no timer",
    property: "grace",
    file: "internal/pings.ts",
    text: "{ _tag: \"SetTimer\", timer: \"Lease\", after }\n",
    instead: "\n"
  },
  {
    ...slip,
    name: "the grace is forgotten when a lease was extended since its timer was set",
    property: "grace",
    file: "internal/pings.ts",
    text: "(state.leaseUntil ?? -Infinity) - (lease?.grace ?? 0) - at",
    instead: "(state.leaseUntil ?? -Infinity) - at",
    profile: "crashes"
  }
]

describe("a simulation shows by what it breaks that", { timeout: 60_000 }, () => {
  const defects = LeadershipDefects.all.filter(({ name }) => name in shown)

  it.each(defects)("$name", async (defect) => {
    assert.lengthOf(defects, Object.keys(shown).length)
    const trophy = await Hunt.hunt(defect, SEEDS)
    assert.strictEqual(trophy?.violation.property, shown[defect.name])
  })

  it.each(alike)("$name", async ({ property, ...defect }) => {
    const trophy = await Hunt.hunt(defect, SEEDS)
    assert.strictEqual(trophy?.violation.property, property)
  })
})

/** Is there a step of a leader or learner like this in a simulation of such moments? */
const isMet = (is: (moment: Simulator.LeadershipMoment) => boolean): boolean => {
  let met = false
  for (let seed = 1; seed <= SEEDS && !met; seed++) {
    Simulator.run(Profile.draw("moments", 5, seed), {
      observeLeadership: (moment) => {
        met ||= is(moment)
      }
    })
  }
  return met
}

describe("there are", { timeout: 60_000 }, () => {
  it("epochs that came to nothing, so that who has accepted them cannot follow the next leader", () => {
    assert.isTrue(isMet(({ outputs }) =>
      outputs.some((output) => output._tag === "Left" && output.reason === "LowerEpoch")))
  })

  it("answers that come when the lease is over, before its timer is heard", () => {
    assert.isTrue(isMet(({ before, event, outputs, reducer }) =>
      reducer === "leader" && event._tag === "Received" && event.at >= (before.leaseUntil ?? Infinity) &&
      outputs.some((output) => output._tag === "SteppedDown" && output.reason === "LeaseExpired")))
  })
})
