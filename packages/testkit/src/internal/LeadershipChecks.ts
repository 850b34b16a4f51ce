/**
 * What must hold of leaders and learners after every step: seen from outside, from packets, disks and clocks.
 *
 * What a leader was told is counted once more, as it arrived and by whom it was really sent; nothing of the core is
 * called in here, or a fault in it would hide itself.
 */
import type * as Leader from "@conclave/core/Leader"
import type { LearnerId, Output as LeaderOutput } from "@conclave/core/LeaderOutput"
import type * as Learner from "@conclave/core/Learner"
import type { Output as LearnerOutput } from "@conclave/core/LearnerOutput"
import type { Pledge } from "@conclave/core/Lease"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import type { Sid } from "@conclave/core/Sid"
import * as Judge from "./Judge.ts"
import * as LeaseChecks from "./LeaseChecks.ts"
import * as Oracle from "./Oracle.ts"
import { broken } from "./Properties.ts"
import type { Following, Leading } from "./Tenure.ts"
import type { Node, World } from "./World.ts"

/** What is known of a server, whatever becomes of its processes. */
export interface Promises {
  /** The highest epoch that it has acknowledged. */
  accepted: bigint
  /** The highest epoch in which it led, or followed a leader, that a quorum had activated. */
  activated: bigint
  /** Whom it has promised to support, by its clock. */
  pledge: Pledge | null
}

/** What a leader was told, by whom. */
export interface Tally {
  /** The epoch that each had accepted who asked for one. */
  readonly asked: Map<Sid, bigint>
  /** How far the history of each goes that has accepted our epoch, in a way that counts. */
  readonly accepted: Map<Sid, Leader.Summary>
  /** Who is in sync. */
  readonly acked: Set<Sid>
}

/** No promises. */
export const unpledged = (): Promises => ({ accepted: -1n, activated: -1n, pledge: null })

/** Nothing was told. */
export const nothing = (): Tally => ({ asked: new Map(), accepted: new Map(), acked: new Set() })

/** Looks at one step of a leader. */
export const afterLeaderStep = (
  world: World,
  node: Node,
  role: Leading,
  before: Leader.State,
  event: Leader.Event,
  outputs: ReadonlyArray<LeaderOutput>
): void => {
  if (event._tag === "Received") listen(role, event)
  if (!before.epochStored && role.state.epochStored) promise(world, node, role, role.state.epoch, true)
  for (const output of outputs) {
    switch (output._tag) {
      case "Send":
        onTold(world, node, output.packet)
        break
      case "SetTimer":
        if (output.timer === "Lease") LeaseChecks.onLeaseTimer(world, node, role, output.after, outputs)
        break
      case "LeaseExtended":
        LeaseChecks.onExtended(world, node, role, outputs)
        break
      case "Close":
        refuse(role, event, output.learner)
        break
      case "EpochDecided":
        onDecided(world, node, role, output.epoch)
        break
      case "StoreAcceptedEpoch":
      case "StoreCurrentEpoch":
        onStore(world, node, output)
        if (output._tag === "StoreCurrentEpoch") onElected(world, node, role)
        break
      case "Activated":
        onActivated(world, node, role, output.epoch)
        break
      case "SteppedDown":
        if (output.reason === "QuorumLost" && isServed(world, node, role, 0)) {
          broken(world, node, "served", "leaves office, and a quorum follows")
        }
    }
  }
  if (event._tag === "CurrentEpochStored") LeaseChecks.onStored(world, node, role)
  if (event._tag !== "HalfTick" || role.state.zabState !== "BROADCAST" || role.state.halfTicks % 2 !== 0) return
  if (isServed(world, node, role, 1) || Oracle.ask(world, node)) return
  broken(world, node, "served", "leads on, and no quorum was heard for long")
}

/** Looks at one step of a learner. */
export const afterLearnerStep = (
  world: World,
  node: Node,
  role: Following,
  event: Learner.Event,
  outputs: ReadonlyArray<LearnerOutput>
): void => {
  const packet = event._tag === "Received" ? event.packet : null
  if (packet?.type === "LEADERINFO") role.told = packet.zxid >> 32n
  if (packet?.type === "COMMITANDACTIVATE") node.book.promises.pledge = null
  for (const output of outputs) {
    switch (output._tag) {
      case "Send":
        onSaid(world, node, role, output.packet)
        break
      case "StoreAcceptedEpoch":
      case "StoreCurrentEpoch":
        onStore(world, node, output)
        break
      case "Following":
        onFollowing(world, node, role, output.epoch)
    }
  }
  if (event._tag === "CurrentEpochStored") LeaseChecks.onStored(world, node, role)
}

