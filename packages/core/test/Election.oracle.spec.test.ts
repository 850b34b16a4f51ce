import { assert, describe, it } from "@effect/vitest"
import type { ElectedReason, Output } from "../src/ElectionOutput.ts"
import type { Proposal } from "../src/Vote.ts"
import * as Peer from "./support/Peer.ts"
import { cancelTimer, kept, notJoined, oracle, p, quorumReached, timer, vote } from "./support/Peer.ts"

/** One of two voters with an oracle, looking in round 1. */
const looking = (options: Partial<Peer.Options> = {}) => {
  const peer = Peer.make({ mySid: 1, verifier: oracle([1, 2]), zxid: 9, ...options })
  peer.look()
  return peer
}

const own = p(1, 9)

const elected = (
  proposal: Proposal,
  round: number,
  state: "LEADING" | "FOLLOWING",
  reason: ElectedReason
): Array<Output> => [cancelTimer, { _tag: "Elected", vote: vote(proposal, round), state, reason }]

describe("an oracle that says yes (Java: QuorumOracleMaj, revalidateVoteset)", () => {
  it("makes up for the missing vote of two as soon as a vote is counted", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", own, 1, { oracle: true }), [
      kept(1, own, own, "Equal"),
      quorumReached(own, 1),
      timer("Finalize", 200)
    ])
    peer.finalize()
    assert.strictEqual(peer.settled().state, "LEADING")
  })

  it("only when silence follows elects the one whose own vote is counted", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", own, 1, { oracle: false })
    assert.isFalse(peer.looking().finalizing)
    assert.deepStrictEqual(peer.silence({ oracle: true }), [
      ...peer.sends([1, 2], own, 1, "Silence"),
      ...elected(own, 1, "LEADING", { _tag: "Oracle", supporters: Peer.sids(1) })
    ])
  })

  it("elects nobody in silence before any vote was counted", () => {
    assert.deepStrictEqual(looking().silence({ oracle: true }).at(-1), timer("Notification", 400))
  })

  it("says nothing in an ensemble of three", () => {
    const peer = looking({ verifier: oracle([1, 2, 3]) })
    peer.hears(1, "LOOKING", own, 1, { oracle: true })
    assert.isFalse(peer.looking().finalizing)
    assert.deepStrictEqual(peer.silence({ oracle: true }).at(-1), timer("Notification", 400))
  })

  it("is not needed in silence where a quorum was seen and the wait was interrupted", () => {
    const peer = looking({ verifier: oracle([1, 2, 3]) })
    peer.hears(1, "LOOKING", own, 1)
    peer.hears(2, "LOOKING", own, 1)
    // Better, but of a lower round: re-opens the vote and is then ignored.
    assert.deepStrictEqual(peer.hears(3, "LOOKING", p(3, 99), 0).at(-1), timer("Notification", 200))
    assert.deepStrictEqual(peer.silence().slice(-2), elected(own, 1, "LEADING", {
      _tag: "Quorum",
      supporters: Peer.sids(1, 2),
      runnerUp: null,
      ground: null
    }))
  })

  it("lets nobody follow who has no vote and proposes nobody", () => {
    const peer = looking({ mySid: 9, epoch: 5 })
    peer.hears(1, "LOOKING", own, 1, { oracle: true })
    assert.isFalse(peer.looking().finalizing)
    assert.deepStrictEqual(peer.silence({ oracle: true }).at(-1), timer("Notification", 400))
  })

  it("makes a single vote a quorum for joining, too, once the other says that it leads", () => {
    const peer = looking()
    assert.deepStrictEqual(
      peer.hears(2, "LEADING", p(2, 8), 4, { oracle: true }),
      elected(p(2, 8), 4, "FOLLOWING", { _tag: "Joined", round: "Other", supporters: Peer.sids(2) })
    )
  })
})

describe("an oracle that says no (Java: receivedLeadingNotification)", () => {
  it("speaks for the one of two that leads, which is followed without a quorum; the clock stays", () => {
    const peer = looking()
    assert.deepStrictEqual(
      peer.hears(2, "LEADING", p(2, 8, 3), 4),
      elected(p(2, 8, 3), 4, "FOLLOWING", { _tag: "Oracle", supporters: new Set() })
    )
    assert.deepInclude(peer.settled(), { logicalClock: 1n, currentVote: vote(p(2, 8, 3), 4) })
  })

  it("does not speak for one that follows", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(2, "FOLLOWING", p(2, 8, 3), 4)[0], notJoined(2, 2, "NoQuorum", 2))
  })

  it("keeps the supporters that were counted last", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", own, 1)
    peer.hears(2, "LEADING", p(2, 8, 3), 4)
    assert.deepStrictEqual(peer.settled().supporters, Peer.sids(1))
  })

  it("makes a leader of three followed without a quorum, too: the need is assumed until a leader revises it", () => {
    const peer = looking({ verifier: oracle([1, 2, 3]) })
    peer.hears(2, "LEADING", p(2, 8, 3), 4)
    assert.strictEqual(peer.settled().state, "FOLLOWING")
  })

  it("is asked about what waited for the search, too", () => {
    const waiting = (answer: boolean | undefined) => {
      const peer = Peer.make({ mySid: 1, verifier: oracle([1, 2, 3]) })
      peer.hears(2, "LEADING", p(2, 8, 3), 4)
      peer.look(answer === undefined ? {} : { oracle: answer })
      return peer.state()._tag
    }
    assert.deepStrictEqual([waiting(undefined), waiting(false), waiting(true)], ["Settled", "Settled", "Looking"])
  })

  it("has no say where there is none", () => {
    const peer = looking({ verifier: Peer.majority([1, 2]) })
    assert.deepStrictEqual(peer.hears(2, "LEADING", p(2, 8, 3), 4), [
      notJoined(2, 2, "NoQuorum", 2),
      timer("Notification", 200)
    ])
  })
})
