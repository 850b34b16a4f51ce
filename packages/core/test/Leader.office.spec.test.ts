/**
 * In office: pings, the quorum that answers them, the lease, and the ways out. One
 * test for each rule (Java: the loop of `Leader.lead`, `LearnerHandler`).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Leader from "../src/Leader.ts"
import * as QuorumPacket from "../src/QuorumPacket.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Zxid from "../src/Zxid.ts"
import { majority, members, oracle } from "./support/Peer.ts"
import * as Random from "./support/Random.ts"
import * as Zab from "./support/Zab.ts"

const five = majority([1, 2, 3, 4, 5])

/** A leader with these learners in sync. */
const inOffice = (sids: ReadonlyArray<number>, options: Zab.LeaderOptions = {}, info: Zab.InfoOptions = {}) => {
  const one = Zab.leader(options)
  Zab.activate(one, sids, { lease: options.lease?.duration ?? 0, ...info })
  assert.strictEqual(one.state().zabState, "BROADCAST")
  return one
}

const half = (one: Zab.LeaderSubject, at = 0, asked?: boolean) =>
  one.event({ _tag: "HalfTick", at, ...(asked === undefined ? {} : { oracle: asked }) })

describe("pings", () => {
  it("go to all in sync, twice a tick, and say the epoch", () => {
    const one = inOffice([1, 2])
    for (let index = 0; index < 4; index++) {
      assert.deepStrictEqual(half(one), ["1 < PING 1.0", "2 < PING 1.0"])
      for (const sid of [1, 2]) one.hears(sid, Zab.pong())
    }
  })

  it("do not go to who is not in sync yet", () => {
    const one = inOffice([1])
    Zab.ask(one, 2, 2)
    assert.deepStrictEqual(half(one), ["1 < PING 1.0"])
  })

  it("that somebody answers for syncLimit ticks at the latest, whatever it says, keep it", () => {
    const one = inOffice([1, 2])
    one.ticks(5)
    assert.deepStrictEqual(one.hears(2, QuorumPacket.make("REQUEST", -1n)), ["Ignored 2 NotNeeded REQUEST -1"])
    assert.strictEqual(one.state().learners.size, 2)
    half(one)
    assert.deepStrictEqual(half(one), ["Close 1 1 Silent", "2 < PING 1.0"])
    one.ticks(4)
    assert.deepStrictEqual(one.ticks(1), ["Close 2 2 Silent", "SteppedDown QuorumLost"])
  })

  it("that somebody never answers, though it says other things, end it too, or they would fill our memory", () => {
    const one = inOffice([1, 2])
    const chatter = () => one.hears(1, QuorumPacket.make("REVALIDATE", -1n))
    let pings = 0
    for (; one.state().learners.has(1); pings++) {
      assert.isBelow(pings, 100)
      chatter()
      half(one)
      one.hears(2, Zab.pong())
    }
    assert.isAbove(pings, 20)
  })
})

describe("a quorum", () => {
  it("is counted once in a tick, and is everybody who is there", () => {
    const one = inOffice([1, 2])
    one.event({ _tag: "Disconnected", learner: 1 })
    assert.deepStrictEqual(one.ticks(1), ["2 < PING 1.0"])
    one.event({ _tag: "Disconnected", learner: 2 })
    assert.deepStrictEqual(half(one), [])
    assert.deepStrictEqual(half(one), ["SteppedDown QuorumLost"])
  })

  it("is not made of observers", () => {
    const one = inOffice([1, 4], { verifier: majority([1, 2, 3], { observers: [4] }) })
    one.event({ _tag: "Disconnected", learner: 1 })
    assert.deepStrictEqual(one.ticks(1), ["SteppedDown QuorumLost", "Close 2 4 SteppedDown"])
  })

  it("may be made of who is on the way to be in sync, as in the original", () => {
    const one = inOffice([1])
    Zab.ask(one, 2, 2)
    one.event({ _tag: "Disconnected", learner: 1 })
    assert.deepStrictEqual(one.ticks(1), [])
  })

  it("of two is given up by the oracle's word alone", () => {
    const one = inOffice([1], { mySid: 2, verifier: oracle([1, 2]) })
    one.event({ _tag: "Disconnected", learner: 1 })
    half(one)
    assert.deepStrictEqual(half(one, 0, true), [])
    half(one)
    assert.deepStrictEqual(half(one, 0, false), ["SteppedDown QuorumLost"])
  })

  it("of two does not come into office by the oracle: its epochs would not be its own", () => {
    const one = Zab.leader({ mySid: 2, verifier: oracle([1, 2]) })
    one.event({ _tag: "Started" })
    for (let index = 0; index < 4; index++) half(one, 0, true)
    assert.isFalse(one.state().decided)
  })

  it("of one is there", () => {
    const one = inOffice([], { verifier: majority([3]) })
    assert.deepStrictEqual(one.ticks(100), [])
  })
})