/** Looks at what a leader would decide if it did not wait for its disk: it would tell nothing else. */
export const ofHastyLeader = (world: World, node: Node, outputs: ReadonlyArray<LeaderOutput>): void => {
  for (const output of outputs) if (output._tag === "Send") onTold(world, node, output.packet)
}

// -----------------------------------------------------------------------------
// leaders
// -----------------------------------------------------------------------------

type Received = Leader.Event & { readonly _tag: "Received" }

// Who is at the other end is known here, whatever is said.
const listen = ({ links, state, tally }: Leading, { learner, packet: { data, type, zxid } }: Received): void => {
  const sid = links.get(learner)?.other.node?.sid
  if (sid === undefined) return
  if (type === "FOLLOWERINFO" || type === "OBSERVERINFO") tally.asked.set(sid, zxid >> 32n)
  if (type === "ACK" && zxid >> 32n === state.epoch) tally.acked.add(sid)
  if (type !== "ACKEPOCH" || data === null) return
  const currentEpoch = intOf(data)
  if (currentEpoch !== -1n && zxid !== -1n) tally.accepted.set(sid, { currentEpoch, lastLoggedZxid: zxid })
}

// Who is sent away with what it has said does not count.
const refuse = ({ links, tally: { accepted, acked } }: Leading, event: Leader.Event, learner: LearnerId): void => {
  const sid = links.get(learner)?.other.node?.sid
  if (sid === undefined || event._tag !== "Received" || event.learner !== learner) return
  if (event.packet.type === "ACKEPOCH") accepted.delete(sid)
  if (event.packet.type === "ACK") acked.delete(sid)
}

const intOf = (data: Uint8Array): bigint => BigInt(new DataView(data.buffer, data.byteOffset).getInt32(0))

const onTold = (world: World, node: Node, { type, zxid }: QuorumPacket): void =>
  mustBeStored(world, node, type, zxid >> 32n)

const onDecided = (world: World, node: Node, role: Leading, epoch: bigint): void => {
  const { facts: { acceptedEpoch }, options: { membership: { committed } }, tally: { asked } } = role
  if (!isQuorum(world, node, role, asked, true)) broken(world, node, "acks", `decides on epoch ${epoch} too soon`)
  for (const [sid, accepted] of [[node.sid, acceptedEpoch] as const, ...asked]) {
    if (accepted < epoch || !committed.voters.has(sid)) continue
    broken(world, node, "higher", `decides on epoch ${epoch}, and server ${sid} has accepted ${accepted}`)
  }
}

const onElected = (world: World, node: Node, role: Leading): void => {
  const { facts, tally: { accepted } } = role
  if (!isQuorum(world, node, role, accepted, true)) broken(world, node, "acks", "takes its epoch for accepted")
  for (const [sid, summary] of accepted) {
    if (!isAhead(summary, facts)) continue
    broken(world, node, "fresher", `leads server ${sid}, which knows more: epoch ${summary.currentEpoch}, zxid ` +
      `${summary.lastLoggedZxid} and not ${facts.currentEpoch}, ${facts.lastLoggedZxid}`)
  }
}

const isAhead = (self: Leader.Summary, that: Leader.Summary): boolean =>
  self.currentEpoch > that.currentEpoch ||
  (self.currentEpoch === that.currentEpoch && self.lastLoggedZxid > that.lastLoggedZxid)

const onActivated = (world: World, node: Node, role: Leading, epoch: bigint): void => {
  const { book: { promises }, disk } = node
  if (!isQuorum(world, node, role, role.tally.acked, false)) broken(world, node, "acks", "takes itself for activated")
  // A stranger may be a quorum of its own, in a configuration that nobody shares.
  if (node.member.role !== "Stranger") {
    const other = world.activated.get(epoch)
    if (other !== undefined) broken(world, node, "unique", `is activated in epoch ${epoch}, as server ${other} was`)
    world.activated.set(epoch, node.sid)
  }
  if (disk.synced.currentEpoch < epoch) broken(world, node, "durable", `leads in epoch ${epoch}, which is not stored`)
  if (epoch <= promises.activated) broken(world, node, "epochs", `leads in ${epoch} after ${promises.activated}`)
  promises.activated = epoch
  LeaseChecks.onSupport(world, node, node.sid)
}

