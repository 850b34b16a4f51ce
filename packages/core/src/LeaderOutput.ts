/**
 * What a leader decides, as data: what to do, and why.
 */
import type { Millis } from "./Ensemble.ts"
import type { Instant } from "./Lease.ts"
import type { QuorumPacket } from "./QuorumPacket.ts"
import type { Sid } from "./Sid.ts"

/** A learner's connection, by the number that the shell gave it. */
export type LearnerId = number

/** The waits of a leader; at most one of each kind. */
export type Timer =
  /** A quorum must ask for an epoch, then confirm it, then be in sync: each within initLimit ticks. */
  | "Quorum"
  /** Our own pledge to the leader before us ends. */
  | "Pledge"
  /** The lease ends. */
  | "Lease"

/** Everything `Leader.step` can answer, in the order in which it is to be performed. */
export type Output =
  | { readonly _tag: "Send"; readonly learner: LearnerId; readonly packet: QuorumPacket }
  | { readonly _tag: "Close"; readonly learner: LearnerId; readonly sid: Sid | null; readonly reason: CloseReason }
  | { readonly _tag: "SetTimer"; readonly timer: Timer; readonly after: Millis }
  | { readonly _tag: "CancelTimer"; readonly timer: Timer }
  /** Make the epoch durable as the accepted one, then say `AcceptedEpochStored`. */
  | { readonly _tag: "StoreAcceptedEpoch"; readonly epoch: bigint }
  /** Make the epoch durable as the current one, then say `CurrentEpochStored`. */
  | { readonly _tag: "StoreCurrentEpoch"; readonly epoch: bigint }
  /** A quorum asked for an epoch, and this is the one: higher than all that any of them has accepted. */
  | { readonly _tag: "EpochDecided"; readonly epoch: bigint; readonly supporters: ReadonlySet<Sid> }
  /** A quorum is in sync: from now on we lead. The epoch is the fencing token. */
  | { readonly _tag: "Activated"; readonly epoch: bigint; readonly supporters: ReadonlySet<Sid> }
  /** A learner is in sync and counts from now on. */
  | { readonly _tag: "LearnerSynced"; readonly sid: Sid; readonly votes: boolean }
  /** A quorum has granted the lease until then. */
  | { readonly _tag: "LeaseExtended"; readonly until: Instant }
  /** We lead no longer; nothing more will be decided. */
  | { readonly _tag: "SteppedDown"; readonly reason: StepDownReason; readonly successor: Sid | null }
  /** A packet had no effect. */
  | {
    readonly _tag: "Ignored"
    readonly learner: LearnerId
    readonly packet: QuorumPacket
    readonly reason: IgnoredReason
  }

/** Why a learner's connection is closed on purpose. */
export type CloseReason =
  /** It said something else than the protocol has at this point. */
  | "UnexpectedPacket"
  /** It speaks the protocol of before ZooKeeper 3.4, or none. */
  | "ProtocolTooOld"
  /** It is a real ZooKeeper server, whose data we do not have. */
  | "Foreign"
  /** It has a later configuration in force than we. Java: "Follower is ahead of the leader". */
  | "LaterConfig"
  /** Its history goes further than ours: it should lead. Java: "Follower is ahead of the leader". */
  | "AheadOfLeader"
  /** It grants no lease as long as the one we ask for. */
  | "LeaseTooLong"
  /** It calls itself by our sid: two servers have the same `myid`. */
  | "OwnSid"
  /** It has connected again. */
  | "Replaced"
  /**
   * Nothing was heard of it for initLimit ticks before it was in sync, or syncLimit ticks afterwards; or it answers no
   * pings, whatever else it says.
   */
  | "Silent"
  /** We step down. */
  | "SteppedDown"

/** Why a leader leaves office. */
export type StepDownReason =
  /** No quorum asked for an epoch in time. Java: "Timeout while waiting for epoch from quorum". */
  | "NoEpochQuorum"
  /** No quorum confirmed the epoch in time. Java: "Timeout while waiting for epoch to be acked by quorum". */
  | "NoEpochAckQuorum"
  /** No quorum came in sync in time. Java: "Waiting for a quorum of followers". */
  | "NoSyncQuorum"
  /** Those who answer are no quorum any more. Java: "Not sufficient followers synced". */
  | "QuorumLost"
  /** The lease could not be renewed before its end. */
  | "LeaseExpired"
  /** An epoch could not be made durable. */
  | "StorageFailed"
  /** The next epoch does not fit into the 32 bits it has on the wire. */
  | "EpochsExhausted"
  /** We were asked to. */
  | "Resigned"

/** Why a packet had no effect. */
export type IgnoredReason =
  /** Nothing depends on it here: an answer to UPTODATE, or a client's request, which nobody here serves. */
  | "NotNeeded"
  /** We lead no longer, or do not know the connection any more. */
  | "Over"