describe("who comes later", () => {
  it("gets the epoch, is brought in sync, and counts from UPTODATE on", () => {
    const one = inOffice([1])
    assert.deepStrictEqual(Zab.ask(one, 2, 2, { acceptedEpoch: 1 }), ["2 < LEADERINFO 1.0 00010000434f4e4300000000"])
    assert.deepStrictEqual(one.hears(2, Zab.ackEpoch(-1)), ["2 < DIFF 0.0", "2 < NEWLEADER 1.0 version=0"])
    assert.deepStrictEqual(one.hears(2, Zab.ack(1)), ["2 < UPTODATE -1", "LearnerSynced 2 true"])
  })

  it("takes the place of itself", () => {
    const one = inOffice([1])
    assert.deepStrictEqual(Zab.ask(one, 2, 1, { acceptedEpoch: 1 }), [
      "Close 1 1 Replaced",
      "2 < LEADERINFO 1.0 00010000434f4e4300000000"
    ])
    assert.deepStrictEqual(one.hears(1, Zab.pong()), ["Ignored 1 Over PING 0.0 empty"])
    assert.deepStrictEqual(one.event({ _tag: "Disconnected", learner: 1 }), [])
    assert.strictEqual(one.state().learners.get(2)?.stage, "EpochSent")
  })

  it("has initLimit ticks for each step", () => {
    const one = inOffice([1])
    Zab.ask(one, 2, 2)
    const alive = () => one.hears(1, Zab.pong())
    for (let tick = 0; tick < 10; tick++) {
      one.ticks(1)
      alive()
    }
    one.hears(2, Zab.ackEpoch(0))
    for (let tick = 0; tick < 10; tick++) {
      one.ticks(1)
      alive()
    }
    half(one)
    assert.deepStrictEqual(half(one), ["Close 2 2 Silent", "1 < PING 1.0"])
  })
})

