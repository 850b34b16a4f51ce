import { assert, describe, it } from "@effect/vitest"
import type { ServerState } from "../src/ServerState.ts"
import { MAX_VALUE, MIN_VALUE } from "../src/Sid.ts"
import * as Vote from "../src/Vote.ts"
import { p } from "./support/Peer.ts"

const epochs = [MIN_VALUE, -1n, 0n, 1n, MAX_VALUE]

const proposals = epochs.flatMap((peerEpoch) =>
  epochs.flatMap((zxid) => epochs.map((leader) => p(leader, zxid, peerEpoch)))
)

describe("Vote.compare (Java: totalOrderPredicate)", () => {
  it.each<readonly [what: string, candidate: Vote.Proposal, current: Vote.Proposal, weight: bigint, Vote.Verdict]>([
    // FLEPredicateTest
    ["lower epoch", p(4, 0, 0), p(3, 0, 2), 1n, { better: false, ground: "peerEpoch" }],
    ["higher epoch", p(0, 0, 1), p(1, 0, 0), 1n, { better: true, ground: "peerEpoch" }],
    ["higher zxid", p(0, 1, 0), p(1, 0, 0), 1n, { better: true, ground: "zxid" }],
    ["higher id", p(1, 1, 0), p(0, 1, 0), 1n, { better: true, ground: "sid" }],
    // and the rest of what it can say
    ["lower zxid, higher id", p(1, 0, 0), p(0, 1, 0), 1n, { better: false, ground: "zxid" }],
    ["lower id", p(0, 1, 0), p(1, 1, 0), 1n, { better: false, ground: "sid" }],
    ["the same", p(1, 1, 0), p(1, 1, 0), 1n, { better: false, ground: "Equal" }],
    ["higher epoch, all else lower", p(-9, -9, 1), p(9, 9, 0), 1n, { better: true, ground: "peerEpoch" }],
    ["signed epoch", p(1, 0, -1), p(1, 0, 0), 1n, { better: false, ground: "peerEpoch" }],
    ["signed zxid", p(1, -1, 0), p(1, 0, 0), 1n, { better: false, ground: "zxid" }],
    ["signed id", p(MIN_VALUE), p(MAX_VALUE), 1n, { better: false, ground: "sid" }],
    ["zxids a double cannot tell apart", p(1, (1n << 53n) + 1n), p(1, 1n << 53n), 1n, { better: true, ground: "zxid" }],
    ["no weight, however fresh", p(9, 9, 9), p(0, 0, 0), 0n, { better: false, ground: "ZeroWeight" }],
    ["no weight, the same", p(1), p(1), 0n, { better: false, ground: "ZeroWeight" }],
    ["weight beyond one counts no more", p(0, 0, 0), p(1, 0, 0), 5n, { better: false, ground: "sid" }],
    ["negative weight is weight", p(1), p(0), -1n, { better: true, ground: "sid" }]
  ])("%s", (_, candidate, current, weight, expected) => {
    assert.deepStrictEqual(Vote.compare(candidate, current, weight), expected)
  })

  it("is a strict total order on proposals that weigh something", () => {
    for (const a of proposals) {
      for (const b of proposals) {
        const [there, back] = [Vote.compare(a, b, 1n), Vote.compare(b, a, 1n)]
        assert.strictEqual(there.ground, back.ground)
        if (a === b) assert.deepStrictEqual(there, { better: false, ground: "Equal" })
        else assert.notStrictEqual(there.better, back.better)
      }
    }
    const sorted = proposals.toSorted(Vote.ProposalOrder)
    for (const [index, later] of sorted.entries()) {
      for (const earlier of sorted.slice(0, index)) assert.isTrue(Vote.compare(later, earlier, 1n).better)
    }
  })

  it("orders by epoch, then zxid, then id", () => {
    const list = [p(1, 1, 1), p(3, 0, 0), p(2, 0, 0), p(0, 1, 0), p(0, 0, 1)]
    assert.deepStrictEqual(list.toSorted(Vote.ProposalOrder), [
      p(2, 0, 0),
      p(3, 0, 0),
      p(0, 1, 0),
      p(0, 0, 1),
      p(1, 1, 1)
    ])
  })
})

describe("Vote.matches (Java: Vote.equals)", () => {
  const states: ReadonlyArray<ServerState> = ["LOOKING", "FOLLOWING", "LEADING", "OBSERVING"]
  const versions = [-1, 0, 1, 2, 9]
  const base = { leader: 1n, zxid: 2n, electionEpoch: 3n, peerEpoch: 4n }

  /** What may differ for the votes to match all the same, by what the table says of states and versions. */
  const mayDiffer = (self: Vote.Vote, that: Vote.Vote): ReadonlyArray<keyof typeof base> => {
    if (self.state === "LOOKING" || that.state === "LOOKING") return []
    const mixed = (self.version > 0) !== (that.version > 0)
    return mixed ? ["zxid", "electionEpoch", "peerEpoch"] : ["zxid", "electionEpoch"]
  }

  it.each(states.flatMap((a) => states.map((b) => [a, b] as const)))("%s with %s, of any version", (a, b) => {
    for (const version of versions) {
      for (const other of versions) {
        const self: Vote.Vote = { ...base, version, state: a }
        const that: Vote.Vote = { ...base, version: other, state: b }
        assert.isTrue(Vote.matches(self, that))
        for (const field of ["leader", "zxid", "electionEpoch", "peerEpoch"] as const) {
          const changed = { ...that, [field]: 9n }
          const what = `${field} differs, versions ${version} and ${other}`
          assert.strictEqual(Vote.matches(self, changed), mayDiffer(self, that).includes(field), what)
          assert.strictEqual(Vote.matches(changed, self), Vote.matches(self, changed), `${what}, the other way`)
        }
      }
    }
  })

  it("is not transitive: one old vote matches two new ones that do not match each other", () => {
    const old: Vote.Vote = { ...base, version: 0, state: "FOLLOWING" }
    const one: Vote.Vote = { ...base, version: 2, state: "FOLLOWING" }
    const other: Vote.Vote = { ...one, peerEpoch: 5n }
    assert.deepStrictEqual([Vote.matches(one, old), Vote.matches(old, other), Vote.matches(one, other)], [
      true,
      true,
      false
    ])
  })
})

describe("Vote.make (Java: Vote, four arguments)", () => {
  it("is of nobody in particular: LOOKING, version 0, whatever else it is made from", () => {
    const larger = { ...p(1, 2, 3), version: 2, state: "LEADING", electionEpoch: 8n, from: 7n }
    const vote = { version: 0, leader: 1n, zxid: 2n, electionEpoch: 4n, peerEpoch: 3n, state: "LOOKING" }
    assert.deepStrictEqual<unknown>(Vote.make(larger, 4n), vote)
    assert.deepStrictEqual(Vote.proposalOf(larger), p(1, 2, 3))
  })
})
