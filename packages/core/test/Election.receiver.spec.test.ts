import { assert, describe, it } from "@effect/vitest"
import type { SettledState } from "../src/ServerState.ts"
import * as Peer from "./support/Peer.ts"
import { ignored, majority, notJoined, p, timer, vote } from "./support/Peer.ts"

const states = ["LOOKING", "FOLLOWING", "LEADING", "OBSERVING", "UNKNOWN"] as const

/** A peer of three that has settled on a leader of round 7. */
const settled = (state: SettledState) => {
  const peer = Peer.make({ mySid: state === "OBSERVING" ? 4 : 1, verifier: majority([1, 2, 3], { observers: [4] }) })
  if (state === "LEADING") {
    for (let round = 1; round <= 7; round++) peer.look()
    peer.hears(2, "FOLLOWING", p(1, 5, 2), 7)
    peer.hears(3, "FOLLOWING", p(1, 5, 2), 7)
  } else {
    peer.look()
    peer.hears(2, "LEADING", p(2, 5, 2), 7)
    peer.hears(3, "FOLLOWING", p(2, 5, 2), 7)
  }
  assert.strictEqual(peer.settled().state, state)
  return peer
}

describe("a sender without a vote is answered at once and goes no further (Java: WorkerReceiver)", () => {
  it.each(states)("in state %s: with the current vote, not what is being proposed, and the clock of now", (state) => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3], { observers: [4] }), zxid: 3, epoch: 2 })
    peer.look()
    peer.hears(3, "LOOKING", p(3, 9, 2), 5)
    const before = peer.state()
    for (const from of [4, 99, -1]) {
      assert.deepStrictEqual(peer.hears(from, state, p(from), 1), [
        ...peer.sends([from], p(1, 3, 2), 5, "AnswerNonVoter"),
        ignored("SenderNotVoter", from, state, p(from), 1)
      ])
    }
    assert.strictEqual(peer.state(), before)
  })

  it("before the first search with our own vote and clock 0", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), zxid: 3, epoch: 2 })
    assert.deepStrictEqual(peer.hears(4, "LOOKING", p(4), 1), [
      ...peer.sends([4], p(1, 3, 2), 0, "AnswerNonVoter"),
      ignored("SenderNotVoter", 4, "LOOKING", p(4), 1)
    ])
    assert.deepInclude(peer.state(), { recvQueue: [] })
  })

  it.each(["FOLLOWING", "LEADING", "OBSERVING"] as const)("by who is %s with the leader it has", (state) => {
    const peer = settled(state)
    const leader = state === "LEADING" ? p(1, 5, 2) : p(2, 5, 2)
    assert.deepStrictEqual(peer.hears(9, "LOOKING", p(9), 1), [
      ...peer.sends([9], leader, 7, "AnswerNonVoter", state),
      ignored("SenderNotVoter", 9, "LOOKING", p(9), 1)
    ])
  })

  it("after the leader was lost with that leader, as one who looks", () => {
    const peer = settled("FOLLOWING")
    peer.event({ _tag: "LeaderLost" })
    assert.deepStrictEqual(peer.hears(9, "LOOKING", p(9), 1)[0], peer.sends([9], p(2, 5, 2), 7, "AnswerNonVoter")[0])
  })

  it("a voter of the pending configuration has one", () => {
    const peer = Peer.make({
      mySid: 1,
      verifier: majority([1, 2, 3]),
      lastSeen: majority([1, 2, 4], { version: 1 })
    })
    peer.look()
    assert.deepStrictEqual(peer.hears(4, "FOLLOWING", p(2), 1)[0], notJoined(4, 2, "NoQuorum", 4))
  })
})

describe("a voter's state code that is none (Java: WorkerReceiver)", () => {
  it("drops the message without an answer, while we look and after", () => {
    const looking = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    const dropped = ignored("UnknownState", 2, "UNKNOWN", p(2, 9, 9), 0)
    assert.deepStrictEqual(looking.hears(2, "UNKNOWN", p(2, 9, 9), 0), [dropped])
    assert.deepInclude(looking.state(), { recvQueue: [] })
    looking.look()
    assert.deepStrictEqual(looking.hears(2, "UNKNOWN", p(2, 9, 9), 0), [dropped])
    assert.deepStrictEqual(settled("LEADING").hears(2, "UNKNOWN", p(2, 9, 9), 0), [dropped])
  })
})

