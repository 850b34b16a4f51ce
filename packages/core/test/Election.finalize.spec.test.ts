import { assert, describe, it } from "@effect/vitest"
import type { ElectedReason, Output } from "../src/ElectionOutput.ts"
import * as Peer from "./support/Peer.ts"
import { adopted, cancelTimer, ignored, kept, majority, p, quorumReached, timer, vote } from "./support/Peer.ts"

const own = p(2, 10, 1)
const all = [1, 2, 3]

/** A peer of three that agrees with 1 on itself and waits for something better. */
const finalizing = (options: Partial<Peer.Options> = {}) => {
  const peer = Peer.make({ mySid: 2, verifier: majority(all), zxid: 10, epoch: 1, ...options })
  peer.look()
  peer.hears(2, "LOOKING", own, 1)
  peer.hears(1, "LOOKING", own, 1)
  return peer
}

const elected = (
  proposal: ReturnType<typeof p>,
  round: number,
  state: "LEADING" | "FOLLOWING" | "OBSERVING",
  reason: Omit<ElectedReason & { readonly _tag: "Quorum" }, "_tag">
): Output => ({ _tag: "Elected", vote: vote(proposal, round), state, reason: { _tag: "Quorum", ...reason } })

describe("the finalize wait ends (Java: setPeerState, leaveInstance; spec WaitNewNotmsgEnd)", () => {
  it("in LEADING for whom the quorum proposes", () => {
    const peer = finalizing()
    assert.deepStrictEqual(peer.finalize(), [
      cancelTimer,
      elected(own, 1, "LEADING", { supporters: Peer.sids(2, 1), runnerUp: null, ground: null })
    ])
    assert.deepInclude(peer.settled(), {
      logicalClock: 1n,
      proposal: own,
      currentVote: vote(own, 1),
      state: "LEADING",
      supporters: Peer.sids(2, 1)
    })
  })

  it("in FOLLOWING for another voter, and tells who lost and why", () => {
    const peer = finalizing({ mySid: 1 })
    assert.deepStrictEqual(peer.finalize(), [
      cancelTimer,
      elected(own, 1, "FOLLOWING", { supporters: Peer.sids(2, 1), runnerUp: p(1, 10, 1), ground: "sid" })
    ])
  })

  it("in OBSERVING for who observes", () => {
    const peer = Peer.make({ mySid: 4, verifier: majority(all, { observers: [4] }) })
    peer.look()
    peer.hears(1, "LOOKING", own, 1)
    peer.hears(3, "LOOKING", own, 1)
    // Its own proposal of nobody is no proposal that lost.
    assert.deepStrictEqual(peer.finalize(), [
      cancelTimer,
      elected(own, 1, "OBSERVING", { supporters: Peer.sids(1, 3), runnerUp: null, ground: null })
    ])
  })

  it("200 ms after the third equal vote of five", () => {
    const peer = Peer.make({ mySid: 5, verifier: majority([1, 2, 3, 4, 5]) })
    peer.look()
    assert.deepStrictEqual(peer.hears(5, "LOOKING", p(5), 1).at(-1), timer("Notification", 200))
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(5), 1).at(-1), timer("Notification", 200))
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(5), 1), [
      kept(2, p(5), p(5), "Equal"),
      quorumReached(p(5), 5, 1, 2),
      timer("Finalize", 200)
    ])
    peer.finalize()
    assert.strictEqual(peer.settled().state, "LEADING")
  })

  it("in the best of the losers being told, not the last", () => {
    const peer = finalizing()
    peer.look()
    for (const [from, offered] of [[3, p(3, 8, 1)], [1, p(1, 9, 1)], [3, p(3, 7, 1)], [1, own], [2, own]] as const) {
      peer.hears(from, "LOOKING", offered, 2)
    }
    assert.deepStrictEqual(peer.finalize()[1], elected(own, 2, "LEADING", {
      supporters: Peer.sids(1, 2),
      runnerUp: p(1, 9, 1),
      ground: "zxid"
    }))
  })

  it("without a word of who lost in an older round", () => {
    const peer = Peer.make({ mySid: 2, verifier: majority(all), zxid: 10, epoch: 1 })
    peer.look()
    peer.hears(3, "LOOKING", p(3, 9, 1), 1)
    peer.hears(1, "LOOKING", own, 2)
    peer.hears(2, "LOOKING", own, 2)
    assert.deepStrictEqual(peer.finalize()[1], elected(own, 2, "LEADING", {
      supporters: Peer.sids(1, 2),
      runnerUp: null,
      ground: null
    }))
  })

  it("never by the notification timer", () => {
    const peer = finalizing()
    const before = peer.state()
    assert.deepStrictEqual(peer.silence(), [])
    assert.strictEqual(peer.state(), before)
  })

  it("only once", () => {
    const peer = finalizing()
    peer.finalize()
    const before = peer.state()
    assert.deepStrictEqual(peer.finalize(), [])
    assert.strictEqual(peer.state(), before)
  })

  it("not at all while no quorum agrees", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority(all) })
    peer.look()
    const before = peer.state()
    assert.deepStrictEqual(peer.finalize(), [])
    assert.strictEqual(peer.state(), before)
  })
})

