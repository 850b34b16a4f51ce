import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { randomInt } from "node:crypto"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"
import { contract } from "./CnxManagerContract.ts"
import { send, startAll } from "./CnxManagerHarness.ts"

const host = (sid: bigint) => `peer${sid}`

const memory = Effect.map(Layer.build(MemoryNetwork.layer), (context) => ({
  host,
  transport: Context.get(context, MemoryNetwork.MemoryNetwork).transport
}))

// All of 127.0.0.0/8 is this host, so every test has a network of its own: nothing else binds these addresses, and
// what dials has its ports elsewhere.
const onNode = (layerOf: (net: string) => Layer.Layer<Transport>) =>
  Effect.suspend(() => {
    const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
    return Effect.map(Layer.build(layerOf(net)), (context) => ({
      host: (sid: bigint) => `${net}.${sid}`,
      transport: () => Effect.succeed(Context.get(context, Transport))
    }))
  })

const authority = Certificates.authority("the authority")

// One certificate for all who live there, and for strangers, who come from nowhere in particular.
const secure = (sslQuorum: boolean, portUnification: boolean) =>
  onNode((net) => {
    const hosts = ["127.0.0.1", ...[1, 2, 3, 4, 5, 97, 98].map((sid) => `${net}.${sid}`)]
    const names = hosts.map((host) => `IP:${host}`)
    const stores = Certificates.write(
      Certificates.directory("test"),
      Certificates.issue(authority, { names }),
      authority
    )
    return NodeTransport.layerSecure({ ...stores, sslQuorum, portUnification }).pipe(
      Layer.provide(Logger.layer([])),
      Layer.orDie
    )
  })

contract("memory", memory)
contract("TCP", onNode(() => NodeTransport.layerTcp()))
contract("TLS", secure(true, false))
contract("TLS to unified ports", secure(true, true))
contract("TCP to unified ports", secure(false, true))

describe("MemoryNetwork", () => {
  it.live("sees one connection per pair, and none once all have stopped", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.MemoryNetwork
      const place = { host, transport: network.transport }
      const members = yield* startAll(place, 1n, 2n, 3n)
      for (const one of members) for (const { sid } of members) if (sid !== one.sid) yield* send(one, sid, "hello")
      const open = yield* network.until((all) => all.length === 3 && all.every(({ state }) => state === "Open"))
      assert.deepStrictEqual(open.map(({ from, to }) => `${from.split(":")[0]} to ${to}`).sort(), [
        "peer2 to peer1:3888",
        "peer3 to peer1:3888",
        "peer3 to peer2:3888"
      ])
      for (const { stop } of members) yield* stop
      assert.deepStrictEqual(yield* network.connections, [])
    }).pipe(Effect.provide(MemoryNetwork.layer)))
})
