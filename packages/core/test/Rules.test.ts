import { assert, describe, it } from "@effect/vitest"
import type { Output } from "../src/ElectionOutput.ts"
import type { ToSend } from "../src/Notification.ts"
import * as Rules from "../src/Rules.ts"
import * as Peer from "./support/Peer.ts"
import { ignored, kept, majority, oracle, p, timer } from "./support/Peer.ts"

const verifier = majority([1, 2, 3])
const own = p(2, 10, 1)

/** A peer with one rule on or off, and all the others as in the original if not said otherwise. */
const make = (rule: keyof Rules.Rules, on: boolean, options: Partial<Peer.Options> = {}) =>
  Peer.make({
    mySid: 2,
    verifier,
    zxid: 10,
    epoch: 1,
    ...options,
    rules: { ...Rules.zookeeper, ...options.rules, [rule]: on }
  })

const looking = (...args: Parameters<typeof make>) => {
  const peer = make(...args)
  peer.look()
  return peer
}

const finalizing = (...args: Parameters<typeof make>) => {
  const peer = looking(...args)
  peer.hears(2, "LOOKING", own, 1)
  peer.hears(1, "LOOKING", own, 1)
  assert.isTrue(peer.looking().finalizing)
  return peer
}

const tags = (outputs: ReadonlyArray<Output>) => outputs.map(({ _tag }) => _tag)

describe("the named rules", () => {
  it("are all off in the original and all on in ours", () => {
    assert.deepStrictEqual(new Set(Object.values(Rules.zookeeper)), new Set([false]))
    assert.deepStrictEqual(new Set(Object.values(Rules.conclave)), new Set([true]))
    assert.deepStrictEqual(Object.keys(Rules.zookeeper), Object.keys(Rules.conclave))
    assert.deepStrictEqual(Rules.named, { zookeeper: Rules.zookeeper, conclave: Rules.conclave })
  })
})

describe("recordWhileFinalizing", () => {
  it("off: a vote that is not better is forgotten", () => {
    const peer = finalizing("recordWhileFinalizing", false)
    assert.deepStrictEqual(peer.hears(3, "LOOKING", own, 1), [
      ignored("NotBetterWhileFinalizing", 3, "LOOKING", own, 1),
      timer("Finalize", 200)
    ])
    peer.finalize()
    assert.deepStrictEqual(peer.settled().supporters, Peer.sids(2, 1))
  })

  it("on: it is recorded and counts among the supporters", () => {
    const peer = finalizing("recordWhileFinalizing", true)
    assert.deepStrictEqual(peer.hears(3, "LOOKING", own, 1), [kept(3, own, own, "Equal"), timer("Finalize", 200)])
    peer.finalize()
    assert.deepStrictEqual(peer.settled().supporters, Peer.sids(2, 1, 3))
  })

  it("on: a supporter that changes its mind ends the wait", () => {
    const peer = finalizing("recordWhileFinalizing", true)
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1, 9, 1), 1), [
      kept(1, p(1, 9, 1), own, "zxid"),
      { _tag: "Reopened", from: 1n, offered: p(1, 9, 1), ground: "QuorumLost" },
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { finalizing: false, supporters: Peer.sids(2) })
  })

  it("on: a leader that is heard of is joined at once", () => {
    const peer = finalizing("recordWhileFinalizing", true)
    peer.hears(1, "FOLLOWING", p(3, 9, 1), 4)
    peer.hears(3, "LEADING", p(3, 9, 1), 4)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", logicalClock: 4n })
  })

  it("on: a higher round without a better vote is entered, and ends the wait", () => {
    const peer = finalizing("recordWhileFinalizing", true)
    const outputs = peer.hears(3, "LOOKING", p(3, 9, 1), 5)
    assert.deepStrictEqual(outputs.slice(-2), [
      { _tag: "Reopened", from: 3n, offered: p(3, 9, 1), ground: "QuorumLost" },
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { logicalClock: 5n, finalizing: false })
  })
})

