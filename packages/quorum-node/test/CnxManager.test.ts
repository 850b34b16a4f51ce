import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomInt } from "node:crypto"
import * as NodeTransport from "../src/NodeTransport.ts"
import { contract } from "./CnxManagerContract.ts"
import { memory, send, startAll } from "./CnxManagerHarness.ts"

// All of 127.0.0.0/8 is this host, so every test has a network of its own: nothing else binds these addresses, and
// what dials has its ports elsewhere.
const tcp = Effect.map(Layer.build(NodeTransport.layerTcp()), (context) => {
  const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  return {
    host: (sid: bigint) => `${net}.${sid}`,
    transport: () => Effect.succeed(Context.get(context, Transport))
  }
})

contract("memory", memory)
contract("TCP", tcp)

describe("MemoryNetwork", () => {
  it.live("sees one connection per pair, and none once all have stopped", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.MemoryNetwork
      const place = { host: (sid: bigint) => `peer${sid}`, transport: network.transport }
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
