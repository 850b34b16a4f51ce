import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MemoryNetwork } from "../src/MemoryNetwork.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { host, networked } = Cluster
const { activated, allLook, ledBy, SILENCE } = Leaders

/** What a leader counts in: it notices at the tick after the one in which somebody was due. */
const TICK = Leaders.ticks.tickTime

/** An election with its finalize wait, and an activation, on a network without delay; in steps of 20 ms. */
const ELECTION = 320

const three = Effect.fnUntraced(function*(ending?: Effect.Effect<void>) {
  const members = yield* Cluster.startAll(3, activated())
  yield* Effect.addFinalizer(() => Leaders.stopAll(members))
  const ledger = yield* Leaders.ledger
  for (const member of members) yield* ledger.guard(member, ending)
  yield* Leaders.until(members, ledBy(3n, 1n))
  const [one, two, leader] = members
  return { ledger, members, one: one!, two: two!, leader: leader! }
})

const others = (sid: bigint) => [1n, 2n, 3n].filter((other) => other !== sid).map(host)

describe("when the leader's process is gone", () => {
  it.effect("its followers look at once and elect another", networked(Effect.fnUntraced(function*() {
    const { leader, one, two } = yield* three()
    const seen = yield* Leaders.watch(one)
    yield* leader.crash
    const noticed = yield* Leaders.timed(Leaders.until([one], allLook))
    assert.isAtMost(noticed, 20)
    const took = yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n)))
    assert.isAtMost(took, ELECTION)
    const lost = seen.flatMap((status) =>
      status._tag === "LOOKING" && status.reason._tag === "Searching" ? [status.reason.cause] : [])
    assert.deepStrictEqual(lost, [{ _tag: "LeaderLost", leader: 3n, reason: "ConnectionClosed" }])
  })))

  it.effect("and it comes back, it follows, whatever its id", networked(Effect.fnUntraced(function*() {
    const { leader, one, two } = yield* three()
    yield* leader.crash
    yield* Leaders.until([one, two], ledBy(2n, 2n))
    const seen = [yield* Leaders.watch(one), yield* Leaders.watch(two)]
    const back = yield* Cluster.start(3, 3n, { ...activated(), history: leader.history })
    yield* Leaders.until([one, two, back], ledBy(2n, 2n))
    yield* Leaders.stays([one, two, back], 5, ledBy(2n, 2n))
    assert.deepStrictEqual(seen.map(({ length }) => length), [1, 1], "nobody was disturbed")
  })))

  it.effect("with a connection reset alone, all find each other again", networked(Effect.fnUntraced(function*(network) {
    const { ledger, members } = yield* three()
    yield* network.reset(host(3n), [host(1n), host(2n)])
    yield* Cluster.tick
    const { epoch } = yield* Leaders.led(members)
    yield* Leaders.stays(members, 3, (statuses) => Leaders.agree(statuses))
    assert.isAtLeast(Number(epoch), 1)
    assert.deepStrictEqual(ledger.overlaps, [])
  })))
})

describe("when the leader is silent", () => {
  it.effect("its followers leave after syncLimit ticks, and it after about as long", networked(Effect.fnUntraced(
    function*(network) {
      const { leader, ledger, members, one, two } = yield* three()
      const [followers, itself] = [yield* Leaders.watch(one), yield* Leaders.watch(leader)]
      yield* network.partition(host(3n), others(3n))
      const left = yield* Leaders.timed(Leaders.until([one, two], allLook))
      assert.isAtLeast(left, SILENCE - TICK)
      assert.isAtMost(left, SILENCE + TICK)
      const gaveUp = left + (yield* Leaders.timed(Leaders.until([leader], allLook)))
      assert.isAtMost(gaveUp, SILENCE + 2 * TICK)
      assert.isFalse(ledger.running().some(({ sid }) => sid === 3n), "its work was interrupted")
      yield* Leaders.until([one, two], ledBy(2n, 2n))
      yield* Leaders.stays([leader], 5, allLook)
      const causes = [...followers, ...itself].flatMap((status) =>
        status._tag === "LOOKING" && status.reason._tag === "Searching" && status.reason.cause._tag === "LeaderLost"
          ? [status.reason.cause.reason]
          : [])
      assert.deepStrictEqual(causes.slice(0, 2), ["LeaderSilent", "QuorumLost"])
      yield* network.heal
      yield* Leaders.until(members, ledBy(2n, 2n))
      yield* Leaders.stays(members, 3, ledBy(2n, 2n))
    }
  )))

  it.effect("because its machine is gone, another leads as soon", networked(Effect.fnUntraced(function*(network) {
    const { leader, ledger, one, two } = yield* three()
    yield* leader.vanish
    yield* ledger.gone(leader)
    const took = yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n)))
    assert.isAtMost(took, SILENCE + TICK + ELECTION)
    yield* network.heal
    const back = yield* Cluster.start(3, 3n, { ...activated(), history: leader.history })
    yield* Leaders.until([one, two, back], ledBy(2n, 2n))
    assert.deepStrictEqual(ledger.overlaps, [])
  })))

  it.effect("because nothing that it says arrives, the others elect, and it steps down", networked(Effect.fnUntraced(
    function*(network) {
      const { leader, members, one, two } = yield* three()
      yield* network.partitionOneWay(host(3n), others(3n))
      yield* Leaders.until([one, two], ledBy(2n, 2n))
      yield* Leaders.until([leader], allLook)
      yield* network.heal
      yield* Leaders.until(members, ledBy(2n, 2n))
    }
  )))
})