describe("filterWhileFinalizing", () => {
  const noise = [
    ["LowerRound", 3, "LOOKING", p(3, 99, 1), 0],
    ["LeaderNotVoter", 3, "LOOKING", p(9, 99, 1), 1],
    ["SenderObserving", 3, "OBSERVING", p(3, 99, 1), 1],
    ["ZxidUntrusted", 3, "LOOKING", p(3, -1, 9), 1]
  ] as const

  it("off: what will be ignored re-opens the vote, or at least restarts the wait", () => {
    for (const [, from, state, offered, round] of noise) {
      const outputs = finalizing("filterWhileFinalizing", false).hears(from, state, offered, round)
      assert.strictEqual(outputs.filter(({ _tag }) => _tag === "Reopened").length, 1)
      assert.deepStrictEqual(outputs.at(-1), timer("Notification", 200))
    }
  })

  it("on: it does not even restart the wait", () => {
    for (const [reason, from, state, offered, round] of noise) {
      const peer = finalizing("filterWhileFinalizing", true)
      const before = peer.state()
      const outputs = peer.hears(from, state, offered, round)
      assert.deepStrictEqual(outputs.filter(({ _tag }) => _tag !== "Send"), [
        ignored(reason, from, state, offered, round)
      ])
      assert.strictEqual(peer.state(), before)
    }
  })

  it("on: what somebody settled votes for re-opens nothing, however fresh", () => {
    const off = finalizing("filterWhileFinalizing", false).hears(3, "FOLLOWING", p(3, 99, 1), 7)
    assert.include(tags(off), "Reopened")
    const on = finalizing("filterWhileFinalizing", true).hears(3, "FOLLOWING", p(3, 99, 1), 7)
    assert.deepStrictEqual(on, [
      ignored("NotBetterWhileFinalizing", 3, "FOLLOWING", p(3, 99, 1), 7),
      timer("Finalize", 200)
    ])
  })

  it("on: a higher round re-opens the vote, which the original forgets", () => {
    const off = finalizing("filterWhileFinalizing", false)
    off.hears(3, "LOOKING", p(1, 9, 1), 5)
    assert.deepInclude(off.looking(), { logicalClock: 1n, finalizing: true })
    const on = finalizing("filterWhileFinalizing", true)
    assert.deepStrictEqual(on.hears(3, "LOOKING", p(1, 9, 1), 5)[0], {
      _tag: "Reopened",
      from: 3n,
      offered: p(1, 9, 1),
      ground: "HigherRound"
    })
    assert.deepInclude(on.looking(), { logicalClock: 5n, finalizing: false })
  })

  it("on: a better vote of this round re-opens the vote as ever", () => {
    const peer = finalizing("filterWhileFinalizing", true)
    assert.include(tags(peer.hears(3, "LOOKING", p(3, 10, 1), 1)), "Reopened")
    assert.deepStrictEqual(peer.looking().proposal, p(3, 10, 1))
  })
})

describe("waitOnRepetition", () => {
  const recording = { rules: { ...Rules.zookeeper, recordWhileFinalizing: true } }

  it("off: a vote said again restarts the wait", () => {
    const peer = finalizing("waitOnRepetition", false, recording)
    assert.deepStrictEqual(peer.hears(1, "LOOKING", own, 1), [kept(1, own, own, "Equal"), timer("Finalize", 200)])
  })

  it("on: it changes nothing, whether its sender looks or has a leader", () => {
    const peer = finalizing("waitOnRepetition", true, recording)
    peer.hears(3, "FOLLOWING", p(3, 9, 1), 1)
    const before = peer.state()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", own, 1), [kept(1, own, own, "Equal")])
    assert.deepStrictEqual(tags(peer.hears(3, "FOLLOWING", p(3, 9, 1), 1)), ["NotJoined"])
    assert.strictEqual(peer.state(), before)
    peer.finalize()
    assert.strictEqual(peer.settled().state, "LEADING")
  })

  const askedInVain = (on: boolean) => {
    const peer = looking("waitOnRepetition", on)
    peer.hears(3, "LOOKING", p(3, 0, 1), 1)
    peer.silence()
    return peer
  }

  it("off: who looks over and over puts off that we ask again", () => {
    assert.deepStrictEqual(askedInVain(false).hears(3, "LOOKING", p(3, 0, 1), 1).at(-1), timer("Notification", 400))
  })

  it("on: it does not, once we have asked in vain", () => {
    const peer = askedInVain(true)
    const before = peer.state()
    assert.deepStrictEqual(tags(peer.hears(3, "LOOKING", p(3, 0, 1), 1)), ["Kept"])
    assert.deepStrictEqual(tags(peer.hears(3, "LOOKING", p(9, 0, 1), 1)), ["Ignored"])
    assert.strictEqual(peer.state(), before)
  })

  it("on: what was not heard before does, and what is heard before we have asked", () => {
    const peer = askedInVain(true)
    for (const [from, state, round] of [[3, "FOLLOWING", 2], [1, "LOOKING", 1]] as const) {
      assert.deepStrictEqual(peer.hears(from, state, p(3, 0, 1), round).at(-1), timer("Notification", 400))
    }
    const asking = looking("waitOnRepetition", true)
    for (let time = 0; time < 2; time++) {
      assert.deepStrictEqual(asking.hears(3, "LOOKING", p(3, 0, 1), 1).at(-1), timer("Notification", 200))
    }
  })

  it("on: every vote that was not heard before restarts the wait", () => {
    const peer = finalizing("waitOnRepetition", true, recording)
    for (const [state, round] of [["LOOKING", 1], ["FOLLOWING", 1], ["FOLLOWING", 2], ["LEADING", 2]] as const) {
      assert.deepStrictEqual(peer.hears(3, state, p(3, 9, 1), round).at(-1), timer("Finalize", 200))
      assert.notInclude(tags(peer.hears(3, state, p(3, 9, 1), round)), "SetTimer")
    }
  })
})

