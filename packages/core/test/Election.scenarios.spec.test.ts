import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Output } from "../src/ElectionOutput.ts"
import * as NotificationCodec from "../src/NotificationCodec.ts"
import * as Peer from "./support/Peer.ts"
import { majority, notJoined, p, roundStarted } from "./support/Peer.ts"

const trio = majority([0, 1, 2])

/** Delivers what the peer told itself, as the original's connection manager does. */
const loopback = (peer: Peer.Peer, outputs: ReadonlyArray<Output>): void => {
  for (const output of outputs) {
    if (output._tag !== "Send" || output.toSend.to !== peer.ensemble.mySid) continue
    const { electionEpoch, state } = output.toSend
    loopback(peer, peer.hears(output.toSend.to, state, output.toSend, electionEpoch))
  }
}

/** The bytes of an integer of so many. */
const int = (size: 4 | 8, value: number): Uint8Array => {
  const bytes = Buffer.alloc(size)
  if (size === 4) bytes.writeInt32BE(value)
  else bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

const payload = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

describe("scenarios of ZooKeeper's own tests", () => {
  it("FLEBackwardElectionRoundTest: votes of the last round do not make a restarted leader lead again", () => {
    const peer = Peer.make({ mySid: 0, verifier: trio })
    peer.look()
    peer.hears(1, "FOLLOWING", p(0, 0, 1), 1, { version: 0 })
    peer.hears(2, "FOLLOWING", p(0, 0, 1), 1, { version: 0 })
    assert.strictEqual(peer.settled().state, "LEADING")

    peer.event({ _tag: "LeaderLost" })
    assert.deepStrictEqual(peer.look()[0], roundStarted(2, p(0)))
    assert.deepStrictEqual(peer.hears(1, "FOLLOWING", p(0, 0, 1), 1, { version: 0 })[0], notJoined(1, 0, "NoQuorum", 1))
    assert.deepStrictEqual(
      peer.hears(2, "FOLLOWING", p(0, 0, 1), 1, { version: 0 })[0],
      notJoined(2, 0, "OwnRoundDiffers", 1, 2)
    )
  })

  it("FLELostMessageTest: a leader whose election message was lost leads by a follower's word", () => {
    const peer = Peer.make({ mySid: 1, verifier: trio })
    loopback(peer, peer.look())
    peer.hears(0, "LOOKING", p(0), 1)
    assert.strictEqual(peer.looking().proposal.leader, 1n)
    peer.hears(0, "FOLLOWING", p(1), 1, { version: 0 })
    assert.deepInclude(peer.settled(), { state: "LEADING", logicalClock: 1n, supporters: Peer.sids(1, 0) })
  })

  const text = Buffer.from("my very invalid config string")
  it.each([
    ["too short", payload(int(4, 0), int(8, 0))],
    ["with a negative length", payload(int(4, 0), ...[0, 0, 0, 0].map((n) => int(8, n)), int(4, 2), int(4, -123))],
    [
      "with a length beyond the end",
      payload(int(4, 0), ...[0, 0, 0, 0].map((n) => int(8, n)), int(4, 2), int(4, 10_000), text)
    ],
    [
      "with a configuration that is none",
      payload(int(4, 0), int(8, 1), int(8, 0), int(8, 0), int(8, 0), int(4, 2), int(4, text.length), text)
    ],
    ["cut off in its peer epoch", payload(int(4, 0), int(8, 1), int(8, 0), int(8, 0), new Uint8Array(2))]
  ])("FLEMalformedNotificationMessageTest: a message %s does no harm", (_, bytes) => {
    const peer = Peer.make({ mySid: 0, verifier: trio })
    loopback(peer, peer.look())
    const decoded = NotificationCodec.decode(1n, bytes)
    if (Result.isSuccess(decoded)) peer.event({ _tag: "Received", notification: decoded.success })
    loopback(peer, peer.hears(1, "LOOKING", p(1), 1))
    peer.hears(1, "FOLLOWING", p(0), 1)
    peer.finalize()
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", currentVote: Peer.vote(p(1), 1) })
  })
})

describe("worked consequences", () => {
  it("a late third joins the leader that two have: two messages, no election", () => {
    const peer = Peer.make({ mySid: 3, verifier: majority([1, 2, 3]) })
    loopback(peer, peer.look())
    peer.hears(1, "FOLLOWING", p(2, 0, 1), 1)
    const outputs = peer.hears(2, "LEADING", p(2, 0, 1), 1)
    assert.deepStrictEqual(outputs.map(({ _tag }) => _tag), ["CancelTimer", "Elected"])
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", logicalClock: 1n })
  })

  it("a higher peer epoch wins over a higher zxid", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), zxid: 1, epoch: 5 })
    peer.look()
    assert.deepStrictEqual(
      peer.hears(3, "LOOKING", p(3, 999, 4), 1)[0],
      Peer.kept(3, p(3, 999, 4), p(1, 1, 5), "peerEpoch")
    )
  })

  it("a peer of round 1 among peers of round 7 is answered by each, jumps, and begins again from its own vote", () => {
    const ahead = Peer.make({ mySid: 2, verifier: majority([1, 2, 3]) })
    for (let round = 1; round <= 7; round++) ahead.look()
    const behind = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    behind.look()
    behind.hears(3, "LOOKING", p(3, 99), 1)
    const [answer] = ahead.hears(1, "LOOKING", p(3, 99), 1)
    assert.deepStrictEqual(answer, ahead.sends([1], p(2), 7, "AnswerLagging")[0])
    behind.hears(2, "LOOKING", p(2), 7)
    assert.deepInclude(behind.looking(), { logicalClock: 7n, proposal: p(2) })
  })

  it("a newcomer of round 50 joins an ensemble of round 2", () => {
    const peer = Peer.make({ mySid: 3, verifier: majority([1, 2, 3]) })
    for (let round = 1; round <= 50; round++) peer.look()
    peer.hears(1, "FOLLOWING", p(2, 0, 1), 2)
    peer.hears(2, "LEADING", p(2, 0, 1), 2)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", logicalClock: 2n })
  })

  it("a dead leader is not followed again, though one still names it", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3, 4, 5]) })
    peer.look()
    for (const from of [2, 3, 4]) peer.hears(from, "FOLLOWING", p(5, 0, 1), 1)
    assert.strictEqual(peer.state()._tag, "Looking")
    // The others notice in turn, and their new votes replace what they said of round 1.
    peer.look()
    for (const from of [1, 2, 3]) peer.hears(from, "LOOKING", p(4), 2)
    peer.finalize()
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", currentVote: Peer.vote(p(4), 2) })
  })

  it("a follower that lost a living leader finds it again", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(2, "FOLLOWING", p(3, 0, 1), 1)
    peer.hears(3, "LEADING", p(3, 0, 1), 1)
    peer.event({ _tag: "LeaderLost" })
    peer.look()
    peer.hears(2, "FOLLOWING", p(3, 0, 1), 1)
    peer.hears(3, "LEADING", p(3, 0, 1), 1)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", logicalClock: 1n })
  })

  it("FLETest.testJoinInconsistentEnsemble: zxid and round of the followers may differ", () => {
    const peer = Peer.make({ mySid: 2, verifier: trio })
    peer.look()
    peer.hears(0, "FOLLOWING", p(1, 100, 1), 101)
    peer.hears(1, "LEADING", p(1, 0, 1), 1)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", logicalClock: 1n })
  })
})
