/**
 * How a leader is followed, one test for each rule. The conversations that the
 * original is tested with, those that have a meaning with an empty history, are
 * named after its tests (Java: `Zab1_0Test`).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { encodeText } from "../src/internal/bytes.ts"
import type * as Learner from "../src/Learner.ts"
import * as QuorumPacket from "../src/QuorumPacket.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import { concat, hex, i32, i64 } from "./support/Bytes.ts"
import { majority, members } from "./support/Peer.ts"
import * as Random from "./support/Random.ts"
import * as Zab from "./support/Zab.ts"

const INFO = "FOLLOWERINFO 0.0 00000000000000010001000000000000000000004" + "34f4e43"
const SILENCE = "SetTimer Silence 200"
const packet = (type: QuorumPacket.PacketType, zxid: Zab.Short, data: Uint8Array | null = null) =>
  QuorumPacket.make(type, Zab.zxid(zxid), data)
const newLeader = (epoch: number) => packet("NEWLEADER", [epoch, 0])
const left = (reason: string) => ["CancelTimer Silence", "CancelTimer Pledge", `Left ${reason}`]

/** In the order of the protocol; each stage waits for the next. */
const stages = ["Registering", "Accepting", "Synchronizing", "Acknowledging", "Activating", "Following"] as const

/** Leads a learner to a stage, under epoch 1. */
const to = (stage: Learner.Stage, options: Zab.LearnerOptions = {}, lease: number | null = 0): Zab.LearnerSubject => {
  const one = Zab.learner(options)
  const steps = [
    () => one.event({ _tag: "Connected" }),
    () => one.hears(Zab.leaderInfo(1, lease)),
    () => one.event({ _tag: "AcceptedEpochStored" }),
    () => {
      one.hears(packet("DIFF", 0))
      one.hears(newLeader(1))
    },
    () => one.event({ _tag: "CurrentEpochStored", at: 0 }),
    () => one.hears(packet("UPTODATE", -1n))
  ]
  for (const step of steps.slice(0, stages.findIndex((name) => name === stage) + 1)) step()
  assert.strictEqual(one.state().stage, stage)
  return one
}

const weightless = Result.getOrThrow(QuorumVerifier.hierarchical({
  servers: members([1, 2, 3]),
  groups: new Map([[1n, [1n, 2n, 3n]]]),
  weights: new Map([[1n, 0n]])
}))

describe("conversations of the original", () => {
  it("testNormalFollowerRun", () => {
    const one = Zab.learner()
    assert.deepStrictEqual(one.event({ _tag: "Connected" }), [`< ${INFO}00000000`, SILENCE])
    assert.deepStrictEqual(one.hears(Zab.leaderInfo(1)), [SILENCE, "StoreAcceptedEpoch 1"])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), ["< ACKEPOCH 0.0 00000000"])
    assert.strictEqual(one.state().history.acceptedEpoch, 1n)
    assert.deepStrictEqual(one.hears(packet("SNAP", [1, 1])), [SILENCE])
    assert.deepStrictEqual(one.hears(newLeader(1)), [SILENCE, "StoreCurrentEpoch 1"])
    assert.deepStrictEqual(one.event({ _tag: "CurrentEpochStored", at: 0 }), ["CancelTimer Pledge", "< ACK 1.0"])
    // Data are not kept, and so not acknowledged.
    assert.deepStrictEqual(one.hears(packet("PROPOSAL", [1, 1000])), [SILENCE, "Ignored PROPOSAL 1.1000"])
    assert.deepStrictEqual(one.hears(packet("COMMIT", [1, 1000])), [SILENCE, "Ignored COMMIT 1.1000"])
    assert.deepStrictEqual(one.hears(packet("UPTODATE", 0)), ["SetTimer Silence 100", "< ACK 1.0", "Following 1"])
  })

  it("testNormalFollowerRunWithDiff: proposals between DIFF and NEWLEADER are passed over", () => {
    const one = to("Synchronizing")
    one.hears(packet("DIFF", [1, 2]))
    assert.deepStrictEqual(one.hears(packet("PROPOSAL", [1, 2])), [SILENCE, "Ignored PROPOSAL 1.2"])
    assert.deepStrictEqual(one.hears(packet("COMMIT", [1, 2])), [SILENCE, "Ignored COMMIT 1.2"])
    assert.deepStrictEqual(one.hears(newLeader(1)), [SILENCE, "StoreCurrentEpoch 1"])
  })

  it("testNormalObserverRun", () => {
    const one = Zab.learner({ learnerType: "observer" })
    assert.deepStrictEqual(one.event({ _tag: "Connected" }), [
      `< ${INFO.replace("FOLLOWER", "OBSERVER")}00000000`,
      SILENCE
    ])
    const later = to("Activating", { learnerType: "observer", verifier: majority([2, 3], { observers: [1] }) })
    assert.deepStrictEqual(later.hears(packet("INFORM", [1, 1001])), [SILENCE, "Ignored INFORM 1.1001"])
    assert.deepStrictEqual(later.hears(packet("UPTODATE", 0)).slice(1), ["< ACK 1.0", "Following 1"])
  })
})