describe("a voter, while we look (Java: WorkerReceiver; spec ReceiveNotmsg)", () => {
  it("is answered if it looks in a lower round: with what we propose now, and our round", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(3, "LOOKING", p(3, 9, 2), 5)
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2), 4), [
      ...peer.sends([2], p(3, 9, 2), 5, "AnswerLagging"),
      ignored("LowerRound", 2, "LOOKING", p(2), 4),
      timer("Notification", 200)
    ])
  })

  it.each([5, 6])("is not answered by the receiver if it looks in round %d, which is not lower", (round) => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(3, "LOOKING", p(3, 9, 2), 5)
    const causes = peer.hears(2, "LOOKING", p(2), round).map((output) => output._tag === "Send" ? output.cause : null)
    assert.notInclude(causes, "AnswerLagging")
  })

  it.each(["FOLLOWING", "LEADING", "OBSERVING"] as const)("is not answered if it is %s, however low", (state) => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    assert.deepStrictEqual(peer.hears(2, state, p(2), 0).filter(({ _tag }) => _tag === "Send"), [])
  })

  it("is answered while no search runs, too, and waits for one", () => {
    const peer = settled("FOLLOWING")
    peer.event({ _tag: "LeaderLost" })
    // What was last proposed is our own vote: we joined the leader without proposing it.
    assert.deepStrictEqual(peer.hears(3, "LOOKING", p(3), 6), peer.sends([3], p(1), 7, "AnswerLagging"))
    assert.deepStrictEqual(peer.hears(3, "LOOKING", p(3), 7), [])
    const state = peer.state()
    assert(state._tag === "Idle")
    assert.deepStrictEqual(state.recvQueue.map(({ electionEpoch }) => electionEpoch), [6n, 7n])
  })
})

describe("a voter, once we have a leader (Java: WorkerReceiver)", () => {
  it.each(["FOLLOWING", "OBSERVING"] as const)("is answered if it looks, by who is %s, whatever the round", (state) => {
    for (const round of [0, 7, 99]) {
      const peer = settled(state)
      const before = peer.state()
      assert.deepStrictEqual(peer.hears(3, "LOOKING", p(3, 99, 9), round), [
        ...peer.sends([3], p(2, 5, 2), 7, "AnswerSettled", state),
        ignored("Settled", 3, "LOOKING", p(3, 99, 9), round)
      ])
      assert.strictEqual(peer.state(), before)
    }
  })

  it("is answered with the round of that election and the epoch that was established since", () => {
    const peer = settled("FOLLOWING")
    assert.deepStrictEqual(peer.event({ _tag: "EpochEstablished", peerEpoch: 3n }), [])
    assert.deepStrictEqual(peer.settled().currentVote, vote(p(2, 5, 3), 7))
    const [answer] = peer.hears(3, "LOOKING", p(3), 1)
    assert.deepStrictEqual(answer, peer.sends([3], p(2, 5, 3), 7, "AnswerSettled", "FOLLOWING")[0])
  })

  it("is reported by the leader when it looks, and whether it was of those who elected it", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), zxid: 5 })
    peer.look()
    peer.hears(1, "LOOKING", p(1, 5), 1)
    peer.hears(2, "LOOKING", p(1, 5), 1)
    peer.finalize()
    for (const [from, elector] of [[2, true], [3, false]] as const) {
      assert.deepStrictEqual(peer.hears(from, "LOOKING", p(from), 1), [
        { _tag: "VoterLooking", sid: BigInt(from), elector },
        ...peer.sends([from], p(1, 5), 1, "AnswerSettled", "LEADING"),
        ignored("Settled", from, "LOOKING", p(from), 1)
      ])
    }
  })

  it("counts as one who elected only if it votes in every configuration (Java: hasSid)", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), lastSeen: majority([1, 2, 4], { version: 1 }) })
    peer.look()
    for (const from of [1, 2, 3, 4]) peer.hears(from, "FOLLOWING", p(1), 1)
    assert.deepStrictEqual(peer.settled().supporters, Peer.sids(1, 2))
    for (const [from, elector] of [[2, true], [4, false]] as const) {
      assert.deepStrictEqual(peer.hears(from, "LOOKING", p(from), 1)[0], {
        _tag: "VoterLooking",
        sid: BigInt(from),
        elector
      })
    }
  })

  it.each(["FOLLOWING", "LEADING", "OBSERVING"] as const)("is not answered if it is %s itself", (state) => {
    for (const ours of ["FOLLOWING", "LEADING", "OBSERVING"] as const) {
      const peer = settled(ours)
      assert.deepStrictEqual(peer.hears(3, state, p(3, 99, 9), 99), [ignored("Settled", 3, state, p(3, 99, 9), 99)])
    }
  })
})
