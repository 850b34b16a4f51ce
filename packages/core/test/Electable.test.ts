import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Output } from "../src/ElectionOutput.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Rules from "../src/Rules.ts"
import { UNTRUSTED } from "../src/Zxid.ts"
import * as Peer from "./support/Peer.ts"
import { adopted, ignored, kept, majority, notJoined, p, quorumReached, roundStarted, timer } from "./support/Peer.ts"

const verifier = majority([1, 2, 3])

/** What who may not be proposed says before it has heard of anybody. */
const abstention = p(3, UNTRUSTED, -1)

/** Peer 3, which may vote but not be proposed. */
const unelectable = (options: Partial<Peer.Options> = {}) =>
  Peer.make({ mySid: 3, verifier, zxid: 5, epoch: 1, rules: Rules.conclave, ...options, electable: false })

const looking = (options: Partial<Peer.Options> = {}) => {
  const peer = unelectable(options)
  peer.look()
  return peer
}

/** A peer as the original is, in round 1. */
const original = (mySid: number) => {
  const peer = Peer.make({ mySid, verifier, zxid: 10, epoch: 1 })
  peer.look()
  return peer
}

/** Takes what one sent to the other, and gives what the other does. */
const deliver = (from: Peer.Peer, outputs: ReadonlyArray<Output>, to: Peer.Peer): ReadonlyArray<Output> =>
  outputs.flatMap((output) => {
    if (output._tag !== "Send" || output.toSend.to !== to.ensemble.mySid) return []
    return to.hears(from.ensemble.mySid, output.toSend.state, output.toSend, output.toSend.electionEpoch)
  })

