/** A leader that resigns in favour of another, which takes no election. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Output } from "../src/ElectionOutput.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Rules from "../src/Rules.ts"
import * as Peer from "./support/Peer.ts"
import { ignored, majority, members, p } from "./support/Peer.ts"

/** A peer that has elected server 3 with the others, in round 1. */
const settled = (options: Partial<Peer.Options> = {}): Peer.Peer => {
  const one = Peer.make({ mySid: 1, verifier: majority([1, 2, 3], { observers: [4] }), ...options })
  one.look()
  for (const sid of [1, 2, 3]) one.hears(sid, "LOOKING", p(3), 1)
  one.finalize()
  for (const [sid, state] of [[2, "FOLLOWING"], [3, "LEADING"]] as const) {
    if (one.state()._tag === "Looking") one.hears(sid, state, p(3), 1)
  }
  assert.strictEqual(one.settled().currentVote.leader, 3n)
  return one
}

const designate = (one: Peer.Peer, leader: number): ReadonlyArray<Output> =>
  one.event({ _tag: "Designated", leader: BigInt(leader) })

const hierarchy = Result.getOrThrow(QuorumVerifier.hierarchical({
  servers: members([1, 2, 3]),
  groups: new Map([[1n, [1n, 2n, 3n]]]),
  weights: new Map([[2n, 0n]])
}))

describe("a designated leader", () => {
  it("is followed with the same round and epoch, and the reason is told", () => {
    const one = settled()
    const before = one.settled()
    const [elected, ...more] = designate(one, 2)
    assert.deepStrictEqual(more, [])
    assert.deepStrictEqual(elected, {
      _tag: "Elected",
      vote: { ...before.currentVote, leader: 2n },
      state: "FOLLOWING",
      reason: { _tag: "Designated", by: 3n, supporters: before.supporters }
    })
    assert.deepStrictEqual(one.settled(), {
      ...before,
      state: "FOLLOWING",
      currentVote: { ...before.currentVote, leader: 2n },
      proposal: { ...before.proposal, leader: 2n }
    })
  })

  it("that is ourselves leads", () => {
    const one = settled({ mySid: 2 })
    const [elected] = designate(one, 2)
    assert(elected?._tag === "Elected")
    assert.strictEqual(elected.state, "LEADING")
    assert.strictEqual(one.settled().state, "LEADING")
  })

  it("is followed by the leader that resigned", () => {
    const one = settled({ mySid: 3 })
    assert.strictEqual(one.settled().state, "LEADING")
    designate(one, 2)
    assert.strictEqual(one.settled().state, "FOLLOWING")
  })

  it("is observed by an observer", () => {
    const one = settled({ mySid: 4 })
    designate(one, 2)
    assert.strictEqual(one.settled().state, "OBSERVING")
  })

  it("is told to who looks", () => {
    const one = settled()
    designate(one, 2)
    assert.deepStrictEqual(one.hears(3, "LOOKING", p(3), 1), [
      ...one.sends([3], p(2), 1, "AnswerSettled", "FOLLOWING"),
      ignored("Settled", 3, "LOOKING", p(3), 1)
    ])
  })

  it("gets the epoch of its leadership when that is established", () => {
    const one = settled()
    designate(one, 2)
    one.event({ _tag: "EpochEstablished", peerEpoch: 8n })
    const { leader, peerEpoch } = one.settled().currentVote
    assert.deepStrictEqual([leader, peerEpoch], [2n, 8n])
  })

  it.each<readonly [what: string, options: Partial<Peer.Options>, leader: number]>([
    ["an observer", {}, 4],
    ["a stranger", {}, 9],
    ["who weighs nothing", { verifier: hierarchy }, 2],
    ["who votes in one configuration of two", { lastSeen: majority([1, 3, 5], { version: 4 }) }, 5],
    ["ourselves, if we may not be proposed", { mySid: 2, electable: false, rules: Rules.conclave }, 2]
  ])("is not %s", (_, options, leader) => {
    const one = settled(options)
    const before = one.state()
    assert.deepStrictEqual(designate(one, leader), [])
    assert.strictEqual(one.state(), before)
  })

  it("is none for who looks, or has not begun", () => {
    const one = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    for (const _ of ["Idle", "Looking"]) {
      const before = one.state()
      assert.deepStrictEqual(designate(one, 2), [])
      assert.strictEqual(one.state(), before)
      one.look()
    }
  })

  it("may be lost like any other", () => {
    const one = settled()
    designate(one, 2)
    one.event({ _tag: "LeaderLost" })
    assert.strictEqual(one.state()._tag, "Idle")
    assert.include(one.look().map(({ _tag }) => _tag), "RoundStarted")
  })
})