describe("when the leader is deaf", () => {
  it.effect("it steps down, and all agree again once it hears", networked(Effect.fnUntraced(function*(network) {
    const { leader, ledger, members } = yield* three()
    yield* network.partitionOneWay(others(3n), host(3n))
    const took = yield* Leaders.timed(Leaders.until([leader], allLook))
    assert.isAtMost(took, SILENCE + 2 * TICK)
    assert.isFalse(ledger.running().some(({ sid }) => sid === 3n))
    yield* network.heal
    yield* Leaders.led(members)
    assert.deepStrictEqual(ledger.overlaps, [])
  })))
})

describe("a leader that has lost its followers", () => {
  it.effect("says so while its work still ends, and votes for nobody before", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, one, two } = yield* three(Effect.sleep(1_000))
    yield* one.crash
    yield* two.crash
    assert.isAtMost(yield* Leaders.timed(Leaders.until([leader], allLook)), 2 * TICK)
    const status = yield* leader.leadership.status
    assert.deepStrictEqual(status, {
      _tag: "LOOKING",
      reason: { _tag: "Leaving", epoch: 1n, reason: { _tag: "QuorumLost" } }
    })
    assert.lengthOf(ledger.running(), 1)
    assert.strictEqual((yield* leader.peer.status)._tag, "Settled")
    yield* Leaders.advance(
      Effect.map(leader.peer.status, ({ _tag }) => _tag === "Looking"),
      Effect.succeed("it does not look")
    )
    assert.deepStrictEqual(ledger.running(), [])
  })))
})

describe("when a follower is gone", () => {
  it.effect("the leader goes on with the others, closes it, and takes it back", networked(Effect.fnUntraced(
    function*(network) {
      const { leader, members, one, two } = yield* three()
      const seen = yield* Leaders.watch(leader)
      yield* network.partition(host(1n), others(1n))
      yield* Leaders.until([one], allLook)
      yield* Leaders.stays([leader, two], 5, ledBy(3n, 1n))
      const quorumLinks = yield* network.connections
      const open = quorumLinks.filter(({ state, to }) => to === `${host(3n)}:2888` && state === "Open")
      assert.lengthOf(open, 1, "the silent one is closed")
      yield* network.heal
      yield* Leaders.until(members, ledBy(3n, 1n))
      assert.lengthOf(seen, 1, "the leader was not disturbed")
    }
  )))

  it.effect("and another, so that no quorum is left, the leader gives up at the next tick", networked(Effect.fnUntraced(
    function*() {
      const { leader, ledger, one, two } = yield* three()
      yield* one.crash
      yield* Leaders.stays([leader, two], 1, ledBy(3n, 1n))
      yield* two.crash
      assert.isAtMost(yield* Leaders.timed(Leaders.until([leader], allLook)), TICK + 20)
      assert.deepStrictEqual(ledger.running(), [])
      yield* Leaders.stays([leader], 10, allLook)
    }
  )))
})

describe("a minority", () => {
  it.effect("has no leader while the majority has one", networked(Effect.fnUntraced(function*() {
    const network = yield* MemoryNetwork
    const members = yield* Cluster.startAll(5, activated())
    yield* Leaders.until(members, ledBy(5n, 1n))
    const [minority, majority] = [members.slice(3), members.slice(0, 3)]
    yield* network.partition(minority.map(({ sid }) => host(sid)), majority.map(({ sid }) => host(sid)))
    yield* Leaders.until(majority, ledBy(3n, 2n))
    yield* Leaders.until(minority, allLook)
    yield* Leaders.stays(minority, 5, allLook)
    yield* network.heal
    yield* Leaders.until(members, ledBy(3n, 2n))
  })))
})
