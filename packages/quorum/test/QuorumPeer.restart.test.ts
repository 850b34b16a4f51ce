import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Oracle } from "../src/Oracle.ts"
import { serverState } from "../src/PeerStatus.ts"
import * as Cluster from "./Cluster.ts"

const { agreeOn, networked, sids } = Cluster

describe("when a leader crashes", () => {
  it.effect("the rest elect another, and it joins them when it comes back", networked(Effect.fnUntraced(function*() {
    const [one, two, three] = yield* Cluster.startAll(3)
    yield* Cluster.until([one!, two!, three!], agreeOn(3n))
    yield* three!.stop
    const stopped = yield* Clock.currentTimeMillis
    yield* Cluster.until([one!, two!], agreeOn(2n))
    // Its address refuses, so nobody waits for it.
    assert.isBelow((yield* Clock.currentTimeMillis) - stopped, 1000)
    const back = yield* Cluster.start(3, 3n)
    yield* Cluster.until([one!, two!, back], agreeOn(2n))
    yield* Cluster.stays([one!, two!, back], 10, agreeOn(2n))
  })))

  it.effect("the rest elect another, for as long as there is a quorum (FLETest)", networked(Effect.fnUntraced(
    function*() {
      const members = yield* Cluster.startAll(7)
      for (const leader of [7, 6, 5, 4]) {
        yield* Cluster.until(members.slice(0, leader), agreeOn(BigInt(leader)))
        const round = (yield* Cluster.reportOf(members[0]!)).vote.electionEpoch
        assert.isAtLeast(Number(round), 8 - leader)
        yield* members[leader - 1]!.stop
      }
      const rest = members.slice(0, 3)
      yield* Cluster.until(rest, Cluster.allLook)
      yield* Cluster.stays(rest, 90, Cluster.allLook)
      const seven = yield* Cluster.start(7, 7n)
      yield* Cluster.until([...rest, seven], agreeOn(7n))
    }
  )))

  it.effect("a peer that comes meanwhile takes part (FLENewEpochTest)", networked(Effect.fnUntraced(function*() {
    const [two, three] = yield* Cluster.startSome(3, [2n, 3n])
    yield* Cluster.until([two!, three!], agreeOn(3n))
    yield* three!.stop
    const one = yield* Cluster.start(3, 1n)
    yield* Cluster.until([one, two!], agreeOn(2n))
    assert.strictEqual((yield* Cluster.reportOf(one)).vote.electionEpoch, 2n)
  })))
})

describe("a peer that joins", () => {
  it.effect("follows who leads, whatever its id and history (testJoin)", networked(Effect.fnUntraced(function*() {
    const [one, two] = yield* Cluster.startSome(3, [1n, 2n])
    yield* Cluster.until([one!, two!], agreeOn(2n))
    const [before, after] = [yield* Cluster.watch(one!), yield* Cluster.watch(two!)]
    const three = yield* Cluster.start(3, 3n, { facts: { lastLoggedZxid: 99n, currentEpoch: 9n } })
    const seen = yield* Cluster.watch(three)
    yield* Cluster.until([one!, two!, three], agreeOn(2n))
    assert.notInclude(seen.map(serverState), "LEADING")
    assert.deepStrictEqual([...before, ...after].map(serverState), ["FOLLOWING", "LEADING"])
  })))

  it.effect("after a crash counts rounds from 1 again (FLERestartTest)", networked(Effect.fnUntraced(function*() {
    const [one, two, three] = yield* Cluster.startAll(3)
    yield* Cluster.until([one!, two!, three!], agreeOn(3n))
    yield* two!.peer.lookForLeader
    yield* three!.peer.lookForLeader
    yield* Cluster.until([one!, two!, three!], (statuses) =>
      agreeOn(3n)(statuses) &&
      statuses.every((status) => status._tag === "Settled" && status.report.vote.electionEpoch > 1n))
    yield* one!.stop
    const again = yield* Cluster.start(3, 1n)
    yield* Cluster.until([again, two!, three!], agreeOn(3n))
    assert.isAbove(Number((yield* Cluster.reportOf(again)).vote.electionEpoch), 1)
  })))
})

// Elects 3 and has it look until that is in this round.
const electedIn = Effect.fnUntraced(function*(round: bigint) {
  const members = yield* Cluster.startAll(3)
  yield* Cluster.until(members, agreeOn(3n))
  while ((yield* Cluster.reportOf(members[2]!)).vote.electionEpoch < round) {
    yield* members[2]!.peer.lookForLeader
    yield* Cluster.until(members, Cluster.allLook)
    yield* Cluster.until(members, agreeOn(3n))
  }
  return members as [Cluster.Member, Cluster.Member, Cluster.Member]
})

describe("a leader that restarts", () => {
  it.effect.each([1n, 2n, 3n])("at once is found out, and all agree again (in round %i)", (round) =>
    networked(Effect.fnUntraced(function*() {
      const [one, two, three] = yield* electedIn(round)
      yield* three.stop
      const all = [one, two, yield* Cluster.start(3, 3n)]
      yield* Cluster.until(all, Cluster.agree)
      yield* Cluster.stays(all, 10, Cluster.agree)
    }))())

  // The second time its followers' last word to it, which they say again on the new link, is no vote of theirs.
  it.effect.each([1, 2, 3])("before anybody can know is found out, and all agree again (%i times)", (times) =>
    networked(Effect.fnUntraced(function*(network) {
      const [one, two, three] = yield* electedIn(2n)
      let leader = three
      for (let time = 1; time <= times; time++) {
        yield* network.partition(Cluster.host(3n), [1n, 2n].map(Cluster.host))
        yield* leader.stop
        leader = yield* Cluster.start(3, 3n)
        yield* Cluster.stays([one, two], 3, agreeOn(3n))
        yield* Cluster.stays([leader], 1, Cluster.allLook)
        yield* network.heal
        yield* Cluster.until([one, two, leader], agreeOn(3n))
      }
      yield* Cluster.stays([one, two, leader], 10, agreeOn(3n))
    }))())
})

describe("one of two voters with an oracle", () => {
  const verifier = QuorumVerifier.oracle({ servers: sids(1, 2).map((sid) => Cluster.server(sid)), oraclePath: "" })

  it.effect.each([true, false])("goes on alone if the oracle says so (%s)", (answer) =>
    networked(() => Effect.gen(function*() {
      const [one, two] = yield* Cluster.startSome(verifier, [1n, 2n])
      yield* Cluster.until([one!, two!], agreeOn(2n))
      yield* two!.stop
      if (answer) yield* Cluster.until([one!], agreeOn(1n))
      else yield* Cluster.until([one!], Cluster.allLook)
      yield* Cluster.stays([one!], 70, answer ? agreeOn(1n) : Cluster.allLook)
      const back = yield* Cluster.start(verifier, 2n)
      yield* Cluster.until([one!, back], agreeOn(answer ? 1n : 2n))
    }).pipe(Effect.provideService(Oracle, Effect.succeed(answer))))())
})
