import type { Output } from "@conclave/core/ElectionOutput"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { PeerStatus } from "../src/PeerStatus.ts"
import * as Cluster from "./Cluster.ts"

const { agree, agreeOn, networked, sids } = Cluster

// Has those of them look who are asked, and waits until they have done so and everybody agrees.
const lookAgain = Effect.fnUntraced(function*(members: ReadonlyArray<Cluster.Member>, asked: ReadonlyArray<bigint>) {
  const before = yield* Effect.forEach(members, Cluster.reportOf)
  yield* Effect.forEach(members.filter(({ sid }) => asked.includes(sid)), ({ peer }) => peer.lookForLeader)
  yield* Cluster.until(members, (statuses) =>
    agree(statuses) && statuses.every((status, index) => {
      const old = before[index]!
      return status._tag === "Settled" && !(asked.includes(old.sid) && status.report === old)
    }))
})

const tags = (seen: ReadonlyArray<PeerStatus>) =>
  seen.map((status) => (status._tag === "Looking" ? `Looking: ${status.cause._tag}` : status.report.state))

describe("lookForLeader", () => {
  it.effect.each<readonly [alive: ReadonlyArray<bigint>, asked: ReadonlyArray<bigint>]>([
    [sids(1, 3), [1n]],
    [sids(1, 3), [2n]],
    [sids(1, 3), [3n]],
    [sids(1, 3), [1n, 2n]],
    [sids(1, 3), [1n, 3n]],
    [sids(1, 3), [1n, 2n, 3n]],
    [[1n, 2n], [1n]],
    [[1n, 2n], [2n]],
    [[1n, 3n], [1n]],
    [[1n, 3n], [3n]],
    [[2n, 3n], [2n, 3n]]
  ])("leads to agreement of all (%s alive, %s asked)", ([alive, asked]) =>
    networked(Effect.fnUntraced(function*() {
      const members = yield* Cluster.startSome(3, alive)
      yield* Cluster.until(members, agree)
      // Not only once: what the last time left behind must not matter.
      for (let time = 1; time <= 3; time++) {
        yield* lookAgain(members, asked)
        yield* Cluster.stays(members, time === 3 ? 70 : 0.1 * time, agree)
      }
    }))())

  it.effect("by a follower finds the same leader, who keeps leading", networked(Effect.fnUntraced(function*() {
    const members = yield* Cluster.startAll(3)
    yield* Cluster.until(members, agreeOn(3n))
    const [follower, leader] = [yield* Cluster.watch(members[0]!), yield* Cluster.watch(members[2]!)]
    yield* lookAgain(members, [1n])
    assert.deepStrictEqual(tags(follower), ["FOLLOWING", "Looking: Requested", "FOLLOWING"])
    assert.deepStrictEqual(tags(leader), ["LEADING"])
    const { reason } = yield* Cluster.reportOf(members[0]!)
    assert.strictEqual(reason._tag, "Joined")
  })))

  it.effect("by one follower after another does not disturb the leader", networked(Effect.fnUntraced(function*() {
    const members = yield* Cluster.startAll(3)
    yield* Cluster.until(members, agreeOn(3n))
    const leader = yield* Cluster.watch(members[2]!)
    for (const follower of [1n, 2n, 1n]) {
      yield* lookAgain(members, [follower])
      // As long as somebody who looked counts as looking.
      yield* Cluster.stays(members, 1.5, agreeOn(3n))
    }
    assert.deepStrictEqual(tags(leader), ["LEADING"])
  })))

  it.effect("while looking begins a new round", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(3, 1n)
    yield* Cluster.stays([one], 1, Cluster.allLook)
    const rounds = yield* roundsOf(one)
    yield* one.peer.lookForLeader
    const two = yield* Cluster.start(3, 2n)
    yield* Cluster.until([one, two], agreeOn(2n))
    assert.deepStrictEqual(rounds, [2n])
  })))
})