describe("a lease", () => {
  const { lease } = Zab
  const options = { verifier: five, lease }

  it("is asked for at once: there is none until a quorum has answered", () => {
    const one = Zab.leader({ lease })
    const outputs = Zab.activate(one, [1], { lease: 50 }, 1000)
    assert.deepStrictEqual(outputs, [
      "CancelTimer Quorum",
      "Activated 1 by 1,3",
      "1 < UPTODATE -1",
      "LearnerSynced 1 true",
      "1 < PING 1.0"
    ])
    assert.isNull(one.state().leaseUntil)
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 1007), ["LeaseExtended 1050", "SetTimer Lease 33"])
  })

  it("is told in LEADERINFO", () => {
    const one = Zab.leader({ lease })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1, { lease: 60 })
    assert.include(one.event({ _tag: "AcceptedEpochStored" }), "1 < LEADERINFO 1.0 00010000434f4e4300000032")
  })

  it("counts from when the ping was sent that the answer belongs to, the oldest first", () => {
    const one = inOffice([1], { lease })
    half(one, 10)
    half(one, 20)
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 30), ["LeaseExtended 50", "SetTimer Lease 10"])
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 31), ["LeaseExtended 60", "SetTimer Lease 19"])
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 32), ["LeaseExtended 70", "SetTimer Lease 28"])
    // An answer to nothing.
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 33), [])
  })

  it("needs a quorum, each with its newest answer", () => {
    const one = inOffice([1, 2, 4], options)
    half(one, 20)
    const answers = (sid: number, at: number) => one.hears(sid, Zab.pong(), at)
    assert.deepStrictEqual(answers(1, 21), [])
    assert.deepStrictEqual(answers(1, 22), [])
    assert.deepStrictEqual(answers(2, 23), ["LeaseExtended 50", "SetTimer Lease 17"])
    assert.deepStrictEqual(answers(3, 24), [])
    assert.deepStrictEqual(answers(3, 25), ["LeaseExtended 70", "SetTimer Lease 35"])
  })

  it("is not granted by observers and strangers", () => {
    const one = inOffice([1, 4, 9], { verifier: majority([1, 2, 3], { observers: [4] }), lease })
    assert.deepStrictEqual(one.hears(2, Zab.pong(), 1), [])
    assert.deepStrictEqual(one.hears(3, Zab.pong(), 1), [])
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 1), ["LeaseExtended 50", "SetTimer Lease 39"])
  })

  it("needs both configurations while one is pending", () => {
    const one = inOffice([1, 4], { lastSeen: majority([3, 4, 5], { version: 7 }), lease })
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 1), [])
    assert.deepStrictEqual(one.hears(2, Zab.pong(), 2), ["LeaseExtended 50", "SetTimer Lease 38"])
  })

  it("stands for who is gone: its pledge does", () => {
    const one = inOffice([1, 2], options)
    one.hears(1, Zab.pong(), 1)
    one.event({ _tag: "Disconnected", learner: 1 })
    assert.deepStrictEqual(one.hears(2, Zab.pong(), 2), ["LeaseExtended 50", "SetTimer Lease 38"])
  })

  it("too short to be of use is none", () => {
    const one = inOffice([1], { lease })
    assert.deepStrictEqual(one.hears(1, Zab.pong(), 40), [])
    assert.isNull(one.state().leaseUntil)
  })

  it("of an ensemble of one is its own, from office on and at every ping", () => {
    const one = Zab.leader({ verifier: majority([3]), lease })
    one.event({ _tag: "Started" })
    one.event({ _tag: "AcceptedEpochStored" })
    assert.deepStrictEqual(one.currentStored(100).slice(2), [
      "Activated 1 by 3",
      "LeaseExtended 150",
      "SetTimer Lease 40"
    ])
    assert.deepStrictEqual(half(one, 110), ["LeaseExtended 160", "SetTimer Lease 40"])
  })

  it("that ends ends office, the grace before", () => {
    const one = inOffice([1], { lease })
    one.hears(1, Zab.pong(), 1)
    assert.deepStrictEqual(one.timedOut("Lease", 40), [
      "SteppedDown LeaseExpired",
      "Close 1 1 SteppedDown"
    ])
  })

  it("is judged by the clock: a timer that is early, or set before the lease was extended, is set again", () => {
    const one = inOffice([1], { lease })
    half(one, 20)
    one.hears(1, Zab.pong(), 21)
    assert.deepStrictEqual(one.timedOut("Lease", 39.5), ["SetTimer Lease 0.5"])
    one.hears(1, Zab.pong(), 39.6)
    assert.deepStrictEqual(one.timedOut("Lease", 40), ["SetTimer Lease 20"])
    assert.deepStrictEqual(one.timedOut("Lease", 60)[0], "SteppedDown LeaseExpired")
  })

  it("cannot be kept on the oracle's word, though office can", () => {
    const one = inOffice([1], { mySid: 2, verifier: oracle([1, 2]), lease })
    one.hears(1, Zab.pong(), 1)
    one.event({ _tag: "Disconnected", learner: 1 })
    half(one, 10)
    assert.deepStrictEqual(half(one, 20, true), [])
    assert.deepStrictEqual(one.timedOut("Lease", 40), ["SteppedDown LeaseExpired"])
  })
})

