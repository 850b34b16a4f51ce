import * as History from "@conclave/quorum/History"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { randomInt } from "node:crypto"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"

const SIZE = 5

interface Member {
  readonly sid: bigint
  readonly peer: QuorumPeer.QuorumPeer["Service"]
  readonly stop: Effect.Effect<void>
}

const authority = Certificates.authority("the authority")

const transports = {
  TCP: () => NodeTransport.layerTcp(),
  TLS: (host: string) => {
    const issued = Certificates.issue(authority, { names: [`IP:${host}`] })
    const stores = Certificates.write(Certificates.directory("test"), issued, authority)
    return NodeTransport.layerSecure({ ...stores, sslQuorum: true, portUnification: false, reloadCertFiles: true })
  }
}

const start = Effect.fnUntraced(function*(kind: keyof typeof transports, net: string, sid: bigint) {
  const voters = Object.fromEntries(
    Array.from({ length: SIZE }, (_, index) => [`${index + 1}`, { host: `${net}.${index + 1}`, port: 3888 }])
  )
  const scope = yield* Scope.fork(yield* Effect.scope)
  const layer = QuorumPeer.layer.pipe(
    Layer.provide([QuorumConfig.layerVoters(sid, voters), History.layer(), transports[kind](`${net}.${sid}`)])
  )
  const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope)
  const member: Member = {
    sid,
    peer: Context.get(context, QuorumPeer.QuorumPeer),
    stop: Scope.close(scope, Exit.void)
  }
  return member
})

// Each waits for the status it is to have; none can pass by unseen.
const agreeOn = (members: ReadonlyArray<Member>, leader: bigint) =>
  Effect.forEach(members, ({ peer, sid }) =>
    peer.changes.pipe(
      Stream.filter((status) =>
        status._tag === "Settled" && status.report.vote.leader === leader &&
        status.report.state === (sid === leader ? "LEADING" : "FOLLOWING")
      ),
      Stream.runHead
    ), { concurrency: "unbounded", discard: true })

// The sockets and servers of this process; the test runner has none.
const sockets = Effect.sync(() =>
  process.getActiveResourcesInfo().filter((resource) => /TCP|TLS|FSEvent/i.test(resource)))

// A closed handle is counted until the event loop has come round.
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

// Counts who sleeps. The process as a whole does not tell: the test runner has timers of its own.
const countingClock = Effect.map(Clock.Clock, (clock) => {
  const sleepers = { count: 0 }
  const counting: Clock.Clock = {
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) =>
      Effect.acquireUseRelease(
        Effect.sync(() => sleepers.count++),
        () => clock.sleep(duration),
        () => Effect.sync(() => sleepers.count--)
      )
  }
  return { counting, sleepers }
})

describe.each(["TCP", "TLS"] as const)("five peers over %s", (kind) => {
  it.live("elect, elect again when the leader stops, take it back, and leave nothing behind", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sockets, [])
      const { counting, sleepers } = yield* countingClock
      // All of 127.0.0.0/8 is this host: nothing else binds these addresses.
      const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
      const sids = Array.from({ length: SIZE }, (_, index) => BigInt(index + 1))
      const startCounted = (sid: bigint) => Effect.provideService(start(kind, net, sid), Clock.Clock, counting)
      const members = yield* Effect.forEach(sids, startCounted)
      yield* agreeOn(members, 5n)
      yield* members[4]!.stop
      yield* agreeOn(members.slice(0, 4), 4n)
      const back = yield* startCounted(5n)
      yield* agreeOn([...members.slice(0, 4), back], 4n)
      // One server each, and both ends of ten connections.
      assert.isAtLeast((yield* sockets).length, SIZE + 20)
      yield* Effect.forEach([...members, back], ({ stop }) => stop, { concurrency: "unbounded" })
      yield* Effect.repeat(turn, { times: 2 })
      assert.deepStrictEqual(yield* sockets, [])
      assert.strictEqual(sleepers.count, 0)
    }).pipe(Effect.provide(Logger.layer([]))), 30_000)
})
