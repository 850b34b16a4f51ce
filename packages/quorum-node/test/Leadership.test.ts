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
const apart: MakePlace = Effect.sync(() => {
  const net = TcpEnsemble.randomNet()
  return {
    host: (sid: bigint) => `${net}.${sid}`,
    transport: (host: string) => {
      const issued = Certificates.issue(authority, { names: [`IP:${host}`] })
      const stores = Certificates.write(Certificates.directory("test"), issued, authority)
      return Effect.map(
        Layer.build(NodeTransport.layerSecure({ ...stores, sslQuorum: true, portUnification: false }).pipe(Layer.orDie)),
        (context) => Context.get(context, Transport)
      ) as ReturnType<Effect.Success<MakePlace>["transport"]>
    }
  }
})

describe("the quorum port over TLS", () => {
  it.live("takes a member only with a certificate for where it lives", () =>
    Effect.gen(function*() {
      const place = yield* apart
      const leader = yield* led(yield* startAll(place), 1n)
      const transport = yield* place.transport(place.host(4n))
      const dial = transport.dial({ host: place.host(leader.sid), port: QUORUM_PORT })
      const other = leader.sid === 1n ? 2n : 1n
      assert.isNull(yield* introduce(yield* dial, other), "it is no member's certificate")
      assert.strictEqual((yield* leader.leadership.status)._tag, "LEADING")
    }).pipe(Effect.provide(Logger.layer([]))), 30_000)
})