const roundsOf = Effect.fnUntraced(function*({ peer }: Cluster.Member) {
  const rounds: Array<bigint> = []
  yield* Effect.forkScoped(
    Stream.runForEach(peer.outputs, (output) =>
      Effect.sync(() => output._tag === "RoundStarted" && rounds.push(output.logicalClock))),
    { startImmediately: true }
  )
  return rounds
})

describe("what a peer tells of itself", () => {
  it.effect("changes: where it stands, and every change with its reason", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(3, 1n)
    const seen = yield* Cluster.watch(one)
    yield* Cluster.stays([one], 1, Cluster.allLook)
    const [two, three] = yield* Cluster.startSome(3, [2n, 3n])
    yield* Cluster.until([one, two!, three!], agreeOn(3n))
    yield* three!.stop
    yield* Cluster.until([one, two!], agreeOn(2n))
    yield* two!.stop
    yield* Cluster.until([one], Cluster.allLook)
    assert.deepStrictEqual(tags(seen), [
      "Looking: Started",
      "FOLLOWING",
      "Looking: LeaderLost",
      "FOLLOWING",
      "Looking: LeaderLost"
    ])
    const causes = seen.flatMap((status) => (status._tag === "Looking" ? [status.cause] : []))
    assert.deepStrictEqual(causes.slice(1), [
      { _tag: "LeaderLost", leader: 3n, reason: "LinkToLeaderClosed" },
      { _tag: "LeaderLost", leader: 2n, reason: "LinkToLeaderClosed" }
    ])
  })))

  it.effect("changes: a leader that its followers leave", networked(Effect.fnUntraced(function*() {
    const [one, two, three] = yield* Cluster.startAll(3)
    yield* Cluster.until([one!, two!, three!], agreeOn(3n))
    const seen = yield* Cluster.watch(three!)
    yield* one!.stop
    yield* Cluster.stays([two!, three!], 10, agreeOn(3n))
    yield* two!.stop
    yield* Cluster.until([three!], Cluster.allLook)
    const lost = { _tag: "LeaderLost", leader: 3n, reason: "LinksLost" } as const
    assert.strictEqual(seen.length, 2)
    assert.deepStrictEqual(seen[1], { _tag: "Looking", cause: lost })
  })))

  it.effect("awaitLeader: the election at hand, or the next", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(3, 1n)
    const waiting = yield* Effect.forkScoped(one.peer.awaitLeader, { startImmediately: true })
    yield* Cluster.stays([one], 1, Cluster.allLook)
    assert.isUndefined(waiting.pollUnsafe())
    const two = yield* Cluster.start(3, 2n)
    yield* Cluster.until([one, two], agreeOn(2n))
    const report = yield* Fiber.join(waiting)
    assert.strictEqual(report.vote.leader, 2n)
    assert.deepStrictEqual(yield* one.peer.awaitLeader, report)
  })))

  it.effect("outputs: every decision from now on, in order", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(1, 1n)
    yield* Cluster.until([one], agreeOn(1n))
    const seen: Array<Output> = []
    yield* Effect.forkScoped(
      Stream.runForEach(one.peer.outputs, (output) => Effect.sync(() => seen.push(output))),
      { startImmediately: true }
    )
    yield* lookAgain([one], [1n])
    yield* Cluster.stays([one], 1, agreeOn(1n))
    assert.deepStrictEqual(seen.map(({ _tag }) => _tag), [
      "RoundStarted",
      "Send",
      "SetTimer",
      "Kept",
      "QuorumReached",
      "SetTimer",
      "CancelTimer",
      "Elected"
    ])
  })))

  it.effect("connected: the peers it has a connection with", networked(Effect.fnUntraced(function*() {
    const [one, two, three] = yield* Cluster.startAll(3)
    yield* Cluster.until([one!, two!, three!], agreeOn(3n))
    assert.deepStrictEqual(yield* three!.peer.connected, new Set([1n, 2n]))
    yield* two!.stop
    yield* Cluster.stays([one!, three!], 1, agreeOn(3n))
    assert.deepStrictEqual(yield* three!.peer.connected, new Set([1n]))
  })))
})