describe("a voter that may not be proposed", () => {
  it("abstains when a search begins: as if its database were not trusted", () => {
    const peer = unelectable()
    assert.deepStrictEqual(peer.look(), [
      roundStarted(1, abstention),
      ...peer.sends([1, 2, 3], abstention, 0, "NewRound"),
      timer("Notification", 200)
    ])
  })

  it("is ignored by the original while it abstains, and answered", () => {
    const real = original(1)
    real.look()
    const peer = unelectable()
    assert.deepStrictEqual(deliver(peer, peer.look(), real), [
      ...real.sends([3], p(1, 10, 1), 2, "AnswerLagging"),
      ignored("ZxidUntrusted", 3, "LOOKING", abstention, 0),
      timer("Notification", 200)
    ])
  })

  it("is answered by who looks in a lower round, too: that one has no reason to speak by itself", () => {
    const real = original(1)
    const peer = looking()
    for (let round = 2; round <= 5; round++) peer.look()
    const answers = deliver(peer, peer.look(), real)
    assert.deepStrictEqual(answers.slice(0, 1), real.sends([3], p(1, 10, 1), 1, "AnswerLagging"))
  })

  it("does not count its own abstention", () => {
    const peer = looking({ verifier: majority([3]) })
    assert.deepStrictEqual(peer.hears(3, "LOOKING", abstention, 1), [
      ignored("ZxidUntrusted", 3, "LOOKING", abstention, 1),
      timer("Notification", 200)
    ])
    assert.deepStrictEqual(peer.finalize(), [])
  })

  it("votes for the first real proposal, however old, and the original counts that vote", () => {
    const real = original(1)
    const peer = looking()
    const outputs = peer.hears(1, "LOOKING", p(1, 10, 1), 1)
    assert.deepStrictEqual(outputs, [
      adopted(1, abstention, p(1, 10, 1), "peerEpoch"),
      ...peer.sends([1, 2, 3], p(1, 10, 1), 1, "Adopted"),
      timer("Notification", 200)
    ])
    real.hears(1, "LOOKING", p(1, 10, 1), 1)
    assert.deepStrictEqual(deliver(peer, outputs, real), [
      kept(3, p(1, 10, 1), p(1, 10, 1), "Equal"),
      quorumReached(p(1, 10, 1), 1, 3),
      timer("Finalize", 200)
    ])
  })

  it("follows whom it made leader, and has lost nothing itself", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", p(1, 10, 1), 1)
    peer.hears(3, "LOOKING", p(1, 10, 1), 1)
    const elected = peer.finalize()[1]
    assert(elected?._tag === "Elected")
    assert.deepInclude(elected, { vote: Peer.vote(p(1, 10, 1), 1), state: "FOLLOWING" })
    assert.deepInclude(elected.reason, { runnerUp: null, ground: null })
  })

  // Such a leader would turn it away: who follows must not be ahead.
  it("votes for nobody who knows less, in whatever round, and does not take up a lower one for it", () => {
    const peer = looking({ zxid: 11 })
    const refused = (from: number, older: ReturnType<typeof p>) =>
      assert.deepInclude(peer.hears(from, "LOOKING", older, 1), kept(from, older, abstention, "KnowsLess"))
    refused(1, p(1, 10, 1))
    refused(2, p(2, 99, 0))
    peer.hears(2, "LOOKING", p(2, 10, 1), 4)
    assert.deepStrictEqual([peer.looking().logicalClock, peer.looking().proposal], [4n, abstention])
    peer.hears(1, "LOOKING", p(1, 10, 1), 3)
    assert.strictEqual(peer.looking().logicalClock, 4n)
    peer.hears(1, "LOOKING", p(1, 11, 1), 3)
    assert.deepStrictEqual([peer.looking().logicalClock, peer.looking().proposal], [3n, p(1, 11, 1)])
  })

  it("changes to a better proposal as any voter does", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", p(1, 10, 1), 1)
    peer.hears(2, "LOOKING", p(2, 10, 1), 1)
    assert.deepStrictEqual(peer.looking().proposal, p(2, 10, 1))
    assert.strictEqual(peer.hears(1, "LOOKING", p(1, 10, 1), 1)[0]?._tag, "Kept")
  })

  it("never takes up a proposal of itself", () => {
    const peer = looking()
    const itself = p(3, 999, 9)
    assert.deepStrictEqual(peer.hears(2, "LOOKING", itself, 1), [
      kept(2, itself, abstention, "NotElectable"),
      timer("Notification", 200)
    ])
    peer.hears(1, "LOOKING", p(1, 10, 1), 1)
    assert.deepInclude(peer.hears(2, "LOOKING", itself, 1), kept(2, itself, p(1, 10, 1), "NotElectable"))
  })

  it("abstains in a new round until it hears a real vote there", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(3, 999, 9), 4), [
      roundStarted(4, abstention, 2),
      kept(2, p(3, 999, 9), abstention, "NotElectable"),
      ...peer.sends([1, 2, 3], abstention, 0, "NewRound"),
      timer("Notification", 200)
    ])
    peer.hears(2, "LOOKING", p(2, 10, 1), 5)
    assert.deepStrictEqual(peer.looking().proposal, p(2, 10, 1))
  })

  // Others may still vote for it, in the round in which it could be proposed.
  it("does not take up a lower round in which there is nobody to vote for", () => {
    const peer = looking()
    for (let round = 2; round <= 5; round++) peer.look()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(3, 999, 9), 2), [
      ...peer.sends([1], abstention, 5, "AnswerLagging"),
      ignored("LowerRound", 1, "LOOKING", p(3, 999, 9), 2),
      timer("Notification", 200)
    ])
    assert.strictEqual(peer.looking().logicalClock, 5n)
  })

  // Among servers without weight it would be asked back into the round of the one with weight, without end.
  it("does not leave the round of its vote for one in which there is nobody to vote for", () => {
    const weighted = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: Peer.members([1, 2, 3]),
      groups: new Map([[1n, [1n, 2n, 3n]]]),
      weights: new Map([[1n, 1n], [2n, 0n], [3n, 1n]])
    }))
    for (const rules of [Rules.conclave, Rules.zookeeper]) {
      const peer = looking({ verifier: weighted, rules })
      const weightless = () => peer.hears(2, "LOOKING", p(2, 99, 1), 4)
      peer.hears(1, "LOOKING", p(1, 10, 1), 1)
      assert.deepStrictEqual(weightless(), [
        ignored("NothingToVoteFor", 2, "LOOKING", p(2, 99, 1), 4),
        timer("Notification", 200)
      ])
      peer.hears(3, "LOOKING", p(1, 10, 1), 1)
      assert.isTrue(peer.looking().finalizing)
      weightless()
      assert.deepInclude(peer.looking(), { finalizing: true, logicalClock: 1n, proposal: p(1, 10, 1) })
      // With somebody to vote for it goes; the original does nothing any more once it has a quorum.
      peer.hears(1, "LOOKING", p(1, 10, 1), 4)
      assert.strictEqual(peer.looking().logicalClock, rules === Rules.conclave ? 4n : 1n)
    }
  })

  it("while it abstains takes up a lower round, too; once it votes, no more", () => {
    const peer = looking()
    for (let round = 2; round <= 5; round++) peer.look()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1, 10, 1), 2), [
      ...peer.sends([1], abstention, 5, "AnswerLagging"),
      roundStarted(2, abstention, 1),
      adopted(1, abstention, p(1, 10, 1), "peerEpoch"),
      ...peer.sends([1, 2, 3], p(1, 10, 1), 2, "NewRound"),
      timer("Notification", 200)
    ])
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2, 10, 1), 1), [
      ...peer.sends([2], p(1, 10, 1), 2, "AnswerLagging"),
      ignored("LowerRound", 2, "LOOKING", p(2, 10, 1), 1),
      timer("Notification", 200)
    ])
  })

  it("joins a leader that others have", () => {
    const peer = looking()
    peer.hears(1, "LEADING", p(1, 10, 1), 7)
    peer.hears(2, "FOLLOWING", p(1, 10, 1), 7)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", logicalClock: 7n })
  })

  it("does not lead, though a quorum says that it does", () => {
    for (const round of [1, 7]) {
      const peer = looking()
      peer.hears(1, "FOLLOWING", p(3, 999, 9), round)
      const outputs = peer.hears(2, "FOLLOWING", p(3, 999, 9), round)
      assert.deepStrictEqual(outputs, [
        notJoined(2, 3, "NotElectable", 1, 2),
        timer("Notification", 200)
      ])
    }
  })

  it("does not lead by an oracle, whatever it says", () => {
    const two = { verifier: Peer.oracle([2, 3]) }
    const yes = looking(two)
    yes.hears(2, "LOOKING", p(3, 999, 9), 1, { oracle: true })
    assert.isFalse(yes.looking().finalizing)
    assert.deepStrictEqual(yes.silence({ oracle: true }).at(-1), timer("Notification", 400))
    const no = looking(two)
    const [answer] = no.hears(2, "LEADING", p(3, 999, 9), 1, { oracle: false })
    assert.deepStrictEqual(answer, notJoined(2, 3, "NoQuorum", 2))
  })

  it("with a database that is not trusted does not vote either", () => {
    const peer = looking({ zxid: UNTRUSTED })
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1, 10, 1), 1), [
      ignored("OwnZxidUntrusted", 1, "LOOKING", p(1, 10, 1), 1),
      timer("Notification", 200)
    ])
  })

  it("that observes is an observer like any other", () => {
    const peer = unelectable({ mySid: 9, verifier: majority([1, 2, 3], { observers: [9] }) })
    const nobody = -0x8000_0000_0000_0000n
    assert.deepStrictEqual(peer.look()[0], roundStarted(1, p(nobody, nobody, nobody)))
  })
})
