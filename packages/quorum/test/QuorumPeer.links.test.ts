import type { Output } from "@conclave/core/ElectionOutput"
import type { LeaderLostReason } from "@conclave/core/Liveness"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { PeerStatus } from "../src/PeerStatus.ts"
import * as Cluster from "./Cluster.ts"

const { agree, agreeOn, host, networked, sids } = Cluster

const lost = (leader: bigint, reason: LeaderLostReason): PeerStatus => ({
  _tag: "Looking",
  cause: { _tag: "LeaderLost", leader, reason }
})

const hosts = (first: number, last: number) => sids(first, last).map(host)

describe("when connections break", () => {
  it.effect("all of the leader's: all agree again", networked(Effect.fnUntraced(function*(network) {
    const members = yield* Cluster.startAll(5)
    yield* Cluster.until(members, agreeOn(5n))
    for (let time = 0; time < 3; time++) {
      yield* network.reset(host(5n), hosts(1, 4))
      yield* Cluster.stays(members, time, () => true)
      yield* Cluster.until(members, agree)
    }
    yield* Cluster.stays(members, 70, agree)
  })))

  it.effect.each([1n, 2n, 3n, 4n])("the leader's with follower %i: all agree again", (follower) =>
    networked(Effect.fnUntraced(function*(network) {
      const members = yield* Cluster.startAll(5)
      yield* Cluster.until(members, agreeOn(5n))
      yield* network.reset(host(5n), host(follower))
      yield* Cluster.stays(members, 1, () => true)
      yield* Cluster.until(members, agree)
      yield* Cluster.stays(members, 10, agree)
      assert.isTrue((yield* members[Number(follower) - 1]!.peer.connected).has(5n))
    }))())

  it.effect("all there are: all agree again", networked(Effect.fnUntraced(function*(network) {
    const members = yield* Cluster.startAll(5)
    yield* Cluster.until(members, agreeOn(5n))
    yield* network.reset(hosts(1, 5), hosts(1, 5))
    yield* Cluster.stays(members, 1, () => true)
    yield* Cluster.until(members, agree)
    yield* Cluster.stays(members, 10, agree)
  })))

  it.effect("those between followers: nothing is noticed", networked(Effect.fnUntraced(function*(network) {
    const members = yield* Cluster.startAll(5)
    yield* Cluster.until(members, agreeOn(5n))
    const seen = yield* Effect.forEach(members, Cluster.watch)
    yield* network.reset(hosts(1, 4), hosts(1, 4))
    yield* Cluster.stays(members, 70, agreeOn(5n))
    assert.deepStrictEqual(seen.map(({ length }) => length), [1, 1, 1, 1, 1])
  })))

  it.effect("while votes are on their way: all agree", networked(Effect.fnUntraced(function*(network) {
    const members = yield* Cluster.startAll(5)
    for (let time = 0; time < 20; time++) {
      yield* network.reset(hosts(1, 5), hosts(1, 5))
      yield* Effect.yieldNow
      if (time % 4 === 3) yield* Cluster.stays(members, 0.06, () => true)
    }
    yield* Cluster.until(members, agree)
    yield* Cluster.stays(members, 10, agree)
  })))
})

