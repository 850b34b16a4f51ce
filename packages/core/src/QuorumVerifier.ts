/**
 * Who the members are, and which sets of voters are a quorum.
 *
 * Three kinds, as plain data: a majority of voters; a majority of weight in a
 * majority of groups; and a majority that, with two voters only, lets an oracle
 * outside the ensemble make up for the missing one. A verifier says nothing about
 * votes: that is `VoteTracker`.
 *
 * Java: `flexible.QuorumVerifier`, `QuorumMaj`, `QuorumHierarchical`,
 * `QuorumOracleMaj`.
 */
import * as Result from "effect/Result"
import { InvalidConfig } from "./InvalidConfig.ts"
import { hashOrder } from "./internal/hashOrder.ts"
import * as SidSet from "./internal/sidSet.ts"
import * as QuorumServer from "./QuorumServer.ts"
import type { Sid } from "./Sid.ts"

interface Members {
  /** Grows with every reconfiguration; 0 for a static file. */
  readonly version: bigint
  readonly servers: ReadonlyMap<Sid, QuorumServer.QuorumServer>
  readonly voters: ReadonlySet<Sid>
  /** The configuration as ZooKeeper prints and sends it, `version=` in the last line. */
  readonly text: string
}

/** More than half of the voters. Java: `QuorumMaj`. */
export interface Majority extends Members {
  readonly _tag: "Majority"
}

/** More than half the weight in more than half of the groups that weigh anything. Java: `QuorumHierarchical`. */
export interface Hierarchical extends Members {
  readonly _tag: "Hierarchical"
  /** Group of each grouped server. */
  readonly groups: ReadonlyMap<Sid, bigint>
  /** Weight of each weighted server and of every voter (1 unless given). */
  readonly weights: ReadonlyMap<Sid, bigint>
  readonly groupWeights: ReadonlyMap<bigint, bigint>
}

/**
 * A majority, or with exactly two voters one of them and a yes of the oracle.
 * Java: `QuorumOracleMaj`.
 */
export interface Oracle extends Members {
  readonly _tag: "Oracle"
  /** The file whose first character is the oracle's answer, `1` for yes. The shell reads it. */
  readonly oraclePath: string
}

/** Members, and the rule by which they decide. */
export type QuorumVerifier = Majority | Hierarchical | Oracle

/** What the oracle says at this moment; `false` where there is none. A fact that travels with the event. */
export type OracleAnswer = boolean

/** What every constructor needs. */
export interface MembersOptions {
  readonly servers: ReadonlyArray<QuorumServer.QuorumServer>
  readonly version?: bigint
}

/** A majority verifier over the participants among `servers`. */
export const majority = (options: MembersOptions): Majority => ({
  _tag: "Majority",
  ...members(options),
  text: format(options)
})

/** A majority verifier with an oracle for two voters. Java: `oraclePath`. */
export const oracle = (options: MembersOptions & { readonly oraclePath: string }): Oracle => ({
  _tag: "Oracle",
  ...members(options),
  text: format(options),
  oraclePath: options.oraclePath
})

/** The groups and weights of a hierarchical verifier, as the `group.G` and `weight.N` lines give them. */
export interface Hierarchy {
  readonly groups: ReadonlyMap<bigint, ReadonlyArray<Sid>>
  readonly weights: ReadonlyMap<Sid, bigint>
}

/**
 * A hierarchical verifier. Every voter must be in exactly one group, and a group
 * may only name servers that have a weight or vote; a voter without a weight
 * weighs 1. Java: QuorumHierarchical.parse, computeGroupWeight.
 */
export const hierarchical = (
  options: MembersOptions & Hierarchy
): Result.Result<Hierarchical, InvalidConfig> => {
  const base = members(options)
  const groups = new Map<Sid, bigint>()
  for (const [group, sids] of options.groups) {
    for (const sid of sids) {
      if (groups.has(sid)) return invalid(`group.${group}`, `Server ${sid} is in multiple groups`)
      groups.set(sid, group)
    }
  }
  const weights = new Map(options.weights)
  for (const sid of base.voters) {
    if (!groups.has(sid)) return invalid(`server.${sid}`, `Server ${sid} is not in a group`)
    if (!weights.has(sid)) weights.set(sid, 1n)
  }
  const groupWeights = new Map<bigint, bigint>()
  for (const [sid, group] of groups) {
    const weight = weights.get(sid)
    if (weight === undefined) {
      return invalid(`group.${group}`, `group ${group} names server ${sid}, which has neither a weight nor a vote`)
    }
    groupWeights.set(group, (groupWeights.get(group) ?? 0n) + weight)
  }
  return Result.succeed({
    _tag: "Hierarchical",
    ...base,
    text: format(options, { groups, weights }),
    groups,
    weights,
    groupWeights
  })
}

/**
 * How much a proposal for this server weighs when votes are compared: 1 under a
 * majority, whoever it is; under a hierarchy its weight, 0 for an id without one
 * (where the original fails with a null pointer). Java: getWeight.
 */
export const weight = (self: QuorumVerifier, sid: Sid): bigint =>
  self._tag === "Hierarchical" ? self.weights.get(sid) ?? 0n : 1n

