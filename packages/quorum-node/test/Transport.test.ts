import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { describe } from "@effect/vitest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"
import { contract } from "./TransportContract.ts"
import { hasIPv6 } from "./TransportHarness.ts"

contract("memory", MemoryNetwork.layerTransport("here").pipe(Layer.provide(MemoryNetwork.layer)), "here")
contract("TCP", NodeTransport.layerTcp(), "127.0.0.1")
contract("TCP by name", NodeTransport.layerTcp(), "localhost")
describe.skipIf(!hasIPv6())("on a host with IPv6", () => contract("TCP over IPv6", NodeTransport.layerTcp(), "::1"))

const authority = Certificates.authority("the authority")
const stores = Certificates.write(Certificates.directory("file"), Certificates.issue(authority, {}), authority)
// A plain dialler that listens first is known only by its silence, which need not last as long as it may.
const secure = (sslQuorum: boolean, portUnification: boolean, protocol: "TLSv1.2" | "TLSv1.3" = "TLSv1.2") =>
  NodeTransport.layerSecure({
    ...stores,
    sslQuorum,
    portUnification,
    protocols: [protocol],
    handshakeDetectionTimeout: sslQuorum ? 5_000 : 50
  }).pipe(Layer.provide(Logger.layer([])), Layer.orDie)

contract("TLS", secure(true, false), "127.0.0.1")
contract("TLS 1.3", secure(true, false, "TLSv1.3"), "127.0.0.1")
contract("TLS to a unified port", secure(true, true), "127.0.0.1")
contract("TCP to a unified port", secure(false, true), "127.0.0.1")
contract("neither TLS nor unified", secure(false, false), "127.0.0.1")
