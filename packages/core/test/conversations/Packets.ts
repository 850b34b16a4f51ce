/**
 * What goes over a quorum port, and what leader and learner decide about it, in words.
 */
import * as Explain from "../../src/Explain.ts"
import * as Designated from "../../src/internal/designated.ts"
import type { Output as LeaderOutput } from "../../src/LeaderOutput.ts"
import * as LearnerInfo from "../../src/LearnerInfo.ts"
import type { Output as LearnerOutput } from "../../src/LearnerOutput.ts"
import type { QuorumPacket } from "../../src/QuorumPacket.ts"
import * as Zxid from "../../src/Zxid.ts"

/** A packet, with what its data say. */
export const packet = ({ data, type, zxid }: QuorumPacket): string => {
  const epoch = Zxid.epochOf(zxid)
  switch (type) {
    case "FOLLOWERINFO":
    case "OBSERVERINFO":
      return `${type}, accepted epoch ${epoch}${leaseOf(LearnerInfo.decode(data)?.ours)}`
    case "LEADERINFO":
      return `${type}, epoch ${epoch}${leaseOf(LearnerInfo.decodeLeader(data)?.ours)}`
    case "ACKEPOCH":
      return `${type}, current epoch ${LearnerInfo.decodeEpoch(data)}, zxid ${Zxid.format(zxid)}`
    case "DIFF":
      return `${type} to zxid ${Zxid.format(zxid)}`
    case "NEWLEADER":
    case "ACK":
      return `${type}, epoch ${epoch}`
    case "COMMITANDACTIVATE": {
      const successor = Designated.decode(data)
      return `${type}, ${successor === null ? "nobody" : `server ${successor}`} is to lead next`
    }
    default:
      return type
  }
}

/** A decision of a leader or a learner that sends nothing; `null` for what another line tells. */
export const decision = (output: Exclude<LeaderOutput | LearnerOutput, { readonly _tag: "Send" }>): string | null => {
  switch (output._tag) {
    case "SetTimer":
      return `waits ${Explain.millis(output.after)} for ${waits[output.timer]}`
    case "StoreAcceptedEpoch":
      return `writes down epoch ${output.epoch} as accepted`
    case "StoreCurrentEpoch":
      return `writes down epoch ${output.epoch} as its current one`
    case "LeaseExtended":
      return `may act until ${Explain.millis(output.until)}`
    case "Pledged":
      return output.pledge === null
        ? "supports anybody again"
        : `supports nobody but server ${output.pledge.leader} until ${Explain.millis(output.pledge.until)}`
    case "Ignored":
      return `does nothing about ${packet(output.packet)}`
    case "CancelTimer":
    case "ConfigSeen":
    case "ConfigChanged":
      return null
    case "Following":
    case "Left":
      return Explain.learner(output)
    default:
      return Explain.leader(output)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const leaseOf = (ours: LearnerInfo.Ours | null | undefined): string =>
  ours === null || ours === undefined || ours.lease === 0 ? "" : `, lease ${Explain.millis(ours.lease)}`

const waits: Record<(LeaderOutput & { readonly _tag: "SetTimer" })["timer"] | "Silence", string> = {
  Quorum: "a quorum",
  Pledge: "the end of its pledge",
  Lease: "its lease to be extended",
  Silence: "a word of the leader"
}
