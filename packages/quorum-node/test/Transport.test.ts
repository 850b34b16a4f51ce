import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { describe } from "@effect/vitest"
import * as Layer from "effect/Layer"
import { networkInterfaces } from "node:os"
import * as NodeTransport from "../src/NodeTransport.ts"
import { contract } from "./TransportContract.ts"

const hasIPv6 = Object.values(networkInterfaces()).flat().some((one) => one?.address === "::1")

contract("memory", MemoryNetwork.layerTransport("here").pipe(Layer.provide(MemoryNetwork.layer)), "here")
contract("TCP", NodeTransport.layerTcp(), "127.0.0.1")
contract("TCP by name", NodeTransport.layerTcp(), "localhost")
describe.skipIf(!hasIPv6)("on a host with IPv6", () => contract("TCP over IPv6", NodeTransport.layerTcp(), "::1"))
