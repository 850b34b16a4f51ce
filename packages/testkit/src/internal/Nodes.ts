/**
 * Nodes as a scenario has them: made, started, ended.
 */
import * as QuorumServer from "@conclave/core/QuorumServer"
import type { QuorumVerifier } from "@conclave/core/QuorumVerifier"
import * as Rules from "@conclave/core/Rules"
import * as Result from "effect/Result"
import type { Reducers } from "../Reducers.ts"
import type { Member, Scenario } from "../Scenario.ts"
import * as Disk from "./Disk.ts"
import * as Incumbency from "./Incumbency.ts"
import * as Judge from "./Judge.ts"
import * as LeadershipChecks from "./LeadershipChecks.ts"
import * as Line from "./Line.ts"
import * as Peer from "./Node.ts"
import * as Tenure from "./Tenure.ts"
import * as Tracer from "./Tracer.ts"
import * as Watch from "./Watch.ts"
import * as Wire from "./Wire.ts"
import { type Node, schedule, type World } from "./World.ts"

/** A node that has not started yet. */
export const make = (world: World, member: Member, index: number): Node => {
  const { reducers, scenario } = world
  const sid = BigInt(member.sid)
  const { maxNotificationInterval } = scenario
  const ensemble = reducers.Ensemble.make({
    mySid: sid,
    rules: rulesOf(member),
    electable: member.electable,
    reconfigEnabled: !world.static,
    timing: { ...reducers.Ensemble.defaultTiming, maxNotificationInterval }
  })
  const stranger = member.role === "Stranger"
  const voters = scenario.members.filter(({ role }) => role === "Voter").map(({ sid }) => sid)
  const committed = verifierOf(reducers, scenario, stranger ? [...voters, member.sid] : voters, 0n)
  const lastSeen = scenario.pending === null ? undefined : verifierOf(reducers, scenario, scenario.pending, 1n)
  const membership = reducers.Ensemble.membership({ mySid: sid, committed, lastSeen })
  const epoch = BigInt(member.epoch)
  const history = { lastLoggedZxid: BigInt(member.zxid), currentEpoch: epoch, acceptedEpoch: epoch }
  return {
    member,
    index,
    sid,
    self: ensemble,
    ensemble,
    voters: Judge.votersOf(member, scenario),
    membership,
    disk: Disk.make(history),
    up: false,
    powered: true,
    paused: false,
    incarnation: 0,
    waiting: [],
    election: reducers.Election.make(ensemble, membership, history),
    connections: reducers.Connections.empty,
    view: { mySid: sid, membership, rules: ensemble.rules, probeAddresses: false },
    links: 0,
    ends: new Map(),
    outboxes: [],
    redials: new Map(),
    said: null,
    watch: Watch.make(),
    tenure: Tenure.make(null, reducers.Reconfiguration.untold),
    ahead: 0,
    timerAt: Infinity,
    timerDue: Infinity,
    book: {
      timer: null,
      initial: null,
      own: null,
      rounds: new Map(),
      promises: LeadershipChecks.unpledged()
    }
  }
}

/** Starts the process of a node that is down. */
export const start = (world: World, node: Node): void => {
  if (node.up) return
  const { reducers } = world
  node.up = true
  node.powered = true
  Incumbency.start(world, node)
  node.election = reducers.Election.make(node.ensemble, node.membership, node.disk.synced)
  node.connections = reducers.Connections.empty
  node.view = { ...node.view, membership: node.membership }
  Tracer.started(world, node)
  if (world.log !== null) world.log(Line.fact(world, `server ${node.sid} starts`), true)
  Peer.look(world, node)
}

/** Ends the process of a node, or its whole host: what was not synced is lost. */
export const crash = (world: World, node: Node, power: boolean): void => {
  if (world.log !== null) world.log(Line.fact(world, `server ${node.sid} ${power ? "loses power" : "is killed"}`), true)
  node.up = false
  node.powered = !power
  node.paused = false
  node.incarnation++
  node.waiting.length = 0
  Wire.crash(world, node, power)
  Disk.crash(world, node)
  Incumbency.crash(world, node)
  node.links = 0
  node.outboxes.length = 0
  node.redials.clear()
  Watch.end(node)
  node.timerAt = node.timerDue = Infinity
  node.book.timer = null
}

/** The host of a node answers again, be it that nobody listens. */
export const boot = (node: Node): void => {
  node.powered = true
}

/** Lets a node go on, with what happened meanwhile. */
export const resume = (world: World, node: Node): void => {
  node.paused = false
  for (const run of node.waiting.splice(0)) schedule(world, 0, node, run)
}

/** The configuration in which these vote and all other members observe. */
export const verifierOf = (
  reducers: Reducers,
  scenario: Scenario,
  voters: ReadonlyArray<number>,
  version: bigint
): QuorumVerifier => {
  const known = cached.get(reducers) ?? new Map<string, QuorumVerifier>()
  cached.set(reducers, known)
  const members = scenario.members.filter(({ role, sid }) => role !== "Stranger" || voters.includes(sid))
  const weighted = scenario.quorum === "Weighted"
  const keys = members.map(({ group, sid, weight }) =>
    `${sid}${voters.includes(sid) ? "v" : "o"}${weighted ? `${group}w${weight}` : ""}`)
  const key = `${scenario.quorum} ${version} ${keys.join()}`
  const made = known.get(key) ?? build(reducers, scenario, members, voters, version)
  known.set(key, made)
  return made
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// Few scenarios have a configuration of their own, and their texts take longer to print than an election takes.
const cached = new WeakMap<Reducers, Map<string, QuorumVerifier>>()

const build = (
  { QuorumVerifier }: Reducers,
  { quorum }: Scenario,
  members: ReadonlyArray<Member>,
  voters: ReadonlyArray<number>,
  version: bigint
): QuorumVerifier => {
  const servers = members.map(({ sid }) =>
    QuorumServer.make(
      BigInt(sid),
      { host: `10.0.0.${sid}`, quorumPort: 2888, electionPort: 3888 },
      voters.includes(sid) ? "participant" : "observer"
    ))
  if (quorum === "Oracle") return QuorumVerifier.oracle({ servers, version, oraclePath: "oracle" })
  if (quorum === "Majority") return QuorumVerifier.majority({ servers, version })
  const voting = members.filter(({ sid }) => voters.includes(sid))
  const grouped = Map.groupBy(voting, ({ group }) => BigInt(group))
  const groups = new Map(Array.from(grouped, ([group, list]) => [group, list.map(({ sid }) => BigInt(sid))]))
  const weights = new Map(voting.map(({ sid, weight }) => [BigInt(sid), BigInt(weight)]))
  return Result.getOrThrow(QuorumVerifier.hierarchical({ servers, version, groups, weights }))
}

const rulesOf = ({ rules }: Member): Rules.Rules => {
  if (typeof rules === "string") return Rules.named[rules]
  const chosen = Object.keys(Rules.zookeeper).map((rule) => [rule, rules.includes(rule as keyof Rules.Rules)])
  return Object.fromEntries(chosen) as Record<keyof Rules.Rules, boolean>
}
