/** `leaveWhoAbstains`: a proposal is given up when the proposed server says itself that it votes for nobody. */
import { assert, describe, it } from "@effect/vitest"
import * as Rules from "../src/Rules.ts"
import type * as Vote from "../src/Vote.ts"
import * as Peer from "./support/Peer.ts"
import { kept, majority, p } from "./support/Peer.ts"

const own = p(1, 10, 1)
const untrusted = p(3, -1, -1)

/** Server 1 of three in round 4, where it has adopted 3 on the word of 2. */
const misled = (options: Partial<Peer.Options> = {}) => {
  const rules = { ...Rules.conclave, ...options.rules }
  const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), zxid: 10, epoch: 1, ...options, rules })
  peer.look()
  peer.hears(2, "LOOKING", p(3, 20, 3), 4)
  assert.deepStrictEqual(peer.looking().proposal, p(3, 20, 3))
  return peer
}

interface Case extends Pick<Partial<Peer.Options>, "electable" | "rules"> {
  readonly from?: number
  readonly hears?: Vote.Proposal | null
  readonly round?: number
  readonly votes?: Vote.Proposal
}

const tags = (outputs: ReadonlyArray<{ readonly _tag: string }>) => outputs.map(({ _tag }) => _tag)

describe("leaveWhoAbstains", () => {
  it.each([0, 4, 7])("on: a new round begins when it says so itself, in round %d", (round) => {
    const peer = misled()
    const outputs = peer.hears(3, "LOOKING", untrusted, round)
    assert.includeMembers(tags(outputs), ["Ignored", "RoundStarted"])
    const { finalizing, logicalClock, proposal, recvSet } = peer.looking()
    assert.deepStrictEqual([logicalClock, proposal, recvSet.size, finalizing], [5n, own, 0, false])
    const told = outputs.filter((output) => output._tag === "Send" && output.cause === "NewRound")
    assert.strictEqual(told.length, 3)
  })

  it("on: once; in the new round others may be proposed", () => {
    const peer = misled()
    peer.hears(3, "LOOKING", untrusted, 0)
    assert.deepStrictEqual(tags(peer.hears(3, "LOOKING", untrusted, 5)), ["Ignored", "SetTimer"])
    assert.strictEqual(peer.looking().logicalClock, 5n)
  })

  it("on: others may go on voting for it, in any round, and it is not taken up again until it proposes itself", () => {
    const peer = misled()
    peer.hears(3, "LOOKING", untrusted, 0)
    assert.deepInclude(peer.hears(2, "LOOKING", p(3, 20, 3), 5), kept(2, p(3, 20, 3), own, "Abstains"))
    peer.hears(2, "LOOKING", p(3, 20, 3), 6)
    assert.deepStrictEqual([peer.looking().logicalClock, peer.looking().proposal], [6n, own])
    peer.hears(3, "LOOKING", p(2, 11, 1), 6)
    peer.hears(2, "LOOKING", p(3, 20, 3), 6)
    assert.deepStrictEqual(peer.looking().proposal, p(2, 11, 1))
    peer.hears(3, "LOOKING", p(3, 20, 3), 6)
    assert.deepStrictEqual(peer.looking().proposal, p(3, 20, 3))
  })

  it("on: who has a leader abstains no more, and a new search knows of nobody", () => {
    const peer = misled()
    peer.hears(3, "LOOKING", untrusted, 0)
    assert.deepStrictEqual(peer.looking().abstaining, Peer.sids(3))
    peer.hears(3, "FOLLOWING", p(2, 11, 1), 1)
    assert.deepStrictEqual(peer.looking().abstaining, Peer.sids())
    peer.hears(3, "LOOKING", untrusted, 0)
    peer.look()
    assert.deepStrictEqual(peer.looking().abstaining, Peer.sids())
  })

  it("on: a quorum that has agreed on it is left, too", () => {
    const peer = misled()
    peer.hears(1, "LOOKING", p(3, 20, 3), 4)
    assert.isTrue(peer.looking().finalizing)
    assert.includeMembers(tags(peer.hears(3, "LOOKING", untrusted, 0)), ["Ignored", "RoundStarted"])
    assert.deepStrictEqual([peer.looking().finalizing, peer.looking().proposal], [false, own])
  })

  // Three of four abstain, and there are votes for one of them in an older round: nobody goes back to it.
  it("on: who abstains itself does not go back to a round for it", () => {
    const peer = misled({ electable: false, zxid: 0, epoch: 0 })
    peer.hears(3, "LOOKING", untrusted, 0)
    assert.strictEqual(peer.looking().logicalClock, 5n)
    assert.include(tags(peer.hears(2, "LOOKING", p(3, 20, 3), 4)), "Ignored")
    assert.strictEqual(peer.looking().logicalClock, 5n)
  })

  it("on: after silence a new round begins if others vote for it, who may not leave by themselves", () => {
    const peer = misled()
    peer.hears(3, "LOOKING", untrusted, 0)
    peer.hears(2, "LOOKING", p(3, 20, 3), 5)
    assert.deepInclude(peer.silence(), { _tag: "RoundStarted", logicalClock: 6n, initial: own, from: 3n })
    assert.deepStrictEqual(peer.looking().recvSet.size, 0)
    assert.notInclude(tags(peer.silence()), "RoundStarted")
  })

  it.each<readonly [string, Parameters<Peer.Peer["hears"]>]>([
    ["who follows it", [2, "FOLLOWING", p(3, 20, 3), 5]],
    ["who votes for another", [2, "LOOKING", p(2, 11, 1), 5]]
  ])("not because of %s", (_, said) => {
    const peer = misled()
    peer.hears(3, "LOOKING", untrusted, 0)
    peer.hears(...said)
    assert.notInclude(tags(peer.silence()), "RoundStarted")
  })

  it("nor does who may not be proposed itself, which cannot begin one for all", () => {
    const peer = misled({ electable: false, zxid: 0, epoch: 0 })
    peer.hears(3, "LOOKING", untrusted, 0)
    peer.hears(2, "LOOKING", p(3, 20, 3), 5)
    assert.notInclude(tags(peer.silence()), "RoundStarted")
  })

  // A lie had all vote for it, and it votes for another by then, so that it does not say so by itself any more.
  it.each([1, 4])("on: who is not electable says so to who votes for it, in round %d", (round) => {
    const peer = Peer.make({ mySid: 3, verifier: majority([1, 2, 3]), electable: false, rules: Rules.conclave })
    peer.look()
    peer.hears(1, "LOOKING", own, 1)
    const outputs = peer.hears(2, "LOOKING", p(3, 20, 3), round)
    assert.deepStrictEqual(outputs.slice(0, 1), peer.sends([2], untrusted, round, "AnswerMisled"))
    assert.deepStrictEqual([peer.looking().logicalClock, peer.looking().proposal], [1n, own])
  })

  const cases: ReadonlyArray<readonly [string, Case]> = [
    ["who votes for nobody yet, and repeats that", { hears: null }],
    ["to itself", { from: 3 }],
    ["to who votes for another", { votes: p(2, 9, 1) }],
    ["to who lags", { round: 0 }],
    ["who is electable", { electable: true }],
    ["off", { rules: { ...Rules.conclave, leaveWhoAbstains: false } }]
  ]
  it.each(cases)("does not: %s", (_, { from = 2, hears = own, round = 1, votes = p(3, 20, 3), ...options }) => {
    const peer = Peer.make({
      mySid: 3,
      verifier: majority([1, 2, 3]),
      electable: false,
      rules: Rules.conclave,
      ...options
    })
    peer.look()
    if (hears !== null) peer.hears(1, "LOOKING", hears, 1)
    const causes = peer.hears(from, "LOOKING", votes, round).map((output) => output._tag === "Send" && output.cause)
    assert.notInclude(causes, "AnswerMisled")
  })

  it("off: the proposal is kept", () => {
    const peer = misled({ rules: { ...Rules.conclave, leaveWhoAbstains: false } })
    peer.hears(3, "LOOKING", untrusted, 4)
    assert.deepStrictEqual([peer.looking().logicalClock, peer.looking().proposal], [4n, p(3, 20, 3)])
  })

  it("somebody else who abstains changes nothing, nor does one who says it of another", () => {
    const peer = misled()
    peer.hears(2, "LOOKING", p(2, -1, -1), 4)
    peer.hears(2, "LOOKING", untrusted, 4)
    peer.hears(3, "LOOKING", p(2, -1, -1), 4)
    assert.deepStrictEqual([peer.looking().logicalClock, peer.looking().proposal], [4n, p(3, 20, 3)])
  })

  it.each([true, false])("who has abstained itself does not leave itself (electable now: %s)", (electable) => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), electable, rules: Rules.conclave })
    peer.look()
    peer.hears(1, "LOOKING", p(1, -1, -1), 0)
    assert.strictEqual(peer.looking().logicalClock, 1n)
  })

  it("there is no round after the last: that one begins anew", () => {
    const last = 2n ** 63n - 1n
    const peer = misled()
    peer.hears(2, "LOOKING", p(3, 20, 3), last)
    const told = peer.hears(3, "LOOKING", untrusted, last).filter(({ _tag }) => _tag === "Send")
    assert.deepStrictEqual(told, peer.sends([1, 2, 3], own, last, "NewRound"))
    const { logicalClock, proposal, recvSet } = peer.looking()
    assert.deepStrictEqual([logicalClock, proposal, recvSet.size], [last, own, 0])
    peer.hears(2, "LOOKING", p(3, 20, 3), last)
    assert.deepStrictEqual(peer.looking().proposal, own)
  })
})
