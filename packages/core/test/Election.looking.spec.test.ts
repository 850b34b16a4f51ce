import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import { UNTRUSTED } from "../src/Zxid.ts"
import * as Peer from "./support/Peer.ts"
import { adopted, ignored, kept, majority, p, quorumReached, roundStarted, timer, vote } from "./support/Peer.ts"

/** A peer of five that looks in round 1. */
const looking = (options: Partial<Peer.Options> = {}) => {
  const peer = Peer.make({ mySid: 3, verifier: majority([1, 2, 3, 4, 5]), zxid: 10, epoch: 1, ...options })
  peer.look()
  return peer
}

const all = [1, 2, 3, 4, 5]
const own = p(3, 10, 1)

describe("whose votes are heard (Java: validVoter, lookForLeader)", () => {
  it("not a vote for a server that has no vote", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(9, 99, 9), 1), [
      ignored("LeaderNotVoter", 1, "LOOKING", p(9, 99, 9), 1),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { proposal: own, recvSet: new Map() })
  })

  it("not even of somebody who has that leader", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(1, "LEADING", p(9), 1)[0], ignored("LeaderNotVoter", 1, "LEADING", p(9), 1))
    assert.deepStrictEqual(peer.looking().outOfElection, new Map())
  })

  it("not one of somebody who observes, though it has a vote", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(1, "OBSERVING", p(5, 99, 9), 7), [
      ignored("SenderObserving", 1, "OBSERVING", p(5, 99, 9), 7),
      timer("Notification", 200)
    ])
  })

  it("not one for a server whose database is not trusted, whatever its round", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(5, "LOOKING", p(5, UNTRUSTED, 9), 7), [
      ignored("ZxidUntrusted", 5, "LOOKING", p(5, UNTRUSTED, 9), 7),
      timer("Notification", 200)
    ])
    assert.strictEqual(peer.looking().logicalClock, 1n)
  })

  it("no vote at all while our own database is not trusted; a leader is joined all the same", () => {
    const peer = looking({ zxid: UNTRUSTED })
    assert.deepStrictEqual(peer.hears(5, "LOOKING", p(5, 99, 9), 1), [
      ignored("OwnZxidUntrusted", 5, "LOOKING", p(5, 99, 9), 1),
      timer("Notification", 200)
    ])
    for (const from of [1, 2, 4]) peer.hears(from, "FOLLOWING", p(5, 99, 9), 4)
    peer.hears(5, "LEADING", p(5, 99, 9), 4)
    assert.deepInclude(peer.settled(), { state: "FOLLOWING", currentVote: vote(p(5, 99, 9), 4) })
  })

  it("who only observes may listen, whatever its own database", () => {
    const peer = looking({ mySid: 9, verifier: majority([1, 2, 3, 4, 5], { observers: [9] }), zxid: UNTRUSTED })
    peer.hears(5, "LOOKING", p(5, 99, 9), 1)
    assert.deepStrictEqual(peer.looking().proposal, p(5, 99, 9))
  })

  it("not one of who had a vote when it was sent, and has none when the search begins", () => {
    const pending = majority([1, 2, 3, 4, 5, 9], { version: 1 })
    const peer = Peer.make({ mySid: 3, verifier: majority(all), lastSeen: pending, reconfigEnabled: true })
    assert.deepStrictEqual(peer.hears(9, "LOOKING", p(5), 1), [])
    // The pending configuration is overtaken by one that has the present members, so nothing restarts.
    peer.hears(1, "LOOKING", p(1), 1, { config: majority(all, { version: 2 }).text })
    assert.deepInclude(peer.look(), ignored("SenderNotVoter", 9, "LOOKING", p(5), 1))
  })

  it("a settled vote of a leader with that zxid is none of this", () => {
    const peer = looking()
    peer.hears(5, "FOLLOWING", p(5, UNTRUSTED, 1), 4)
    assert.strictEqual(peer.looking().outOfElection.size, 1)
  })

  it("a participant without a vote hears as voters do", () => {
    const peer = looking({ mySid: 9 })
    peer.hears(1, "LOOKING", p(4, 20, 1), 1)
    assert.deepStrictEqual(peer.looking().proposal, p(4, 20, 1))
  })
})

