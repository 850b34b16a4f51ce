/**
 * What happens to leaders and learners, and what they do then; what the election is
 * told of it is what the shell tells it.
 */
import * as Leader from "../../src/Leader.ts"
import type { Output as LeaderOutput } from "../../src/LeaderOutput.ts"
import * as Learner from "../../src/Learner.ts"
import type { Output as LearnerOutput } from "../../src/LearnerOutput.ts"
import type { QuorumPacket } from "../../src/QuorumPacket.ts"
import { freeze } from "../support/freeze.ts"
import { ticks } from "../support/Zab.ts"
import * as Elections from "./Elections.ts"
import * as Packets from "./Packets.ts"
import * as World from "./World.ts"

type Lines = ReadonlyArray<string>

/** Takes up the office that the election has given. */
export const lead = (world: World.World, peer: World.Peer): Lines => {
  if (peer.election._tag !== "Settled" || peer.election.state !== "LEADING") throw new Error("it is not elected")
  const { lease } = world
  const options: Leader.Options = {
    mySid: peer.sid,
    membership: peer.election.membership,
    ticks,
    lease,
    acceptForeign: false
  }
  const role = { _tag: "Leader", options, state: Leader.make(options, peer.history, peer.pledge) } as const
  peer.role = role
  return [`${peer.sid} opens its quorum port`, ...stepLeader(world, peer, { _tag: "Started" })]
}

/** Connects to the leader that the election has given. */
export const follow = (world: World.World, peer: World.Peer): Lines => {
  if (peer.election._tag !== "Settled" || peer.election.state === "LEADING") throw new Error("it follows nobody")
  const { leader } = peer.election.currentVote
  const link = ++world.linksMade
  const options: Learner.Options = {
    mySid: peer.sid,
    leader,
    membership: peer.election.membership,
    ticks,
    lease: world.lease
  }
  peer.role = { _tag: "Learner", options, link, state: Learner.make(peer.history, peer.pledge), config: "" }
  const other = World.peerOf(world, leader)
  if (!World.reaches(world, peer.sid, leader) || other.role?._tag !== "Leader") {
    return [`${peer.sid} does not reach server ${leader}`, ...stepLearner(world, peer, { _tag: "NotReached" })]
  }
  stepLeader(world, other, { _tag: "Connected", learner: link })
  world.links.set(link, { leader, learner: peer.sid })
  return [`${peer.sid} connects with server ${leader}`, ...stepLearner(world, peer, { _tag: "Connected" })]
}

/** Something has arrived at a quorum port, or on a disk. */
export const arrive = (world: World.World, peer: World.Peer, item: World.Item): Lines => {
  switch (item._tag) {
    case "Packet":
      return [`${peer.sid} gets from ${item.from}: ${Packets.packet(item.packet)}`, ...onPacket(world, peer, item)]
    case "End":
      return onEnd(world, peer, item)
    case "Stored":
      peer.history = { ...peer.history, [item.what]: item.epoch }
      return [
        `${peer.sid} has epoch ${item.epoch} on its disk, as ${item.what === "currentEpoch" ? "current" : "accepted"}`,
        ...onStored(world, peer, item.what)
      ]
    case "Notification":
      return Elections.hear(world, peer, item.notification)
  }
}

/** One step of a leader, and what follows from it at once. */
export const stepLeader = (world: World.World, peer: World.Peer, event: Leader.Event): Lines => {
  const { role } = peer
  if (role?._tag !== "Leader") return ["  it leads nobody"]
  const [next, outputs] = Leader.step(role.options, freeze(role.state), event)
  role.state = next
  return outputs.flatMap((output) => performLeader(world, peer, output))
}

/** One step of a learner, and what follows from it at once. */
export const stepLearner = (world: World.World, peer: World.Peer, event: Learner.Event): Lines => {
  const { role } = peer
  if (role?._tag !== "Learner") return ["  it follows nobody"]
  const [next, outputs] = Learner.step(role.options, freeze(role.state), event)
  role.state = next
  return outputs.flatMap((output) => performLearner(world, peer, role, output))
}