describe("our own pledge to the leader before us", () => {
  const pledge = { leader: 1n, until: 100 }

  /** All but we have acknowledged. */
  const waiting = (options: Zab.LeaderOptions = {}) => {
    const one = Zab.leader({ pledge, ...options })
    one.event({ _tag: "Started" })
    Zab.ask(one, 1, 1)
    one.event({ _tag: "AcceptedEpochStored" })
    one.hears(1, Zab.ackEpoch(0))
    const outputs = one.currentStored(30)
    return { one, outputs, last: one.hears(1, Zab.ack(1), 31) }
  }

  it("keeps us from counting ourselves, and nobody from being brought in sync", () => {
    const { last, one, outputs } = waiting()
    assert.deepStrictEqual(outputs, [
      "SetTimer Quorum 200",
      "1 < DIFF 0.0",
      "1 < NEWLEADER 1.0 version=0",
      "SetTimer Pledge 70"
    ])
    assert.deepStrictEqual(last, [])
    assert.include(one.timedOut("Pledge", 100), "Activated 1 by 1,3")
  })

  it("is judged by the clock: a timer that is early is set again", () => {
    const { one } = waiting()
    assert.deepStrictEqual(one.timedOut("Pledge", 99.5), ["SetTimer Pledge 0.5"])
  })

  it("is not judged by the clock of leases, which may run ahead", () => {
    const { one } = waiting()
    assert.deepStrictEqual(one.timedOut("Pledge", 5_000, 60), ["SetTimer Pledge 40"])
    assert.deepStrictEqual(one.event({ _tag: "PledgeReleased", ...Zab.now(5_000, 61) })[1], "Activated 1 by 1,3")
  })

  it("ends when the process of that leader is gone", () => {
    const { one } = waiting()
    assert.include(one.event({ _tag: "PledgeReleased", ...Zab.now(40) }), "Activated 1 by 1,3")
    assert.deepStrictEqual(one.timedOut("Pledge", 100), [])
  })

  it("that a restart made does not: nobody knows whose process it is", () => {
    const { one } = waiting({ pledge: { leader: null, until: 100 } })
    assert.deepStrictEqual(one.event({ _tag: "PledgeReleased", ...Zab.now(40) }), ["SetTimer Pledge 60"])
    assert.include(one.timedOut("Pledge", 100), "Activated 1 by 1,3")
  })

  it("to ourselves, or one that is over, keeps us from nothing", () => {
    for (const pledge of [{ leader: 3n, until: 100 }, { leader: 1n, until: 30 }]) {
      assert.include(waiting({ pledge }).last, "Activated 1 by 1,3")
    }
  })

  it("may end before it matters", () => {
    const one = Zab.leader({ pledge })
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(one.event({ _tag: "PledgeReleased", ...Zab.now(5) }), [])
    assert.deepStrictEqual(one.timedOut("Pledge", 6), [])
    assert.isNull(one.state().pledge)
  })
})

describe("to resign", () => {
  const designated = (learner: number, hex: string) => `${learner} < COMMITANDACTIVATE 1.0 ${hex}`

  it("tells those in sync whom to follow, then closes them", () => {
    const one = inOffice([1, 2])
    Zab.ask(one, 3, 9)
    assert.deepStrictEqual(one.event({ _tag: "Resign", successor: 2n }), [
      designated(1, "0000000000000002"),
      designated(2, "0000000000000002"),
      "SteppedDown Resigned 2",
      "Close 1 1 SteppedDown",
      "Close 2 2 SteppedDown",
      "Close 3 9 SteppedDown"
    ])
  })

  it("in favour of nobody says so", () => {
    const one = inOffice([1])
    assert.deepStrictEqual(one.event({ _tag: "Resign", successor: null })[0], designated(1, "8000000000000000"))
  })

  it("tells a real server nothing, which would take it for a configuration", () => {
    const one = inOffice([1, 2], { acceptForeign: true }, { lease: null })
    assert.deepStrictEqual(one.event({ _tag: "Resign", successor: 2n }), [
      "SteppedDown Resigned",
      "Close 1 1 SteppedDown",
      "Close 2 2 SteppedDown"
    ])
  })

  it("before office is to have no successor", () => {
    const one = Zab.leader()
    one.event({ _tag: "Started" })
    assert.deepStrictEqual(one.event({ _tag: "Resign", successor: 2n }), ["SteppedDown Resigned"])
  })
})

