import * as Explain from "@conclave/core/Explain"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as Rules from "@conclave/core/Rules"
import * as Vote from "@conclave/core/Vote"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as PeerStatus from "../src/PeerStatus.ts"
import * as Cluster from "./Cluster.ts"

const { agreeOn, networked, sids } = Cluster

describe("peers that start together", () => {
  it.effect("elect the highest id among equal histories, and keep to it", networked(Effect.fnUntraced(function*() {
    const members = yield* Cluster.startAll(3)
    yield* Cluster.until(members, agreeOn(3n))
    yield* Cluster.stays(members, 90, agreeOn(3n))
  })))

  it.effect("elect the freshest history before the highest id", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(3, 1n, { facts: { lastLoggedZxid: 5n, currentEpoch: 0n } })
    const others = yield* Cluster.startSome(3, [2n, 3n], { facts: { lastLoggedZxid: 4n, currentEpoch: 0n } })
    yield* Cluster.until([one, ...others], agreeOn(1n))
    assert.strictEqual(Explain.groundOf((yield* Cluster.reportOf(others[0]!)).reason), "zxid")
  })))

  it.effect("elect the highest epoch before the freshest history", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(3, 1n, { facts: { lastLoggedZxid: 4n, currentEpoch: 2n } })
    const others = yield* Cluster.startSome(3, [2n, 3n], { facts: { lastLoggedZxid: 5n, currentEpoch: 1n } })
    yield* Cluster.until([one, ...others], agreeOn(1n))
    assert.strictEqual(Explain.groundOf((yield* Cluster.reportOf(one)).reason), "epoch")
  })))

  it.effect("elect themselves, if there is one", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(1, 1n)
    yield* Cluster.until([one], agreeOn(1n))
    const { elapsed, phases } = yield* Cluster.reportOf(one)
    assert.deepStrictEqual(phases, { firstVote: null, quorum: phases.quorum, finalize: 0 })
    assert.strictEqual(elapsed, phases.quorum!)
    yield* Cluster.stays([one], 70, agreeOn(1n))
  })))

  it.effect("elect nobody without a quorum, and somebody as soon as there is one", networked(Effect.fnUntraced(
    function*() {
      const some = yield* Cluster.startSome(5, [1n, 2n])
      yield* Cluster.stays(some, 100, Cluster.allLook)
      const three = yield* Cluster.start(5, 3n)
      yield* Cluster.until([...some, three], agreeOn(3n))
    }
  )))

  it.effect("elect nobody who may not be elected", networked(Effect.fnUntraced(function*() {
    const [one, two] = yield* Cluster.startSome(3, [1n, 2n])
    const three = yield* Cluster.start(3, 3n, { electable: false })
    yield* Cluster.until([one!, two!, three], agreeOn(2n))
    yield* two!.stop
    yield* Cluster.until([one!, three], agreeOn(1n))
    yield* one!.stop
    const four = yield* Cluster.start(3, 2n, { electable: false })
    yield* Cluster.until([three, four], Cluster.allLook)
    yield* Cluster.stays([three, four], 90, Cluster.allLook)
  })))

  it.effect("elect nobody without weight (FLEZeroWeightTest)", networked(Effect.fnUntraced(function*() {
    const verifier = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: sids(1, 9).map((sid) => Cluster.server(sid)),
      groups: new Map([[1n, sids(1, 3)], [2n, sids(4, 6)], [3n, sids(7, 9)]]),
      weights: new Map(sids(1, 9).map((sid) => [sid, sid <= 3n ? 1n : 0n]))
    }))
    const members = yield* Cluster.startSome(verifier, sids(1, 9))
    yield* Cluster.until(members, agreeOn(3n))
    yield* members[2]!.stop
    yield* Cluster.until(members.toSpliced(2, 1), agreeOn(2n))
  })))

  it.effect.each(Array.from({ length: 8 }, (_, mix) => sids(1, 3).map((sid) => (mix >> Number(sid - 1n)) & 1)))(
    "elect and elect again, whoever of them goes by the original's rules (%i, %i, %i)",
    (mix) =>
      networked(Effect.fnUntraced(function*() {
        const members = yield* Effect.forEach(mix, (original, index) =>
          Cluster.start(3, BigInt(index + 1), { rules: original === 1 ? Rules.zookeeper : Rules.conclave }))
        yield* Cluster.until(members, agreeOn(3n))
        yield* members[2]!.stop
        yield* Cluster.until(members.slice(0, 2), agreeOn(2n))
        yield* Cluster.stays(members.slice(0, 2), 10, agreeOn(2n))
      }))()
  )
})