/** The process of a peer is gone, and with it its connections. */
export const end = (world: World.World, { sid }: World.Peer): void => {
  for (const [link, { leader, learner }] of world.links) if (sid === leader || sid === learner) hangUp(world, sid, link)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const onPacket = (world: World.World, peer: World.Peer, { link, packet }: World.Item & { readonly _tag: "Packet" }) =>
  peer.role?._tag === "Leader"
    ? stepLeader(world, peer, { _tag: "Received", learner: link, packet, at: world.now })
    : stepLearner(world, peer, {
      _tag: "Received",
      packet,
      at: world.now,
      lastLoggedZxid: peer.history.lastLoggedZxid
    })

const onEnd = (world: World.World, peer: World.Peer, { from, link }: World.Item & { readonly _tag: "End" }): Lines => {
  const { role } = peer
  const header = `${peer.sid} loses its connection with ${from} at the quorum port`
  if (role?._tag === "Leader") return [header, ...stepLeader(world, peer, { _tag: "Disconnected", learner: link })]
  if (role?._tag !== "Learner" || role.link !== link) return []
  return [header, ...stepLearner(world, peer, { _tag: "Disconnected" })]
}

const onStored = (world: World.World, peer: World.Peer, what: "acceptedEpoch" | "currentEpoch"): Lines => {
  const now = { at: world.now, pledgeAt: world.now }
  const event = what === "acceptedEpoch"
    ? { _tag: "AcceptedEpochStored" } as const
    : { _tag: "CurrentEpochStored", ...now } as const
  return peer.role?._tag === "Leader" ? stepLeader(world, peer, event) : stepLearner(world, peer, event)
}

const performLeader = (world: World.World, peer: World.Peer, output: LeaderOutput): Lines => {
  switch (output._tag) {
    case "Send": {
      const to = world.links.get(output.learner)?.learner
      return to === undefined ? [] : send(world, peer, to, output.learner, output.packet)
    }
    case "Close":
      hangUp(world, peer.sid, output.learner)
      return tell(output)
    case "Activated":
      return [...tell(output), ...Elections.step(world, peer, { _tag: "EpochEstablished", peerEpoch: output.epoch })]
    case "SteppedDown":
      return [...tell(output), ...leave(world, peer, output.successor)]
    default:
      return performEither(world, peer, output)
  }
}

const performLearner = (
  world: World.World,
  peer: World.Peer,
  role: World.Role & { readonly _tag: "Learner" },
  output: LearnerOutput
): Lines => {
  const { leader } = role.options
  switch (output._tag) {
    case "Send":
      return send(world, peer, leader, role.link, output.packet)
    case "ConfigSeen":
      role.config = output.text
      return []
    case "Pledged": {
      const isNews = output.pledge !== null || peer.pledge !== null
      peer.pledge = output.pledge
      return isNews ? tell(output) : []
    }
    case "Following": {
      const { config } = role
      return [
        ...tell(output),
        ...Elections.step(world, peer, { _tag: "EpochEstablished", peerEpoch: output.epoch }),
        ...Elections.step(world, peer, { _tag: "ConfigActivated", from: leader, config })
      ]
    }
    case "Left":
      hangUp(world, peer.sid, role.link)
      return [...tell(output), ...leave(world, peer, output.successor)]
    default:
      return performEither(world, peer, output)
  }
}

type Either = Exclude<LeaderOutput | LearnerOutput, { readonly _tag: "Send" }>

const performEither = (world: World.World, peer: World.Peer, output: Either): Lines => {
  const { sid, timers } = peer
  switch (output._tag) {
    case "SetTimer": {
      const name = output.timer.toLowerCase()
      const isSame = timers.get(name) === output.after
      timers.set(name, output.after)
      return isSame ? [] : tell(output)
    }
    case "CancelTimer":
      timers.delete(output.timer.toLowerCase())
      return []
    case "StoreAcceptedEpoch":
    case "StoreCurrentEpoch": {
      const what = output._tag === "StoreAcceptedEpoch" ? "acceptedEpoch" : "currentEpoch"
      World.send(world, { _tag: "Stored", from: sid, to: sid, what, epoch: output.epoch })
      return tell(output)
    }
    default:
      return tell(output)
  }
}

const tell = (output: Either): Lines => {
  const line = Packets.decision(output)
  return line === null ? [] : [`  ${line}`]
}

const send = (world: World.World, { sid }: World.Peer, to: bigint, link: number, packet: QuorumPacket): Lines => {
  const isUnderWay = World.send(world, { _tag: "Packet", from: sid, to, link, packet })
  return [`  sends ${to}: ${Packets.packet(packet)}${isUnderWay ? "" : "; it cannot be reached"}`]
}

// What it has sent before gets there, before the end.
const hangUp = (world: World.World, sid: bigint, link: number): void => {
  const ends = world.links.get(link)
  if (ends === undefined) return
  world.links.delete(link)
  world.items = world.items.filter((item) => item._tag !== "Packet" || item.link !== link || item.to !== sid)
  World.send(world, { _tag: "End", from: sid, to: ends.leader === sid ? ends.learner : ends.leader, link })
}

// Of a successor nobody has to be elected.
const leave = (world: World.World, peer: World.Peer, successor: bigint | null): Lines => {
  peer.role = null
  for (const timer of ["quorum", "pledge", "lease", "silence"]) peer.timers.delete(timer)
  return Elections.step(world, peer, successor === null
    ? { _tag: "LeaderLost" }
    : { _tag: "Designated", leader: successor })
}
