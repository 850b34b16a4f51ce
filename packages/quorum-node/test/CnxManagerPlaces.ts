/** Where the peers of a test may live: in memory, or on loopback. */
import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { Transport } from "@conclave/quorum/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomInt } from "node:crypto"
import * as NodeTransport from "../src/NodeTransport.ts"
import type { MakePlace } from "./CnxManagerHarness.ts"

/** The name of a peer's host in memory. */
export const host = (sid: bigint) => `peer${sid}`

/** In memory. */
export const memory: MakePlace = Effect.map(Layer.build(MemoryNetwork.layer), (context) => ({
  host,
  transport: Context.get(context, MemoryNetwork.MemoryNetwork).transport
}))

/**
 * On loopback. All of 127.0.0.0/8 is this host, so every test has a network of its own: nothing else binds these
 * addresses, and what dials has its ports elsewhere.
 */
export const tcp: MakePlace = Effect.map(Layer.build(NodeTransport.layerTcp()), (context) => {
  const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  return {
    host: (sid: bigint) => `${net}.${sid}`,
    transport: () => Effect.succeed(Context.get(context, Transport))
  }
})
