import { assert, describe, it } from "@effect/vitest"
import * as Election from "../src/Election.ts"
import { MAX_VALUE, MIN_VALUE, NOBODY } from "../src/Sid.ts"
import * as Peer from "./support/Peer.ts"
import { ignored, kept, majority, p, quorumReached, roundStarted, timer, vote } from "./support/Peer.ts"

const nobody = p(NOBODY, NOBODY, NOBODY)

describe("before a search (Java: startLeaderElection, Messenger)", () => {
  it("the clock is 0, nothing is proposed and the current vote is our own, of no round", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), zxid: 7, epoch: 2 })
    const { currentVote, logicalClock, proposal, ...rest } = peer.state()
    assert.deepStrictEqual({ currentVote, logicalClock, proposal }, {
      currentVote: vote(p(1, 7, 2), -1),
      logicalClock: 0n,
      proposal: p(-1, -1, 0)
    })
    assert.deepInclude(rest, { _tag: "Idle", recvQueue: [], restarting: false })
    assert.strictEqual(Election.serverState(peer.state()), "LOOKING")
  })

  it("what arrives waits for the search, and begins it in order of arrival", () => {
    const peer = Peer.make({ mySid: 3, verifier: majority([1, 2, 3]) })
    assert.deepStrictEqual(peer.hears(1, "LOOKING", p(1), 1), [])
    assert.deepStrictEqual(peer.hears(2, "LOOKING", p(3), 1), [])
    assert.deepStrictEqual(peer.hears(3, "LOOKING", p(3), 1), [])
    assert.deepStrictEqual(peer.look(), [
      roundStarted(1, p(3)),
      ...peer.sends([1, 2, 3], p(3), 1, "NewRound"),
      kept(1, p(1), p(3), "sid"),
      kept(2, p(3), p(3), "Equal"),
      kept(3, p(3), p(3), "Equal"),
      quorumReached(p(3), 2, 3),
      timer("Finalize", 200)
    ])
  })

  it("what ends the finalize wait goes behind what waits already", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.hears(1, "LOOKING", p(1), 1)
    peer.hears(3, "LOOKING", p(1), 1)
    peer.hears(2, "LOOKING", p(2), 1)
    peer.hears(3, "LOOKING", p(1), 1)
    assert.deepStrictEqual(peer.look(), [
      roundStarted(1, p(1)),
      ...peer.sends([1, 2, 3], p(1), 1, "NewRound"),
      kept(1, p(1), p(1), "Equal"),
      kept(3, p(1), p(1), "Equal"),
      quorumReached(p(1), 1, 3),
      { _tag: "Reopened", from: 2n, offered: p(2), ground: "sid" },
      // The last of the queue is handled before the one that re-opened the vote, and finds the quorum again.
      kept(3, p(1), p(1), "Equal"),
      quorumReached(p(1), 1, 3),
      { _tag: "Reopened", from: 2n, offered: p(2), ground: "sid" },
      Peer.adopted(2, p(1), p(2), "sid"),
      ...peer.sends([1, 2, 3], p(2), 1, "Adopted"),
      timer("Notification", 200)
    ])
  })

  it("an idle peer keeps the newest hundred", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    for (let round = 1; round <= Election.RECV_CAPACITY + 5; round++) peer.hears(2, "LOOKING", p(2), round)
    const state = peer.state()
    assert(state._tag === "Idle")
    assert.deepStrictEqual(state.recvQueue.map(({ electionEpoch }) => electionEpoch).slice(0, 2), [6n, 7n])
    assert.strictEqual(state.recvQueue.length, 100)
  })

  it("timers mean nothing", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1]) })
    const before = peer.state()
    assert.deepStrictEqual([peer.silence(), peer.finalize()], [[], []])
    assert.strictEqual(peer.state(), before)
  })
})

