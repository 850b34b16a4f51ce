import * as Preference from "@conclave/core/Preference"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { MembershipStore } from "../src/MembershipStore.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { networked, server, sids } = Cluster
const { activated, allLook, ledBy } = Leaders

const epochsOf = (members: ReadonlyArray<Cluster.Member>) =>
  Effect.forEach(members, ({ history }) =>
    Effect.map(history.read, ({ acceptedEpoch, currentEpoch }) => [acceptedEpoch, currentEpoch]))

const tagsOf = (members: ReadonlyArray<Cluster.Member>) =>
  Effect.forEach(members, ({ leadership }) => Effect.map(leadership.status, ({ _tag }) => _tag))

describe("an elected leader", () => {
  it.effect.each([1, 3, 5])("is activated by a quorum of %i, which keeps the epoch", (size) =>
    networked(Effect.fnUntraced(function*() {
      const members = yield* Cluster.startAll(size, activated())
      yield* Leaders.until(members, ledBy(BigInt(size), 1n))
      assert.deepStrictEqual(yield* epochsOf(members), members.map(() => [1n, 1n]))
      yield* Leaders.stays(members, 5, ledBy(BigInt(size), 1n))
      const status = yield* members[size - 1]!.leadership.status
      if (status._tag !== "LEADING") return assert.fail(status._tag)
      assert.isAtLeast(status.reason.acknowledged.size, Math.floor(size / 2) + 1)
    }))())

  const started = (accepted: ReadonlyArray<bigint>) => (sid: bigint) =>
    Cluster.start(3, sid, { ...activated(), facts: { acceptedEpoch: accepted[Number(sid) - 1]! } })

  it.effect("goes beyond every epoch that a member of the quorum has accepted", networked(Effect.fnUntraced(
    function*() {
      const start = started([3n, 40n, 7n])
      const members = [yield* start(2n), yield* start(3n)]
      yield* Leaders.until(members, ledBy(3n, 41n))
      members.push(yield* start(1n))
      yield* Leaders.until(members, ledBy(3n, 41n))
      assert.deepStrictEqual(yield* epochsOf(members), members.map(() => [41n, 41n]))
    }
  )))

  it.effect("is not followed by who has accepted a later epoch, until another leads", networked(Effect.fnUntraced(
    function*() {
      const start = started([3n, 40n, 7n])
      const [one, three] = [yield* start(1n), yield* start(3n)]
      yield* Leaders.until([one, three], ledBy(3n, 8n))
      const two = yield* start(2n)
      yield* Leaders.stays([two], 5, allLook)
      yield* Leaders.stays([one, three], 0, ledBy(3n, 8n))
      yield* three.crash
      yield* Leaders.until([one, two], ledBy(1n, 41n))
    }
  )))

  it.effect("is observed by who has no vote, and not activated by it", networked(Effect.fnUntraced(function*() {
    const voters = sids(1, 3).map((sid) => server(sid))
    const members = QuorumVerifier.majority({ servers: [...voters, server(4n, "observer")] })
    const [one, two, four] = yield* Cluster.startSome(members, [1n, 2n, 4n], activated())
    yield* Leaders.until([one!, two!, four!], ledBy(2n, 1n))
    assert.deepStrictEqual(yield* tagsOf([one!, two!, four!]), ["FOLLOWING", "LEADING", "OBSERVING"])
    yield* one!.crash
    yield* Leaders.until([two!, four!], allLook)
    yield* Leaders.stays([two!, four!], 5, allLook)
  })))

  it.effect("has weight, and needs that of others", networked(Effect.fnUntraced(function*() {
    const members = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: sids(1, 4).map((sid) => server(sid)),
      groups: new Map([[1n, sids(1, 4)]]),
      weights: new Map([[1n, 2n], [2n, 1n], [3n, 1n], [4n, 0n]])
    }))
    // Weights 1 and 1 of 4 are no quorum, and a server without weight does not change that.
    const light = yield* Cluster.startSome(members, [2n, 3n, 4n], activated())
    yield* Leaders.stays(light, 3, allLook)
    const one = yield* Cluster.start(members, 1n, activated())
    yield* Leaders.until([one, ...light], ledBy(3n, 1n))
    assert.strictEqual((yield* Effect.flip(light[1]!.leadership.transferTo(4n))).problem, "NotElectable")
  })))
})

describe("preference", () => {
  const position = (position: bigint, priority: number) =>
    Effect.sync(() => Result.getOrThrow(Preference.zxid(position, priority)))

  it.effect("is for the freshest, then for the preferred", networked(Effect.fnUntraced(function*() {
    const options = [position(5n, 1), position(5n, 0), position(4n, 9)]
    const members = yield* Effect.forEach(sids(1, 3), (sid, index) =>
      Cluster.start(3, sid, { ...activated(), position: options[index]! }))
    yield* Leaders.until(members, ledBy(1n, 1n))
    yield* members[0]!.stop
    yield* Leaders.until(members.slice(1), ledBy(2n, 2n))
  })))
})

describe("a pending configuration", () => {
  const reconfigEnabled = true
  const config = (version: bigint, voters: ReadonlyArray<bigint>) =>
    QuorumVerifier.majority({ version, servers: voters.map((sid) => server(sid)) })
  const [committed, lastSeen] = [config(5n, [1n, 2n, 3n]), config(6n, [2n, 3n, 4n, 5n])]

  it.effect("needs a quorum of its own, is in force with the leader, and is kept", networked(Effect.fnUntraced(
    function*() {
      const kept: Array<string> = []
      const store = (sid: bigint): MembershipStore => ({
        committed: ({ version }) => Effect.sync(() => void kept.push(`${sid} committed ${version}`)),
        lastSeen: ({ version }) => Effect.sync(() => void kept.push(`${sid} last seen ${version}`))
      })
      const start = (sid: bigint) =>
        Cluster.start(committed, sid, { ...activated(), lastSeen, reconfigEnabled, store: store(sid) })
      const old = yield* Effect.forEach([1n, 2n, 3n], start)
      yield* Leaders.stays(old, 5, allLook)
      assert.deepStrictEqual(kept.filter((line) => line.includes("committed")), [])
      const four = yield* Cluster.start(lastSeen, 4n, { ...activated(), reconfigEnabled, store: store(4n) })
      const members = [old[1]!, old[2]!, four]
      yield* Leaders.led(members)
      const versions = yield* Effect.forEach(members, ({ peer }) =>
        Effect.map(peer.membership, ({ committed }) => committed.version))
      assert.deepStrictEqual(versions, [6n, 6n, 6n])
      for (const sid of [2n, 3n]) assert.include(kept, `${sid} committed 6`)
      yield* Leaders.stays(members, 3, Leaders.agree)
    }
  )))
})
