import { assert, describe, it } from "@effect/vitest"
import * as Ensemble from "../src/Ensemble.ts"
import type { ServerState } from "../src/ServerState.ts"
import type * as Vote from "../src/Vote.ts"
import * as VoteTracker from "../src/VoteTracker.ts"
import * as Zxid from "../src/Zxid.ts"
import * as Peer from "./support/Peer.ts"
import { majority } from "./support/Peer.ts"

type Row = readonly [
  version: number,
  leader: number,
  zxid: readonly [epoch: number, counter: number],
  round: number,
  peerEpoch: number,
  state: ServerState
]

const vote = ([version, leader, [epoch, counter], round, peerEpoch, state]: Row): Vote.Vote => ({
  version,
  leader: BigInt(leader),
  zxid: Zxid.make(BigInt(epoch), BigInt(counter)),
  electionEpoch: BigInt(round),
  peerEpoch: BigInt(peerEpoch),
  state
})

const membership = (voters: ReadonlyArray<number>, pending?: ReadonlyArray<number>) =>
  Ensemble.membership({
    mySid: 3n,
    committed: majority(voters),
    lastSeen: pending && majority(pending, { version: 1 })
  })

describe("VoteTracker (Java: FLEOutOfElectionTest)", () => {
  const five = membership([0, 1, 2, 3, 4])
  it.each<readonly [
    test: string,
    votes: ReadonlyArray<readonly [sid: number, vote: Row]>,
    candidate: Row,
    supporters: ReadonlyArray<number>,
    quorum: boolean
  ]>([
    [
      "testIgnoringZxidElectionEpoch",
      [
        [0, [1, 4, [1, 1], 1, 2, "FOLLOWING"]],
        [1, [1, 4, [1, 2], 1, 2, "FOLLOWING"]],
        [3, [1, 4, [2, 1], 2, 2, "FOLLOWING"]],
        [4, [1, 4, [2, 1], 2, 2, "LEADING"]]
      ],
      [0, 4, [2, 1], 2, 2, "FOLLOWING"],
      [0, 1, 3, 4],
      true
    ],
    [
      "testElectionWIthDifferentVersion",
      [
        [0, [1, 4, [1, 1], 1, 1, "FOLLOWING"]],
        [1, [1, 4, [1, 1], 1, 1, "FOLLOWING"]],
        [3, [0, 4, [2, 1], 2, 2, "FOLLOWING"]],
        [4, [0, 4, [2, 1], 2, 2, "LEADING"]]
      ],
      [0, 4, [2, 1], 2, 2, "FOLLOWING"],
      [0, 1, 3, 4],
      true
    ],
    [
      "testLookingNormal",
      [
        [0, [0, 4, [2, 1], 1, 1, "LOOKING"]],
        [1, [0, 4, [2, 1], 1, 1, "LOOKING"]],
        [3, [0, 4, [2, 1], 1, 1, "LOOKING"]],
        [4, [0, 4, [2, 1], 1, 1, "LEADING"]]
      ],
      [0, 4, [2, 1], 1, 1, "LOOKING"],
      [0, 1, 3, 4],
      true
    ],
    [
      "testLookingDiffRounds",
      [
        [0, [0, 4, [1, 1], 1, 1, "LOOKING"]],
        [1, [0, 4, [2, 1], 2, 2, "LOOKING"]],
        [3, [0, 4, [2, 1], 3, 2, "LOOKING"]],
        [4, [0, 4, [2, 1], 3, 2, "LEADING"]]
      ],
      [0, 4, [2, 1], 2, 2, "LOOKING"],
      [1],
      false
    ],
    [
      "testOutofElection: 5 votes as the others, and has no vote",
      [
        [1, [0, 5, [15, 0], 0xa, 0x17, "FOLLOWING"]],
        [2, [0, 5, [15, 0], 0xa, 0x17, "FOLLOWING"]],
        [4, [1, 5, [15, 0], 0xa, 0x18, "FOLLOWING"]],
        [5, [1, 5, [15, 0], 0xa, 0x18, "LEADING"]]
      ],
      [1, 5, [15, 0], 0xa, 0x18, "LEADING"],
      [1, 2, 4, 5],
      true
    ],
    [
      "as it, without 4: two of five, and a stranger",
      [
        [1, [0, 5, [15, 0], 0xa, 0x17, "FOLLOWING"]],
        [2, [0, 5, [15, 0], 0xa, 0x17, "FOLLOWING"]],
        [5, [1, 5, [15, 0], 0xa, 0x18, "LEADING"]]
      ],
      [1, 5, [15, 0], 0xa, 0x18, "LEADING"],
      [1, 2, 5],
      false
    ],
    [
      "as it, all in one format: another peer epoch does not count",
      [
        [1, [1, 5, [15, 0], 0xa, 0x17, "FOLLOWING"]],
        [2, [1, 5, [15, 0], 0xa, 0x17, "FOLLOWING"]],
        [4, [1, 5, [15, 0], 0xa, 0x18, "FOLLOWING"]],
        [5, [1, 5, [15, 0], 0xa, 0x18, "LEADING"]]
      ],
      [1, 5, [15, 0], 0xa, 0x18, "LEADING"],
      [4, 5],
      false
    ],
    [
      "another leader counts for nothing",
      [[0, [1, 3, [2, 1], 1, 1, "LOOKING"]], [1, [1, 4, [2, 1], 1, 1, "LOOKING"]]],
      [0, 4, [2, 1], 1, 1, "LOOKING"],
      [1],
      false
    ]
  ])("%s", (_, votes, candidate, expected, quorum) => {
    const stored = new Map(votes.map(([sid, row]) => [BigInt(sid), vote(row)]))
    const supporters = VoteTracker.supporters(stored, vote(candidate))
    assert.deepStrictEqual(Array.from(supporters), expected.map(BigInt))
    assert.strictEqual(VoteTracker.hasAllQuorums(five, supporters, false), quorum)
  })
})