describe("when the leader is cut off", () => {
  // The stopgap's known weakness: a connection that is silent is as good as one that works. Nobody looks, and the one
  // who leads cannot know that nobody hears it. The pings of the phases after the election will notice.
  it.effect("and no connection breaks, nobody notices, and after it all is as before", networked(Effect.fnUntraced(
    function*(network) {
      const members = yield* Cluster.startAll(3)
      yield* Cluster.until(members, agreeOn(3n))
      // Long enough for the election to be confirmed.
      yield* Cluster.stays(members, 6, agreeOn(3n))
      const seen = yield* Effect.forEach(members, Cluster.watch)
      yield* network.partition(host(3n), hosts(1, 2))
      yield* Cluster.stays(members, 120, agreeOn(3n))
      yield* network.heal
      yield* Cluster.stays(members, 10, agreeOn(3n))
      assert.deepStrictEqual(seen.map(({ length }) => length), [1, 1, 1])
    }
  )))

  it.effect("before its election was confirmed, those who follow it look again", networked(Effect.fnUntraced(
    function*(network) {
      const members = yield* Cluster.startAll(3)
      yield* Cluster.until(members, agreeOn(3n))
      yield* network.partition(host(3n), hosts(1, 2))
      const followers = members.slice(0, 2)
      const isUnconfirmed = (status: PeerStatus) =>
        status._tag === "Looking" && status.cause._tag === "LeaderLost" && status.cause.reason === "ElectionUnconfirmed"
      yield* Cluster.until(followers, (statuses) => statuses.some(isUnconfirmed))
      yield* network.heal
      yield* Cluster.until(members, agree)
      yield* Cluster.stays(members, 10, agree)
    }
  )))

  it.effect("and its connections break, the others elect another, and it joins them later", networked(
    Effect.fnUntraced(function*(network) {
      const members = yield* Cluster.startAll(5)
      yield* Cluster.until(members, agreeOn(5n))
      yield* network.partition(host(5n), hosts(1, 4))
      yield* network.reset(host(5n), hosts(1, 4))
      yield* Cluster.until(members.slice(0, 4), agreeOn(4n))
      yield* Cluster.until(members.slice(4), Cluster.allLook)
      yield* Cluster.stays(members, 30, (statuses) =>
        agreeOn(4n)(statuses.slice(0, 4)) && Cluster.allLook(statuses.slice(4)))
      yield* network.heal
      yield* Cluster.until(members, agreeOn(4n))
      yield* Cluster.stays(members, 10, agreeOn(4n))
    })
  ))

  it.effect("with a minority, the majority elects another and the minority nobody", networked(
    Effect.fnUntraced(function*(network) {
      const members = yield* Cluster.startAll(5)
      yield* Cluster.until(members, agreeOn(5n))
      yield* network.partition(hosts(4, 5), hosts(1, 3))
      yield* network.reset(hosts(4, 5), hosts(1, 3))
      yield* Cluster.until(members.slice(0, 3), agreeOn(3n))
      yield* Cluster.until(members.slice(3), Cluster.allLook)
      yield* network.heal
      yield* Cluster.until(members, agree)
      yield* Cluster.stays(members, 10, agree)
    })
  ))

  it.effect("from one follower, the others keep it, and the one joins again", networked(
    Effect.fnUntraced(function*(network) {
      const members = yield* Cluster.startAll(3)
      yield* Cluster.until(members, agreeOn(3n))
      yield* network.partition(host(3n), host(1n))
      yield* network.reset(host(3n), host(1n))
      yield* Cluster.until(members.slice(0, 1), Cluster.allLook)
      yield* Cluster.stays(members, 20, (statuses) =>
        agreeOn(3n)(statuses.slice(1)) && Cluster.allLook(statuses.slice(0, 1)))
      yield* network.heal
      yield* Cluster.until(members, agreeOn(3n))
    })
  ))
})

describe("a follower without a connection to its leader", () => {
  it.effect("waits for one, whatever happens to its other connections", networked(Effect.fnUntraced(
    function*(network) {
      // What the leader says does not reach 1, which follows it by the votes of the others.
      yield* network.hold(host(5n), host(1n))
      const members = yield* Cluster.startSome(5, [1n, 2n, 3n, 5n])
      yield* Cluster.until(members, agreeOn(5n))
      const seen = yield* Cluster.watch(members[0]!)
      assert.isFalse((yield* members[0]!.peer.connected).has(5n))
      yield* network.reset(host(1n), hosts(2, 3))
      yield* Cluster.stays(members, 1, agreeOn(5n))
      yield* network.release(host(5n), host(1n))
      yield* Cluster.stays(members, 20, agreeOn(5n))
      assert.isTrue((yield* members[0]!.peer.connected).has(5n))
      assert.strictEqual(seen.length, 1)
    }
  )))

  it.effect("looks again when none comes in time", networked(Effect.fnUntraced(function*(network) {
    yield* network.hold(host(5n), host(1n))
    const members = yield* Cluster.startSome(5, [1n, 2n, 3n, 5n])
    const [one, ...others] = members
    yield* Cluster.until(members, agreeOn(5n))
    const seen = yield* Cluster.watch(one!)
    yield* Cluster.until([one!], Cluster.allLook)
    assert.deepStrictEqual(seen[1], lost(5n, "LinkToLeaderClosed"))
    yield* Cluster.stays(others, 10, agreeOn(5n))
    yield* network.release(host(5n), host(1n))
    yield* Cluster.until(members, agreeOn(5n))
    yield* Cluster.stays(members, 10, agreeOn(5n))
  })))
})

