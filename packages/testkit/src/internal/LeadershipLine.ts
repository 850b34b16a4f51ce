/**
 * Steps of leaders and learners, one line each.
 */
import * as Explain from "@conclave/core/Explain"
import type * as Leader from "@conclave/core/Leader"
import type { Output as LeaderOutput } from "@conclave/core/LeaderOutput"
import type * as Learner from "@conclave/core/Learner"
import type { Output as LearnerOutput } from "@conclave/core/LearnerOutput"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import * as Line from "./Line.ts"
import type { Ended, Role } from "./Tenure.ts"
import type { Node, World } from "./World.ts"

/** A step of a leader. */
export const leader = (
  world: World,
  node: Node,
  event: Leader.Event,
  outputs: ReadonlyArray<LeaderOutput>
): string => Line.line(world, node, `as leader: ${leaderEvent(event)}`, outputs.map(leaderOutput))

/** Is a leader activated, or does it step down? */
export const isTurn = (outputs: ReadonlyArray<LeaderOutput>): boolean =>
  outputs.some(({ _tag }) => _tag === "Activated" || _tag === "SteppedDown")

/** A step of a learner. */
export const learner = (
  world: World,
  node: Node,
  event: Learner.Event,
  outputs: ReadonlyArray<LearnerOutput>
): string => Line.line(world, node, `as learner: ${learnerEvent(event)}`, outputs.map(learnerOutput))

/** The end of a role. */
export const ended = (world: World, node: Node, { _tag }: Role, reason: Ended["reason"]): string =>
  Line.line(world, node, `${_tag === "Leading" ? "leads" : "follows"} no longer: ${
    Explain.isStepDown(reason) ? Explain.steppedDown(reason) : Explain.left(reason)
  }`, [])

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const leaderEvent = (event: Leader.Event): string => {
  switch (event._tag) {
    case "Received":
      return `${packet(event.packet)} from learner ${event.learner}`
    case "Connected":
    case "Disconnected":
      return `${event._tag} learner ${event.learner}`
    case "TimedOut":
      return `${event.timer} timer`
    case "Resign":
      return event.successor === null ? "Resign" : `Resign in favour of ${event.successor}`
    default:
      return event._tag
  }
}

const leaderOutput = (output: LeaderOutput): string => {
  switch (output._tag) {
    case "Send":
      return `${packet(output.packet)} to learner ${output.learner}`
    case "Close":
      return `Close learner ${output.learner} (${output.reason})`
    case "SetTimer":
      return `${output.timer} in ${output.after}`
    case "StoreAcceptedEpoch":
    case "StoreCurrentEpoch":
      return `${output._tag} ${output.epoch}`
    case "EpochDecided":
    case "Activated":
      return `${output._tag} ${output.epoch} by ${Explain.sids(output.supporters)}`
    case "LearnerSynced":
      return `${output.sid} is in sync`
    case "LeaseExtended":
      return `lease until ${output.until.toFixed(1)}`
    case "SteppedDown":
      return `steps down (${output.reason})`
    case "CancelTimer":
    case "Ignored":
      return output._tag
  }
}

const learnerEvent = (event: Learner.Event): string => {
  switch (event._tag) {
    case "Received":
      return packet(event.packet)
    case "TimedOut":
      return `${event.timer} timer`
    default:
      return event._tag
  }
}

const learnerOutput = (output: LearnerOutput): string => {
  switch (output._tag) {
    case "Send":
      return packet(output.packet)
    case "SetTimer":
      return `${output.timer} in ${output.after}`
    case "StoreAcceptedEpoch":
    case "StoreCurrentEpoch":
    case "Following":
      return `${output._tag} ${output.epoch}`
    case "Pledged":
      return output.pledge === null ? "pledged to nobody" : `pledged until ${output.pledge.until.toFixed(1)}`
    case "Left":
      return `leaves (${output.reason})`
    default:
      return output._tag
  }
}

const packet = ({ type, zxid }: QuorumPacket): string => zxid === -1n ? type : `${type} ${zxid.toString(16)}`
