/**
 * Steps of leaders: the shipped `Leader.step`, and around it what the shell does. Each is computed once.
 */
import * as LearnerInfo from "@conclave/core/LearnerInfo"
import type * as Leader from "@conclave/core/Leader"
import type { Output, Timer } from "@conclave/core/LeaderOutput"
import type { Pledge } from "@conclave/core/Lease"
import * as Zxid from "@conclave/core/Zxid"
import * as Outcome from "./Outcome.ts"
import type { Packets } from "./Packets.ts"
import * as Roles from "./Roles.ts"
import { isQuorum, LINKS, type Setting } from "./Setting.ts"

/** What is on a peer's disk, what it has pledged, and what has been. */
export interface Past {
  readonly acceptedEpoch: bigint
  readonly currentEpoch: bigint
  readonly pledge: Pledge | null
  /** The highest epoch that has been activated anywhere, which it does not know; 0 for none. */
  readonly activated: number
}

/** What can happen to a leader; links, packets and peers by number. */
export type Event =
  | { readonly _tag: "Connected" | "Disconnected"; readonly link: number }
  | { readonly _tag: "Received"; readonly link: number; readonly packet: number }
  | { readonly _tag: "Stored" | "NotStored" | "HalfTick" | "Released" }
  | { readonly _tag: "TimedOut"; readonly timer: Timer }
  /** Guarded work has ended before; `null` for nobody. */
  | { readonly _tag: "Resign"; readonly successor: number | null }

/** Leaders at work. */
export interface Leaders {
  /** Takes office: the quorum port is open. */
  readonly begin: (peer: number, past: Past) => Outcome.Outcome
  readonly step: (role: number, event: Event) => Outcome.Outcome
  /** Whom it may name when it resigns, besides nobody. */
  readonly successors: (role: number) => ReadonlyArray<number>
}