describe("the report of an election", () => {
  it.effect("tells who won on what ground, and what took how long", networked(Effect.fnUntraced(function*() {
    // Two more may still come, and bring something better.
    const members = yield* Cluster.startSome(5, [1n, 2n, 3n])
    yield* Cluster.until(members, agreeOn(3n))
    for (const member of members) {
      const { cause, elapsed, phases, reason, sid, state, vote } = yield* Cluster.reportOf(member)
      assert.strictEqual(sid, member.sid)
      assert.strictEqual(state, sid === 3n ? "LEADING" : "FOLLOWING")
      assert.deepStrictEqual(vote, Vote.make({ leader: 3n, zxid: 0n, peerEpoch: 0n }, 1n))
      assert.deepStrictEqual(cause, { _tag: "Started" })
      const ground = reason._tag === "Quorum" ? reason : assert.fail(reason._tag)
      assert.strictEqual(ground.ground, "sid")
      assert.isAtLeast(ground.supporters.size, 2)
      assert.isTrue(ground.supporters.has(3n))
      assert.notStrictEqual(ground.runnerUp?.leader, 3n)
      assert.isAtLeast(phases.finalize!, 200)
      assert.strictEqual(phases.firstVote! + phases.quorum! + phases.finalize!, elapsed)
    }
    const report = yield* Cluster.reportOf(members[2]!)
    const sentence = PeerStatus.describe(report)
    assert.match(sentence, /^LEADING in round 1: server 3 won: histories are equal and its id is the highest, 3 /)
    assert.match(sentence, / agreed; took \d+ ms \(\d+ ms until the first vote, \d+ ms until a quorum, 2\d\d ms /)
  })))

  it.effect("are quiet once all have confirmed what was elected", networked(Effect.fnUntraced(function*() {
    const members = yield* Cluster.startAll(5)
    yield* Cluster.until(members, agreeOn(5n))
    yield* Cluster.stays(members, 1, agreeOn(5n))
    const frames = Effect.forEach(members, ({ peer }) =>
      Effect.map(peer.connections, (all) => all.map(({ link }) => link?.traffic.framesSent)))
    const before = yield* frames
    yield* Cluster.stays(members, 120, agreeOn(5n))
    assert.deepStrictEqual(yield* frames, before)
  })))

  it.effect("measures time even while the wall clock is set back", networked(Effect.fnUntraced(function*() {
    const clock = yield* Clock.Clock
    const wall = () => -clock.monotonicTimeNanosUnsafe()
    const setBack: Clock.Clock = {
      currentTimeMillisUnsafe: () => Number(wall()) / 1e6,
      currentTimeMillis: Effect.sync(() => Number(wall()) / 1e6),
      currentTimeNanosUnsafe: wall,
      currentTimeNanos: Effect.sync(wall),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }
    const two = yield* Cluster.start(3, 2n)
    const one = yield* Effect.provideService(Cluster.start(3, 1n), Clock.Clock, setBack)
    yield* Cluster.until([one, two], agreeOn(2n))
    assert.strictEqual((yield* Cluster.reportOf(one)).phases.finalize, 200)
  })))

  it.effect("tells that a leader was joined", networked(Effect.fnUntraced(function*() {
    const members = yield* Cluster.startSome(3, [1n, 2n])
    yield* Cluster.until(members, agreeOn(2n))
    const three = yield* Cluster.start(3, 3n)
    yield* Cluster.until([...members, three], agreeOn(2n))
    const { phases, reason } = yield* Cluster.reportOf(three)
    assert.deepStrictEqual(reason, { _tag: "Joined", round: "Same", supporters: new Set([1n, 2n]) })
    assert.deepStrictEqual([phases.quorum, phases.finalize], [null, null])
  })))
})
