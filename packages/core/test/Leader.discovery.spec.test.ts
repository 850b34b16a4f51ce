/**
 * The way into office, one test for each rule. The conversations that the original
 * is tested with, those that have a meaning with an empty history, are named after
 * its tests (Java: `Zab1_0Test`, `LeaderWithObserverTest`).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as QuorumPacket from "../src/QuorumPacket.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Chaos from "./support/Chaos.ts"
import { majority, members, sids } from "./support/Peer.ts"
import * as Random from "./support/Random.ts"
import * as Zab from "./support/Zab.ts"

const MINE = "434f4e4300000000"
const leaderInfo = (learner: number, epoch: number | bigint, lease = "00000000") =>
  `${learner} < LEADERINFO ${epoch}.0 00010000434f4e43${lease}`
const sync = (learner: number, epoch: number, version = 0) => [
  `${learner} < DIFF 0.0`,
  `${learner} < NEWLEADER ${epoch}.0 version=${version}`
]

describe("conversations of the original", () => {
  it("testNormalRun", () => {
    const one = Zab.leader()
    assert.deepStrictEqual(one.event({ _tag: "Started" }), ["SetTimer Quorum 200"])
    assert.deepStrictEqual(one.event({ _tag: "Connected", learner: 1 }), [])
    assert.deepStrictEqual(one.hears(1, Zab.info(1)), [
      "CancelTimer Quorum",
      "EpochDecided 1 by 1,3",
      "StoreAcceptedEpoch 1"
    ])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), ["SetTimer Quorum 200", leaderInfo(1, 1)])
    assert.deepStrictEqual(one.hears(1, Zab.ackEpoch(0)), ["CancelTimer Quorum", "StoreCurrentEpoch 1"])
    assert.deepStrictEqual(one.currentStored(0), ["SetTimer Quorum 200", ...sync(1, 1)])
    assert.deepStrictEqual(one.hears(1, Zab.ack(1)), [
      "CancelTimer Quorum",
      "Activated 1 by 1,3",
      "1 < UPTODATE -1",
      "LearnerSynced 1 true"
    ])
    // The second acknowledgement, of UPTODATE.
    assert.deepStrictEqual(one.hears(1, Zab.ack(1)), ["Ignored 1 NotNeeded ACK 1.0"])
    assert.strictEqual(one.state().zabState, "BROADCAST")
  })

  it("testLeaderInConnectingFollowers: two followers ask, and the leader's own epoch counts", () => {
    // It has to be up to propose: without Started it has decided nothing.
    const one = Zab.leader({ acceptedEpoch: 5 })
    one.event({ _tag: "Started" })
    assert.include(Zab.ask(one, 1, 1, { acceptedEpoch: 2 }), "EpochDecided 6 by 1,3")
  })

  it("testLastAcceptedEpoch: higher than all that any of them has accepted", () => {
    const one = Zab.leader({ acceptedEpoch: 5 })
    one.event({ _tag: "Started" })
    assert.include(Zab.ask(one, 1, 1, { acceptedEpoch: 6 }), "EpochDecided 7 by 1,3")
  })

  it("testLeaderInElectingFollowers: nobody is elected before it has accepted its epoch itself", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3, 4, 5]) })
    one.event({ _tag: "Started" })
    for (const sid of [1, 2, 4, 5]) Zab.ask(one, sid, sid)
    for (const sid of [1, 2, 4, 5]) {
      // Who answers before it is asked is not heard.
      assert.deepStrictEqual(one.hears(sid, Zab.ackEpoch(0)), [`Close ${sid} ${sid} UnexpectedPacket`])
    }
    assert.deepStrictEqual(one.state().electing, new Set())
    assert.deepStrictEqual(one.timedOut("Quorum", 0), ["SteppedDown NoEpochAckQuorum"])
  })

  it("testLeaderBehind: a follower that has accepted 20 makes it 21", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1, { acceptedEpoch: 20 })
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), ["SetTimer Quorum 200", leaderInfo(1, 21)])
    one.hears(1, Zab.ackEpoch(0))
    assert.deepStrictEqual(one.currentStored(0), ["SetTimer Quorum 200", ...sync(1, 21)])
    assert.include(one.hears(1, Zab.ack(21)), "Activated 21 by 1,3")
  })

  it("testAbandonBeforeACKEpoch: a follower silent beyond initLimit leaves the current epoch as it is", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(one.ticks(10), [])
    assert.deepStrictEqual(one.ticks(1), ["Close 1 1 Silent"])
    assert.deepStrictEqual(one.timedOut("Quorum", 0), ["SteppedDown NoEpochAckQuorum"])
    assert.isFalse(one.state().elected)
  })

  it("testUnnecessarySnap: a follower as far as the leader gets an empty DIFF", () => {
    const one = Zab.leader({ acceptedEpoch: 1, currentEpoch: 1, lastLoggedZxid: [1, 7] })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1, { acceptedEpoch: 1 })
    one.event({ _tag: "AcceptedEpochStored" })
    one.hears(1, Zab.ackEpoch(1, [1, 7]))
    assert.deepStrictEqual(one.currentStored(0).slice(1), [
      "1 < DIFF 1.7",
      "1 < NEWLEADER 2.0 version=0"
    ])
  })

  it("LeaderWithObserverTest: an observer helps in none of the three waits", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3], { observers: [4] }), acceptedEpoch: 5 })
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(Zab.ask(one, 4, 4, { type: "OBSERVERINFO" }), [])
    assert.include(Zab.ask(one, 1, 1), "EpochDecided 6 by 1,3")
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(one.hears(4, Zab.ackEpoch(0)), [])
    assert.include(one.hears(1, Zab.ackEpoch(0)), "StoreCurrentEpoch 6")
    one.currentStored(0)
    assert.deepStrictEqual(one.hears(4, Zab.ack(6)), [])
    assert.deepStrictEqual(one.hears(1, Zab.ack(6)), [
      "CancelTimer Quorum",
      "Activated 6 by 1,3",
      "4 < UPTODATE -1",
      "LearnerSynced 4 false",
      "1 < UPTODATE -1",
      "LearnerSynced 1 true"
    ])
  })

  it("an observer's epoch counts all the same, or it could not follow", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3], { observers: [4] }) })
    one.event({ _tag: "Started" })
    Zab.ask(one, 4, 4, { type: "OBSERVERINFO", acceptedEpoch: 8 })
    assert.include(Zab.ask(one, 1, 1), "EpochDecided 9 by 1,3")
  })
})

describe("an epoch", () => {
  it("is told to nobody before it is durable, and at once to who asks afterwards", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    assert.deepStrictEqual(Zab.ask(one, 2, 2), [])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), [
      "SetTimer Quorum 200",
      leaderInfo(1, 1),
      leaderInfo(2, 1)
    ])
    assert.deepStrictEqual(Zab.ask(one, 3, 7), [leaderInfo(3, 1)])
  })

  it("once decided is told to who has accepted a higher one too; it will refuse it", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    assert.deepStrictEqual(Zab.ask(one, 2, 2, { acceptedEpoch: 9 }), [])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }).slice(1), [leaderInfo(1, 1), leaderInfo(2, 1)])
    assert.deepStrictEqual(Zab.ask(one, 3, 2, { acceptedEpoch: 9 }), ["Close 2 2 Replaced", leaderInfo(3, 1)])
  })

  it("needs voters: a stranger neither counts nor raises it", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(Zab.ask(one, 1, 9, { acceptedEpoch: 2n ** 31n - 1n }), [])
    assert.include(Zab.ask(one, 2, 1), "EpochDecided 1 by 1,3")
  })

  it.each<readonly [accepted: bigint, outputs: ReadonlyArray<string>]>([
    [2n ** 31n - 2n, ["CancelTimer Quorum", `EpochDecided ${2n ** 31n - 1n} by 1,3`,
      `StoreAcceptedEpoch ${2n ** 31n - 1n}`]],
    // It would arrive as a negative number.
    [2n ** 31n - 1n, ["SteppedDown EpochsExhausted", "Close 1 1 SteppedDown"]]
  ])("after %d must fit into 31 bits", (acceptedEpoch, outputs) => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(Zab.ask(one, 1, 1, { acceptedEpoch }), outputs)
  })

  it("is accepted by who had not accepted it before; -1 does not count", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3, 4, 5]) })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    Zab.ask(one, 2, 2)
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(one.hears(1, Zab.ackEpoch(-1)), [])
    assert.deepStrictEqual(one.hears(2, Zab.ackEpoch(0)), [])
    assert.deepStrictEqual(one.state().electing, sids(3, 2))
    Zab.ask(one, 4, 4)
    assert.include(one.hears(4, Zab.ackEpoch(0)), "StoreCurrentEpoch 1")
    // It is brought in sync like the others.
    assert.deepStrictEqual(one.currentStored(0).slice(1), [
      ...sync(1, 1),
      ...sync(2, 1),
      ...sync(4, 1)
    ])
  })

  it("is not accepted by who has a database that must not be trusted", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(one.hears(1, Zab.ackEpoch(0, -1n)), [])
    assert.deepStrictEqual(one.state().electing, sids(3))
  })

  it("counts once, however often its voter connects", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3, 4, 5]) })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    assert.deepStrictEqual(Zab.ask(one, 2, 1), ["Close 1 1 Replaced"])
    assert.deepStrictEqual(one.state().connecting, sids(1, 3))
    assert.include(Zab.ask(one, 3, 2), "EpochDecided 1 by 1,2,3")
    one.event({ _tag: "AcceptedEpochStored" })
    one.hears(2, Zab.ackEpoch(0))
    Zab.ask(one, 4, 1)
    assert.deepStrictEqual(one.hears(4, Zab.ackEpoch(-1)), [])
    assert.deepStrictEqual(one.state().electing, sids(1, 3))
  })

  it("stands with its voter gone, as what it has written does", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    assert.deepStrictEqual(one.event({ _tag: "Disconnected", learner: 1 }), [])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), ["SetTimer Quorum 200"])
    assert.deepStrictEqual(Zab.ask(one, 2, 1), [leaderInfo(2, 1)])
    one.hears(2, Zab.ackEpoch(0))
    one.event({ _tag: "Disconnected", learner: 2 })
    assert.deepStrictEqual(one.currentStored(0), ["SetTimer Quorum 200"])
  })

  it("of an ensemble of one is its own", () => {
    const one = Zab.leader({ verifier: majority([3]), acceptedEpoch: 4 })
    assert.deepStrictEqual(one.event({ _tag: "Started" }), [
      "SetTimer Quorum 200",
      "CancelTimer Quorum",
      "EpochDecided 5 by 3",
      "StoreAcceptedEpoch 5"
    ])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), [
      "SetTimer Quorum 200",
      "CancelTimer Quorum",
      "StoreCurrentEpoch 5"
    ])
    assert.deepStrictEqual(one.currentStored(0), [
      "SetTimer Quorum 200",
      "CancelTimer Quorum",
      "Activated 5 by 3"
    ])
  })
})

describe("a history", () => {
  it.each<readonly [what: string, currentEpoch: number, zxid: Zab.Short, closed: boolean]>([
    ["as far as ours", 2, [2, 5], false],
    ["less far", 2, [2, 4], false],
    ["of an earlier epoch, whatever its zxid", 1, [2, 9], false],
    ["further", 2, [2, 6], true],
    ["of a later epoch, whatever its zxid", 3, [1, 0], true]
  ])("%s", (_, currentEpoch, zxid, closed) => {
    const one = Zab.leader({ acceptedEpoch: 3, currentEpoch: 2, lastLoggedZxid: [2, 5] })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(
      one.hears(1, Zab.ackEpoch(currentEpoch, zxid)),
      closed ? ["Close 1 1 AheadOfLeader"] : ["CancelTimer Quorum", "StoreCurrentEpoch 4"]
    )
  })

  it("that goes further is taken once a quorum has accepted the epoch; the original would cut it", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    Zab.ask(one, 2, 2)
    one.event({ _tag: "AcceptedEpochStored" })
    one.hears(1, Zab.ackEpoch(0))
    assert.deepStrictEqual(one.hears(2, Zab.ackEpoch(7, [7, 7])), [])
    one.currentStored(0)
    Zab.ask(one, 3, 9)
    assert.deepStrictEqual(one.hears(3, Zab.ackEpoch(8, [8, 8])), sync(3, 1))
  })
})

describe("whom a leader does not take", () => {
  type Row = readonly [what: string, options: Zab.LeaderOptions, packet: QuorumPacket.QuorumPacket, closed: string]
  const lease = Zab.lease
  it.each<Row>([
    ["who does not begin with who it is", {}, Zab.ack(1), "UnexpectedPacket"],
    ["who does not say who it is", {}, QuorumPacket.make("FOLLOWERINFO", 0n), "ProtocolTooOld"],
    ["a server of before 3.4", {}, Zab.info(1, { protocolVersion: 1, lease: null }), "ProtocolTooOld"],
    ["a real one, without data for it", {}, Zab.info(1, { lease: null }), "Foreign"],
    ["who has our own id", {}, Zab.info(3), "OwnSid"],
    ["who has a later configuration", {}, Zab.info(1, { configVersion: 1 }), "LaterConfig"],
    ["a voter without a lease", { lease }, Zab.info(1, { lease: 0 }), "LeaseTooLong"],
    ["a voter with a shorter lease", { lease }, Zab.info(1, { lease: 49 }), "LeaseTooLong"],
    ["a real voter, which grants none", { lease, acceptForeign: true }, Zab.info(1, { lease: null }), "LeaseTooLong"]
  ])("%s", (_, options, packet, reason) => {
    const one = Zab.leader(options)
    one.event({ _tag: "Started" })
    one.event({ _tag: "Connected", learner: 1 })
    const [closed, ...more] = one.hears(1, packet)
    assert.match(closed ?? "", new RegExp(`^Close 1 .*${reason}$`))
    assert.deepStrictEqual(more, [])
    // It has counted for nothing, and what it says further is not heard.
    assert.deepStrictEqual(one.state().connecting, sids(3))
    assert.deepStrictEqual(one.hears(1, Zab.info(2)), ["Ignored 1 Over FOLLOWERINFO 0.0 " +
      `000000000000000200010000${"0".repeat(16)}${MINE}`])
  })

  it.each<readonly [what: string, options: Zab.LeaderOptions, info: Zab.InfoOptions, sid: number]>([
    ["a real one if it is told to", { acceptForeign: true }, { lease: null }, 1],
    ["a voter with a longer lease", { lease }, { lease: 51 }, 1],
    ["a stranger without a lease: it does not count", { lease }, { lease: 0 }, 9],
    ["who has an earlier configuration", { verifier: majority([1, 2, 3], { version: 5 }) }, { configVersion: 4 }, 1]
  ])("but %s", (_, options, info, sid) => {
    const one = Zab.leader(options)
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, sid, info)
    assert.strictEqual(one.state().learners.get(1)?.stage, "AwaitingEpoch")
  })

  it.each<readonly [stage: string, prepare: (one: Zab.LeaderSubject) => void, packet: QuorumPacket.QuorumPacket]>([
    ["before the epoch is decided", () => undefined, Zab.ackEpoch(0)],
    ["instead of ACKEPOCH", (one) => one.event({ _tag: "AcceptedEpochStored" }), Zab.ack(1)],
    ["an ACKEPOCH without an epoch", (one) => one.event({ _tag: "AcceptedEpochStored" }),
      QuorumPacket.make("ACKEPOCH", 0n)],
    ["before NEWLEADER", (one) => {
      one.event({ _tag: "AcceptedEpochStored" })
      one.hears(1, Zab.ackEpoch(0))
    }, Zab.ack(1)],
    ["instead of ACK", (one) => {
      one.event({ _tag: "AcceptedEpochStored" })
      one.hears(1, Zab.ackEpoch(0))
      one.currentStored(0)
    }, Zab.pong()],
    ["an ACK of another epoch", (one) => {
      one.event({ _tag: "AcceptedEpochStored" })
      one.hears(1, Zab.ackEpoch(0))
      one.currentStored(0)
    }, Zab.ack(2)]
  ])("who says what the protocol does not have there: %s", (_, prepare, packet) => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    prepare(one)
    assert.deepStrictEqual(one.hears(1, packet), ["Close 1 1 UnexpectedPacket"])
  })

  it("who says more before UPTODATE", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3, 4, 5]) })
    one.event({ _tag: "Started" })
    for (const sid of [1, 2]) Zab.ask(one, sid, sid)
    one.event({ _tag: "AcceptedEpochStored" })
    for (const sid of [1, 2]) one.hears(sid, Zab.ackEpoch(0))
    one.currentStored(0)
    assert.deepStrictEqual(one.hears(1, Zab.ack(1)), [])
    assert.deepStrictEqual(one.hears(1, Zab.pong()), ["Close 1 1 UnexpectedPacket"])
    // Its acknowledgement stands.
    assert.include(one.hears(2, Zab.ack(1)), "Activated 1 by 1,2,3")
  })
})

describe("both configurations while one is pending", () => {
  const lastSeen = majority([3, 4, 5], { version: 7 })

  it("the committed one alone decides the epoch and who accepted it, both who leads", () => {
    const one = Zab.leader({ lastSeen })
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(Zab.ask(one, 4, 4), [])
    assert.include(Zab.ask(one, 1, 1), "EpochDecided 1 by 1,3")
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(one.hears(4, Zab.ackEpoch(0)), [])
    assert.include(one.hears(1, Zab.ackEpoch(0)), "StoreCurrentEpoch 1")
    const synchronized = one.currentStored(0).slice(1)
    assert.deepStrictEqual(synchronized, [...sync(4, 1, 7), ...sync(1, 1, 7)])
    assert.deepStrictEqual(one.hears(1, Zab.ack(1)), [])
    assert.include(one.hears(4, Zab.ack(1)), "Activated 1 by 1,3,4")
    assert.include(one.ticks(1), "1 < PING 1.0")
    one.event({ _tag: "Disconnected", learner: 4 })
    assert.include(one.ticks(1), "SteppedDown QuorumLost")
  })
})

describe("verifiers with weights", () => {
  const hierarchy = Result.getOrThrow(QuorumVerifier.hierarchical({
    servers: members([1, 2, 3, 4, 5, 6]),
    groups: new Map([[1n, [1n, 2n, 3n]], [2n, [4n, 5n, 6n]]]),
    weights: new Map([[2n, 0n], [6n, 0n]])
  }))

  it("need a majority of weight in a majority of groups, and a voter without weight adds nothing", () => {
    const one = Zab.leader({ verifier: hierarchy })
    one.event({ _tag: "Started" })
    for (const sid of [2, 1, 4, 6]) assert.deepStrictEqual(Zab.ask(one, sid, sid), [], `${sid}`)
    assert.include(Zab.ask(one, 5, 5), "EpochDecided 1 by 1,2,3,4,5,6")
    one.event({ _tag: "AcceptedEpochStored" })
    for (const sid of [1, 2, 4, 6]) assert.deepStrictEqual(one.hears(sid, Zab.ackEpoch(0)), [])
    assert.include(one.hears(5, Zab.ackEpoch(0)), "StoreCurrentEpoch 1")
    one.currentStored(0)
    for (const sid of [5, 2, 4, 6]) assert.deepStrictEqual(one.hears(sid, Zab.ack(1)), [])
    assert.include(one.hears(1, Zab.ack(1)), "Activated 1 by 1,2,3,4,5,6")
  })

  it("never decide, elect or activate without a quorum, whatever the weights and whoever comes in which order", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = Random.make(seed)
      const verifier = Chaos.hierarchical(random, [1, 2, 3, 4, 5])
      const one = Zab.leader({ verifier })
      const order = [1, 2, 4, 5].toSorted(() => random.below(3) - 1)
      const present = new Set([3n])
      const isQuorum = () => QuorumVerifier.containsQuorum(verifier, present)
      one.event({ _tag: "Started" })
      for (const sid of order) {
        assert.strictEqual(one.state().decided, isQuorum(), `seed ${seed}`)
        present.add(BigInt(sid))
        Zab.ask(one, sid, sid)
      }
      assert.isTrue(one.state().decided, `seed ${seed}`)
      one.event({ _tag: "AcceptedEpochStored" })
      present.clear()
      present.add(3n)
      for (const sid of order) {
        assert.strictEqual(one.state().elected, isQuorum(), `seed ${seed}`)
        present.add(BigInt(sid))
        one.hears(sid, Zab.ackEpoch(0))
      }
    }
  })
})

describe("the limits", () => {
  it("no quorum asks within initLimit", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    one.event({ _tag: "Connected", learner: 1 })
    assert.deepStrictEqual(one.timedOut("Quorum", 0), [
      "SteppedDown NoEpochQuorum",
      "Close 1  SteppedDown"
    ])
  })

  it("no quorum is in sync within initLimit", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    one.event({ _tag: "AcceptedEpochStored" })
    one.hears(1, Zab.ackEpoch(0))
    one.currentStored(0)
    assert.deepStrictEqual(one.timedOut("Quorum", 0), [
      "SteppedDown NoSyncQuorum",
      "Close 1 1 SteppedDown"
    ])
  })

  it("a timer that comes too late has no effect", () => {
    const one = Zab.leader()
    Zab.activate(one, [1])
    assert.deepStrictEqual(one.timedOut("Quorum", 0), [])
  })

  it("who does not say who it is within initLimit ticks is closed, not a tick earlier", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    one.event({ _tag: "Connected", learner: 1 })
    one.ticks(10)
    assert.strictEqual(one.state().learners.size, 1)
    assert.deepStrictEqual(one.event({ _tag: "HalfTick", at: 0 }), [])
    assert.deepStrictEqual(one.event({ _tag: "HalfTick", at: 0 }), ["Close 1  Silent"])
  })

  it("who waits for us may wait as long as we do", () => {
    const one = Zab.leader({ verifier: majority([1, 2, 3, 4, 5]) })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    one.ticks(100)
    assert.strictEqual(one.state().learners.size, 1)
  })

  it.each(["decided", "elected"] as const)("an epoch that cannot be written once %s ends it", (when) => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    if (when === "elected") {
      one.event({ _tag: "AcceptedEpochStored" })
      one.hears(1, Zab.ackEpoch(0))
    }
    assert.deepStrictEqual(one.event({ _tag: "StoreFailed" }), [
      "SteppedDown StorageFailed",
      "Close 1 1 SteppedDown"
    ])
  })

  it("what is confirmed to be stored twice, or before it was asked for, changes nothing", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), [])
    assert.deepStrictEqual(one.currentStored(0), [])
    Zab.activate(one, [1])
    const before = one.state()
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), [])
    assert.deepStrictEqual(one.currentStored(0), [])
    assert.strictEqual(one.state(), before)
  })
})