/** Nothing is computed yet. */
export const make = (setting: Setting, packets: Packets, roles: Roles.Roles): Leaders => {
  const self: Self = { setting, packets, roles }
  const successors: Array<ReadonlyArray<number>> = []
  return {
    begin: (peer, past) => begin(self, peer, past),
    step: (role, event) => step(self, role, event),
    successors: (role) => successors[role] ??= successorsOf(self, role)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self {
  readonly setting: Setting
  readonly packets: Packets
  readonly roles: Roles.Roles
}

const now = { at: Roles.LEASE_NOW, pledgeAt: 0 }

const nothing = { asks: 0, accepts: 0, ahead: 0, acks: 0 }

const begin = (self: Self, peer: number, past: Past): Outcome.Outcome => {
  const { acceptedEpoch, activated, currentEpoch, pledge } = past
  const { Leader } = self.setting.reducers
  const { lastLoggedZxid } = self.setting.peers[peer]!
  const options = self.setting.leaders[peer]!
  const state = Leader.make(options, { acceptedEpoch, currentEpoch, lastLoggedZxid }, pledge)
  return take(self, {
    _tag: "Leading",
    peer,
    state,
    timers: new Set(),
    storing: [],
    entered: false,
    leaseUntil: null,
    evidence: { ...nothing, heard: acceptedEpoch, before: activated }
  }, { _tag: "Started" })
}

const step = (self: Self, id: number, event: Event): Outcome.Outcome => {
  const role = self.roles.get(id)
  if (role._tag !== "Leading") throw new Error(`a ${role._tag} takes a step of a leader`)
  switch (event._tag) {
    case "Connected":
    case "Disconnected":
      return take(self, role, { _tag: event._tag, learner: event.link })
    case "Received": {
      const packet = self.packets.get(event.packet)
      return take(self, role, { _tag: "Received", learner: event.link, packet, at: now.at })
    }
    case "Stored": {
      const [write, ...storing] = role.storing
      const stored: Leader.Event = write?.file === "Current"
        ? { _tag: "CurrentEpochStored", ...now }
        : { _tag: "AcceptedEpochStored" }
      return take(self, { ...role, storing }, stored)
    }
    case "NotStored":
      return take(self, { ...role, storing: role.storing.slice(1) }, { _tag: "StoreFailed" })
    case "HalfTick":
      return take(self, role, { _tag: "HalfTick", at: now.at })
    case "Released":
      return take(self, role, { _tag: "PledgeReleased", ...now })
    case "TimedOut": {
      const timers = new Set(role.timers)
      timers.delete(event.timer)
      return take(self, { ...role, timers }, { _tag: "TimedOut", timer: event.timer, ...now })
    }
    case "Resign": {
      const successor = event.successor === null ? null : self.setting.peers[event.successor]!.sid
      return take(self, { ...role, entered: false }, { _tag: "Resign", successor })
    }
  }
}

const take = (self: Self, before: Roles.Leading, event: Leader.Event): Outcome.Outcome => {
  const { roles, setting } = self
  const [state, outputs] = setting.reducers.Leader.step(setting.leaders[before.peer]!, before.state, event)
  const draft = Outcome.draft(0)
  const work: Work = {
    ...before,
    state,
    timers: new Set(before.timers),
    storing: [...before.storing],
    evidence: gather(self, before, event, outputs)
  }
  for (const output of outputs) perform(self, draft, work, output)
  // It accepts its epoch itself as soon as that is durable.
  if (state.epochStored && !before.state.epochStored) draft.accepts = Number(state.epoch)
  const isHeld = work.entered && (work.leaseUntil ?? 0) > Roles.LEASE_NOW
  const after: Roles.Role = !draft.over
    ? work
    : isHeld
      ? { _tag: "Leaving", epoch: before.state.epoch, until: work.leaseUntil! }
      : { _tag: "Idle" }
  return { ...draft, role: roles.id(after) }
}

/** The role while outputs are performed. */
type Work = { -readonly [Key in keyof Roles.Leading]: Roles.Leading[Key] } & {
  timers: Set<Timer>
  storing: Array<Roles.Write>
}

const peerOf = (link: number): number => Math.floor(link / LINKS)

// What the leader closes the link for does not count for it.
const gather = (
  { setting }: Self,
  { evidence, peer, state }: Roles.Leading,
  event: Leader.Event,
  outputs: ReadonlyArray<Output>
): Roles.Evidence => {
  if (event._tag !== "Received" || !state.learners.has(event.learner)) return evidence
  const { learner, packet } = event
  if (outputs.some((output) => output._tag === "Close" && output.learner === learner)) return evidence
  const bit = 1 << peerOf(learner)
  switch (packet.type) {
    case "FOLLOWERINFO":
    case "OBSERVERINFO": {
      const heard = Zxid.epochOf(packet.zxid)
      return { ...evidence, asks: evidence.asks | bit, heard: heard > evidence.heard ? heard : evidence.heard }
    }
    case "ACKEPOCH": {
      const currentEpoch = LearnerInfo.decodeEpoch(packet.data) ?? -1n
      if (currentEpoch === -1n) return evidence
      const { lastLoggedZxid } = setting.peers[peer]!
      const own = state.summary.currentEpoch
      const isAhead = currentEpoch > own || (currentEpoch === own && packet.zxid > lastLoggedZxid)
      return {
        ...evidence,
        accepts: evidence.accepts | bit,
        ahead: isAhead ? evidence.ahead | bit : evidence.ahead
      }
    }
    case "ACK":
      return { ...evidence, acks: evidence.acks | bit }
    default:
      return evidence
  }
}

const perform = ({ packets, setting }: Self, draft: Outcome.Draft, work: Work, output: Output): void => {
  switch (output._tag) {
    case "Send":
      return void draft.sends.push([output.learner, packets.id(output.packet)])
    case "Close":
      draft.told.push(`closes the link of server ${output.sid}: ${output.reason}`)
      return void draft.closes.push(output.learner)
    case "SetTimer":
      if (output.timer === "Lease") checkGrace(setting, draft, work, output.after)
      return void work.timers.add(output.timer)
    case "CancelTimer":
      return void work.timers.delete(output.timer)
    case "StoreAcceptedEpoch":
      draft.told.push(`makes accepted epoch ${output.epoch} durable`)
      return void work.storing.push({ file: "Accepted", epoch: output.epoch, isDone: false })
    case "StoreCurrentEpoch":
      onElected(setting, draft, work)
      draft.told.push(`a quorum accepted: makes current epoch ${output.epoch} durable`)
      return void work.storing.push({ file: "Current", epoch: output.epoch, isDone: false })
    case "EpochDecided":
      draft.told.push(`decides epoch ${output.epoch}`)
      return onDecided(setting, draft, work, output.epoch)
    case "Activated":
      draft.told.push(`IS ACTIVATED in epoch ${output.epoch}`)
      return onActivated(setting, draft, work, output.epoch)
    case "LeaseExtended":
      if (work.entered && (work.leaseUntil ?? 0) <= Roles.LEASE_NOW) {
        Outcome.blame(draft, "lapse", `a lease is extended to ${output.until} that ran out at ${work.leaseUntil}`)
      }
      checkGrant(setting, draft, work, output.until)
      work.leaseUntil = output.until
      work.entered = true
      return void draft.told.push(`has a lease for ${output.until - Roles.LEASE_NOW} more`)
    case "SteppedDown":
      draft.over = true
      return void draft.told.push(`steps down: ${output.reason}`)
    case "LearnerSynced":
    case "Ignored":
      return
  }
}

// A quorum has answered pings that were sent no earlier.
const checkGrant = (setting: Setting, draft: Outcome.Draft, work: Work, until: number): void => {
  const since = until - (setting.lease?.duration ?? 0)
  const isGranted = (sid: bigint) => (work.state.answered.get(sid) ?? -Infinity) >= since
  const granted = setting.peers.reduce((mask, { sid }, peer) => mask | (isGranted(sid) ? 1 << peer : 0), itself(work))
  if (!isQuorum(setting, granted)) Outcome.blame(draft, "grant", `no quorum has granted a lease until ${until}`)
}

const checkGrace = ({ lease }: Setting, draft: Outcome.Draft, { leaseUntil }: Work, after: number): void => {
  const left = (leaseUntil ?? 0) - Roles.LEASE_NOW
  if (after + (lease?.grace ?? 0) <= left) return
  Outcome.blame(draft, "grace", `a timer fires after ${after}, and the lease ends after ${left}`)
}

const itself = ({ peer }: Work): number => 1 << peer

const onDecided = (setting: Setting, draft: Outcome.Draft, work: Work, epoch: bigint): void => {
  const { asks, heard } = work.evidence
  if (!isQuorum(setting, asks | itself(work))) Outcome.blame(draft, "quorum", `no quorum asked for epoch ${epoch}`)
  if (epoch <= heard) Outcome.blame(draft, "higher", `epoch ${epoch} was decided, and ${heard} has been accepted`)
}

const onElected = (setting: Setting, draft: Outcome.Draft, work: Work): void => {
  const { evidence: { accepts, ahead }, state } = work
  if (!isQuorum(setting, accepts | itself(work))) Outcome.blame(draft, "quorum", `no quorum accepted ${state.epoch}`)
  for (const sid of state.electing) {
    const isAhead = (ahead & 1 << setting.indexOf(sid)) !== 0
    if (isAhead) Outcome.blame(draft, "fresh", `server ${sid} knows more than its leader`)
  }
}

const onActivated = (setting: Setting, draft: Outcome.Draft, work: Work, epoch: bigint): void => {
  draft.activated = Number(epoch)
  draft.supports = true
  if (setting.lease === null) work.entered = true
  const { acks, before } = work.evidence
  if (!isQuorum(setting, acks | itself(work))) Outcome.blame(draft, "quorum", `no quorum acknowledged epoch ${epoch}`)
  if (epoch <= before) Outcome.blame(draft, "later", `epoch ${epoch} is activated, ${before} was before its election`)
}

const successorsOf = ({ roles, setting }: Self, id: number): ReadonlyArray<number> => {
  const role = roles.get(id)
  if (role._tag !== "Leading") return []
  const options = setting.leaders[role.peer]!
  const named = setting.peers.map(({ sid }) => setting.reducers.Leader.successor(options, role.state, sid))
  return [...new Set(named)].flatMap((sid) => (sid === null ? [] : [setting.indexOf(sid)]))
}
