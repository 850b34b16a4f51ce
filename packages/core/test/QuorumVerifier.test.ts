import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { InvalidConfig } from "../src/InvalidConfig.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Peer from "./support/Peer.ts"
import { majority, members, oracle } from "./support/Peer.ts"

interface Groups {
  readonly groups: Readonly<Record<number, ReadonlyArray<number>>>
  readonly weights?: Readonly<Record<number, number>>
  readonly voters?: ReadonlyArray<number>
  readonly observers?: ReadonlyArray<number>
  readonly version?: number
}

const build = ({ groups, observers = [], version = 0, voters, weights = {} }: Groups) =>
  QuorumVerifier.hierarchical({
    servers: members(voters ?? Object.values(groups).flat(), observers),
    version: BigInt(version),
    groups: new Map(Object.entries(groups).map(([group, sids]) => [BigInt(group), sids.map(BigInt)])),
    weights: new Map(Object.entries(weights).map(([sid, weight]) => [BigInt(sid), BigInt(weight)]))
  })

const hierarchical = (groups: Groups) => Result.getOrThrow(build(groups))

const refused = (groups: Groups): InvalidConfig | undefined => {
  const built = build(groups)
  return Result.isFailure(built) ? built.failure : undefined
}

type Row = readonly [acks: ReadonlyArray<number>, quorum: boolean]

describe("majority (Java: QuorumMaj, QuorumMajorityTest)", () => {
  it.each<Row>([[[], false], [[1, 2], false], [[1, 2, 3], true]])("of five: %j %s", (acks, is) => {
    assert.strictEqual(QuorumVerifier.containsQuorum(majority([1, 2, 3, 4, 5]), Peer.sids(...acks)), is)
  })

  it.each<Row>([[[1], false], [[1, 2], false], [[1, 2, 3], true]])("of four: %j %s", (acks, is) => {
    assert.strictEqual(QuorumVerifier.containsQuorum(majority([1, 2, 3, 4]), Peer.sids(...acks)), is)
  })

  it("of one is that one, of none nobody", () => {
    assert.isTrue(QuorumVerifier.containsQuorum(majority([1]), Peer.sids(1)))
    assert.isFalse(QuorumVerifier.containsQuorum(majority([1]), Peer.sids()))
    assert.isFalse(QuorumVerifier.containsQuorum(majority([]), Peer.sids()))
  })

  it.each<Row>([[[1, 2, 6, 7], false], [[6, 7, 1, 2, 3], true]])("counts its voters only: %j %s", (acks, is) => {
    const verifier = majority([1, 2, 3, 4, 5], { observers: [6] })
    assert.strictEqual(QuorumVerifier.containsQuorum(verifier, Peer.sids(...acks)), is)
  })

  it("does not ask who observes, nor an oracle", () => {
    const verifier = majority([1, 2, 3], { observers: [4, 5] })
    assert.deepStrictEqual(verifier.voters, Peer.sids(1, 2, 3))
    assert.deepStrictEqual(Array.from(verifier.servers.keys()), [1n, 2n, 3n, 4n, 5n])
    assert.isFalse(QuorumVerifier.containsQuorum(verifier, Peer.sids(1), true))
  })

  it("gives everybody the weight 1, strangers, too", () => {
    for (const sid of [1n, 4n, 99n, -1n]) assert.strictEqual(QuorumVerifier.weight(majority([1, 2, 3]), sid), 1n)
  })
})

