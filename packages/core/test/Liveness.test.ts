import { assert, describe, it } from "@effect/vitest"
import * as Election from "../src/Election.ts"
import * as Ensemble from "../src/Ensemble.ts"
import * as Liveness from "../src/Liveness.ts"
import type { Notification } from "../src/Notification.ts"
import type { QuorumVerifier } from "../src/QuorumVerifier.ts"
import type { SettledState } from "../src/ServerState.ts"
import { majority, oracle, p, sids, vote } from "./support/Peer.ts"

const mySid = 1n

const membershipOf = (committed: QuorumVerifier) => Ensemble.membership({ mySid, committed })

const idle = Election.make(Ensemble.make({ mySid }), membershipOf(majority([1, 2, 3, 4, 5])), {
  lastLoggedZxid: 0n,
  currentEpoch: 0n
})

const settled = (state: SettledState, leader: number, committed: QuorumVerifier = majority([1, 2, 3, 4, 5])) => {
  const settled: Election.Settled = {
    _tag: "Settled",
  absent: new Map(),
    membership: membershipOf(committed),
    logicalClock: 7n,
    proposal: p(leader),
    currentVote: vote(p(leader), 7),
    state,
    supporters: new Set()
  }
  return settled
}

const [looking] = Election.step(Ensemble.make({ mySid }), idle, {
  _tag: "LookForLeader",
  lastLoggedZxid: 0n,
  currentEpoch: 0n
})

describe("the leader is lost", () => {
  const five = majority([1, 2, 3, 4, 5])
  const changing = Ensemble.membership({
    mySid,
    committed: majority([1, 2, 3]),
    lastSeen: majority([1, 4, 5], { version: 1 })
  })
  it.each<readonly [what: string, state: Election.State, present: ReadonlyArray<number>, reason: string | null]>([
    ["never by who is idle", idle, [], null],
    ["never by who looks", looking, [], null],
    ["by a follower without it", settled("FOLLOWING", 5), [2, 3, 4], "LinkToLeaderClosed"],
    ["by an observer without it", settled("OBSERVING", 5), [2, 3, 4], "LinkToLeaderClosed"],
    ["by nobody who has it, and nobody else", settled("FOLLOWING", 5), [5], null],
    ["by no observer who has it, and nobody else", settled("OBSERVING", 5), [5], null],
    ["by a leader alone", settled("LEADING", 1), [], "LinksLost"],
    ["by a leader with too few", settled("LEADING", 1), [2], "LinksLost"],
    ["by no leader with a quorum", settled("LEADING", 1), [2, 3], null],
    ["by a leader whose others have no vote", settled("LEADING", 1), [2, 8, 9], "LinksLost"],
    ["by no single voter", settled("LEADING", 1, majority([1])), [], null],
    ["by a leader with a quorum of one configuration", { ...settled("LEADING", 1), membership: changing }, [2],
      "LinksLost"],
    ["by no leader with a quorum of both configurations", { ...settled("LEADING", 1), membership: changing }, [2, 4],
      null],
    ["by a leader without a vote of its own", settled("LEADING", 1, majority([2, 3, 4])), [2], "LinksLost"]
  ])("%s", (_, state, present, reason) => {
    assert.strictEqual(Liveness.check(mySid, state, sids(...present)), reason)
  })

  it("only if the oracle does not make up for the other of two voters", () => {
    const state = settled("LEADING", 1, oracle([1, 2]))
    assert.strictEqual(Liveness.check(mySid, state, new Set(), true), null)
    assert.strictEqual(Liveness.check(mySid, state, new Set(), false), "LinksLost")
    assert.strictEqual(Liveness.check(mySid, settled("LEADING", 1, five), new Set(), true), "LinksLost")
  })
})

describe("a sender has left", () => {
  const says = (state: Notification["state"], electionEpoch: bigint, from = 2n): Notification => ({
    ...p(3),
    from,
    version: 2,
    state,
    electionEpoch,
    config: null
  })
  it.each<readonly [what: string, ours: Election.State, said: Notification, left: boolean]>([
    ["if it looks in a later round", settled("FOLLOWING", 5), says("LOOKING", 8n), true],
    ["also as seen by the leader", settled("LEADING", 1), says("LOOKING", 8n), true],
    ["also as seen by an observer", settled("OBSERVING", 5), says("LOOKING", 8n), true],
    ["not if it looks in the round we settled by", settled("FOLLOWING", 5), says("LOOKING", 7n), false],
    ["not if it looks in an older round", settled("FOLLOWING", 5), says("LOOKING", 6n), false],
    ["if it is the leader and looks in a later round", settled("FOLLOWING", 5), says("LOOKING", 8n, 5n), true],
    ["if it is the leader and looks in an older round", settled("FOLLOWING", 5), says("LOOKING", 6n, 5n), true],
    ["the same as an observer sees it", settled("OBSERVING", 5), says("LOOKING", 6n, 5n), true],
    ["not if it is the leader and looks in the round we settled by", settled("FOLLOWING", 5), says("LOOKING", 7n, 5n),
      false],
    ["not if it is the leader and says that it leads", settled("FOLLOWING", 5), says("LEADING", 6n, 5n), false],
    ["not if it is an older vote of our own that comes back", settled("LEADING", 1), says("LOOKING", 6n, 1n), false],
    ["not if it has a leader, in whatever round", settled("FOLLOWING", 5), says("FOLLOWING", 8n), false],
    ["not if it leads", settled("FOLLOWING", 5), says("LEADING", 8n), false],
    ["not if nobody knows what it does", settled("FOLLOWING", 5), says("UNKNOWN", 8n), false],
    ["not for who looks itself", looking, says("LOOKING", 8n), false],
    ["not for who is idle", idle, says("LOOKING", 8n), false]
  ])("%s", (_, ours, said, left) => {
    assert.strictEqual(Liveness.hasLeft(ours, said), left)
  })

  it("by the round of the vote, whatever our clock says meanwhile", () => {
    const ours = { ...settled("FOLLOWING", 5), logicalClock: 99n }
    assert.isTrue(Liveness.hasLeft(ours, says("LOOKING", 8n)))
  })
})