describe("an observer", () => {
  const verifier = QuorumVerifier.majority({
    servers: sids(0, 4).map((sid) => Cluster.server(sid, sid === 0n || sid === 4n ? "observer" : "participant"))
  })
  const { startSome } = Cluster

  it.effect.each([0n, 4n])("with id %i follows as OBSERVING, and its crash does not matter", (observer) =>
    networked(Effect.fnUntraced(function*() {
      const voters = yield* startSome(verifier, sids(1, 3))
      const watcher = yield* Cluster.start(verifier, observer, { facts: { lastLoggedZxid: 99n, currentEpoch: 99n } })
      yield* Cluster.until([...voters, watcher], agreeOn(3n))
      assert.strictEqual((yield* Cluster.reportOf(watcher)).state, "OBSERVING")
      yield* voters[2]!.stop
      yield* Cluster.until([voters[0]!, voters[1]!, watcher], agreeOn(2n))
      const seen = yield* Effect.forEach(voters.slice(0, 2), Cluster.watch)
      yield* watcher.stop
      yield* Cluster.stays(voters.slice(0, 2), 70, agreeOn(2n))
      assert.deepStrictEqual(seen.map(({ length }) => length), [1, 1])
      const back = yield* Cluster.start(verifier, observer)
      yield* Cluster.until([back], agreeOn(2n))
    }))())

  it.effect("finds out that who led looks, or follows another, though nobody tells it", networked(Effect.fnUntraced(
    function*(network) {
      const voters = yield* startSome(verifier, sids(1, 3))
      const watcher = yield* Cluster.start(verifier, 0n)
      yield* Cluster.until([...voters, watcher], agreeOn(3n))
      const seen = yield* Cluster.watch(watcher)
      yield* Cluster.stays([...voters, watcher], 30, agreeOn(3n))
      assert.strictEqual(seen.length, 1)
      const sent: Array<Output> = []
      yield* Effect.forkScoped(
        Stream.runForEach(watcher.peer.outputs, (output) => Effect.sync(() => sent.push(output))),
        { startImmediately: true }
      )
      yield* network.partition(host(3n), hosts(1, 2))
      yield* network.reset(host(3n), hosts(1, 2))
      yield* Cluster.until([...voters.slice(0, 2), watcher], agreeOn(2n), 30)
      assert.deepStrictEqual(seen[1], lost(3n, "LeaderLooking"))
      assert.isBelow(sent.filter(({ _tag }) => _tag === "Send").length, 50)
    }
  )))

  it.effect("finds out that its leader is silent", networked(Effect.fnUntraced(function*(network) {
    const voters = yield* startSome(verifier, sids(1, 3))
    const watcher = yield* Cluster.start(verifier, 0n)
    yield* Cluster.until([...voters, watcher], agreeOn(3n))
    const seen = yield* Cluster.watch(watcher)
    yield* network.partition(host(3n), host(0n))
    yield* Cluster.until([watcher], Cluster.allLook, 30)
    assert.deepStrictEqual(seen[1], lost(3n, "ElectionUnconfirmed"))
    yield* network.heal
    yield* Cluster.until([watcher], agreeOn(3n), 30)
  })))

  it.effect("does not make up for voters (ObserverLETest)", networked(Effect.fnUntraced(function*() {
    const members = yield* startSome(verifier, [1n, 2n, 3n, 4n])
    yield* Cluster.until(members, agreeOn(3n))
    yield* members[0]!.stop
    yield* members[1]!.stop
    const left = members.slice(2)
    yield* Cluster.until(left, Cluster.allLook, 30)
    yield* Cluster.stays(left, 70, Cluster.allLook)
  })))
})