describe("hierarchical (Java: QuorumHierarchical, HierarchicalQuorumTest)", () => {
  const twoGroups: Groups = {
    groups: { 1: [1, 2, 3], 2: [4, 5] },
    weights: { 1: 1, 2: 1, 3: 1, 4: 0, 5: 0 }
  }
  const threeGroups: Groups = { groups: { 1: [1, 2, 3], 2: [4, 5, 6], 3: [7, 8, 9] } }
  const odd: Groups = { groups: { 1: [1, 2] }, weights: { 1: 2, 2: 1 } }
  const even: Groups = { groups: { 1: [1, 2] }, weights: { 1: 1, 2: 1 } }
  const negative: Groups = { groups: { 1: [1], 2: [2, 3] }, weights: { 1: -2, 2: 3, 3: -2 } }

  // What QuorumHierarchical of 3.8.0 says to the same.
  it.each<readonly [groups: Groups, ...Row]>([
    [twoGroups, [1, 2], true],
    [twoGroups, [1, 4, 5], false],
    [twoGroups, [], false],
    [twoGroups, [1], false],
    [twoGroups, [1, 2, 3, 4, 5], true],
    [threeGroups, [1, 2, 4, 5], true],
    [threeGroups, [1, 2, 4, 7], false],
    [threeGroups, [1, 2, 3, 4, 7], false],
    [threeGroups, [1, 2], false],
    [odd, [2], false],
    [odd, [1], true],
    [even, [1], false],
    [even, [1, 2], true],
    [negative, [1], false],
    [negative, [2], false],
    [negative, [1, 2], false],
    [negative, [1, 2, 3], false]
  ])("%j: %j are a quorum: %s", (groups, acks, is) => {
    assert.strictEqual(QuorumVerifier.containsQuorum(hierarchical(groups), Peer.sids(...acks)), is)
  })

  it("groups need not hold observers, and skip who is in none", () => {
    const verifier = hierarchical({ groups: { 1: [1, 2, 3] }, observers: [4, 5] })
    assert.isFalse(QuorumVerifier.containsQuorum(verifier, Peer.sids(1, 4, 5, 99)))
    assert.isTrue(QuorumVerifier.containsQuorum(verifier, Peer.sids(1, 2, 4)))
  })

  it("counts its voters only, though an observer may have a weight in a group", () => {
    const verifier = hierarchical({ groups: { 1: [1, 2, 3, 4] }, weights: { 4: 1 }, voters: [1, 2, 3], observers: [4] })
    assert.isFalse(QuorumVerifier.containsQuorum(verifier, Peer.sids(1, 2, 4)))
    assert.isTrue(QuorumVerifier.containsQuorum(verifier, Peer.sids(1, 2, 3)))
  })

  it("gives a voter the weight 1 unless told, and strangers none", () => {
    const verifier = hierarchical(odd)
    assert.deepStrictEqual([1n, 2n, 9n].map((sid) => QuorumVerifier.weight(verifier, sid)), [2n, 1n, 0n])
    assert.strictEqual(QuorumVerifier.weight(hierarchical(threeGroups), 9n), 1n)
  })

  it.each<readonly [what: string, groups: Groups, key: string, problem: RegExp]>([
    ["a server in two groups", { groups: { 1: [1, 2], 2: [2] } }, "group.2", /Server 2 is in multiple groups/],
    ["a server twice in a group", { groups: { 1: [1, 1] } }, "group.1", /Server 1 is in multiple groups/],
    ["a voter in no group", { groups: { 1: [1] }, voters: [1, 2] }, "server.2", /Server 2 is not in a group/],
    ["an unknown server", { groups: { 1: [1, 9] }, voters: [1] }, "group.1", /server 9, .*neither a weight nor a vote/],
    ["an observer without weight", { groups: { 1: [1, 4] }, voters: [1], observers: [4] }, "group.1", /server 4/]
  ])("refuses %s", (_, groups, key, problem) => {
    const failure = refused(groups)
    assert(failure !== undefined)
    assert.strictEqual(failure.key, key)
    assert.match(failure.problem, problem)
  })

  it("takes a grouped observer that has a weight, and a weight of who is in no group", () => {
    assert.isUndefined(refused({ groups: { 1: [1, 4] }, voters: [1], observers: [4], weights: { 4: 3 } }))
    assert.isUndefined(refused({ groups: { 1: [1] }, weights: { 9: 3 } }))
  })
})

describe("oracle (Java: QuorumOracleMaj, QuorumOracleMajTest)", () => {
  const two = oracle([1, 2])

  it.each<readonly [acks: ReadonlyArray<number>, answer: boolean, quorum: boolean]>([
    [[1], false, false],
    [[1, 2], false, true],
    [[], true, true],
    [[1], true, true],
    [[1, 2], true, true]
  ])("of two voters: %j with %s are a quorum: %s", (acks, answer, is) => {
    assert.strictEqual(QuorumVerifier.containsQuorum(two, Peer.sids(...acks), answer), is)
  })

  it("says nothing unless asked, and nothing in an ensemble of another size", () => {
    assert.isFalse(QuorumVerifier.containsQuorum(two, Peer.sids(1)))
    assert.isFalse(QuorumVerifier.containsQuorum(oracle([1, 2, 3]), Peer.sids(1), true))
    assert.isFalse(QuorumVerifier.containsQuorum(oracle([1]), Peer.sids(), true))
    assert.isTrue(QuorumVerifier.containsQuorum(oracle([1, 2, 3]), Peer.sids(1, 2), false))
  })
})
