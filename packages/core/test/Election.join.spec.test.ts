import { assert, describe, it } from "@effect/vitest"
import type { Output } from "../src/ElectionOutput.ts"
import type { SettledState } from "../src/ServerState.ts"
import type { Proposal } from "../src/Vote.ts"
import * as Peer from "./support/Peer.ts"
import { cancelTimer, majority, notJoined, p, timer, vote } from "./support/Peer.ts"

/** A peer of five that looks in round 1. */
const looking = (options: Partial<Peer.Options> = {}) => {
  const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3, 4, 5]), ...options })
  peer.look()
  return peer
}

const joined = (
  proposal: Proposal,
  round: number,
  state: SettledState,
  how: "Same" | "Other",
  ...supporters: ReadonlyArray<number>
): Array<Output> => [cancelTimer, {
  _tag: "Elected",
  vote: vote(proposal, round),
  state,
  reason: { _tag: "Joined", round: how, supporters: Peer.sids(...supporters) }
}]

const led = p(5, 30, 3)

describe("a vote out of the election (Java: receivedFollowingNotification; spec HandleNotmsg)", () => {
  it("is kept by sender whatever its round, and no leader is joined without a quorum", () => {
    const peer = looking()
    assert.deepStrictEqual(peer.hears(2, "FOLLOWING", led, 7), [
      notJoined(2, 5, "NoQuorum", 2),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), {
      recvSet: new Map(),
      outOfElection: new Map([[2n, { ...vote(led, 7), version: 2, state: "FOLLOWING" as const }]]),
      supporters: null
    })
    peer.hears(2, "FOLLOWING", p(4, 1, 1), 8)
    assert.deepStrictEqual(Array.from(peer.looking().outOfElection.values(), ({ leader }) => leader), [4n])
  })

  it("of a quorum joins a leader that says itself that it leads, in the round of the last who spoke", () => {
    const peer = looking()
    peer.hears(2, "FOLLOWING", led, 7)
    peer.hears(3, "FOLLOWING", led, 7)
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 7), joined(led, 7, "FOLLOWING", "Other", 2, 3, 5))
    assert.deepInclude(peer.settled(), {
      state: "FOLLOWING",
      currentVote: vote(led, 7),
      logicalClock: 7n,
      supporters: Peer.sids(2, 3, 5)
    })
  })

  it("of a quorum waits for the leader's own word", () => {
    const peer = looking()
    peer.hears(2, "FOLLOWING", led, 7)
    peer.hears(3, "FOLLOWING", led, 7)
    assert.deepStrictEqual(peer.hears(4, "FOLLOWING", led, 7), [
      notJoined(4, 5, "LeaderNotHeard", 2, 3, 4),
      timer("Notification", 200)
    ])
    // The leader says that it follows somebody: still not its word.
    assert.deepStrictEqual(peer.hears(5, "FOLLOWING", led, 7)[0], notJoined(5, 5, "LeaderNotHeard", 2, 3, 4, 5))
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 7), joined(led, 7, "FOLLOWING", "Other", 2, 3, 4, 5))
  })

  it("may take the clock back", () => {
    const peer = looking()
    for (let round = 2; round <= 50; round++) peer.look()
    peer.hears(2, "FOLLOWING", led, 2)
    peer.hears(3, "FOLLOWING", led, 2)
    peer.hears(5, "LEADING", led, 2)
    assert.strictEqual(peer.settled().logicalClock, 2n)
  })

  it("counts with others of the same leader and peer epoch, whatever zxid and round they name", () => {
    const peer = looking()
    peer.hears(2, "FOLLOWING", p(5, 28, 3), 6)
    peer.hears(3, "FOLLOWING", p(5, 29, 3), 8)
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 7), joined(led, 7, "FOLLOWING", "Other", 2, 3, 5))
  })

  it("of another peer epoch does not count, unless one of the two comes in an old format", () => {
    const peer = looking()
    peer.hears(2, "FOLLOWING", p(5, 30, 2), 7)
    peer.hears(3, "FOLLOWING", p(5, 30, 2), 7, { version: 0 })
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 7)[0], notJoined(5, 5, "NoQuorum", 3, 5))
    // Counts with 2 and with 5, which do not count with each other, and not with 3, which is as old.
    const old = p(5, 30, 9)
    assert.deepStrictEqual(
      peer.hears(4, "FOLLOWING", old, 7, { version: -1 }),
      joined(old, 7, "FOLLOWING", "Other", 2, 5, 4)
    )
  })

  it("of our own makes no quorum: of three, both others must be heard", () => {
    const peer = looking({ verifier: majority([1, 2, 5]) })
    peer.hears(1, "LOOKING", p(1), 1)
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 7)[0], notJoined(5, 5, "NoQuorum", 5))
    assert.deepStrictEqual(peer.hears(2, "FOLLOWING", led, 7), joined(led, 7, "FOLLOWING", "Other", 5, 2))
  })

  it("lets an observer observe", () => {
    const peer = looking({ mySid: 9, verifier: majority([2, 5], { observers: [9] }) })
    peer.hears(2, "FOLLOWING", led, 7)
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 7), joined(led, 7, "OBSERVING", "Other", 2, 5))
  })

  it("of an ended leadership does not bring it back: the leader looks", () => {
    const peer = looking({ verifier: majority([1, 2, 5]) })
    peer.hears(2, "FOLLOWING", led, 7)
    peer.hears(5, "LOOKING", led, 7)
    assert.deepStrictEqual(peer.hears(2, "FOLLOWING", led, 7)[0], notJoined(2, 5, "NoQuorum", 2))
  })
})

