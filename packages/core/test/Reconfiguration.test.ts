import { assert, describe, it } from "@effect/vitest"
import * as Reconfiguration from "../src/Reconfiguration.ts"
import * as Rules from "../src/Rules.ts"
import * as Peer from "./support/Peer.ts"
import { majority, p, sids, vote } from "./support/Peer.ts"

const committed = majority([1, 2, 3, 4, 5], { version: 5 })

/** A peer of that configuration that looks, under our rules. */
const looking = (mySid: number, options: Partial<Peer.Options> = {}) => {
  const peer = Peer.make({ mySid, verifier: committed, reconfigEnabled: true, rules: Rules.conclave, ...options })
  peer.look()
  return peer
}

describe("a server that is removed (Java: updateLearnerType, getInitId)", () => {
  const without5 = majority([1, 2, 3, 4], { version: 6 })

  const removed = () => {
    const peer = looking(5, { zxid: 9 })
    peer.hears(2, "LOOKING", p(2), 1, { config: without5.text })
    peer.look({ zxid: 9 })
    return peer
  }

  it("votes for nobody, to whom it still listens", () => {
    const peer = removed()
    assert.deepStrictEqual(peer.looking().proposal, p(-(2n ** 63n), 9))
    assert.deepStrictEqual(peer.state().membership.voters, sids(1, 2, 3, 4))
  })

  it("answers nobody, so that nobody takes it for a voter", () => {
    const outputs = removed().hears(1, "LOOKING", p(1), 0)
    assert.notInclude(outputs.map(({ _tag }) => _tag), "Send")
  })

  it("does not count: three of four must agree without it", () => {
    const peer = removed()
    for (const from of [1, 2]) peer.hears(from, "LOOKING", p(2, 99), 1)
    peer.hears(5, "LOOKING", p(2, 99), 1)
    assert.isFalse(peer.looking().finalizing)
    peer.hears(3, "LOOKING", p(2, 99), 1)
    assert.isTrue(peer.looking().finalizing)
  })

  it("follows a leader that the others have, and cannot be it", () => {
    const peer = removed()
    for (const from of [1, 2, 3]) peer.hears(from, "FOLLOWING", p(5), 7)
    peer.hears(5, "LEADING", p(5), 7)
    assert.strictEqual(peer.state()._tag, "Looking")
    for (const from of [1, 3]) peer.hears(from, "FOLLOWING", p(2), 7)
    peer.hears(2, "LEADING", p(2), 7)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", currentVote: vote(p(2), 7) })
  })

  it("votes again when it is added again", () => {
    const peer = removed()
    peer.hears(2, "LOOKING", p(2), 1, { config: majority([1, 2, 3, 4, 5], { version: 7 }).text })
    peer.look({ zxid: 9 })
    assert.deepStrictEqual(peer.looking().proposal, p(5, 9))
  })
})

describe("a server that joins", () => {
  it("takes the ensemble's configuration, in which it is not yet, and has no vote by its own", () => {
    const peer = looking(9, { verifier: majority([1, 2, 9]) })
    peer.hears(1, "LOOKING", p(1), 1, { config: majority([1, 2, 3], { version: 6 }).text })
    peer.look()
    assert.deepStrictEqual(peer.state().membership.voters, sids(1, 2, 3))
    for (const from of [1, 9]) peer.hears(from, "LOOKING", p(1), 1)
    assert.isFalse(peer.looking().finalizing)
  })
})

describe("Reconfiguration.isConfirmed", () => {
  const { hear, isConfirmed, untold } = Reconfiguration
  const { text } = committed

  const following = () => {
    const peer = looking(1)
    for (const from of [2, 3, 4]) peer.hears(from, "FOLLOWING", p(5), 7)
    peer.hears(5, "LEADING", p(5), 7)
    return peer.settled()
  }

  const says = (from: number, leader: number, state: "LEADING" | "FOLLOWING" | "LOOKING", config: string | null) =>
    hear(untold, following().membership, { from: BigInt(from), leader: BigInt(leader), state, config })

  it("the leader's own word does it, and nothing else", () => {
    const rows = [
      ["nobody has said anything", untold, false],
      ["the leader", says(5, 5, "LEADING", text), true],
      ["the leader, of another configuration", says(5, 5, "LEADING", majority([1], { version: 4 }).text), false],
      ["the leader, in a message without one", says(5, 5, "LEADING", null), false],
      ["the leader before it led", says(5, 5, "LOOKING", text), false],
      ["a follower", says(4, 5, "FOLLOWING", text), false],
      ["another leader", says(4, 4, "LEADING", text), false],
      ["somebody who is mistaken about who leads", says(5, 4, "LEADING", text), false]
    ] as const
    for (const [what, told, confirmed] of rows) assert.strictEqual(isConfirmed(told, following()), confirmed, what)
  })

  it("nothing is kept of strangers", () => {
    assert.strictEqual(says(9, 9, "LEADING", text), untold)
  })

  it("the last word counts", () => {
    const first = says(5, 5, "LEADING", "version=4")
    const message = { from: 5n, leader: 5n, state: "LEADING", config: text } as const
    const { membership } = following()
    const second = hear(first, membership, message)
    assert.isTrue(isConfirmed(second, following()))
    assert.strictEqual(hear(second, membership, message), second)
  })

  it("who leads needs nobody's word", () => {
    assert.isTrue(isConfirmed(untold, { ...following(), state: "LEADING" }))
  })
})