/** May it lead: does it vote, and weigh anything? */
export const mayLead = (self: QuorumVerifier, sid: Sid): boolean => self.voters.has(sid) && weight(self, sid) > 0n

/**
 * Is there a quorum among these servers? Only voters of this verifier count.
 * Supersets of a quorum are quorums, as long as no weight is negative.
 * Java: containsQuorum.
 */
export const containsQuorum = (
  self: QuorumVerifier,
  acks: ReadonlySet<Sid>,
  oracleAnswer: OracleAnswer = false
): boolean => {
  switch (self._tag) {
    case "Majority":
      return isMajority(self, acks)
    case "Oracle":
      return isMajority(self, acks) || (self.voters.size === 2 && oracleAnswer)
    case "Hierarchical":
      return isHierarchicalQuorum(self, acks)
  }
}

/** Same kind, and the same version or the same members: the rule by which ZooKeeper decides to restart an election. */
export const equals = (self: QuorumVerifier, that: QuorumVerifier): boolean =>
  self._tag === that._tag && (self.version === that.version || sameMembers(self, that))

/** Do both print the same but for the version? */
export const sameMembers = (self: QuorumVerifier, that: QuorumVerifier): boolean =>
  self.servers.size === that.servers.size &&
  Array.from(self.servers.values()).every((server) => {
    const other = that.servers.get(server.sid)
    return other !== undefined && QuorumServer.equals(server, other)
  }) &&
  (self._tag !== "Hierarchical" || that._tag !== "Hierarchical" ||
    (sameEntries(self.groups, that.groups) && sameEntries(self.weights, that.weights)))

/** The version as texts and the names of files have it: hexadecimal, lower case, without padding. */
export const versionText = ({ version }: Pick<QuorumVerifier, "version">): string =>
  BigInt.asUintN(64, version).toString(16)

/** One line for people: the kind, the voters with their weights, the observers. */
export const describe = (self: QuorumVerifier): string => {
  const voters = Array.from(self.voters, (sid) => {
    const own = weight(self, sid)
    return own === 1n ? `${sid}` : `${sid} (weight ${own})`
  })
  const observers = Array.from(self.servers.keys()).filter((sid) => !self.voters.has(sid))
  const tail = observers.length === 0 ? "" : `; observers ${observers.join(", ")}`
  return `${kinds[self._tag]} of ${voters.join(", ")}${tail}`
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const kinds = { Majority: "majority", Hierarchical: "weighted groups", Oracle: "majority with oracle" } as const

const invalid = (key: string, problem: string) => Result.fail(new InvalidConfig({ key, problem }))

const members = ({ servers, version = 0n }: MembersOptions) => ({
  version,
  servers: new Map(servers.map((server) => [server.sid, server])),
  voters: SidSet.from(servers.filter(({ role }) => role === "participant").map(({ sid }) => sid))
})

// Asked for every vote: counted without a set made for it, no further than needed, and not at all while there are too
// few.
const isMajority = ({ voters }: Members, acks: ReadonlySet<Sid>): boolean => {
  let missing = Math.floor(voters.size / 2) + 1
  if (acks.size < missing) return false
  for (const sid of acks) if (voters.has(sid) && --missing === 0) return true
  return false
}

const isHierarchicalQuorum = (self: Hierarchical, acks: ReadonlySet<Sid>): boolean => {
  const acked = new Map<bigint, bigint>()
  for (const sid of acks) {
    const group = self.voters.has(sid) ? self.groups.get(sid) : undefined
    if (group !== undefined) acked.set(group, (acked.get(group) ?? 0n) + (self.weights.get(sid) ?? 0n))
  }
  let carried = 0
  for (const [group, sum] of acked) if (sum > (self.groupWeights.get(group) ?? 0n) / 2n) carried++
  // Groups without any weight can carry nothing and do not count as groups.
  const groups = Array.from(self.groupWeights.values()).filter((sum) => sum !== 0n).length
  return carried > Math.floor(groups / 2)
}

const sameEntries = (self: ReadonlyMap<bigint, bigint>, that: ReadonlyMap<bigint, bigint>): boolean =>
  self.size === that.size && Array.from(self).every(([key, value]) => that.get(key) === value)

// Java: QuorumMaj.toString, QuorumHierarchical.toString. No newline after the last line.
const format = (
  { servers, version = 0n }: MembersOptions,
  hierarchy?: { readonly groups: ReadonlyMap<Sid, bigint>; readonly weights: ReadonlyMap<Sid, bigint> }
): string => {
  const bySid = new Map(servers.map((server) => [server.sid, server]))
  const lines = hashOrder(bySid.keys()).map((sid) => `server.${sid}=${QuorumServer.format(bySid.get(sid)!)}`)
  if (hierarchy !== undefined) {
    const grouped = Map.groupBy(hashOrder(hierarchy.groups.keys()), (sid) => hierarchy.groups.get(sid)!)
    for (const group of hashOrder(grouped.keys())) lines.push(`group.${group}=${grouped.get(group)!.join(":")}`)
    for (const sid of hashOrder(hierarchy.weights.keys())) lines.push(`weight.${sid}=${hierarchy.weights.get(sid)}`)
  }
  lines.push(`version=${versionText({ version })}`)
  return lines.join("\n")
}