describe("a settled vote of our own round (Java: receivedFollowingNotification)", () => {
  it("is also a vote of this round, as of an old format, so that the leader alone decides", () => {
    const peer = looking({ verifier: majority([1, 2, 5]) })
    peer.hears(2, "FOLLOWING", p(5, 30, 8), 1)
    const recorded = { ...vote(p(5, 30, 8), 1), state: "FOLLOWING" as const }
    assert.deepStrictEqual(peer.looking().recvSet, new Map([[2n, recorded]]))
    // Out of the election the two peer epochs would not count together.
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 1), joined(led, 1, "FOLLOWING", "Same", 2, 5))
    assert.strictEqual(peer.settled().logicalClock, 1n)
  })

  it("counts with votes of those who still look only number for number", () => {
    const peer = looking()
    peer.hears(2, "LOOKING", led, 1)
    peer.hears(3, "LOOKING", p(5, 30, 2), 1)
    peer.hears(4, "FOLLOWING", led, 1)
    // 2 looks for the same, 4 follows; 3 named another peer epoch.
    assert.deepStrictEqual(peer.hears(5, "LEADING", led, 1), joined(led, 1, "FOLLOWING", "Same", 2, 4, 5))
  })

  it("is not joined on account of the leader's earlier LOOKING vote", () => {
    const peer = looking()
    peer.hears(5, "LOOKING", led, 1)
    peer.hears(2, "FOLLOWING", led, 1)
    assert.deepStrictEqual(peer.hears(3, "FOLLOWING", led, 1)[0], notJoined(3, 5, "NoQuorum", 2, 3))
    assert.deepStrictEqual(peer.hears(4, "FOLLOWING", led, 1)[0], notJoined(4, 5, "LeaderNotHeard", 2, 3, 4))
  })
})

describe("votes that name us leader (Java: checkLeader)", () => {
  const own = p(1, 0, 0)

  it("make us lead if they speak of our present round", () => {
    const peer = looking()
    peer.hears(2, "FOLLOWING", own, 1)
    peer.hears(3, "FOLLOWING", own, 1)
    assert.deepStrictEqual(peer.hears(4, "FOLLOWING", own, 1), joined(own, 1, "LEADING", "Same", 2, 3, 4))
  })

  it("of another round do not: that leadership ended", () => {
    const peer = looking()
    peer.hears(2, "FOLLOWING", own, 9)
    peer.hears(3, "FOLLOWING", own, 9)
    assert.deepStrictEqual(peer.hears(4, "FOLLOWING", own, 9), [
      notJoined(4, 1, "OwnRoundDiffers", 2, 3, 4),
      timer("Notification", 200)
    ])
  })
})

describe("while a later configuration is pending (Java: SyncedLearnerTracker)", () => {
  const pending = { verifier: majority([1, 2, 3]), lastSeen: majority([1, 5, 6, 7], { version: 1 }) }

  it("a quorum of each is needed to elect", () => {
    const peer = looking({ ...pending, zxid: 9 })
    peer.hears(1, "LOOKING", p(1, 9), 1)
    peer.hears(2, "LOOKING", p(1, 9), 1)
    peer.hears(5, "LOOKING", p(1, 9), 1)
    assert.isFalse(peer.looking().finalizing)
    peer.hears(6, "LOOKING", p(1, 9), 1)
    assert.isTrue(peer.looking().finalizing)
    assert.deepStrictEqual(peer.looking().supporters, Peer.sids(1, 2, 5, 6))
  })

  it("and to join; a leader may be of the later one only", () => {
    const peer = looking(pending)
    const votes = [[2, "FOLLOWING"], [3, "FOLLOWING"], [5, "LEADING"], [6, "FOLLOWING"]] as const
    for (const [from, state] of votes) peer.hears(from, state, led, 4)
    assert.deepStrictEqual(peer.hears(7, "FOLLOWING", led, 4), joined(led, 4, "FOLLOWING", "Other", 2, 3, 5, 6, 7))
  })

  it("an earlier one that was seen last changes nothing but who is told", () => {
    const peer = looking({ ...pending, lastSeen: majority([1, 5, 6, 7], { version: 0 }), zxid: 9 })
    peer.hears(1, "LOOKING", p(1, 9), 1)
    peer.hears(2, "LOOKING", p(1, 9), 1)
    assert.isTrue(peer.looking().finalizing)
  })
})
