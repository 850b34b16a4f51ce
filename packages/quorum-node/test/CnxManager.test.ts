import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { contract } from "./CnxManagerContract.ts"
import { send, startAll } from "./CnxManagerHarness.ts"
import { host, memory, secure, tcp } from "./CnxManagerPlaces.ts"

contract("memory", memory)
contract("TCP", tcp)
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
