/**
 * What happens, one line an event: time, node, what happened, and after an arrow what was decided.
 */
import type * as Connections from "@conclave/core/Connections"
import type * as ConnectionsOutput from "@conclave/core/ConnectionsOutput"
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import * as Explain from "@conclave/core/Explain"
import type { LeaderLostReason } from "@conclave/core/Liveness"
import type { Notification } from "@conclave/core/Notification"
import type { Proposal } from "@conclave/core/Vote"
import * as Zxid from "@conclave/core/Zxid"
import type { Node, World } from "./World.ts"

/** A step of the election. */
export const election = (
  world: World,
  node: Node,
  event: Election.Event,
  outputs: ReadonlyArray<Output>
): string => line(world, node, happened(event), decided(outputs))

/** Has somebody found a leader, or a new configuration? */
export const isTurn = (outputs: ReadonlyArray<Output>): boolean =>
  outputs.some(({ _tag }) => _tag === "Elected" || _tag === "AdoptConfig")

/** A step of the connections. */
export const connections = (
  world: World,
  node: Node,
  event: Connections.Event,
  outputs: ReadonlyArray<ConnectionsOutput.Output>
): string => line(world, node, linked(event), outputs.map(linking))

/** A leader given up. */
export const lost = (world: World, node: Node, reason: LeaderLostReason): string =>
  line(world, node, `gives its leader up: ${Explain.leaderLost(node.election.currentVote.leader, reason)}`, [])

/** Something that happens to the world. */
export const fact = ({ now }: World, text: string): string => `${stamp(now)}     ${text}`

/** One line: what happened at a node, and what was decided. */
export const line = ({ now }: World, { sid }: Node, what: string, decisions: ReadonlyArray<string>): string =>
  `${stamp(now)} ${sid.toString().padStart(3)} ${what}${decisions.length === 0 ? "" : ` -> ${decisions.join("; ")}`}`

const stamp = (now: number): string => now.toString().padStart(7)

const happened = (event: Election.Event): string => {
  switch (event._tag) {
    case "Received":
      return `hears ${heard(event.notification)}`
    case "LookForLeader":
      return `looks, epoch ${event.currentEpoch} zxid ${Zxid.format(event.lastLoggedZxid)}`
    case "EpochEstablished":
      return `is in epoch ${event.peerEpoch}`
    case "ConfigActivated":
      return `is in sync with the configuration of ${event.from}`
    case "Designated":
      return `is told that ${event.leader} leads from now on`
    case "PeerConnected":
    case "PeerRefused":
    case "PeerUnreachable":
      return `${event._tag} ${event.sid}`
    case "NotificationTimeout":
    case "FinalizeTimeout":
    case "LeaderLost":
      return event._tag
  }
}

const heard = ({ electionEpoch, from, state, ...vote }: Notification): string =>
  `${from} ${state} round ${electionEpoch} for ${proposal(vote)}`

const proposal = ({ leader, peerEpoch, zxid }: Proposal): string => `${leader}/${peerEpoch}/${Zxid.format(zxid)}`

const decided = (outputs: ReadonlyArray<Output>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const sends = new Map<string, Array<bigint>>()
  for (const output of outputs) {
    if (output._tag === "Send") {
      const { electionEpoch, state, to, ...vote } = output.toSend
      const what = `${output.cause}: ${state} round ${electionEpoch} for ${proposal(vote)} to`
      const whom = sends.get(what) ?? []
      sends.set(what, whom)
      whom.push(to)
    } else lines.push(output._tag === "Elected" ? elected(output) : other(output))
  }
  for (const [what, whom] of sends) lines.push(`${what} ${whom.join(" ")}`)
  return lines
}

const elected = ({ reason, state, vote }: Output & { readonly _tag: "Elected" }): string =>
  `${state}: ${Explain.elected(vote, reason)}`

const other = (output: Exclude<Output, { readonly _tag: "Send" | "Elected" }>): string => {
  switch (output._tag) {
    case "SetTimer":
      return `${output.timer} in ${output.after}`
    case "RoundStarted":
      return `round ${output.logicalClock}`
    case "Adopted":
      return `adopts ${proposal(output.proposal)} by ${output.ground}`
    case "Kept":
      return `keeps ${proposal(output.proposal)} by ${output.ground}`
    case "QuorumReached":
      return `quorum of ${Explain.sids(output.supporters)}`
    case "Reopened":
      return `reopened by ${output.ground}`
    case "NotJoined":
      return `does not join ${output.leader}: ${output.reason}`
    case "Ignored":
      return `ignored: ${output.reason}`
    case "ConfigSeen":
      return `configuration ${output.version}: ${output.verdict}`
    case "VoterLooking":
      return `voter ${output.sid} looks`
    default:
      return output._tag
  }
}

const linked = (event: Connections.Event): string => {
  switch (event._tag) {
    case "Wanted":
      return `wants ${Explain.sids(event.sids)}`
    case "Dialed":
    case "Accepted":
    case "Closed":
    case "ProbeFailed":
      return `${event._tag} ${event.sid} link ${event.link}`
    case "ConnectRequested":
    case "RedialDue":
    case "DialFailed":
      return `${event._tag} ${event.sid}`
  }
}

const linking = (output: ConnectionsOutput.Output): string => {
  switch (output._tag) {
    case "Adopt":
    case "Probe":
      return `${output._tag} link ${output.link}`
    case "Close":
      return `Close link ${output.link} (${output.reason})`
    case "Dial":
    case "RedialLater":
    case "NoAddress":
      return `${output._tag} ${output.sid}`
  }
}