describe("VoteTracker while a configuration is pending (Java: SyncedLearnerTracker)", () => {
  const both = membership([1, 2, 3], [3, 4, 5, 6])

  it.each<readonly [supporters: ReadonlyArray<number>, quorum: boolean]>([
    [[1, 2], false],
    [[4, 5, 6], false],
    [[1, 2, 4, 5], false],
    [[1, 2, 4, 5, 6], true],
    [[1, 3, 4, 5], true],
    [[2, 3, 4, 9], false]
  ])("%j are a quorum of each: %s", (supporters, quorum) => {
    assert.strictEqual(VoteTracker.hasAllQuorums(both, Peer.sids(...supporters), false), quorum)
  })

  it("a supporter counts in full only if it votes in each (hasSid)", () => {
    const supporters = Peer.sids(1, 3, 4)
    const counted = [1n, 2n, 3n, 4n].filter((sid) => VoteTracker.hasSid(both, supporters, sid))
    assert.deepStrictEqual(counted, [3n])
  })

  it("the oracle speaks only where there is one", () => {
    const two = Ensemble.membership({
      mySid: 1n,
      committed: Peer.oracle([1, 2]),
      lastSeen: majority([1, 2, 3], { version: 1 })
    })
    assert.isFalse(VoteTracker.hasAllQuorums(two, Peer.sids(1), true))
    assert.isTrue(VoteTracker.hasAllQuorums(two, Peer.sids(1, 3), true))
    assert.isFalse(VoteTracker.hasAllQuorums(two, Peer.sids(1, 3), false))
  })
})

describe("record", () => {
  const votes = new Map([[1n, vote([2, 1, [1, 1], 1, 1, "LOOKING"])], [2n, vote([2, 2, [1, 1], 1, 1, "LOOKING"])]])

  it("takes the place of the sender's last vote, and leaves the votes of before as they were", () => {
    const before = Array.from(votes)
    const changed = vote([2, 2, [1, 1], 1, 1, "LOOKING"])
    assert.deepStrictEqual(Array.from(VoteTracker.record(votes, 1n, changed)), [[1n, changed], before[1]])
    assert.deepStrictEqual(Array.from(VoteTracker.record(votes, 3n, changed)), [...before, [3n, changed]])
    assert.deepStrictEqual(Array.from(votes), before)
  })

  it("is nothing new if the sender says the same again", () => {
    assert.strictEqual(VoteTracker.record(votes, 1n, vote([2, 1, [1, 1], 1, 1, "LOOKING"])), votes)
    assert.notStrictEqual(VoteTracker.record(votes, 1n, vote([2, 1, [1, 1], 1, 1, "LEADING"])), votes)
  })
})
