/**
 * Faults as they happen to a world, each with its end.
 */
import type { Notification } from "@conclave/core/Notification"
import type { Fault } from "../Scenario.ts"
import * as Incumbency from "./Incumbency.ts"
import * as Line from "./Line.ts"
import * as Links from "./Links.ts"
import * as Peer from "./Node.ts"
import * as Nodes from "./Nodes.ts"
import * as QuorumPort from "./QuorumPort.ts"
import * as Wire from "./Wire.ts"
import { latency, type Node, schedule, timeOf, type World } from "./World.ts"

/** Puts all faults of the scenario on the agenda, and their ends. */
export const plan = (world: World): void => {
  const { scenario } = world
  for (const fault of scenario.faults) {
    schedule(world, fault.at, null, () => {
      if (world.log !== null) world.log(Line.fact(world, describe(fault)), true)
      const end = begin(world, fault)
      if (end === null) return
      const until = "for" in fault ? Math.min(fault.at + fault.for, scenario.faultsUntil) : fault.at
      schedule(world, Math.max(0, until - world.now), null, () => {
        if (world.log !== null) world.log(Line.fact(world, `over: ${describe(fault)}`), true)
        end()
      })
    })
  }
}

/** A fault in words. */
export const describe = (fault: Fault): string => {
  switch (fault._tag) {
    case "Crash":
      return `server ${fault.sid} ${fault.power ? "loses power" : "is killed"} for ${fault.for} ms`
    case "CrashAtStore":
      return `whoever stores an epoch next ${fault.power ? "loses power" : "is killed"} for ${fault.for} ms`
    case "Pause":
      return `server ${fault.sid} stands still for ${fault.for} ms`
    case "Oversleep":
      return `whoever pings next under a lease stands still until ${fault.by} ms after its end`
    case "Cut":
      return fault.both
        ? `server ${fault.from.join(", ")} and the others are cut off from each other for ${fault.for} ms`
        : `nobody hears server ${fault.from.join(", ")} for ${fault.for} ms`
    case "Reset":
      return `the connection between ${fault.between.join(" and ")} breaks`
    case "Clog":
      return `server ${fault.from} cannot write to server ${fault.to} for ${fault.for} ms`
    case "Look":
      return `server ${fault.sid} is asked to look again`
    case "Resign":
      return `whoever leads is to resign${fault.to === null ? "" : ` in favour of server ${fault.to}`}`
    case "Jump":
      return `the wall clock of server ${fault.sid} jumps ahead by ${fault.by} ms`
    case "Lie":
      return `somebody calls itself server ${fault.as} and tells server ${fault.to} ${fault.words} lies`
    case "Reconfigure":
      return `server ${fault.on.join(", ")} get a newer configuration, in which ${fault.voters.join(", ")} vote`
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// Gives what ends it, or null if it has no end or does not happen.
const begin = (world: World, fault: Fault): (() => void) | null => {
  switch (fault._tag) {
    case "Crash":
      return onNode(world, fault.sid, ({ up }) => up, (node) => crash(world, node, fault))
    case "CrashAtStore":
      return crashAtStore(world, fault)
    case "Pause":
      return onNode(world, fault.sid, ({ paused, up }) => up && !paused, (node) => pause(world, node))
    case "Oversleep":
      return oversleep(world, fault)
    case "Cut":
      return cut(world, fault)
    case "Clog":
      return clog(world, fault)
    case "Reset":
      return reset(world, fault)
    case "Look":
      return onNode(world, fault.sid, ({ up }) => up, (node) => {
        schedule(world, 0, node, () => Peer.lookAgain(world, node))
        return null
      })
    case "Resign":
      return resign(world, fault)
    case "Jump":
      return onNode(world, fault.sid, () => true, (node) => {
        node.ahead += fault.by
        return null
      })
    case "Lie":
      return lie(world, fault)
    case "Reconfigure":
      return reconfigure(world, fault)
  }
}

const nodeOf = ({ nodes }: World, sid: number): Node | undefined => nodes.find(({ member }) => member.sid === sid)

const onNode = (
  world: World,
  sid: number,
  when: (node: Node) => boolean,
  run: (node: Node) => (() => void) | null
): (() => void) | null => {
  const node = nodeOf(world, sid)
  return node !== undefined && when(node) ? run(node) : null
}

const crash = (
  world: World,
  node: Node,
  { for: millis, power }: Fault & { readonly _tag: "Crash" | "CrashAtStore" }
): () => void => {
  Nodes.crash(world, node, power)
  // A machine is there before its processes are.
  if (power) schedule(world, millis >> 1, node, () => Nodes.boot(node))
  return () => Nodes.start(world, node)
}

// Its length counts from then on.
const crashAtStore = (world: World, fault: Fault & { readonly _tag: "CrashAtStore" }): null => {
  world.ambushes.store.push((node) => {
    const restart = crash(world, node, fault)
    schedule(world, Math.min(fault.for, world.scenario.faultsUntil - world.now), null, restart)
  })
  return null
}

const pause = (world: World, node: Node): () => void => {
  const { incarnation } = node
  node.paused = true
  return () => (node.incarnation === incarnation ? Nodes.resume(world, node) : undefined)
}

const oversleep = (world: World, { by }: Fault & { readonly _tag: "Oversleep" }): null => {
  world.ambushes.ping.push((node) => {
    const { ahead, tenure: { role } } = node
    if (role?._tag !== "Leading") return
    const until = Math.min(Math.ceil(timeOf(node, role.leaseUntil - ahead)) + by, world.scenario.faultsUntil)
    schedule(world, Math.max(0, until - world.now), null, pause(world, node))
  })
  return null
}

const cut = (world: World, { both, from }: Fault & { readonly _tag: "Cut" }): () => void => {
  const { cuts, nodes } = world
  const inside = (node: Node) => from.includes(node.member.sid)
  const change = (by: 1 | -1) => {
    for (const a of nodes) {
      for (const b of nodes) {
        if (inside(a) && !inside(b)) cuts[a.index * nodes.length + b.index]! += by
        if (both && inside(b) && !inside(a)) cuts[a.index * nodes.length + b.index]! += by
      }
    }
  }
  change(1)
  return () => {
    change(-1)
    Wire.release(world)
  }
}

const clog = (world: World, { from, to }: Fault & { readonly _tag: "Clog" }): (() => void) | null => {
  const [writer, reader] = [nodeOf(world, from), nodeOf(world, to)]
  if (writer === undefined || reader === undefined) return null
  const place = writer.index * world.nodes.length + reader.index
  world.clogs[place]! += 1
  return () => {
    world.clogs[place]! -= 1
    schedule(world, 0, writer, () => {
      Links.flush(world, writer, reader.sid)
      QuorumPort.flush(world, writer, reader)
    })
  }
}

const resign = (world: World, { to }: Fault & { readonly _tag: "Resign" }): null => {
  const successor = to === null ? null : BigInt(to)
  for (const node of world.nodes) {
    if (node.up) schedule(world, 0, node, () => Incumbency.resign(world, node, successor))
  }
  return null
}

const reset = (world: World, { between: [a, b] }: Fault & { readonly _tag: "Reset" }): null => {
  const [near, far] = [nodeOf(world, a), nodeOf(world, b)]
  for (const end of near?.ends.values() ?? []) if (end.other.node === far) Wire.reset(world, end)
  return null
}

const reconfigure = (world: World, { on, voters }: Fault & { readonly _tag: "Reconfigure" }): null => {
  const { reducers, scenario } = world
  // The highest there is and one more, as the leader of a reconfiguration would have it.
  const version = world.nodes.reduce((highest, { membership: { committed } }) =>
    committed.version > highest ? committed.version : highest, 0n) + 1n
  const committed = Nodes.verifierOf(reducers, scenario, voters, version)
  for (const node of world.nodes) {
    if (!on.includes(node.member.sid)) continue
    node.membership = reducers.Ensemble.membership({ mySid: node.sid, committed })
    if (!node.up) continue
    Nodes.crash(world, node, false)
    Nodes.start(world, node)
  }
  return null
}

// Connects as somebody may who finds the port, and talks as soon as it has said who it is.
const lie = (world: World, { as, to, words }: Fault & { readonly _tag: "Lie" }): (() => void) | null => {
  const target = nodeOf(world, to)
  if (target === undefined || !target.up) return null
  const end = Wire.connect(world, null, BigInt(as), target)
  for (let word = 0; word < words; word++) {
    schedule(world, latency(world) + 1, null, () => Wire.send(world, end, nonsense(world, BigInt(as), target)))
  }
  return () => Wire.close(world, end)
}

const states = ["LOOKING", "LOOKING", "LOOKING", "FOLLOWING", "LEADING", "OBSERVING", "UNKNOWN"] as const

// Mostly what may make sense to somebody in this state, so that something comes of it.
const nonsense = ({ random, scenario }: World, from: bigint, { election }: Node): Notification => {
  const number = (usual: bigint) =>
    random.percent(70) ? BigInt.asIntN(64, usual + BigInt(random.below(3) - 1)) : random.long()
  const someone = () => random.percent(90) ? BigInt(random.pick(scenario.members).sid) : random.long()
  return {
    from,
    version: random.pick([2, 2, 2, 1, 0, -5, 9]),
    state: random.pick(states),
    leader: someone(),
    zxid: number(election.proposal.zxid),
    peerEpoch: number(election.proposal.peerEpoch),
    electionEpoch: random.percent(60) ? election.logicalClock : number(election.logicalClock),
    config: random.percent(90) ? null : random.pick(["", "version=1", "server.x=h:1:2", "version=7fffffff", "\u0000"])
  }
}
