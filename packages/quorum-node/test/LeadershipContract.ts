/**
 * What leadership promises over every transport: an elected leader is activated at
 * the quorum port, hands over without an election, and lets in only who may come.
 */
import * as LearnerInfo from "../../core/src/LearnerInfo.ts"
import * as QuorumPacket from "../../core/src/QuorumPacket.ts"
import * as History from "@conclave/quorum/History"
import * as Leadership from "@conclave/quorum/Leadership"
import type { LeadershipStatus } from "@conclave/quorum/LeadershipStatus"
import { type QuorumAuth as Auth, QuorumAuth } from "@conclave/quorum/QuorumAuth"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import { type Connection, Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { MakePlace, Place } from "./CnxManagerHarness.ts"

/** The quorum port of every peer; each has a host of its own. */
export const QUORUM_PORT = 2888

/** A running peer. */
export interface Member {
  readonly sid: bigint
  readonly leadership: Leadership.Leadership["Service"]
  readonly stop: Effect.Effect<void>
}

/** Starts one of the voters 1 to 3. */
export const start = Effect.fnUntraced(function*(place: Place, sid: bigint, auth?: Auth) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const voters = Object.fromEntries([1n, 2n, 3n].map((sid) => [`${sid}`, { host: place.host(sid) }]))
  const ticks = { tickTime: 500, initLimit: 20, syncLimit: 20 }
  const layer = Leadership.layer.pipe(
    Layer.provide(QuorumPeer.layer),
    Layer.provide([
      QuorumConfig.layerVoters(sid, voters, { activation: QuorumConfig.activation({ ticks, abstainFor: 500 }) }),
      History.layer(),
      Layer.effect(Transport, place.transport(place.host(sid))),
      auth === undefined ? Layer.empty : Layer.succeed(QuorumAuth, auth)
    ])
  )
  const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope)
  const member: Member = {
    sid,
    leadership: Context.get(context, Leadership.Leadership),
    stop: Scope.close(scope, Exit.void)
  }
  return member
})

/** Starts the voters 1 to 3. */
export const startAll = (place: Place, auth?: Auth) =>
  Effect.forEach([1n, 2n, 3n], (sid) => start(place, sid, auth))

/** Waits until a peer stands where it should. */
export const until = ({ leadership }: Member, holds: (status: LeadershipStatus) => boolean) =>
  Stream.runHead(Stream.filter(leadership.changes, holds))

const leads = (epoch: bigint) => (status: LeadershipStatus) => status._tag === "LEADING" && status.epoch === epoch

const follows = (leader: bigint, epoch: bigint) => (status: LeadershipStatus) =>
  status._tag === "FOLLOWING" && status.leader === leader && status.epoch === epoch

/** Waits until one of these leads all others in this epoch. Whoever started first may have elected without the rest. */
export const led = Effect.fnUntraced(function*(members: ReadonlyArray<Member>, epoch: bigint) {
  const found = yield* Effect.forEach(members, (member) =>
    until(member, (status) => status._tag !== "LOOKING" && status.epoch === epoch), { concurrency: "unbounded" })
  const index = found.findIndex((status) => status._tag === "Some" && status.value._tag === "LEADING")
  return members[index] ?? assert.fail("nobody leads")
})

/** Says at the quorum port who it is, and gives the answer; `null` if the connection is closed instead. */
export const introduce = Effect.fnUntraced(function*(connection: Connection, sid: bigint) {
  const data = LearnerInfo.encode({
    sid,
    protocolVersion: LearnerInfo.PROTOCOL_VERSION,
    configVersion: 0n,
    ours: { lease: 0 }
  })
  return yield* Effect.gen(function*() {
    yield* connection.write(QuorumPacket.encode(QuorumPacket.make("FOLLOWERINFO", 0n, data)))
    let rest = QuorumPacket.empty
    while (true) {
      for (const chunk of yield* connection.pull) {
        const decoded = yield* Effect.fromResult(QuorumPacket.decode(rest, chunk))
        rest = decoded.rest
        const [packet] = decoded.packets
        if (packet !== undefined) return packet.type
      }
    }
  }).pipe(Effect.orElseSucceed(() => null))
})

/** Registers the contract for a transport. */
export const contract = (name: string, makePlace: MakePlace) =>
  describe(`leadership over ${name}`, () => {
    const test = (promise: string, body: (place: Place) => Effect.Effect<void, unknown, Scope.Scope>) =>
      it.live(promise, () => Effect.flatMap(makePlace, body).pipe(Effect.provide(Logger.layer([]))), 30_000)

    test("is activated, handed over to whom one asks for, resigned, and left by who stops", Effect.fnUntraced(
      function*(place) {
        const members = yield* startAll(place)
        const first = yield* led(members, 1n)
        const notes: Array<string> = []
        const begun = yield* Deferred.make<void>()
        for (const { leadership, sid } of members) {
          yield* Effect.forkScoped(leadership.whileLeader(({ epoch }) =>
            Effect.acquireRelease(
              Effect.suspend(() => {
                notes.push(`${sid} begins ${epoch}`)
                return Deferred.succeed(begun, undefined)
              }),
              () => Effect.sync(() => notes.push(`${sid} ends ${epoch}`))
            ).pipe(Effect.andThen(Effect.never))))
        }
        yield* Deferred.await(begun)
        const second = members.find(({ sid }) => sid !== first.sid)!
        const third = members.find(({ sid }) => sid !== first.sid && sid !== second.sid)!
        yield* first.leadership.transferTo(second.sid)
        yield* until(second, leads(2n))
        for (const one of [first, third]) yield* until(one, follows(second.sid, 2n))
        // Of the other two one has just stepped aside.
        yield* second.leadership.resign
        yield* until(third, leads(3n))
        for (const one of [first, second]) yield* until(one, follows(third.sid, 3n))
        yield* third.stop
        yield* led([first, second], 4n)
        const terms = [first, second, third].map(({ sid }, index) => `${sid} begins ${index + 1}`)
        const each = terms.flatMap((begins) => [begins, begins.replace("begins", "ends")])
        assert.deepStrictEqual(notes.slice(0, 6), each, "one after another")
      }
    ))

    test("is joined by who says who it is, and by nobody else", Effect.fnUntraced(function*(place) {
      const leader = yield* led(yield* startAll(place), 1n)
      const transport = yield* place.transport(place.host(5n))
      const dial = transport.dial({ host: place.host(leader.sid), port: QUORUM_PORT })
      assert.strictEqual(yield* introduce(yield* dial, 5n), "LEADERINFO")
      assert.isNull(yield* introduce(yield* dial, leader.sid), "two with the same id")
      const stranger = yield* dial
      yield* stranger.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: somebody\r\n\r\n"))
      yield* Effect.flip(Effect.forever(stranger.pull))
      yield* until(leader, leads(1n))
    }))
  })