describe("the leader's epoch", () => {
  it.each<readonly [what: string, epoch: number, outputs: ReadonlyArray<string>]>([
    ["above the accepted one is made durable first", 6, [SILENCE, "StoreAcceptedEpoch 6"]],
    ["accepted before is acknowledged with -1, which does not count", 5, [SILENCE, "< ACKEPOCH 3.7 ffffffff"]],
    ["below it is refused", 4, left("LowerEpoch")],
    ["of a broken number too", -1, left("LowerEpoch")]
  ])("%s", (_, epoch, outputs) => {
    const one = Zab.learner({ acceptedEpoch: 5, currentEpoch: 3, lastLoggedZxid: [3, 7] })
    assert.match(one.event({ _tag: "Connected" })[0] ?? "", /^< FOLLOWERINFO 5\.0 /)
    assert.deepStrictEqual(one.hears(Zab.leaderInfo(epoch)), outputs)
  })

  it("is acknowledged with our current one and our last zxid, once it is durable", () => {
    const one = Zab.learner({ acceptedEpoch: 5, currentEpoch: 3, lastLoggedZxid: [3, 7] })
    one.event({ _tag: "Connected" })
    one.hears(Zab.leaderInfo(6))
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), ["< ACKEPOCH 3.7 00000003"])
    assert.deepStrictEqual(one.event({ _tag: "AcceptedEpochStored" }), [])
  })

  it("becomes the current one before NEWLEADER is acknowledged", () => {
    const one = to("Acknowledging")
    assert.isFalse(one.state().stored)
    assert.deepStrictEqual(one.event({ _tag: "TimedOut", timer: "Pledge", at: 0 }), [])
    assert.include(one.event({ _tag: "CurrentEpochStored", at: 0 }), "< ACK 1.0")
  })

  it.each(stages.slice(0, 3))("that is confirmed to be current before we asked for it is not: %s", (stage) => {
    const one = to(stage)
    assert.deepStrictEqual(one.event({ _tag: "CurrentEpochStored", at: 0 }), [])
    assert.isFalse(one.state().stored)
  })

  it("that cannot be written ends it", () => {
    for (const stage of ["Accepting", "Acknowledging"] as const) {
      assert.deepStrictEqual(to(stage).event({ _tag: "StoreFailed" }), left("StorageFailed"))
    }
  })
})

describe("a configuration", () => {
  it("comes with NEWLEADER, if it is longer than one byte", () => {
    const text = majority([1, 2, 3], { version: 5 }).text
    const one = to("Synchronizing")
    one.hears(packet("DIFF", 0))
    assert.deepStrictEqual(one.hears(packet("NEWLEADER", [1, 0], encodeText(text))), [
      SILENCE,
      `ConfigSeen ${text}`,
      "StoreCurrentEpoch 1"
    ])
    const other = to("Synchronizing")
    other.hears(packet("DIFF", 0))
    const nothing = packet("NEWLEADER", [1, 0], new Uint8Array(1))
    assert.deepStrictEqual(other.hears(nothing), [SILENCE, "StoreCurrentEpoch 1"])
  })
})

