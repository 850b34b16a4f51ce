import { assert, describe, it } from "@effect/vitest"
import { Transport } from "@conclave/quorum/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"
import type { MakePlace } from "./CnxManagerHarness.ts"
import { memory, secure, tcp } from "./CnxManagerPlaces.ts"
import { contract, introduce, led, QUORUM_PORT, startAll } from "./LeadershipContract.ts"
import * as TcpEnsemble from "./TcpEnsemble.ts"

contract("memory", memory)
contract("TCP", tcp)
contract("TLS", secure(true, false))
contract("TLS to unified ports", secure(true, true))
contract("TCP to unified ports", secure(false, true))

const authority = Certificates.authority("the authority")

/** On loopback, everybody with a certificate for its own host alone. */
const apart: MakePlace = Effect.gen(function*() {
  const net = TcpEnsemble.randomNet()
  const transports = new Map<string, Transport["Service"]>()
  for (const host of [1, 2, 3, 4].map((sid) => `${net}.${sid}`)) {
    const issued = Certificates.issue(authority, { names: [`IP:${host}`] })
    const stores = Certificates.write(Certificates.directory("test"), issued, authority)
    const layer = Layer.orDie(NodeTransport.layerSecure({ ...stores, sslQuorum: true, portUnification: false }))
    transports.set(host, Context.get(yield* Layer.build(layer), Transport))
  }
  return {
    host: (sid: bigint) => `${net}.${sid}`,
    transport: (host: string) => Effect.fromNullishOr(transports.get(host)).pipe(Effect.orDie)
  }
})

describe("the quorum port over TLS", () => {
  it.live("takes a member only with a certificate for where it lives", () =>
    Effect.gen(function*() {
      const place = yield* apart
      const leader = yield* led(yield* startAll(place), 1n)
      const [one, two] = [1n, 2n, 3n].filter((sid) => sid !== leader.sid)
      const answerTo = Effect.fnUntraced(function*(host: string, sid: bigint) {
        const transport = yield* place.transport(host)
        const connection = yield* transport.dial({ host: place.host(leader.sid), port: QUORUM_PORT })
        return yield* introduce(connection, sid)
      })
      assert.isNull(yield* answerTo(place.host(two!), one!), "it is another member's certificate")
      assert.strictEqual(yield* answerTo(place.host(one!), one!), "LEADERINFO")
      assert.strictEqual((yield* leader.leadership.status)._tag, "LEADING")
    }).pipe(Effect.provide(Logger.layer([]))), 30_000)
})
