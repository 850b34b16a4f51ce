import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"
import * as Footprint from "./Footprint.ts"
import * as TcpEnsemble from "./TcpEnsemble.ts"

const SIZE = 5

const authority = Certificates.authority("the authority")

const transports = {
  TCP: () => NodeTransport.layerTcp(),
  TLS: (host: string) => {
    const issued = Certificates.issue(authority, { names: [`IP:${host}`] })
    const stores = Certificates.write(Certificates.directory("test"), issued, authority)
    return NodeTransport.layerSecure({ ...stores, sslQuorum: true, portUnification: false, reloadCertFiles: true })
  }
}

// Whoever it is: who starts late finds a leader already.
const leaderOf = (members: ReadonlyArray<TcpEnsemble.Member>) =>
  Effect.map(TcpEnsemble.agreement(members), ([report]) => report!.vote.leader)

describe.each(["TCP", "TLS"] as const)("five peers over %s", (kind) => {
  it.live("elect, elect again when the leader stops, take it back, and leave nothing behind", () =>
    Effect.gen(function*() {
      const footprint = yield* Footprint.make
      const nothing = yield* footprint.now
      assert.deepStrictEqual(nothing, { sockets: 0, fibers: 0, sleepers: 0 })
      const net = TcpEnsemble.randomNet()
      const voters = TcpEnsemble.voters(SIZE, net)
      const startCounted = (sid: bigint) =>
        footprint.count(TcpEnsemble.start(voters, sid, undefined, transports[kind](`${net}.${sid}`)))
      const members = yield* Effect.forEach(TcpEnsemble.sids(SIZE), startCounted)
      const first = yield* leaderOf(members)
      const rest = members.filter(({ sid }) => sid !== first)
      yield* members.find(({ sid }) => sid === first)!.stop
      const second = yield* leaderOf(rest)
      assert.notStrictEqual(second, first)
      const back = yield* startCounted(first)
      assert.strictEqual(yield* leaderOf([...rest, back]), second)
      // One server each, and both ends of ten connections.
      assert.isAtLeast((yield* footprint.now).sockets, SIZE + 20)
      yield* Effect.forEach([...rest, back], ({ stop }) => stop, { concurrency: "unbounded" })
      // A closed handle is counted until the event loop has come round.
      assert.deepStrictEqual(yield* Footprint.until("ended", footprint.now, ({ sockets }) => sockets === 0), nothing)
    }).pipe(Effect.provide(Logger.layer([]))), 30_000)
})
