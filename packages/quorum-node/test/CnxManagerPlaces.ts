/** Where the peers of a test may live: in memory, or on loopback. */
import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { Transport } from "@conclave/quorum/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { randomInt } from "node:crypto"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"
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
const onLoopback = (layerOf: (net: string) => Layer.Layer<Transport>): MakePlace =>
  Effect.suspend(() => {
    const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
    return Effect.map(Layer.build(layerOf(net)), (context) => ({
      host: (sid: bigint) => `${net}.${sid}`,
      transport: () => Effect.succeed(Context.get(context, Transport))
    }))
  })

/** On loopback, in the clear. */
export const tcp: MakePlace = onLoopback(() => NodeTransport.layerTcp())

const authority = Certificates.authority("the authority")

/** On loopback, with one certificate for all who live there, and for strangers, who come from nowhere in particular. */
export const secure = (sslQuorum: boolean, portUnification: boolean): MakePlace =>
  onLoopback((net) => {
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
