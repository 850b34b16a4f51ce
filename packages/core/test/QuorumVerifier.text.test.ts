import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import { majority, members, oracle } from "./support/Peer.ts"

const at = (
  sid: bigint,
  host: string,
  options: { readonly role?: QuorumServer.LearnerType; readonly clientPort?: number } = {}
): QuorumServer.QuorumServer => ({
  ...QuorumServer.make(sid, { host, quorumPort: 1, electionPort: 2 }, options.role),
  clientAddress: options.clientPort === undefined ? null : { host: "0.0.0.0", port: options.clientPort }
})

/** A hierarchy of servers at one address, with these weights. */
const weighted = (weights: ReadonlyArray<readonly [sid: number, weight: number]>, version = 0) =>
  Result.getOrThrow(QuorumVerifier.hierarchical({
    servers: members(weights.map(([sid]) => sid)),
    version: BigInt(version),
    groups: new Map([[1n, weights.map(([sid]) => BigInt(sid))]]),
    weights: new Map(weights.map(([sid, weight]) => [BigInt(sid), BigInt(weight)]))
  }))

describe("the text (Java: QuorumMaj.toString, QuorumHierarchical.toString)", () => {
  // Printed by ZooKeeper 3.8.0.
  it("of a majority, with ids beyond 16 in the order of Java's hash table", () => {
    const servers = [
      at(3n, "10.0.0.3"),
      at(33n, "10.0.0.33"),
      at(2n, "h2", { clientPort: 4 }),
      at(18n, "h", { role: "observer" }),
      at(16n, "h")
    ]
    assert.strictEqual(
      QuorumVerifier.majority({ servers, version: 0x10fn }).text,
      [
        "server.16=h:1:2:participant",
        "server.33=10.0.0.33:1:2:participant",
        "server.2=h2:1:2:participant;0.0.0.0:4",
        "server.18=h:1:2:observer",
        "server.3=10.0.0.3:1:2:participant",
        "version=10f"
      ].join("\n")
    )
  })

  it("of a hierarchy, with negative and huge ids and a negative version", () => {
    const huge = 9223372036854775807n
    const verifier = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: [
        at(33n, "10.0.0.33"),
        at(17n, "10.0.0.17"),
        at(-1n, "10.0.0.1", { role: "observer" }),
        at(huge, "h", { clientPort: 3 }),
        at(4n, "h4")
      ],
      version: -1n,
      groups: new Map([[20n, [17n, 33n]], [4n, [4n, huge]]]),
      weights: new Map([[17n, 2n], [4n, 0n]])
    }))
    assert.strictEqual(
      verifier.text,
      [
        "server.-1=10.0.0.1:1:2:observer",
        "server.9223372036854775807=h:1:2:participant;0.0.0.0:3",
        "server.33=10.0.0.33:1:2:participant",
        "server.17=10.0.0.17:1:2:participant",
        "server.4=h4:1:2:participant",
        "group.4=9223372036854775807:4",
        "group.20=17:33",
        "weight.9223372036854775807=1",
        "weight.17=2",
        "weight.33=1",
        "weight.4=0",
        "version=ffffffffffffffff"
      ].join("\n")
    )
  })

  it("of an oracle is that of the majority, which does not tell where it is", () => {
    assert.strictEqual(oracle([1, 2]).text, majority([1, 2]).text)
  })

  it("of nobody is a version", () => {
    assert.strictEqual(majority([], { version: 0x7fff_ffff }).text, "version=7fffffff")
  })
})

describe("equality (Java: QuorumMaj.equals, QuorumHierarchical.equals)", () => {
  it.each<readonly [what: string, QuorumVerifier.QuorumVerifier, QuorumVerifier.QuorumVerifier, equal: boolean]>([
    ["the same", majority([1, 2]), majority([1, 2]), true],
    ["the same members in another order and version", majority([1, 2], { version: 3 }), majority([2, 1]), true],
    ["other members of the same version", majority([1, 2]), majority([1, 2, 3]), true],
    ["other members of another version", majority([1, 2]), majority([1, 2, 3], { version: 3 }), false],
    ["fewer members of another version", majority([1, 2, 3]), majority([1, 2], { version: 3 }), false],
    ["as many others", majority([1, 2]), majority([1, 3], { version: 3 }), false],
    ["another role", majority([1, 2]), majority([1], { observers: [2], version: 3 }), false],
    ["another kind, though of one version", majority([1, 2]), oracle([1, 2]), false],
    ["the same hierarchy", weighted([[1, 2], [2, 0]]), weighted([[2, 0], [1, 2]], 3), true],
    ["other weights", weighted([[1, 2], [2, 1]]), weighted([[1, 2], [2, 0]], 3), false],
    ["other weights of one version", weighted([[1, 2], [2, 1]]), weighted([[1, 2], [2, 0]]), true]
  ])("%s", (_, self, that, equal) => {
    assert.strictEqual(QuorumVerifier.equals(self, that), equal)
    assert.strictEqual(QuorumVerifier.equals(that, self), equal)
  })

  it.each<readonly [what: string, change: Partial<QuorumServer.QuorumServer>]>([
    ["address", { addresses: [{ host: "h", quorumPort: 1, electionPort: 3 }] }],
    ["client address", { clientAddress: { host: "0.0.0.0", port: 1 } }]
  ])("another %s of a member is another configuration", (_, change) => {
    const of = (server: QuorumServer.QuorumServer, version = 0n) =>
      QuorumVerifier.majority({ servers: [server], version })
    const server = at(1n, "h")
    assert.isFalse(QuorumVerifier.sameMembers(of(server), of({ ...server, ...change })))
    assert.isTrue(QuorumVerifier.sameMembers(of(server), of({ ...server }, 8n)))
  })

  it("other groups with the same weights are another configuration", () => {
    const split = Result.getOrThrow(QuorumVerifier.hierarchical({
      servers: members([1, 2]),
      groups: new Map([[1n, [1n]], [2n, [2n]]]),
      weights: new Map()
    }))
    assert.isFalse(QuorumVerifier.sameMembers(split, weighted([[1, 1], [2, 1]])))
  })
})

describe("describe", () => {
  it("says in one line who decides and how", () => {
    assert.strictEqual(QuorumVerifier.describe(majority([1, 2, 3])), "majority of 1, 2, 3")
    assert.strictEqual(
      QuorumVerifier.describe(majority([1, 2, 3], { observers: [7, 9] })),
      "majority of 1, 2, 3; observers 7, 9"
    )
    assert.strictEqual(
      QuorumVerifier.describe(weighted([[1, 2], [2, 1], [3, 0]])),
      "weighted groups of 1 (weight 2), 2, 3 (weight 0)"
    )
    assert.strictEqual(QuorumVerifier.describe(oracle([1, 2])), "majority with oracle of 1, 2")
  })
})