describe("what ends it", () => {
  it.each(stages)("%s: the connection", (stage) => {
    const one = to(stage)
    assert.deepStrictEqual(one.event({ _tag: "Disconnected" }), left("ConnectionClosed"))
    assert.strictEqual(one.state().stage, "Over")
  })

  it.each(stages)("%s: silence, of initLimit ticks before we follow, then of syncLimit", (stage) => {
    const one = to(stage)
    assert.deepStrictEqual(one.event({ _tag: "TimedOut", timer: "Silence", at: 0 }), left("LeaderSilent"))
    const other = to(stage)
    const [timer] = stage === "Registering" ? other.hears(Zab.leaderInfo(1)) : other.hears(packet("SYNC", 0))
    if (stage === "Synchronizing") assert.strictEqual(timer, "CancelTimer Silence")
    else assert.strictEqual(timer, stage === "Following" ? "SetTimer Silence 100" : SILENCE)
  })

  it.each(stages)("%s: but not while a snapshot is coming", (stage) => {
    const outputs = to(stage).event({ _tag: "Progress" })
    assert.deepStrictEqual(outputs, [stage === "Following" ? "SetTimer Silence 100" : SILENCE])
  })

  it("that there is no connection", () => {
    assert.deepStrictEqual(Zab.learner().event({ _tag: "NotReached" }), left("NotReached"))
  })

  it.each<readonly [what: string, stage: Learner.Stage, packet: QuorumPacket.QuorumPacket, reason: string]>([
    ["first NEWLEADER, as before 3.4", "Registering", newLeader(1), "UnexpectedPacket"],
    ["LEADERINFO without a version", "Registering", packet("LEADERINFO", [1, 0]), "UnexpectedPacket"],
    ["NEWLEADER before DIFF or SNAP", "Synchronizing", newLeader(1), "UnexpectedPacket"],
    ["proposals before DIFF or SNAP", "Synchronizing", packet("PROPOSAL", 1), "UnexpectedPacket"],
    ["TRUNC", "Synchronizing", packet("TRUNC", 1), "CannotTruncate"],
    ["UPTODATE before we acknowledged", "Acknowledging", packet("UPTODATE", -1n), "UnexpectedPacket"],
    ["UPTODATE before ACKEPOCH", "Accepting", packet("UPTODATE", -1n), "UnexpectedPacket"]
  ])("what the protocol does not have there: %s", (_, stage, packet, reason) => {
    assert.deepStrictEqual(to(stage).hears(packet), left(reason))
  })

  it("NEWLEADER of another epoch", () => {
    const one = to("Synchronizing")
    one.hears(packet("DIFF", 0))
    assert.deepStrictEqual(one.hears(newLeader(2)), left("UnexpectedPacket"))
  })

  it.each(["Accepting", "Acknowledging", "Activating"] as const)("nothing else: %s", (stage) => {
    assert.deepStrictEqual(to(stage).hears(packet("PING", [1, 0])), [SILENCE, "Ignored PING 1.0"])
  })

  it("and then it is over", () => {
    const one = to("Following", { lease: Zab.lease }, 50)
    one.event({ _tag: "Disconnected" })
    const over = one.state()
    const events: ReadonlyArray<Learner.Event> = [
      { _tag: "Connected" },
      { _tag: "Progress" },
      { _tag: "Received", packet: packet("PING", [1, 0]), at: 0, lastLoggedZxid: 0n },
      { _tag: "Disconnected" },
      { _tag: "NotReached" },
      { _tag: "AcceptedEpochStored" },
      { _tag: "CurrentEpochStored", at: 0 },
      { _tag: "StoreFailed" },
      { _tag: "TimedOut", timer: "Silence", at: 0 },
      { _tag: "TimedOut", timer: "Pledge", at: 0 },
      { _tag: "PledgeReleased", at: 0 }
    ]
    for (const event of events) assert.deepStrictEqual(one.event(event), [], event._tag)
    assert.strictEqual(one.state(), over)
  })
})