describe("the successor", () => {
  const of = (one: Zab.LeaderSubject, asked: bigint | null = null) => Leader.successor(one.options, one.state(), asked)

  it("is the one asked for, if it is in sync and votes", () => {
    const one = inOffice([1, 2, 6], { verifier: majority([1, 2, 3, 4, 5], { observers: [6] }) })
    assert.strictEqual(of(one, 1n), 1n)
    for (const asked of [3n, 4n, 6n, 9n]) assert.isNull(of(one, asked), `${asked}`)
  })

  it("or else the one whose history goes furthest, by what it said last, then the highest id", () => {
    const one = inOffice([1, 2, 4], { verifier: five })
    assert.strictEqual(of(one), 4n)
    one.hears(1, Zab.pong([1, 7]))
    assert.strictEqual(of(one), 1n)
    one.hears(2, Zab.pong([1, 7]))
    assert.strictEqual(of(one), 2n)
  })

  it("is nobody if those who are told could not activate it without us, unless it is asked for", () => {
    const one = inOffice([1, 2, 4], { verifier: five })
    one.event({ _tag: "Disconnected", learner: 2 })
    assert.isNull(of(one))
    assert.strictEqual(of(one, 1n), 1n)
  })

  it("votes in both configurations while one is pending", () => {
    const one = inOffice([1, 2, 4], { lastSeen: majority([1, 3, 4], { version: 7 }) })
    assert.strictEqual(of(one), 1n)
  })

  it("weighs something: it could not be elected otherwise", () => {
    const verifier = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: members([1, 2, 3, 4]),
      groups: new Map([[1n, [1n, 2n, 3n, 4n]]]),
      weights: new Map([[4n, 0n]])
    }))
    const one = inOffice([1, 2, 4], { verifier })
    assert.strictEqual(of(one), 2n)
    assert.isNull(of(one, 4n))
  })

  it("is none of ours if there are only real servers, and none at all if there is nobody", () => {
    assert.isNull(of(inOffice([1, 2], { acceptForeign: true }, { lease: null })))
    assert.isNull(of(inOffice([], { verifier: majority([3]) })))
  })

  it("of a real server is not judged by the zxid of its pings", () => {
    const one = inOffice([1, 2], { acceptForeign: true }, { lease: null })
    one.hears(1, Zab.pong([1, 7]))
    assert.strictEqual(one.state().learners.get(1)?.summary?.lastLoggedZxid, 0n)
  })
})

describe("afterwards", () => {
  it("nothing has an effect, and packets are ignored", () => {
    const one = inOffice([1], { lease: Zab.lease })
    one.event({ _tag: "Resign", successor: null })
    const over = one.state()
    assert.deepStrictEqual(over.learners, new Map())
    assert.deepStrictEqual(one.hears(1, Zab.pong()), ["Ignored 1 Over PING 0.0 empty"])
    const events: ReadonlyArray<Leader.Event> = [
      { _tag: "Started" },
      { _tag: "Connected", learner: 7 },
      { _tag: "Disconnected", learner: 1 },
      { _tag: "AcceptedEpochStored" },
      { _tag: "CurrentEpochStored", ...Zab.now(0) },
      { _tag: "StoreFailed" },
      { _tag: "HalfTick", at: 0 },
      { _tag: "TimedOut", timer: "Lease", ...Zab.now(0) },
      { _tag: "PledgeReleased", ...Zab.now(0) },
      { _tag: "Resign", successor: 1n }
    ]
    for (const event of events) assert.deepStrictEqual(one.event(event), [], event._tag)
    assert.strictEqual(one.state(), over)
  })
})

