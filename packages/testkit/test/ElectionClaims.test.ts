/**
 * What an election promises where messages are faster than timers; and what looks true and is not, each refuted by the
 * shortest course of things that does.
 */
import type * as Election from "@conclave/core/Election"
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import * as Explorer from "@conclave/testkit/Explorer"
import { assert, describe, it } from "@effect/vitest"

type Claim = NonNullable<ElectionModel.Options["claim"]>

type Standing = ElectionModel.Scene[number]

const alike = [{ sid: 1 }, { sid: 2 }, { sid: 3 }]

/** The third has more transactions, of an older epoch than the second. */
const unlike = [{ sid: 1, epoch: 1, zxid: 9 }, { sid: 2, epoch: 2, zxid: 7 }, { sid: 3, epoch: 1, zxid: 8 }]

const refuted = { property: "claim", detail: "" }

const settledOf = ({ election, up }: Standing): Election.Settled | null =>
  up && election._tag === "Settled" ? election : null

const leading = (scene: ElectionModel.Scene): ReadonlyArray<Election.Settled> =>
  scene.map(settledOf).filter((settled) => settled !== null).filter(({ state }) => state === "LEADING")

const unless =
  (holds: (after: ElectionModel.Scene, before: ElectionModel.Scene) => boolean): Claim => (after, before) =>
    holds(after, before) ? null : refuted

const isFresher = (self: Standing, that: Standing): boolean =>
  self.history.currentEpoch > that.history.currentEpoch ||
  (self.history.currentEpoch === that.history.currentEpoch &&
    self.history.lastLoggedZxid > that.history.lastLoggedZxid)

/** The peer of this id; ids count from 1 here. */
const peerOf = (scene: ElectionModel.Scene, sid: bigint): Standing => scene[Number(sid) - 1]!

/** Whom somebody votes for, or follows. */
const choiceOf = ({ election }: Standing): bigint =>
  election._tag === "Settled" ? election.currentVote.leader : election.proposal.leader

const isTaken = (before: Standing, after: Standing): boolean => settledOf(before) === null && settledOf(after) !== null

const best = unless((scene) => scene.every((peer) => {
  const settled = settledOf(peer)
  return settled === null || scene.every((other) => !isFresher(other, peerOf(scene, settled.currentVote.leader)))
}))

describe("where messages are faster than timers", () => {
  const bounds = { rounds: 1, capacity: ElectionModel.UNBOUNDED }

  it.each([alike, unlike])("those that start together elect one leader, the best of all", (...peers) => {
    for (const rules of ["conclave", "zookeeper"] as const) {
      const model = ElectionModel.make({ peers, rules, bounds, timers: "Patient", claim: best })
      const { complete, violation } = Explorer.explore(model)
      assert.isNull(violation)
      assert.isTrue(complete)
    }
  })

  it.each([alike, unlike])("the loss of one message does not lead to two leaders", (...peers) => {
    const losing = { rounds: 1, losses: 1, timeouts: 1, capacity: ElectionModel.UNBOUNDED }
    const { complete, violation } = Explorer.explore(ElectionModel.make({ peers, bounds: losing, timers: "Patient" }))
    assert.isNull(violation)
    assert.isTrue(complete)
  })
})

interface Refutation {
  readonly claim: string
  readonly options: Omit<ElectionModel.Options, "claim">
  readonly holds?: Claim
  /** In how many steps it is refuted. */
  readonly depth: number
}

const refutations: ReadonlyArray<Refutation> = [
  {
    claim: "one leader at a time, and one in a round",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: unless((scene) => leading(scene).length < 2),
    depth: 6
  },
  {
    claim: "the best of those that are up is elected",
    options: { peers: unlike, bounds: { rounds: 1 } },
    holds: best,
    depth: 2
  },
  {
    claim: "whoever is followed leads by then",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: unless((scene) =>
      scene.every((peer) => {
        const settled = settledOf(peer)
        return settled === null || settledOf(peerOf(scene, settled.currentVote.leader)) !== null
      })
    ),
    depth: 2
  },
  {
    claim: "who finalises leads those who voted for it, at that moment",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: unless((after, before) =>
      before.every((peer, index) => {
        const { election } = peer
        if (election._tag !== "Looking" || !election.finalizing || !isTaken(peer, after[index]!)) return true
        const { leader } = election.proposal
        return Array.from(election.recvSet).every(([sid, vote]) =>
          vote.leader !== leader || choiceOf(peerOf(after, sid)) === leader)
      })
    ),
    depth: 3
  },
  {
    claim: "who is followed is at least as fresh as its followers",
    options: { peers: unlike, bounds: { rounds: 1 } },
    holds: unless((scene) =>
      scene.every((peer) => {
        const settled = settledOf(peer)
        return settled === null || !isFresher(peer, peerOf(scene, settled.currentVote.leader))
      })
    ),
    depth: 6
  },
  {
    claim: "a clock never goes back while its process lives",
    options: { peers: alike, bounds: { rounds: 2, looks: 1 } },
    holds: unless((after, before) =>
      before.every(({ election, up }, index) =>
        !up || !after[index]!.up || after[index]!.election.logicalClock >= election.logicalClock)
    ),
    depth: 11
  },
  {
    claim: "two leaders of the same round have the same followers in the end: one leads a quorum, the other nobody",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: unless((scene) => leading(scene).length < 2 || !scene.every((peer) => settledOf(peer) !== null)),
    depth: 7
  },
  {
    claim: "where messages are faster than timers, who starts late does not matter",
    options: { peers: alike, timers: "Patient", starts: "Separately", bounds: { rounds: 1 } },
    depth: 13
  },
  {
    claim: "where messages are faster than timers, the loss of two does not matter",
    options: { peers: alike, timers: "Patient", bounds: { rounds: 1, losses: 2 } },
    depth: 9
  }
]

describe("does not hold, although it looks as if it did", () => {
  it.each(refutations)("$claim", ({ depth, holds, options }) => {
    const model = ElectionModel.make(holds === undefined ? options : { ...options, claim: holds })
    const { violation } = Explorer.explore(model, { statesMax: 100_000 })
    assert.strictEqual(violation?.property, holds === undefined ? "agreement" : "claim")
    assert.strictEqual(violation?.path.length, depth, violation?.path.join("\n"))
  })
})