// Have so many been heard lately that they are a quorum? Those who come in sync may take longer.
const isServed = (world: World, node: Node, role: Leading, slack: number): boolean => {
  const { options: { ticks: { initLimit, syncLimit } }, state: { halfTicks } } = role
  const heard = new Set<Sid>()
  for (const end of role.links.values()) {
    const limit = end.synced ? syncLimit : Math.max(initLimit, syncLimit)
    if (end.heardAt >= 0 && end.heardAt >= halfTicks - 2 * (limit + slack)) heard.add(end.sid)
  }
  return isQuorum(world, node, role, heard, false)
}

// With the leader itself.
const isQuorum = (
  world: World,
  node: Node,
  { options: { membership: { committed, verifiers } } }: Leading,
  sids: { readonly has: (sid: Sid) => boolean },
  isCommittedOnly: boolean
): boolean => {
  const isPresent = (sid: Sid) => sid === node.sid || sids.has(sid)
  if (world.static) return Judge.isQuorum(world, node, isPresent, isCommittedOnly)
  return (isCommittedOnly ? [committed] : verifiers).every(({ voters }) =>
    Array.from(voters).filter(isPresent).length * 2 > voters.size)
}

// -----------------------------------------------------------------------------
// learners
// -----------------------------------------------------------------------------

const onSaid = (world: World, node: Node, role: Following, { data, type, zxid }: QuorumPacket): void => {
  const { facts, options: { leader }, told } = role
  mustBeStored(world, node, type, told)
  switch (type) {
    case "ACKEPOCH": {
      const epoch = data === null ? -1n : intOf(data)
      if (zxid !== facts.lastLoggedZxid || (epoch !== -1n && epoch !== facts.currentEpoch)) {
        broken(world, node, "told", `says that it knows epoch ${epoch}, zxid ${zxid}`)
      }
      return promise(world, node, role, told, epoch !== -1n)
    }
    case "ACK":
      return LeaseChecks.onSupport(world, node, leader)
    case "PING":
      node.book.promises.pledge = LeaseChecks.pledge(world, node, leader)
  }
}

const onFollowing = (world: World, node: Node, { options: { leader } }: Following, epoch: bigint): void => {
  const { promises } = node.book
  if (world.activated.get(epoch) !== leader) {
    broken(world, node, "activated", `follows server ${leader} in epoch ${epoch}, in which no quorum has activated it`)
  }
  if (epoch < promises.activated) broken(world, node, "epochs", `follows in ${epoch} after ${promises.activated}`)
  promises.activated = epoch
}

// -----------------------------------------------------------------------------
// both
// -----------------------------------------------------------------------------

// What is on the disk counts, also if it was never told: a process may have ended in between.
const promise = (world: World, node: Node, { facts }: Following | Leading, epoch: bigint, counts: boolean): void => {
  const { promises } = node.book
  const accepted = promises.accepted > facts.acceptedEpoch ? promises.accepted : facts.acceptedEpoch
  if (epoch < accepted || (counts && epoch === accepted)) {
    broken(world, node, "promise", `accepts epoch ${epoch} after ${accepted}`)
  }
  promises.accepted = epoch
}

// What is said in these packets others rely on.
const mustBeStored = (world: World, node: Node, type: QuorumPacket["type"], epoch: bigint): void => {
  const { acceptedEpoch, currentEpoch } = node.disk.synced
  const isAccepted = type === "LEADERINFO" || type === "ACKEPOCH"
  if (!isAccepted && type !== "NEWLEADER" && type !== "ACK") return
  const stored = isAccepted ? acceptedEpoch : currentEpoch
  if (stored < epoch) broken(world, node, "durable", `says ${type} of epoch ${epoch}, and has stored ${stored}`)
}

type Store = { readonly _tag: "StoreAcceptedEpoch" | "StoreCurrentEpoch"; readonly epoch: bigint }

const onStore = (world: World, node: Node, { _tag, epoch }: Store): void => {
  const { acceptedEpoch, currentEpoch } = node.disk.synced
  const stored = _tag === "StoreAcceptedEpoch" ? acceptedEpoch : currentEpoch
  if (epoch < stored) broken(world, node, "epochs", `wants to store epoch ${epoch} in place of ${stored}`)
}
