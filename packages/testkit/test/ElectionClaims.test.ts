/**
 * What an election promises where messages are faster than timers; and what looks true and is not, each refuted in as
 * few steps as can be. If one of these ever comes to hold, a test fails, and EXPLORER.md has to say so.
 */
import * as ElectionClaims from "@conclave/testkit/ElectionClaims"
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import * as Explorer from "@conclave/testkit/Explorer"
import { assert, describe, it } from "@effect/vitest"

const alike = [{ sid: 1 }, { sid: 2 }, { sid: 3 }]

const unlike = [{ sid: 1, epoch: 1, zxid: 9 }, { sid: 2, epoch: 2, zxid: 7 }, { sid: 3, epoch: 1, zxid: 8 }]

describe("where messages are faster than timers", () => {
  const holds = (options: ElectionModel.Options) => {
    const { complete, violation } = Explorer.explore(ElectionModel.make({ timers: "Patient", ...options }))
    assert.isNull(violation)
    assert.isTrue(complete)
  }
  const bounds = { rounds: 1, capacity: ElectionModel.UNBOUNDED }

  it.each([["alike", alike], ["unlike", unlike]])("%s peers that start together elect the best of all", (_, peers) => {
    for (const rules of ["conclave", "zookeeper"] as const) {
      const claim = (scene: ElectionModel.Scene) =>
        ElectionClaims.isBest(scene) ? null : { property: "best", detail: "" }
      holds({ peers, rules, bounds, claim })
    }
  })

  it.each([["alike", alike], ["unlike", unlike]])("the loss of one message leads no %s peers apart", (_, peers) => {
    for (const rules of ["conclave", "zookeeper"] as const) {
      holds({ peers, rules, bounds: { ...bounds, losses: 1, timeouts: 1 } })
    }
  })
})

describe("does not hold, although it looks as if it did", () => {
  const depths: Record<ElectionClaims.ClaimName, number> = {
    "one-leader": 6,
    "soon-one-leader": 7,
    "best": 2,
    "leads-by-then": 2,
    "supporters": 3,
    "fresh": 6,
    "clock": 11,
    "late": 13,
    "two-losses": 9
  }
  const names = Object.keys(depths) as Array<ElectionClaims.ClaimName>

  it.each(names)("%s", (name) => {
    const claim: ElectionClaims.Claim = ElectionClaims.claims[name]
    const { violation } = Explorer.explore(ElectionModel.make(ElectionClaims.optionsOf(claim)), { statesMax: 100_000 })
    assert.strictEqual(violation?.property, claim.holds === null ? "agreement" : "claim")
    assert.strictEqual(violation?.path.length, depths[name], violation?.path.join("\n"))
  })
})
