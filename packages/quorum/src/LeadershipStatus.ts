/**
 * Where a peer stands once elections are activated: whom it follows, or whether
 * it leads, in which epoch, and why; in data, and in words.
 *
 * Unlike a `PeerStatus`, this tells what a quorum has accepted. Who is elected and
 * not activated is LOOKING here, with a reason that says so.
 */
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import * as Explain from "@conclave/core/Explain"
import type { Sid } from "@conclave/core/Sid"
import type { Vote } from "@conclave/core/Vote"
import * as PeerStatus from "./PeerStatus.ts"

/** Where a peer stands, named as ZooKeeper names it. */
export type LeadershipStatus = Looking | Settled

/** It has a leader, or is it. */
export type Settled = Following | Leading | Observing

/** It has no leader that a quorum has activated. */
export interface Looking {
  readonly _tag: "LOOKING"
  readonly reason: LookingReason
}

/** It follows an activated leader, and has a vote. */
export interface Following {
  readonly _tag: "FOLLOWING"
  readonly leader: Sid
  readonly epoch: bigint
  readonly reason: Election
}

/** A quorum has accepted its epoch and follows it. */
export interface Leading {
  readonly _tag: "LEADING"
  /** The fencing token: greater than that of every leadership activated before. */
  readonly epoch: bigint
  /** When it was activated, in milliseconds since 1970 by this machine's clock. */
  readonly since: number
  readonly reason: Activation
}

/** It follows an activated leader, and has no vote. */
export interface Observing {
  readonly _tag: "OBSERVING"
  readonly leader: Sid
  readonly epoch: bigint
  readonly reason: Election
}

/** The election by which a leader was found, as this peer saw it. */
export interface Election {
  readonly vote: Vote
  readonly elected: ElectedReason
}

/** Why a peer leads: how it was elected, and who accepted its epoch. */
export interface Activation extends Election {
  /** The voters that acknowledged the epoch, this peer among them. */
  readonly acknowledged: ReadonlySet<Sid>
}

/** Why there is no activated leader. */
export type LookingReason =
  /** It votes; the cause is that of the search. */
  | { readonly _tag: "Searching"; readonly cause: PeerStatus.LookCause }
  /** It was elected, and a quorum has yet to accept its epoch. */
  | { readonly _tag: "Activating"; readonly election: Election }
  /** It knows who was elected, and is not in sync with that server yet. */
  | { readonly _tag: "Joining"; readonly leader: Sid; readonly election: Election }
  /** It led, gave up for this reason, and ends guarded work before it votes again. */
  | { readonly _tag: "Leaving"; readonly epoch: bigint; readonly reason: LeaveReason }

/** Why a leadership ended. */
export type LeaveReason =
  /** A quorum does not answer any more. */
  | { readonly _tag: "QuorumLost" }
  /** The lease could not be renewed, and runs out soon. */
  | { readonly _tag: "LeaseExpiring" }
  /** The lease ran out while the process did not run. */
  | { readonly _tag: "LeaseExpired" }
  /** Asked to step aside. */
  | { readonly _tag: "Resigned" }
  /** Asked to make room for that server. */
  | { readonly _tag: "Transferred"; readonly to: Sid }
  /** A configuration is in force in which another must lead. */
  | { readonly _tag: "ConfigChanged" }
  /** The peer stops. */
  | { readonly _tag: "Stopped" }
  /** The peer cannot go on as leader, for instance because an epoch could not be written. */
  | { readonly _tag: "Failed"; readonly problem: string }

/** The status in one line, with its reason. */
export const describe = (status: LeadershipStatus): string => {
  switch (status._tag) {
    case "LOOKING":
      return `LOOKING: ${describeLooking(status.reason)}`
    case "FOLLOWING":
    case "OBSERVING":
      return `${status._tag} server ${status.leader} in epoch ${status.epoch}: ${describeElection(status.reason)}`
    case "LEADING":
      return `LEADING in epoch ${status.epoch}: ${describeActivation(status.reason)}`
  }
}

/** Why a peer leads, in words. */
export const describeActivation = (reason: Activation): string =>
  `${describeElection(reason)}; ${Explain.sids(reason.acknowledged)} accepted the epoch`

/** Why a leadership ended, in words. */
export const describeLeave = (reason: LeaveReason): string => {
  switch (reason._tag) {
    case "QuorumLost":
      return "a quorum does not answer any more"
    case "LeaseExpiring":
      return "the lease could not be renewed and is about to run out"
    case "LeaseExpired":
      return "the lease had run out before this process ran on"
    case "Resigned":
      return "it was asked to resign"
    case "Transferred":
      return `it makes room for server ${reason.to}`
    case "ConfigChanged":
      return "a configuration in which another must lead is in force"
    case "Stopped":
      return "the peer stops"
    case "Failed":
      return `it cannot go on: ${reason.problem}`
  }
}

const describeElection = ({ elected, vote }: Election): string => Explain.elected(vote, elected)

const describeLooking = (reason: LookingReason): string => {
  switch (reason._tag) {
    case "Searching":
      return PeerStatus.describeCause(reason.cause)
    case "Activating":
      return `elected, but a quorum has yet to accept its epoch; ${describeElection(reason.election)}`
    case "Joining":
      return `not in sync with server ${reason.leader} yet; ${describeElection(reason.election)}`
    case "Leaving":
      return `led in epoch ${reason.epoch} and ends guarded work: ${describeLeave(reason.reason)}`
  }
}