describe("whom a voter does not follow", () => {
  type Row = readonly [what: string, options: Zab.LearnerOptions, lease: number | null, reason: string]
  it.each<Row>([
    ["a real server: it must keep what that tells it", {}, null, "ForeignLeader"],
    ["a leader that asks for a lease when it grants none", {}, 1, "LeaseTooLong"],
    ["one that asks for a longer lease", { lease: Zab.lease }, 51, "LeaseTooLong"]
  ])("%s", (_, options, lease, reason) => {
    const one = to("Registering", options)
    assert.deepStrictEqual(one.hears(Zab.leaderInfo(1, lease)), left(reason))
    // It may weigh something in the next configuration.
    assert.deepStrictEqual(to("Registering", { ...options, verifier: weightless }).hears(Zab.leaderInfo(1, lease)),
      left(reason))
    // Who observes, or is no member, may: nobody counts on it.
    for (const verifier of [majority([2, 3]), majority([2, 3], { observers: [1] })]) {
      const other = to("Registering", { ...options, verifier })
      assert.deepStrictEqual(other.hears(Zab.leaderInfo(1, lease)), [SILENCE, "StoreAcceptedEpoch 1"])
    }
  })

  it("but one that asks for a shorter lease", () => {
    const one = to("Registering", { lease: Zab.lease })
    assert.deepStrictEqual(one.hears(Zab.leaderInfo(1, 49)), [SILENCE, "StoreAcceptedEpoch 1"])
  })

  it("says how long a lease it grants", () => {
    const [info] = Zab.learner({ lease: Zab.lease }).event({ _tag: "Connected" })
    assert.strictEqual(info, `< ${INFO}00000032`)
  })
})

describe("a ping", () => {
  it("is answered with our last zxid, and with its own by who follows a real server", () => {
    const facts = { at: 9, lastLoggedZxid: [1, 7] } as const
    const ours = to("Following")
    assert.deepStrictEqual(ours.hears(packet("PING", [1, 0]), facts), ["SetTimer Silence 100", "< PING 1.7 empty"])
    const real = to("Following", { verifier: majority([2, 3], { observers: [1] }) }, null)
    assert.deepStrictEqual(real.hears(packet("PING", [1, 3]), facts), ["SetTimer Silence 100", "< PING 1.3 empty"])
  })

  it("pledges us to the leader before it is answered, from now on, as long as the leader asks", () => {
    const one = to("Following", { lease: { ...Zab.lease, clockDrift: 0.2 } }, 40)
    assert.deepStrictEqual(one.hears(packet("PING", [1, 0]), { at: 1000 }), [
      "SetTimer Silence 100",
      "Pledged 3 1060",
      "< PING 0.0 empty"
    ])
    one.hears(packet("PING", [1, 0]), { at: 1010 })
    assert.deepStrictEqual(one.state().pledge, { leader: 3n, until: 1070 })
  })

  it("pledges nothing if the leader asks for no lease, or we grant none", () => {
    for (const one of [
      to("Following", { lease: Zab.lease }, 0),
      to("Following", { verifier: majority([2, 3], { observers: [1] }) }, 50)
    ]) {
      assert.deepStrictEqual(one.hears(packet("PING", [1, 0])).slice(1), ["< PING 0.0 empty"])
    }
  })

  it("pledges an observer too: the leader's configuration may know it as a voter", () => {
    const one = to("Following", { lease: Zab.lease, verifier: majority([2, 3], { observers: [1] }) }, 50)
    assert.include(one.hears(packet("PING", [1, 0]), { at: 5 }), "Pledged 3 55")
  })

  it.each(["PROPOSAL", "COMMIT", "SYNC", "REVALIDATE", "NEWLEADER", "UPTODATE"] as const)("is not %s", (type) => {
    const one = to("Following")
    assert.deepStrictEqual(one.hears(packet(type, [1, 0])), ["SetTimer Silence 100", `Ignored ${type} 1.0`])
  })
})

