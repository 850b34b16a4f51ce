import { assert, describe, it } from "@effect/vitest"
import type { ConfigVerdict, ElectedReason, KeptGround } from "../src/ElectionOutput.ts"
import * as Explain from "../src/Explain.ts"
import { InvalidConfig } from "../src/InvalidConfig.ts"
import type { LeaderLostReason } from "../src/Liveness.ts"
import { NOBODY } from "../src/Sid.ts"
import type { Proposal } from "../src/Vote.ts"
import { majority, p, sids, vote } from "./support/Peer.ts"

const winner = vote(p(3, 0x500000002n, 6), 1)

const quorum = (runnerUp: Proposal | null, ground: KeptGround | null): ElectedReason => ({
  _tag: "Quorum",
  supporters: sids(3, 1),
  runnerUp,
  ground
})

describe("an election in words, and its ground in one", () => {
  it.each<readonly [ground: string, reason: ElectedReason, sentence: string]>([
    ["epoch", quorum(p(2, 0, 5), "peerEpoch"),
      "server 3 won: its epoch is the highest, 6 against 5 of server 2; 1, 3 agreed"],
    ["zxid", quorum(p(2, 0x500000001n, 6), "zxid"),
      "server 3 won: its history is the freshest, zxid 0x500000002 against 0x500000001 of server 2; 1, 3 agreed"],
    ["id", quorum(p(2, 0x500000002n, 6), "sid"),
      "server 3 won: histories are equal and its id is the highest, 3 against 2; 1, 3 agreed"],
    ["weight", quorum(p(9, 0, 9), "ZeroWeight"),
      "server 3 won: server 9 weighs nothing and may not lead; 1, 3 agreed"],
    ["electable", quorum(p(4, 0, 9), "NotElectable"),
      "server 3 won: server 4 is not electable; 1, 3 agreed"],
    ["unopposed", quorum(p(3), "Equal"), "server 3 won: no other proposal was heard; 1, 3 agreed"],
    ["unopposed", quorum(null, null), "server 3 won: no other proposal was heard; 1, 3 agreed"],
    ["joined", { _tag: "Joined", round: "Same", supporters: sids(10, 9, 3) },
      "server 3 leads already: 3, 9, 10 support it, and it says so itself"],
    ["joined", { _tag: "Joined", round: "Other", supporters: sids() },
      "server 3 leads already: nobody support it, and it says so itself"],
    ["oracle", { _tag: "Oracle", supporters: sids(3) },
      "server 3 leads: the other of two voters is missing, and the oracle decided"]
  ])("%s", (ground, reason, sentence) => {
    assert.strictEqual(Explain.elected(winner, reason), sentence)
    assert.strictEqual(Explain.groundOf(reason), ground)
  })
})

describe("why a leader was given up", () => {
  it.each<readonly [reason: LeaderLostReason, sentence: string]>([
    ["LinkToLeaderClosed", "there is no connection with the leader, server 3"],
    ["LeaderLooking", "the leader, server 3, looks for a leader itself"],
    ["LinksLost", "those who are connected and do not look are no quorum"]
  ])("%s", (reason, sentence) => {
    assert.strictEqual(Explain.leaderLost(3n, reason), sentence)
  })
})

describe("what became of a configuration", () => {
  const verifier = majority([1, 2, 3], { version: 31 })
  const seen = (verdict: ConfigVerdict, problem: InvalidConfig | null = null) =>
    Explain.configRefused({ from: 2n, version: problem === null ? 31n : null, verdict, problem })

  it("adopted, and what we are in it", () => {
    const text = "configuration 1f from server 2 is in force: majority of 1, 2, 3"
    assert.strictEqual(Explain.configAdopted(1n, { from: 2n, verifier }), text)
    assert.strictEqual(
      Explain.configAdopted(4n, { from: 2n, verifier }),
      `${text}; it does not list server 4, which has no vote; it listens on, and can be added again`
    )
    assert.strictEqual(seen("Adopted"), null)
  })

  it.each<readonly [verdict: ConfigVerdict, why: RegExp]>([
    ["ReconfigDisabled", /reconfigEnabled=true/],
    ["SenderNotVoter", /no vote/],
    ["NoVoters", /no voters/],
    ["LosesMajority", /majority.*write it to this server's file/]
  ])("refused: %s", (verdict, why) => {
    assert.match(seen(verdict)!, /^configuration 1f from server 2 is not adopted: /)
    assert.match(seen(verdict)!, why)
  })

  it("refused, because it cannot be read", () => {
    const problem = new InvalidConfig({ key: "server.x", problem: "what is this" })
    assert.strictEqual(
      seen("Unparsable", problem),
      "a configuration from server 2 is not adopted: server.x: what is this"
    )
  })
})

describe("what elections speak of", () => {
  it("a proposal, with its history as logs show it", () => {
    assert.strictEqual(Explain.proposal(p(-1, -1, 2)), "server -1 (epoch 2, zxid 0xffffffffffffffff)")
    assert.strictEqual(Explain.proposal(p(NOBODY, NOBODY, NOBODY)), "nobody")
  })

  it.each<readonly [previous: Proposal, sentence: string]>([
    [p(2, 3, 4), "from server 2 to 3, because of server 1: histories are equal and its id is higher"],
    // Who observes, and who votes and may not be proposed.
    [p(NOBODY, NOBODY, NOBODY), "to server 3, because of server 1: it had proposed nobody"],
    [p(2, -1, -1), "to server 3, because of server 1: it had proposed nobody"]
  ])("a change of mind from %o", (previous, sentence) => {
    assert.strictEqual(Explain.adopted({ from: 1n, ground: "sid", previous, proposal: p(3, 3, 4) }), sentence)
  })

  it("ids as numbers in order", () => {
    assert.strictEqual(Explain.sids(sids(10, 9, -1, 2n ** 62n)), `-1, 9, 10, ${2n ** 62n}`)
    assert.strictEqual(Explain.sids([]), "nobody")
  })
})
