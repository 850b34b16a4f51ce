/**
 * Steps of learners: the shipped `Learner.step`, and around it what the shell does. Each is computed once.
 */
import * as LearnerInfo from "@conclave/core/LearnerInfo"
import type * as Learner from "@conclave/core/Learner"
import type { Output, Timer } from "@conclave/core/LearnerOutput"
import type { Past } from "./Leaders.ts"
import * as Outcome from "./Outcome.ts"
import type { Packets } from "./Packets.ts"
import type * as Roles from "./Roles.ts"
import type { Setting } from "./Setting.ts"

/** What can happen to a learner. */
export type Event =
  | { readonly _tag: "Received"; readonly packet: number }
  | { readonly _tag: "Disconnected" | "Stored" | "NotStored" | "Released" }
  | { readonly _tag: "TimedOut"; readonly timer: Timer }

/** Learners at work. */
export interface Learners {
  /** Follows: there is a connection. */
  readonly begin: (peer: number, leader: number, past: Past) => Outcome.Outcome
  readonly step: (role: number, event: Event) => Outcome.Outcome
}

/** Learners of this setting. */
export const make = (setting: Setting, packets: Packets, roles: Roles.Roles): Learners => {
  const self: Self = { setting, packets, roles }
  return {
    begin: (peer, leader, { acceptedEpoch, currentEpoch, pledge }) => {
      const { lastLoggedZxid } = setting.peers[peer]!
      const state = setting.reducers.Learner.make({ acceptedEpoch, currentEpoch, lastLoggedZxid }, pledge)
      const role: Roles.Following = { _tag: "Following", peer, leader, state, timers: new Set(), storing: [] }
      return take(self, role, { _tag: "Connected" })
    },
    step: (role, event) => step(self, role, event)
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

const step = (self: Self, id: number, event: Event): Outcome.Outcome => {
  const role = self.roles.get(id)
  if (role._tag !== "Following") throw new Error(`a ${role._tag} takes a step of a learner`)
  switch (event._tag) {
    case "Received": {
      const { lastLoggedZxid } = self.setting.peers[role.peer]!
      return take(self, role, { _tag: "Received", packet: self.packets.get(event.packet), at: 0, lastLoggedZxid })
    }
    case "Disconnected":
      return take(self, role, { _tag: "Disconnected" })
    case "Stored": {
      const [write, ...storing] = role.storing
      const isCurrent = write?.file === "Current"
      return take(self, { ...role, storing }, isCurrent
        ? { _tag: "CurrentEpochStored", at: 0 }
        : { _tag: "AcceptedEpochStored" })
    }
    case "NotStored":
      return take(self, { ...role, storing: role.storing.slice(1) }, { _tag: "StoreFailed" })
    case "Released":
      return take(self, role, { _tag: "PledgeReleased", at: 0 })
    case "TimedOut": {
      const timers = new Set(role.timers)
      timers.delete(event.timer)
      return take(self, { ...role, timers }, { _tag: "TimedOut", timer: event.timer, at: 0 })
    }
  }
}

const take = (self: Self, before: Roles.Following, event: Learner.Event): Outcome.Outcome => {
  const { reducers, peers, learners } = self.setting
  const options = { ...learners[before.peer]!, leader: peers[before.leader]!.sid }
  const [state, outputs] = reducers.Learner.step(options, before.state, event)
  const draft = Outcome.draft(0)
  const work: Work = { ...before, state, timers: new Set(before.timers), storing: [...before.storing] }
  for (const output of outputs) perform(self, draft, work, output)
  // It supports its leader with the ACK that says that it is in sync, and not with the one that answers UPTODATE.
  draft.supports = before.state.stage !== state.stage && state.stage === "Activating"
  return { ...draft, role: self.roles.id(draft.over ? { _tag: "Idle" } : work) }
}

/** The role while outputs are performed. */
type Work = { -readonly [Key in keyof Roles.Following]: Roles.Following[Key] } & {
  timers: Set<Timer>
  storing: Array<Roles.Write>
}

const perform = ({ packets, setting }: Self, draft: Outcome.Draft, work: Work, output: Output): void => {
  switch (output._tag) {
    case "Send": {
      const { packet } = output
      const { lastLoggedZxid, sid } = setting.peers[work.peer]!
      if (packet.type === "ACKEPOCH" && LearnerInfo.decodeEpoch(packet.data) !== -1n) {
        draft.accepts = Number(work.state.epoch)
        const isTrue = packet.zxid === lastLoggedZxid
        if (!isTrue) Outcome.blame(draft, "truth", `server ${sid} tells of a history that is not its own`)
      }
      return void draft.sends.push([0, packets.id(packet)])
    }
    case "SetTimer":
      return void work.timers.add(output.timer)
    case "CancelTimer":
      return void work.timers.delete(output.timer)
    case "StoreAcceptedEpoch":
      draft.told.push(`makes accepted epoch ${output.epoch} durable`)
      return void work.storing.push({ file: "Accepted", epoch: output.epoch, isDone: false })
    case "StoreCurrentEpoch":
      draft.told.push(`makes current epoch ${output.epoch} durable`)
      return void work.storing.push({ file: "Current", epoch: output.epoch, isDone: false })
    case "Following":
      draft.told.push(`follows in epoch ${output.epoch}`)
      draft.follows = Number(output.epoch)
      return
    case "Pledged":
      if (output.pledge !== null) draft.told.push(`pledges itself for ${output.pledge.until}`)
      draft.pledge = output.pledge
      return
    case "Left":
      draft.over = true
      return void draft.told.push(`leaves: ${output.reason}`)
    case "ConfigSeen":
    case "ConfigChanged":
    case "Ignored":
      return
  }
}