describe("during the finalize wait (Java: lookForLeader, the inner loop; spec WaitNewNotmsg)", () => {
  it("something better re-opens the vote and is handled at once", () => {
    const peer = finalizing()
    assert.deepStrictEqual(peer.hears(3, "LOOKING", p(3, 10, 1), 1), [
      { _tag: "Reopened", from: 3n, offered: p(3, 10, 1), ground: "sid" },
      adopted(3, own, p(3, 10, 1), "sid"),
      ...peer.sends(all, p(3, 10, 1), 1, "Adopted"),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { finalizing: false, supporters: Peer.sids(3) })
  })

  it.each<readonly [what: string, offered: ReturnType<typeof p>]>([
    ["equal", own],
    ["worse", p(1, 10, 1)]
  ])("what is %s is forgotten, and the wait begins anew", (_, offered) => {
    const peer = finalizing()
    const { recvSet } = peer.looking()
    assert.deepStrictEqual(peer.hears(3, "LOOKING", offered, 1), [
      ignored("NotBetterWhileFinalizing", 3, "LOOKING", offered, 1),
      timer("Finalize", 200)
    ])
    assert.deepInclude(peer.looking(), { finalizing: true, recvSet })
  })

  it("a leader that says so is forgotten, if it is no better", () => {
    const peer = finalizing()
    assert.deepStrictEqual(peer.hears(3, "LEADING", p(3, 9, 1), 1), [
      ignored("NotBetterWhileFinalizing", 3, "LEADING", p(3, 9, 1), 1),
      timer("Finalize", 200)
    ])
    assert.deepStrictEqual(peer.looking().outOfElection, new Map())
  })

  it("a higher round is forgotten, if the vote is no better", () => {
    const peer = finalizing()
    peer.hears(3, "LOOKING", p(1, 10, 1), 9)
    assert.deepInclude(peer.looking(), { finalizing: true, logicalClock: 1n })
  })

  it("a better vote re-opens it from anybody in any state; then the main loop ignores it and no quorum is seen", () => {
    const cases = [
      ["LowerRound", 3, "LOOKING", p(3, 99, 1), 0],
      ["LeaderNotVoter", 3, "LOOKING", p(9, 99, 1), 1],
      ["SenderObserving", 3, "OBSERVING", p(3, 99, 1), 1]
    ] as const
    for (const [reason, from, state, offered, round] of cases) {
      const peer = finalizing()
      const answer = round === 0 ? peer.sends([3], own, 1, "AnswerLagging") : []
      assert.deepStrictEqual(peer.hears(from, state, offered, round), [
        ...answer,
        { _tag: "Reopened", from: 3n, offered, ground: "zxid" },
        ignored(reason, from, state, offered, round),
        timer("Notification", 200)
      ])
      // The quorum is still there; only another vote of this round makes it seen.
      assert.deepInclude(peer.looking(), { finalizing: false, supporters: Peer.sids(2, 1) })
      assert.deepStrictEqual(peer.hears(1, "LOOKING", own, 1).slice(1), [
        quorumReached(own, 2, 1),
        timer("Finalize", 200)
      ])
    }
  })

  it("a better vote of a follower re-opens it, and is counted among those who have a leader", () => {
    const peer = finalizing()
    assert.deepStrictEqual(peer.hears(3, "FOLLOWING", p(3, 99, 1), 7), [
      { _tag: "Reopened", from: 3n, offered: p(3, 99, 1), ground: "zxid" },
      Peer.notJoined(3, 3, "NoQuorum", 3),
      timer("Notification", 200)
    ])
  })
})
