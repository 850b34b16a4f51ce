/**
 * What a learner decides, as data: what to do, and why.
 */
import type { Millis } from "./Ensemble.ts"
import type { Pledge } from "./Lease.ts"
import type { QuorumPacket } from "./QuorumPacket.ts"
import type { Sid } from "./Sid.ts"

/** The waits of a learner; at most one of each kind. */
export type Timer =
  /** The leader says nothing: initLimit ticks before we are in sync, syncLimit afterwards. */
  | "Silence"
  /** Our pledge to another leader ends. */
  | "Pledge"

/** Everything `Learner.step` can answer, in the order in which it is to be performed. */
export type Output =
  | { readonly _tag: "Send"; readonly packet: QuorumPacket }
  | { readonly _tag: "SetTimer"; readonly timer: Timer; readonly after: Millis }
  | { readonly _tag: "CancelTimer"; readonly timer: Timer }
  /** Make the epoch durable as the accepted one, then say `AcceptedEpochStored`. */
  | { readonly _tag: "StoreAcceptedEpoch"; readonly epoch: bigint }
  /** Make the epoch durable as the current one, then say `CurrentEpochStored`. */
  | { readonly _tag: "StoreCurrentEpoch"; readonly epoch: bigint }
  /** The leader's last configuration, as text. It is in force when we follow, if it is newer and we may adopt it. */
  | { readonly _tag: "ConfigSeen"; readonly text: string }
  /** A real leader, which we observe, tells that this configuration is in force. */
  | { readonly _tag: "ConfigChanged"; readonly text: string }
  /** We are in sync with a leader that a quorum has activated. */
  | { readonly _tag: "Following"; readonly epoch: bigint }
  /** We support nobody else for a while; or anybody again, because the leader needs it no more. */
  | { readonly _tag: "Pledged"; readonly pledge: Pledge | null }
  /** We follow no longer; nothing more will be decided. */
  | { readonly _tag: "Left"; readonly reason: LeaveReason; readonly successor: Sid | null }
  /** A packet had no effect: we serve no data. */
  | { readonly _tag: "Ignored"; readonly packet: QuorumPacket }

/** Why a learner leaves its leader. */
export type LeaveReason =
  /** The connection is gone. */
  | "ConnectionClosed"
  /** No connection with it could be made. */
  | "NotReached"
  /** It said nothing for initLimit or syncLimit ticks. */
  | "LeaderSilent"
  /** It said something else than the protocol has at this point. */
  | "UnexpectedPacket"
  /** It proposes an epoch below one that we have accepted. */
  | "LowerEpoch"
  /** It is a real ZooKeeper server. Whoever votes must keep what it is told, and we do not keep data. */
  | "ForeignLeader"
  /** It asks for a longer lease than we grant. */
  | "LeaseTooLong"
  /** It wants data of ours removed. */
  | "CannotTruncate"
  /** An epoch could not be made durable. */
  | "StorageFailed"
  /** It resigned. */
  | "LeaderResigned"
