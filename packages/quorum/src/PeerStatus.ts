/**
 * What a peer tells about itself: whether it looks for a leader and why, or whom
 * it found and how.
 */
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import * as Explain from "@conclave/core/Explain"
import type { LeaderLostReason } from "@conclave/core/Liveness"
import type { ServerState, SettledState } from "@conclave/core/ServerState"
import type { Vote } from "@conclave/core/Vote"
import * as RoleContext from "./RoleContext.ts"
import type { EndReason } from "./RoleContext.ts"

/** Where a peer stands. */
export type PeerStatus = Looking | Settled

/** It looks for a leader. */
export interface Looking {
  readonly _tag: "Looking"
  readonly cause: LookCause
}

/** It has one, or is it. */
export interface Settled {
  readonly _tag: "Settled"
  readonly report: ElectionReport
}

/** Why a search began. */
export type LookCause =
  /** The peer has just started. */
  | { readonly _tag: "Started" }
  /** There is no leader any more. */
  | { readonly _tag: "LeaderLost"; readonly leader: bigint; readonly reason: LeaderLostReason | EndReason }
  /** Somebody asked for it. */
  | { readonly _tag: "Requested" }
  /** A newer configuration is in force. */
  | { readonly _tag: "ConfigChanged" }

/** How long the parts of an election took, in milliseconds. */
export interface Phases {
  /** From the start to the first vote of another voter; `null` if none was heard. */
  readonly firstVote: number | null
  /** From there to the last moment at which a quorum was reached; `null` for who joined a leader. */
  readonly quorum: number | null
  /** From there to the decision: the finalize wait. */
  readonly finalize: number | null
}

/** The result of one election, and how it came about. */
export interface ElectionReport {
  readonly sid: bigint
  readonly state: SettledState
  readonly vote: Vote
  readonly reason: ElectedReason
  readonly cause: LookCause
  readonly phases: Phases
  readonly elapsed: number
}

/** The state as ZooKeeper names it. */
export const serverState = (status: PeerStatus): ServerState =>
  status._tag === "Looking" ? "LOOKING" : status.report.state

/** Why a search began, in words. */
export const describeCause = (cause: LookCause): string => {
  switch (cause._tag) {
    case "Started":
      return "just started"
    case "LeaderLost":
      return describeLost(cause.leader, cause.reason)
    case "Requested":
      return "asked to"
    case "ConfigChanged":
      return "a newer configuration is in force"
  }
}

const describeLost = (leader: bigint, reason: LeaderLostReason | EndReason): string => {
  switch (reason) {
    case "LinkToLeaderClosed":
    case "LeaderLooking":
    case "LinksLost":
    case "ElectionDenied":
    case "ElectionUnconfirmed":
      return Explain.leaderLost(leader, reason)
    default:
      return `server ${leader} is not the leader any more: ${RoleContext.describe(reason)}`
  }
}

/** An election in one sentence: the outcome for us, who won on what ground, who agreed, and what took how long. */
export const describe = ({ elapsed, phases, reason, state, vote }: ElectionReport): string =>
  `${state} in round ${vote.electionEpoch}: ${Explain.elected(vote, reason)}; took ${describePhases(elapsed, phases)}`

const describePhases = (elapsed: number, { finalize, firstVote, quorum }: Phases): string => {
  const parts = [
    ...(firstVote === null ? [] : [`${ms(firstVote)} until the first vote`]),
    ...(quorum === null ? [] : [`${ms(quorum)} until a quorum`]),
    ...(finalize === null ? [] : [`${ms(finalize)} waiting for a better vote`])
  ]
  return parts.length === 0 ? ms(elapsed) : `${ms(elapsed)} (${parts.join(", ")})`
}

const ms = (millis: number): string => `${Math.round(millis)} ms`
