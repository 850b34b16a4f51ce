import { assert, describe, it } from "@effect/vitest"
import type { Output } from "../src/ElectionOutput.ts"
import { InvalidConfig } from "../src/InvalidConfig.ts"
import type { QuorumVerifier } from "../src/QuorumVerifier.ts"
import * as Peer from "./support/Peer.ts"
import { cancelTimer, ignored, majority, p, roundStarted, timer, vote } from "./support/Peer.ts"

const committed = majority([1, 2, 3], { version: 5 })
const newer = majority([1, 2, 3, 4], { version: 6 })

const restart: ReadonlyArray<Output> = [cancelTimer, { _tag: "Restart", reason: "ConfigChanged" }]

const seen = (from: number, verifier: QuorumVerifier, verdict: "Adopted" | "ReconfigDisabled"): Output => ({
  _tag: "ConfigSeen",
  from: BigInt(from),
  version: verifier.version,
  verdict,
  problem: null
})

const adoptConfig = (from: number, verifier: QuorumVerifier): Output => ({
  _tag: "AdoptConfig",
  from: BigInt(from),
  verifier
})

const looking = (options: Partial<Peer.Options> = {}) => {
  const peer = Peer.make({ mySid: 1, verifier: committed, reconfigEnabled: true, ...options })
  peer.look()
  return peer
}

