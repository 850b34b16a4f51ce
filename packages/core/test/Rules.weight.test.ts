/** `leadOnlyWithWeight`: who weighs nothing does not take office, whatever others say. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Rules from "../src/Rules.ts"
import * as Peer from "./support/Peer.ts"
import { members, notJoined, p } from "./support/Peer.ts"

const own = p(1, 0, 0)

/** Server 1 of three, which weighs nothing, proposes itself in round 1. */
const weightless = (leadOnlyWithWeight: boolean) => {
  const verifier = Result.getOrThrow(QuorumVerifier.hierarchical({
    servers: members([1, 2, 3]),
    groups: new Map([[1n, [1n, 2n, 3n]]]),
    weights: new Map([[1n, 0n]])
  }))
  const peer = Peer.make({ mySid: 1, verifier, rules: { ...Rules.zookeeper, leadOnlyWithWeight } })
  peer.look()
  return peer
}

describe("leadOnlyWithWeight", () => {
  it("on: though others say that it leads", () => {
    const peer = weightless(true)
    peer.hears(2, "FOLLOWING", own, 1)
    assert.deepStrictEqual(peer.hears(3, "FOLLOWING", own, 1)[0], notJoined(3, 1, "NotElectable", 2, 3))
  })

  it("on: though others vote for it; it follows whom they vote for next", () => {
    const peer = weightless(true)
    peer.hears(2, "LOOKING", own, 1)
    peer.hears(3, "LOOKING", own, 1)
    assert.deepStrictEqual([peer.looking().supporters, peer.looking().finalizing], [Peer.sids(2, 3), false])
    peer.hears(2, "LOOKING", p(2, 0, 0), 1)
    peer.hears(3, "LOOKING", p(2, 0, 0), 1)
    assert.isTrue(peer.looking().finalizing)
    peer.finalize()
    assert.strictEqual(peer.settled().state, "FOLLOWING")
  })

  it("off: it leads when others say so", () => {
    const peer = weightless(false)
    peer.hears(2, "FOLLOWING", own, 1)
    peer.hears(3, "FOLLOWING", own, 1)
    assert.strictEqual(peer.settled().state, "LEADING")
  })

  it("off: it leads when others vote for it", () => {
    const peer = weightless(false)
    peer.hears(2, "LOOKING", own, 1)
    peer.hears(3, "LOOKING", own, 1)
    peer.finalize()
    assert.strictEqual(peer.settled().state, "LEADING")
  })
})