describe("a pledge to another", () => {
  const pledge = { leader: 2n, until: 100 }

  it("keeps us from acknowledging, and from nothing before that", () => {
    const one = to("Acknowledging", { pledge })
    assert.deepStrictEqual(one.event({ _tag: "CurrentEpochStored", at: 30 }), ["SetTimer Pledge 70"])
    assert.deepStrictEqual(one.event({ _tag: "TimedOut", timer: "Pledge", at: 99.5 }), ["SetTimer Pledge 0.5"])
    assert.deepStrictEqual(one.event({ _tag: "TimedOut", timer: "Pledge", at: 100 }), [
      "CancelTimer Pledge",
      "< ACK 1.0"
    ])
  })

  it("that is over, or is to the same leader, keeps us from nothing", () => {
    for (const [pledge, at] of [[{ leader: 3n, until: 100 }, 0], [{ leader: 2n, until: 100 }, 100]] as const) {
      assert.include(to("Acknowledging", { pledge }).event({ _tag: "CurrentEpochStored", at }), "< ACK 1.0")
    }
  })

  it("that has ended still waits for the disk", () => {
    const one = to("Acknowledging", { pledge })
    assert.deepStrictEqual(one.event({ _tag: "PledgeReleased", at: 0 }), [])
    assert.include(one.event({ _tag: "CurrentEpochStored", at: 0 }), "< ACK 1.0")
  })

  it("ends when the process of that leader is gone", () => {
    const one = to("Acknowledging", { pledge })
    one.event({ _tag: "CurrentEpochStored", at: 0 })
    assert.deepStrictEqual(one.event({ _tag: "PledgeReleased", at: 1 }), ["CancelTimer Pledge", "< ACK 1.0"])
  })

  it("that a restart made does not: nobody knows whose process it is", () => {
    const one = to("Acknowledging", { pledge: { leader: null, until: 100 } })
    one.event({ _tag: "CurrentEpochStored", at: 0 })
    assert.deepStrictEqual(one.event({ _tag: "PledgeReleased", at: 1 }), ["SetTimer Pledge 99"])
  })

  it("stands when the connection closes", () => {
    const one = to("Following", { lease: Zab.lease }, 50)
    one.hears(packet("PING", [1, 0]), { at: 7 })
    assert.deepStrictEqual(one.event({ _tag: "Disconnected" }), left("ConnectionClosed"))
    assert.deepStrictEqual(one.state().pledge, { leader: 3n, until: 57 })
  })
})

describe("a leader that resigns", () => {
  it.each<readonly [what: string, data: Uint8Array | null, successor: string]>([
    ["in favour of another", i64(2), " 2"],
    ["in favour of nobody", i64(-(2n ** 63n)), ""],
    ["without saying so", null, ""],
    ["with less than a sid", new Uint8Array(7), ""]
  ])("%s releases us, and we leave", (_, data, successor) => {
    const one = to("Following", { lease: Zab.lease }, 50)
    one.hears(packet("PING", [1, 0]), { at: 7 })
    assert.deepStrictEqual(one.hears(packet("COMMITANDACTIVATE", [1, 0], data)), [
      "Released",
      ...left(`LeaderResigned${successor}`)
    ])
  })

  it("is one of ours: a real one says that of a configuration", () => {
    const one = to("Following", { verifier: majority([2, 3]) }, null)
    assert.deepStrictEqual(one.hears(packet("COMMITANDACTIVATE", [1, 0])).slice(1), ["Ignored COMMITANDACTIVATE 1.0"])
  })
})