describe("a vote of this round (Java: lookForLeader, case LOOKING; spec HandleNotmsg)", () => {
  it("that is better is adopted, told to all, and recorded", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(5, "LOOKING", p(5, 10, 1), 1), [
      adopted(5, own, p(5, 10, 1), "sid"),
      ...peer.sends(all, p(5, 10, 1), 1, "Adopted"),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), {
      proposal: p(5, 10, 1),
      recvSet: new Map([[5n, vote(p(5, 10, 1), 1)]]),
      supporters: Peer.sids(5)
    })
  })

  it.each<readonly [ground: "peerEpoch" | "zxid" | "sid", offered: ReturnType<typeof p>]>([
    ["peerEpoch", p(5, 99, 0)],
    ["zxid", p(5, 9, 1)],
    ["sid", p(2, 10, 1)]
  ])("that is worse by %s is recorded and not answered", (ground, offered) => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", offered, 1), [
      kept(1, offered, own, ground),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { proposal: own, recvSet: new Map([[1n, vote(offered, 1)]]) })
  })

  it("that is equal is recorded and not answered", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(1, "LOOKING", own, 1), [kept(1, own, own, "Equal"), timer("Notification", 200)])
    assert.deepStrictEqual(peer.looking().supporters, Peer.sids(1))
  })

  it("replaces what its sender said before", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", p(1, 10, 1), 1)
    peer.hears(1, "LOOKING", own, 1)
    assert.deepStrictEqual(peer.looking().recvSet, new Map([[1n, vote(own, 1)]]))
  })

  it("counts with ours if it is ours, number for number; and ours only once it came back to us", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", own, 1)
    peer.hears(2, "LOOKING", p(3, 9, 1), 1)
    assert.deepStrictEqual(peer.looking().supporters, Peer.sids(1))
    peer.hears(2, "LOOKING", own, 1)
    assert.isFalse(peer.looking().finalizing)
    assert.deepStrictEqual(peer.hears(3, "LOOKING", own, 1), [
      kept(3, own, own, "Equal"),
      quorumReached(own, 1, 2, 3),
      timer("Finalize", 200)
    ])
    assert.isTrue(peer.looking().finalizing)
  })

  it("makes no quorum of votes for another, though they are as many", () => {
    const peer = looking()
    for (const from of [1, 2, 4]) peer.hears(from, "LOOKING", p(1, 10, 1), 1)
    assert.isFalse(peer.looking().finalizing)
  })

  it("is no proof of a quorum when silence follows", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", own, 1)
    assert.deepStrictEqual(peer.silence().at(-1), timer("Notification", 400))
  })
})

describe("a vote of a higher round (Java: lookForLeader, case LOOKING)", () => {
  it("takes us there with our initial vote, whatever we proposed meanwhile, and is told to all", () => {
    const peer = looking()
    peer.hears(5, "LOOKING", p(5, 99, 9), 1)
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1, 10, 1), 6), [
      roundStarted(6, own, 1),
      kept(1, p(1, 10, 1), own, "sid"),
      ...peer.sends(all, own, 6, "NewRound"),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), {
      logicalClock: 6n,
      proposal: own,
      recvSet: new Map([[1n, vote(p(1, 10, 1), 6)]])
    })
  })

  it("is adopted on the way if it beats our initial vote", () => {
    const peer = looking()
    peer.hears(5, "LOOKING", p(5, 99, 9), 1)
    assert.deepStrictEqual(peer.hears(4, "LOOKING", p(4, 10, 1), 2), [
      roundStarted(2, own, 4),
      adopted(4, own, p(4, 10, 1), "sid"),
      ...peer.sends(all, p(4, 10, 1), 2, "NewRound"),
      timer("Notification", 200)
    ])
  })

  it("leaves the votes of those who have a leader", () => {
    const peer = looking()
    peer.hears(4, "FOLLOWING", p(5, 99, 9), 1)
    peer.hears(1, "LOOKING", p(1), 6)
    assert.deepStrictEqual(Array.from(peer.looking().outOfElection.keys()), [4n])
    assert.deepStrictEqual(Array.from(peer.looking().recvSet.keys()), [1n])
  })
})

describe("a vote of a lower round (Java: lookForLeader, case LOOKING)", () => {
  it("is answered by the receiver with our proposal and not recorded, however good", () => {
    const peer = looking()
    peer.hears(1, "LOOKING", p(4, 20, 1), 6)
    assert.deepStrictEqual(peer.hears(5, "LOOKING", p(5, 99, 9), 5), [
      ...peer.sends([5], p(4, 20, 1), 6, "AnswerLagging"),
      ignored("LowerRound", 5, "LOOKING", p(5, 99, 9), 5),
      timer("Notification", 200)
    ])
    assert.deepStrictEqual(Array.from(peer.looking().recvSet.keys()), [1n])
  })
})

describe("weights (Java: totalOrderPredicate, getWeight)", () => {
  const verifier = Result.getOrThrow(QuorumVerifier.hierarchical({
    servers: Peer.members([1, 2, 3, 4]),
    groups: new Map([[1n, [1n, 2n, 3n, 4n]]]),
    weights: new Map([[4n, 0n]])
  }))

  it("who weighs nothing is never adopted, however fresh", () => {
    const peer = looking({ mySid: 1, verifier })
    const [mine, offered] = [p(1, 10, 1), p(4, 99, 9)]
    assert.deepStrictEqual(peer.hears(4, "LOOKING", offered, 1), [
      kept(4, offered, mine, "ZeroWeight"),
      timer("Notification", 200)
    ])
  })

  it("but proposes itself, until it hears of somebody as fresh who weighs something", () => {
    const peer = looking({ mySid: 4, verifier, zxid: 99, epoch: 9 })
    const mine = p(4, 99, 9)
    assert.deepStrictEqual(peer.looking().proposal, mine)
    // The weight of the side that is there already is not looked at, so freshness still decides.
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1, 10, 1), 1), [
      kept(1, p(1, 10, 1), mine, "peerEpoch"),
      timer("Notification", 200)
    ])
    peer.hears(2, "LOOKING", p(2, 99, 10), 1)
    assert.deepStrictEqual(peer.looking().proposal, p(2, 99, 10))
  })
})