describe("answerQuestionsOnly", () => {
  const withObserver = majority([1, 2, 3], { observers: [4] })

  it.each(["FOLLOWING", "LEADING", "OBSERVING"] as const)("off: an observer is answered that is %s", (state) => {
    const peer = looking("answerQuestionsOnly", false, { verifier: withObserver })
    assert.deepStrictEqual(tags(peer.hears(4, state, p(3), 1)), ["Send", "Ignored"])
  })

  it.each(["FOLLOWING", "LEADING", "OBSERVING"] as const)("on: an observer is not answered that is %s", (state) => {
    const peer = looking("answerQuestionsOnly", true, { verifier: withObserver })
    assert.deepStrictEqual(tags(peer.hears(4, state, p(3), 1)), ["Ignored"])
  })

  it.each([[false, 2, true], [true, 2, false], [true, 1, true]])(
    "%s: an observer that looks in round %i while we look in 1 is answered: %s",
    (on, round, answered) => {
      const peer = looking("answerQuestionsOnly", on, { verifier: withObserver })
      assert.strictEqual(tags(peer.hears(4, "LOOKING", p(4), round)).includes("Send"), answered)
    }
  )

  it("on: an observer that looks in a later round is answered by who has a leader", () => {
    const peer = looking("answerQuestionsOnly", true, { verifier: withObserver })
    peer.hears(2, "LOOKING", own, 1)
    peer.hears(1, "LOOKING", own, 1)
    peer.finalize()
    assert.deepStrictEqual(tags(peer.hears(4, "LOOKING", p(4), 9)), ["Send", "Ignored"])
  })

  it.each([[false, true], [true, false]])("%s: an observer answers voters that look: %s", (on, answers) => {
    const peer = looking("answerQuestionsOnly", on, { mySid: 4, verifier: withObserver })
    peer.hears(3, "LOOKING", p(3), 5)
    assert.strictEqual(tags(peer.hears(1, "LOOKING", p(1), 4)).includes("Send"), answers)
    peer.hears(1, "FOLLOWING", p(3), 5)
    peer.hears(3, "LEADING", p(3), 5)
    assert.strictEqual(peer.settled().state, "OBSERVING")
    assert.strictEqual(tags(peer.hears(1, "LOOKING", p(1), 6)).includes("Send"), answers)
  })

  // Each takes what the other just said for a question.
  it.each([[false, 200], [true, 0]])("%s: an observer and who looks exchange %i answers or more", (on, sent) => {
    const observer = make("answerQuestionsOnly", on, { mySid: 4, verifier: withObserver, learnerType: "observer" })
    observer.look()
    observer.hears(1, "FOLLOWING", p(3), 5)
    observer.hears(3, "LEADING", p(3), 5)
    const voter = looking("answerQuestionsOnly", on, { verifier: withObserver })
    const sends = (outputs: ReadonlyArray<Output>) =>
      outputs.flatMap((output) => (output._tag === "Send" ? [output.toSend] : []))
    let answers = sends(voter.hears(4, "OBSERVING", p(3), 5))
    let exchanged = 0
    while (answers.length > 0 && exchanged < 200) {
      const [{ electionEpoch, state, ...proposal }] = answers as [ToSend]
      const [from, to] = exchanged % 2 === 0 ? [2, observer] : [4, voter]
      answers = sends(to.hears(from, state, proposal, Number(electionEpoch)))
      exchanged++
    }
    assert.strictEqual(exchanged, sent)
  })
})