describe("a real leader that changes the ensemble", () => {
  it("tells its observer the configuration, in a transaction among others", () => {
    const one = to("Following", { verifier: majority([2, 3], { observers: [1] }) }, null)
    const text = new TextEncoder().encode("version=100000003")
    // Designated: 2. A transaction of type 16 that writes to the path "/".
    const header = hex("0000000000000002 0100000000000001 00000007 0000000100000003 0000018c00000000 00000010")
    const change = concat(header, hex("00000001 2f"), i32(text.length), text, i32(-1))
    assert.deepStrictEqual(one.hears(packet("INFORMANDACTIVATE", [1, 3], change)),
      ["SetTimer Silence 100", "ConfigChanged version=100000003"])
    assert.deepStrictEqual(one.hears(packet("INFORMANDACTIVATE", [1, 4], hex("00"))).slice(1),
      ["Ignored INFORMANDACTIVATE 1.4 00"])
  })
})

describe("whatever happens to a learner", () => {
  const packets = (random: Random.Random, { epoch, stage }: Learner.State) => {
    const lease = random.pick([0, 0, 50, null])
    const data = random.percent(60) ? null : Uint8Array.from({ length: random.below(20) }, () => random.below(256))
    const types = ["LEADERINFO", "NEWLEADER", "SNAP", "COMMITANDACTIVATE", "PING"] as const
    if (random.percent(10)) return packet(random.pick(types), random.long(), data)
    switch (stage) {
      case "Registering":
        return Zab.leaderInfo(random.percent(90) ? 1 + random.below(2) : 0, lease)
      case "Synchronizing":
        return random.pick([packet("DIFF", 0), packet("SNAP", 0), packet("NEWLEADER", [epoch, 0])])
      case "Following":
        return random.percent(95) ? packet("PING", [1, 0]) : packet("COMMITANDACTIVATE", [1, 0], data)
      default:
        return packet(random.percent(90) ? "PING" : "UPTODATE", [1, 0])
    }
  }

  const events = (random: Random.Random, state: Learner.State, at: number): Learner.Event => {
    const draw = random.below(100)
    if (draw < 60) return { _tag: "Received", packet: packets(random, state), at, lastLoggedZxid: random.long() }
    if (draw < 90) return random.pick([{ _tag: "AcceptedEpochStored" }, { _tag: "CurrentEpochStored", at }])
    if (draw < 96) return random.pick([{ _tag: "TimedOut", timer: "Pledge", at }, { _tag: "PledgeReleased", at }])
    if (draw < 98) return { _tag: "TimedOut", timer: "Pledge", at }
    return random.pick([{ _tag: "Disconnected" }, { _tag: "TimedOut", timer: "Silence", at }, { _tag: "StoreFailed" }])
  }

  it("it does not throw, writes to nothing, and acknowledges only what is durable, and free of pledges", () => {
    let acknowledged = 0
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = Random.make(seed)
      const one = Zab.learner({
        acceptedEpoch: random.below(2),
        lease: random.percent(70) ? Zab.lease : null,
        verifier: random.pick([weightless, majority([1, 2, 3])]),
        ...(random.percent(50) ? { pledge: { leader: random.pick([null, 2n, 3n]), until: random.below(60) } } : {})
      })
      one.event({ _tag: "Connected" })
      const stored = new Set<string>()
      for (let step = 0, at = 0; step < 60; step++, at += random.below(4)) {
        const event = events(random, one.state(), at)
        const before = one.state()
        const outputs = one.event(event)
        for (const output of outputs) {
          if (output.startsWith("Store")) stored.add(output)
          const { epoch, pledge } = one.state()
          if (output.startsWith("< ACKEPOCH") && !output.endsWith("ffffffff")) {
            assert.isTrue(stored.has(`StoreAcceptedEpoch ${epoch}`), `seed ${seed}`)
          }
          if (!output.startsWith("< ACK ") || before.stage !== "Acknowledging") continue
          acknowledged++
          assert.isTrue(one.state().stored && stored.has(`StoreCurrentEpoch ${epoch}`), `seed ${seed}`)
          assert.isTrue(pledge === null || pledge.leader === 3n || pledge.until <= at, `seed ${seed}`)
        }
      }
    }
    assert.isAbove(acknowledged, 100)
  })
})
