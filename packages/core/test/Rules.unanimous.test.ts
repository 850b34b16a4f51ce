/** `endWaitWhenUnanimous`: who could still bring a better vote is waited for, and nobody else. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type * as Election from "../src/Election.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Rules from "../src/Rules.ts"
import * as Peer from "./support/Peer.ts"
import { majority, members, p, timer } from "./support/Peer.ts"

const own = p(2, 10, 1)

const make = (options: Partial<Peer.Options> = {}) => {
  const rules = { ...Rules.conclave, ...options.rules }
  return Peer.make({ mySid: 2, verifier: majority([1, 2, 3]), zxid: 10, epoch: 1, ...options, rules })
}

/** A peer whose leader, 3 in round 6, is lost; its next round is 7. */
const orphan = (options: Partial<Peer.Options> = {}) => {
  const peer = make(options)
  peer.look()
  peer.hears(3, "LEADING", p(3, 10, 1), 6)
  peer.hears(1, "FOLLOWING", p(3, 10, 1), 6)
  assert.strictEqual(peer.settled().state, "FOLLOWING")
  peer.event({ _tag: "LeaderLost" })
  return peer
}

/** One that has a quorum of three for itself: its own vote and that of 1. */
const finalizing = (options: Partial<Peer.Options> = {}) => {
  const peer = orphan(options)
  peer.look()
  peer.hears(2, "LOOKING", own, 7)
  return { peer, outputs: peer.hears(1, "LOOKING", own, 7) }
}

const wait = timer("Finalize", 200)
const noWait = timer("Finalize", 0)

describe("endWaitWhenUnanimous", () => {
  it("on: nobody is waited for when all have voted as we do", () => {
    const { outputs, peer } = finalizing()
    assert.deepInclude(outputs, wait)
    assert.deepInclude(peer.hears(3, "LOOKING", own, 7), noWait)
    assert.isNotEmpty(peer.finalize())
    assert.strictEqual(peer.settled().state, "LEADING")
  })

  it("off: everybody is waited for", () => {
    const { peer } = finalizing({ rules: { ...Rules.conclave, endWaitWhenUnanimous: false } })
    assert.deepInclude(peer.hears(3, "LOOKING", own, 7), wait)
    assert.deepStrictEqual(peer.event({ _tag: "PeerRefused", sid: 3n }), [])
  })

  it("on: who is alone waits for nobody", () => {
    const peer = make({ verifier: majority([2]) })
    peer.look()
    assert.deepInclude(peer.hears(2, "LOOKING", own, 1), noWait)
  })

  const presences: ReadonlyArray<[Election.Event["_tag"] & `Peer${string}`, boolean]> = [
    ["PeerRefused", true],
    ["PeerUnreachable", false],
    ["PeerConnected", false]
  ]

  it.each(presences)("on: who is known beforehand by %s need not be waited for: %s", (_tag, isOver) => {
    const peer = orphan()
    peer.event({ _tag, sid: 3n })
    peer.look()
    peer.hears(2, "LOOKING", own, 7)
    assert.deepInclude(peer.hears(1, "LOOKING", own, 7), isOver ? noWait : wait)
  })

  it.each(presences)("on: %s during the wait ends it: %s", (_tag, isOver) => {
    const { peer } = finalizing()
    assert.deepStrictEqual(peer.event({ _tag, sid: 3n }), isOver ? [noWait] : [])
  })

  it("on: who has had no leader yet waits for who refuses, too: it may be about to start", () => {
    const peer = make()
    peer.event({ _tag: "PeerRefused", sid: 3n })
    peer.look()
    peer.hears(2, "LOOKING", own, 1)
    assert.deepInclude(peer.hears(1, "LOOKING", own, 1), wait)
    assert.deepStrictEqual(peer.event({ _tag: "PeerRefused", sid: 3n }), [])
    assert.deepInclude(peer.hears(3, "LOOKING", own, 1), noWait)
  })

  it("on: a refusal starts no wait where there is none", () => {
    const peer = orphan()
    assert.deepStrictEqual(peer.event({ _tag: "PeerRefused", sid: 3n }), [])
    peer.look()
    peer.hears(2, "LOOKING", own, 7)
    assert.deepStrictEqual(peer.event({ _tag: "PeerRefused", sid: 1n }), [])
  })

  it("on: who was gone and is back is waited for", () => {
    const peer = orphan()
    peer.event({ _tag: "PeerRefused", sid: 3n })
    peer.event({ _tag: "PeerConnected", sid: 3n })
    peer.look()
    peer.hears(2, "LOOKING", own, 7)
    assert.deepInclude(peer.hears(1, "LOOKING", own, 7), wait)
  })

  it("on: who votes otherwise is waited for, as it may change its mind or not", () => {
    const { peer } = finalizing()
    assert.deepInclude(peer.hears(3, "LOOKING", p(3, 9, 1), 7), wait)
  })

  it("on: an old vote for who is gone is no reason to hurry", () => {
    const peer = orphan()
    peer.event({ _tag: "PeerRefused", sid: 3n })
    peer.look()
    peer.hears(1, "LOOKING", p(3, 11, 1), 7)
    assert.deepInclude(peer.hears(2, "LOOKING", p(3, 11, 1), 7), wait)
  })

  it("on: voters without weight are waited for, observers are not", () => {
    const verifier = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: members([1, 2, 3]),
      groups: new Map([[1n, [1n, 2n, 3n]]]),
      weights: new Map([[1n, 1n], [2n, 1n], [3n, 0n]])
    }))
    const peer = make({ verifier })
    peer.look()
    peer.hears(2, "LOOKING", own, 1)
    assert.deepInclude(peer.hears(1, "LOOKING", own, 1), wait)
    assert.deepInclude(peer.hears(3, "LOOKING", own, 1), noWait)
    const two = make({ verifier: majority([1, 2], { observers: [3] }) })
    two.look()
    two.hears(2, "LOOKING", own, 1)
    assert.deepInclude(two.hears(1, "LOOKING", own, 1), noWait)
  })

  it("on: the voters of a configuration that is not in force yet are waited for, too", () => {
    const peer = make({ lastSeen: majority([1, 2, 4], { version: 1 }) })
    peer.look()
    peer.hears(2, "LOOKING", own, 1)
    peer.hears(1, "LOOKING", own, 1)
    assert.deepInclude(peer.hears(3, "LOOKING", own, 1), wait)
    assert.deepInclude(peer.hears(4, "LOOKING", own, 1), noWait)
  })
})