describe("resendPerPeer", () => {
  const silence = (on: boolean, delivered: boolean, undelivered: ReadonlyArray<number>) => {
    const peer = looking("resendPerPeer", on)
    return { peer, outputs: peer.silence({ delivered, undelivered }) }
  }

  it("off: votes are sent to all again if any queue is drained, else connections are tried", () => {
    const some = silence(false, true, [3])
    assert.deepStrictEqual(some.outputs, [
      ...some.peer.sends([1, 2, 3], own, 1, "Silence"),
      timer("Notification", 400)
    ])
    assert.deepStrictEqual(silence(false, false, [1, 3]).outputs, [{ _tag: "ConnectAll" }, timer("Notification", 400)])
  })

  it("on: they are sent to those whose queue is drained, and connections tried if any is not", () => {
    const some = silence(true, true, [3])
    assert.deepStrictEqual(some.outputs, [
      ...some.peer.sends([1, 2], own, 1, "Silence"),
      { _tag: "ConnectAll" },
      timer("Notification", 400)
    ])
    const none = silence(true, true, [])
    assert.deepStrictEqual(none.outputs, [...none.peer.sends([1, 2, 3], own, 1, "Silence"), timer("Notification", 400)])
    const all = silence(true, false, [1, 2, 3])
    assert.deepStrictEqual(all.outputs, [{ _tag: "ConnectAll" }, timer("Notification", 400)])
  })
})

describe("resetIntervalOnNewPeer", () => {
  it("off: the wait stays as long as it has become", () => {
    const peer = looking("resetIntervalOnNewPeer", false)
    peer.silence()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1), 1).at(-1), timer("Notification", 400))
  })

  it("on: it is short again after a peer is heard for the first time in this search, ourselves excepted", () => {
    const peer = looking("resetIntervalOnNewPeer", true)
    peer.silence()
    assert.deepStrictEqual(peer.hears(2, "LOOKING", own, 1).at(-1), timer("Notification", 400))
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1), 1), [
      { _tag: "IntervalReset", from: 1n },
      kept(1, p(1), own, "peerEpoch"),
      timer("Notification", 200)
    ])
    peer.silence()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1), 1).at(-1), timer("Notification", 400))
    peer.look()
    peer.silence()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1), 2).at(-1), timer("Notification", 200))
  })

  it("on: nothing is told when the wait is short already, and who does not count is no new peer", () => {
    const peer = looking("resetIntervalOnNewPeer", true)
    assert.notInclude(tags(peer.hears(1, "LOOKING", p(1), 1)), "IntervalReset")
    peer.silence()
    assert.deepStrictEqual(peer.hears(3, "LOOKING", p(9), 1).at(-1), timer("Notification", 400))
  })
})

describe("oracleForTwoVotersOnly", () => {
  const three = { verifier: oracle([1, 2, 3]) }

  it("off: a leader of three is followed without a quorum if the oracle says no", () => {
    const peer = looking("oracleForTwoVotersOnly", false, three)
    assert.deepStrictEqual(tags(peer.hears(3, "LEADING", p(3), 1)), ["CancelTimer", "Elected"])
  })

  it("on: only a leader of two is", () => {
    const peer = looking("oracleForTwoVotersOnly", true, three)
    assert.deepStrictEqual(tags(peer.hears(3, "LEADING", p(3), 1)), ["NotJoined", "SetTimer"])
    const two = looking("oracleForTwoVotersOnly", true, { verifier: oracle([2, 3]) })
    assert.deepStrictEqual(tags(two.hears(3, "LEADING", p(3), 1)), ["CancelTimer", "Elected"])
  })
})