describe("the configuration in a notification (Java: WorkerReceiver, processReconfig)", () => {
  it.each([
    ["the same", committed.text],
    ["an older one", majority([1, 2, 3, 4], { version: 4 }).text],
    ["another of the same version", majority([1, 2, 3, 4], { version: 5 }).text],
    ["an empty one, which is of version 0", ""]
  ])("that is %s has no effect", (_, config) => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(2, "OBSERVING", p(2), 1, { config }), [
      Peer.ignored("SenderObserving", 2, "OBSERVING", p(2), 1, { config }),
      timer("Notification", 200)
    ])
  })

  it("that cannot be read is told, and the rest of the message counts", () => {
    const peer = looking()
    const [first, ...rest] = peer.hears(2, "LOOKING", p(2), 1, { config: "server.x=what" })
    assert(first?._tag === "ConfigSeen")
    assert.deepInclude(first, { from: 2n, version: null, verdict: "Unparsable" })
    assert.instanceOf(first.problem, InvalidConfig)
    assert.deepStrictEqual(rest[0], Peer.adopted(2, p(1), p(2), "sid"))
  })

  it("that is newer is adopted, and with other members the search begins anew; the message is lost", () => {
    const peer = looking()
    peer.hears(3, "LOOKING", p(3), 4)
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2), 9, { config: newer.text }), [
      seen(2, newer, "Adopted"),
      adoptConfig(2, newer),
      ...restart
    ])
    const state = peer.state()
    assert.deepInclude(state, {
      _tag: "Idle",
      restarting: true,
      recvQueue: [],
      logicalClock: 4n,
      proposal: p(-1, -1, 0)
    })
    assert.deepStrictEqual(state.membership.committed, newer)
    assert.deepStrictEqual(state.membership.lastSeen, newer)
    assert.deepStrictEqual(state.membership.voters, Peer.sids(1, 2, 3, 4))
  })

  it("until the new search nothing is heard, and it counts its rounds from the beginning", () => {
    const peer = looking({ zxid: 3 })
    for (let round = 2; round < 5; round++) peer.look()
    peer.hears(2, "LOOKING", p(2), 9, { config: newer.text })
    for (const from of [2, 77]) {
      assert.deepStrictEqual(peer.hears(from, "LOOKING", p(2), 1), [ignored("Restarting", from, "LOOKING", p(2), 1)])
    }
    assert.deepStrictEqual(peer.look({ zxid: 4 }), [
      roundStarted(1, p(1, 4)),
      ...peer.sends([1, 2, 3, 4], p(1, 4), 1, "NewRound"),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { logicalClock: 1n, currentVote: vote(p(1, 4), -1) })
  })

  it("that is newer with the same members is adopted, and the message counts", () => {
    const peer = looking()
    const same = majority([1, 2, 3], { version: 6 })
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2), 1, { config: same.text }), [
      seen(2, same, "Adopted"),
      adoptConfig(2, same),
      Peer.adopted(2, p(1), p(2), "sid"),
      ...peer.sends([1, 2, 3], p(2), 1, "Adopted"),
      timer("Notification", 200)
    ])
    // What is sent carries the new text at once.
    assert.match(peer.silence().map((output) => output._tag === "Send" ? output.toSend.config : "")[0]!, /version=6$/)
  })

  it("restarts even if nothing is adopted, because reconfiguration is not enabled; and again every time", () => {
    const peer = looking({ reconfigEnabled: false })
    for (const _ of [1, 2]) {
      assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2), 1, { config: newer.text }), [
        seen(2, newer, "ReconfigDisabled"),
        ...restart
      ])
      assert.strictEqual(peer.state().membership.committed, committed)
      peer.look()
      assert.strictEqual(peer.looking().logicalClock, 1n)
    }
  })

  it("comes before the question who sent it: a stranger's memberless one is adopted", () => {
    const peer = looking()
    const outputs = peer.hears(99, "LOOKING", p(99), 1, { config: "version=7fffffff" })
    assert.deepStrictEqual(outputs.map(({ _tag }) => _tag), ["ConfigSeen", "AdoptConfig", "CancelTimer", "Restart"])
    assert.deepStrictEqual(peer.state().membership.voters, new Set())
  })

  it("restarts a peer that has not begun to search, too", () => {
    const peer = Peer.make({ mySid: 1, verifier: committed, reconfigEnabled: true })
    peer.hears(3, "LOOKING", p(3), 1)
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2), 1, { config: newer.text }).slice(-2), restart)
    assert.deepInclude(peer.state(), { restarting: true, recvQueue: [] })
  })

  it("restarts a peer that waits to believe a quorum", () => {
    const peer = looking({ verifier: majority([1], { version: 5 }) })
    peer.hears(1, "LOOKING", p(1), 1)
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(2), 1, { config: newer.text }).slice(-2), restart)
    assert.deepStrictEqual(peer.finalize(), [])
  })

  it("has no effect on who has a leader", () => {
    const peer = looking()
    peer.hears(2, "LEADING", p(2), 7)
    peer.hears(3, "FOLLOWING", p(2), 7)
    assert.deepStrictEqual(peer.hears(3, "FOLLOWING", p(2), 7, { config: newer.text }), [
      ignored("Settled", 3, "FOLLOWING", p(2), 7, { config: newer.text })
    ])
    assert.strictEqual(peer.state().membership.committed, committed)
  })

  it("may make an observer a voter and a voter an observer (Java: updateLearnerType)", () => {
    const [before, after] = [majority([2, 3], { version: 5, observers: [1] }), majority([1, 2, 3], { version: 6 })]
    const promoted = looking({ verifier: before })
    assert.strictEqual(promoted.state().membership.learnerType, "observer")
    promoted.hears(2, "LOOKING", p(2), 1, { config: after.text })
    assert.strictEqual(promoted.state().membership.learnerType, "participant")
    promoted.look({ zxid: 4 })
    assert.deepStrictEqual(promoted.looking().proposal, p(1, 4))

    const demoted = looking({ verifier: majority([1, 2, 3], { version: 5 }) })
    demoted.hears(2, "LOOKING", p(2), 1, { config: majority([2, 3], { version: 6, observers: [1] }).text })
    assert.strictEqual(demoted.state().membership.learnerType, "observer")
  })

  it("does not displace a later one that is pending (Java: setQuorumVerifier)", () => {
    const pending = majority([1, 2, 3, 9], { version: 8 })
    const peer = looking({ lastSeen: pending })
    peer.hears(2, "LOOKING", p(2), 1, { config: newer.text })
    const { lastSeen, verifiers, voters } = peer.state().membership
    assert.strictEqual(lastSeen, pending)
    assert.deepStrictEqual(verifiers, [newer, pending])
    assert.deepStrictEqual(voters, Peer.sids(1, 2, 3, 4, 9))
  })
})