describe("whatever happens to a leader", () => {
  const packets = (random: Random.Random, epoch: bigint): QuorumPacket.QuorumPacket => {
    const sid = random.below(8)
    const low = random.below(3) - 1
    return random.pick([
      () => Zab.info(sid, { acceptedEpoch: low, lease: random.pick([null, 0, 50]), configVersion: low }),
      () => Zab.info(sid, { type: "OBSERVERINFO", acceptedEpoch: random.percent(5) ? random.long() : 0 }),
      () => Zab.info(sid, { lease: 50 }),
      () => Zab.ackEpoch(low, random.pick([0n, -1n, Zxid.make(1n, 2n)])),
      () => Zab.ackEpoch(0),
      () => Zab.ack(random.percent(80) ? epoch : random.long()),
      () => Zab.ack(epoch),
      () => Zab.pong(random.long()),
      () => QuorumPacket.make(random.pick(["FOLLOWERINFO", "ACKEPOCH", "ACK", "PING", "NEWLEADER"]), random.long(),
        random.percent(50) ? null : Uint8Array.from({ length: random.below(30) }, () => random.below(256)))
    ])()
  }

  /** Mostly what makes sense, so that something happens. */
  const fitting = (random: Random.Random, { learners, epoch }: Leader.State, learner: number) => {
    switch (random.percent(70) ? learners.get(learner)?.stage : undefined) {
      case "Connected":
        return Zab.info(1 + random.below(2), { lease: 50 })
      case "EpochSent":
        return Zab.ackEpoch(0)
      case "SyncSent":
        return Zab.ack(epoch)
      case "Synced":
        return Zab.pong()
      default:
        return packets(random, epoch)
    }
  }

  const events = (random: Random.Random, state: Leader.State, at: number): Leader.Event => {
    const draw = random.below(100)
    const learner = random.below(4)
    if (draw < 55) return { _tag: "Received", learner, packet: fitting(random, state, learner), at }
    if (draw < 65) return { _tag: "Connected", learner }
    if (draw < 80) return random.pick([{ _tag: "AcceptedEpochStored" }, { _tag: "CurrentEpochStored", ...Zab.now(at) }])
    if (draw < 94) return { _tag: "HalfTick", at, oracle: random.percent(30) }
    if (draw < 96) return { _tag: "Disconnected", learner }
    if (draw < 98) return { _tag: "PledgeReleased", ...Zab.now(at) }
    if (draw < 99) return { _tag: "TimedOut", timer: random.pick(["Quorum", "Pledge", "Lease"]), ...Zab.now(at) }
    return random.pick([{ _tag: "StoreFailed" }, { _tag: "Resign", successor: random.long() }])
  }

  it("it does not throw, writes to nothing, and is activated by a quorum that acknowledged, with itself", () => {
    let activated = 0
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = Random.make(seed)
      const one = Zab.leader({
        lease: random.percent(50) ? Zab.lease : null,
        acceptForeign: random.percent(50),
        ...(random.percent(50) ? { pledge: { leader: random.pick([null, 1n]), until: random.below(100) } } : {})
      })
      one.event({ _tag: "Started" })
      for (let step = 0, at = 0; step < 120; step++, at += random.below(6)) {
        const outputs = one.event(events(random, one.state(), at))
        const [line] = outputs.filter((text) => text.startsWith("Activated"))
        if (line === undefined) continue
        activated++
        const { acked, elected, epochStored, pledge } = one.state()
        assert.isTrue(elected && epochStored && acked.has(3n) && acked.size >= 2, `seed ${seed}`)
        assert.isFalse(pledge !== null && pledge.until > at, `seed ${seed}`)
      }
    }
    assert.isAbove(activated, 100)
  })
})