describe("a search begins (Java: lookForLeader, getInitId; spec ZabTimeout)", () => {
  it("with the next round, our own vote told to every voter, ourselves included, and the shortest wait", () => {
    const peer = Peer.make({ mySid: 2, verifier: majority([1, 2, 3], { observers: [4] }), zxid: 9, epoch: 4 })
    assert.deepStrictEqual(peer.look(), [
      roundStarted(1, p(2, 9, 4)),
      ...peer.sends([1, 2, 3], p(2, 9, 4), 1, "NewRound"),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), {
      logicalClock: 1n,
      proposal: p(2, 9, 4),
      initial: p(2, 9, 4),
      currentVote: vote(p(2, 9, 4), -1),
      recvSet: new Map(),
      outOfElection: new Map(),
      supporters: null,
      finalizing: false,
      notificationInterval: 200
    })
  })

  it("with the facts of now, not those of the start", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look({ zxid: 12, epoch: 3 })
    assert.deepStrictEqual(peer.looking().proposal, p(1, 12, 3))
  })

  it.each<readonly [who: string, options: Partial<Peer.Options>, proposal: ReturnType<typeof p>]>([
    ["an observer proposes nobody at all", { mySid: 4 }, nobody],
    ["a participant outside its configuration proposes nobody, with its own history", { mySid: 9 }, p(NOBODY, 9, 4)],
    ["a voter told to observe proposes itself without history", { mySid: 1, learnerType: "observer" },
      p(1, NOBODY, NOBODY)],
    ["a stranger told to observe proposes nobody at all", { mySid: 9, learnerType: "observer" }, nobody]
  ])("%s: membership decides about the id, learner type about the rest", (_, options, proposal) => {
    const verifier = majority([1, 2, 3], { observers: [4] })
    const peer = Peer.make({ mySid: 1, verifier, zxid: 9, epoch: 4, ...options })
    assert.deepStrictEqual(peer.look(), [
      roundStarted(1, proposal),
      ...peer.sends([1, 2, 3], proposal, 1, "NewRound"),
      timer("Notification", 200)
    ])
  })

  it("votes go to the voters of the committed and of the last seen configuration, in Java's order", () => {
    const committed = majority([33, 2, 1])
    const lastSeen = majority([1, 17, 4], { version: 1 })
    const peer = Peer.make({ mySid: 1, verifier: committed, lastSeen })
    // Buckets of a table of 16: 33, 1 and 17 share one, in order of arrival.
    assert.deepStrictEqual(peer.look().slice(1, -1), peer.sends([33, 1, 17, 2, 4], p(1), 1, "NewRound"))
  })

  it("a single voter elects itself, but only by what it told itself", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1]) })
    peer.look()
    assert.deepStrictEqual(peer.looking().recvSet, new Map())
    peer.hears(1, "LOOKING", p(1), 1)
    assert.deepStrictEqual(peer.finalize(), [Peer.cancelTimer, {
      _tag: "Elected",
      vote: vote(p(1), 1),
      state: "LEADING",
      reason: { _tag: "Quorum", supporters: Peer.sids(1), runnerUp: null, ground: null }
    }])
  })

  it("anew from Looking, without the votes of the round before", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(2, "LOOKING", p(2), 1)
    peer.hears(3, "FOLLOWING", p(2), 1)
    peer.silence()
    assert.deepStrictEqual(peer.look(), [
      roundStarted(2, p(1)),
      ...peer.sends([1, 2, 3], p(1), 2, "NewRound"),
      timer("Notification", 200)
    ])
    assert.deepInclude(peer.looking(), { recvSet: new Map(), outOfElection: new Map(), notificationInterval: 200 })
  })

  it("anew after a leader, whose vote stays the current one until the next result", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(2, "LEADING", p(2, 5, 1), 7)
    peer.hears(3, "FOLLOWING", p(2, 5, 1), 7)
    assert.strictEqual(peer.settled().logicalClock, 7n)
    assert.deepStrictEqual(peer.event({ _tag: "LeaderLost" }), [])
    assert.deepInclude(peer.state(), { _tag: "Idle", recvQueue: [], restarting: false, logicalClock: 7n })
    assert.deepStrictEqual(peer.look({ zxid: 5 })[0], roundStarted(8, p(1, 5, 0)))
    assert.deepStrictEqual(peer.looking().currentVote, vote(p(2, 5, 1), 7))
  })

  it("a leader cannot be lost that is not there", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    for (const prepare of [() => {}, () => peer.look()]) {
      prepare()
      const before = peer.state()
      assert.deepStrictEqual(peer.event({ _tag: "LeaderLost" }), [])
      assert.strictEqual(peer.state(), before)
    }
  })

  it("the clock wraps as 64 bits do", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(2, "LOOKING", p(1), MAX_VALUE)
    peer.look()
    assert.strictEqual(peer.looking().logicalClock, MIN_VALUE)
  })
})

describe("silence (Java: lookForLeader, notTimeout; spec NotmsgTimeout)", () => {
  it("doubles the wait, up to the maximum, and says the proposal again", () => {
    const timing = { finalizeWait: 200, minNotificationInterval: 200, maxNotificationInterval: 1500 }
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2]), timing })
    peer.look()
    for (const after of [400, 800, 1500, 1500]) {
      assert.deepStrictEqual(peer.silence(), [...peer.sends([1, 2], p(1), 1, "Silence"), timer("Notification", after)])
    }
  })

  it("with nothing delivered to anybody asks for connections instead", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2]) })
    peer.look()
    assert.deepStrictEqual(peer.silence({ delivered: false, undelivered: [2] }), [
      { _tag: "ConnectAll" },
      timer("Notification", 400)
    ])
  })

  it("is over with any message, but the wait stays long until the next search", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.silence()
    assert.deepStrictEqual(peer.hears(2, "OBSERVING", p(2), 1), [
      ignored("SenderObserving", 2, "OBSERVING", p(2), 1),
      timer("Notification", 400)
    ])
    assert.deepStrictEqual(peer.look().at(-1), timer("Notification", 200))
  })

  it("says what is proposed now, not at first", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]) })
    peer.look()
    peer.hears(3, "LOOKING", p(3, 2, 1), 4)
    assert.deepStrictEqual(peer.silence().slice(0, -1), peer.sends([1, 2, 3], p(3, 2, 1), 4, "Silence"))
  })

  it("waits a minute at most by default", () => {
    const peer = Peer.make({ mySid: 1, verifier: majority([1, 2]) })
    peer.look()
    const waits = Array.from({ length: 10 }, () => peer.silence().at(-1))
    assert.deepStrictEqual(waits.slice(-3), [
      timer("Notification", 51_200),
      timer("Notification", 60_000),
      timer("Notification", 60_000)
    ])
  })
})
