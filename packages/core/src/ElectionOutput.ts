/**
 * What the election decides, as data: what to do, and why.
 *
 * The first group is to be performed, in order. The second says why, and is all
 * that logs, metrics, explanations and traces are made from: nothing is decided
 * that is not told here.
 */
import type { Millis } from "./Ensemble.ts"
import type { InvalidConfig } from "./InvalidConfig.ts"
import type { Notification, ToSend } from "./Notification.ts"
import type { QuorumVerifier } from "./QuorumVerifier.ts"
import type { SettledState } from "./ServerState.ts"
import type { Sid } from "./Sid.ts"
import type * as Vote from "./Vote.ts"

/** Everything `Election.step` can answer. */
export type Output = Action | Finding

/** To be performed by the shell, in the order given. */
export type Action =
  /** Send one notification to one peer, or to ourselves by loopback. */
  | { readonly _tag: "Send"; readonly toSend: ToSend; readonly cause: SendCause }
  /** Try to connect to every peer without a connection. */
  | { readonly _tag: "ConnectAll" }
  /** Start the election's one timer, in place of whichever runs. */
  | { readonly _tag: "SetTimer"; readonly timer: Timer; readonly after: Millis }
  /** Stop the timer. */
  | { readonly _tag: "CancelTimer" }
  /** The election is over: be known by this vote and take up this state. */
  | { readonly _tag: "Elected"; readonly vote: Vote.Vote; readonly state: SettledState; readonly reason: ElectedReason }
  /** The election ends without result and a new one must be started with `LookForLeader`. */
  | { readonly _tag: "Restart"; readonly reason: "ConfigChanged" }
  /** A newer configuration is in force from now on. Java: processReconfig. */
  | { readonly _tag: "AdoptConfig"; readonly from: Sid; readonly verifier: QuorumVerifier }

/** The two waits of an election. `Notification` repeats our vote; `Finalize` believes a quorum. */
export type Timer = "Notification" | "Finalize"

/** Why something is sent. */
export type SendCause =
  /** A round begins and everybody is told our vote. */
  | "NewRound"
  /** We changed our mind and everybody is told. */
  | "Adopted"
  /** Nobody spoke for a while. */
  | "Silence"
  /** The sender does not vote: it is answered whatever it said. */
  | "AnswerNonVoter"
  /** The sender looks in an older round. */
  | "AnswerLagging"
  /** The sender looks and we have a leader. */
  | "AnswerSettled"
  /** The sender votes for us, who may not be proposed and vote for another. */
  | "AnswerMisled"

/** What was found on the way, and why. Nothing need be done. */
export type Finding =
  /** A round began: ours, one that `from` was already in, or a new one because `from` votes for nobody. */
  | {
    readonly _tag: "RoundStarted"
    readonly logicalClock: bigint
    readonly initial: Vote.Proposal
    readonly from: Sid | null
  }
  /** The proposal of `from` is better than ours and is ours from now on. */
  | {
    readonly _tag: "Adopted"
    readonly from: Sid
    readonly previous: Vote.Proposal
    readonly proposal: Vote.Proposal
    readonly ground: Vote.Ground
  }
  /** The vote of `from` counts, and we keep our own proposal. */
  | {
    readonly _tag: "Kept"
    readonly from: Sid
    readonly offered: Vote.Proposal
    readonly proposal: Vote.Proposal
    readonly ground: KeptGround
  }
  /** A quorum votes as we do; unless something better is heard, this ends the election. */
  | { readonly _tag: "QuorumReached"; readonly proposal: Vote.Proposal; readonly supporters: ReadonlySet<Sid> }
  /** The vote of `from` re-opened an election that was about to end. */
  | {
    readonly _tag: "Reopened"
    readonly from: Sid
    readonly offered: Vote.Proposal
    readonly ground: Vote.Ground | "HigherRound" | "QuorumLost"
  }
  /** `from` has a leader, and we cannot join it yet. */
  | {
    readonly _tag: "NotJoined"
    readonly from: Sid
    readonly leader: Sid
    readonly reason: NotJoinedReason
    readonly supporters: ReadonlySet<Sid>
  }
  /** A notification had no effect on the election. */
  | { readonly _tag: "Ignored"; readonly notification: Notification; readonly reason: IgnoredReason }
  /** A notification carried a newer or an unusable configuration. */
  | {
    readonly _tag: "ConfigSeen"
    readonly from: Sid
    readonly version: bigint | null
    readonly verdict: ConfigVerdict
    readonly problem: InvalidConfig | null
  }
  /**
   * A voter looks although we lead; `elector` if it was of the quorum that elected
   * us. Java: Leader.reportLookingSid.
   */
  | { readonly _tag: "VoterLooking"; readonly sid: Sid; readonly elector: boolean }
  /** The notification interval is back at its minimum, because this peer was heard for the first time. */
  | { readonly _tag: "IntervalReset"; readonly from: Sid }

/**
 * Why our proposal stays: it is better on this ground, or the same; or the offered server may not lead, abstains, or
 * knows less than we do, who are not electable.
 */
export type KeptGround = Vote.Ground | "Equal" | "ZeroWeight" | "NotElectable" | "Abstains" | "KnowsLess"

/** Why the election ended as it did. */
export type ElectedReason =
  /** A quorum of this round voted alike and nothing better came while we waited. */
  | {
    readonly _tag: "Quorum"
    readonly supporters: ReadonlySet<Sid>
    /** The best proposal that lost in this round, as far as we heard; `null` if everybody proposed the winner. */
    readonly runnerUp: Vote.Proposal | null
    /** On what ground it lost. */
    readonly ground: KeptGround | null
  }
  /** A quorum follows this leader, which says itself that it leads, in our round or in another. */
  | { readonly _tag: "Joined"; readonly round: "Same" | "Other"; readonly supporters: ReadonlySet<Sid> }
  /** The oracle made up for the missing vote of two. */
  | { readonly _tag: "Oracle"; readonly supporters: ReadonlySet<Sid> }
  /** The leader before it has resigned in its favour. */
  | { readonly _tag: "Designated"; readonly by: Sid; readonly supporters: ReadonlySet<Sid> }

/** Why we do not follow the leader that somebody else has. */
export type NotJoinedReason =
  /** Too few voters are known to support it. */
  | "NoQuorum"
  /** A quorum supports it, but it has not said itself that it leads. Java: checkLeader. */
  | "LeaderNotHeard"
  /** A quorum supports *us*, in another round than ours. Java: checkLeader. */
  | "OwnRoundDiffers"
  /** A quorum supports *us*, and we are not electable. */
  | "NotElectable"

/** Why a notification had no effect on the election. */
export type IgnoredReason =
  /** Its state code is none of the four. */
  | "UnknownState"
  /** It was answered, and the sender has no vote. */
  | "SenderNotVoter"
  /** It supports a server that has no vote. */
  | "LeaderNotVoter"
  /** We have a leader; if the sender looks, it was answered. */
  | "Settled"
  /** The sender observes. */
  | "SenderObserving"
  /** Our own database is not trusted, so we do not take part in voting. */
  | "OwnZxidUntrusted"
  /** The proposed server's database is not trusted. */
  | "ZxidUntrusted"
  /** It is of an older round than ours; the sender was answered. */
  | "LowerRound"
  /** It is of a later round and for a server that we could not vote for, and we have a vote. */
  | "NothingToVoteFor"
  /** A quorum agreed already and this does not beat it. The original's rule: the vote is forgotten. */
  | "NotBetterWhileFinalizing"
  /** The election is about to be started anew. */
  | "Restarting"

/** What became of the configuration in a notification. */
export type ConfigVerdict =
  /** In force from now on. */
  | "Adopted"
  /** Cannot be read; the rest of the message counts. */
  | "Unparsable"
  /** Reconfiguration is not enabled here. */
  | "ReconfigDisabled"
  /** The sender has no vote here. */
  | "SenderNotVoter"
  /** It has no voters. */
  | "NoVoters"
  /** It keeps no majority of the present voters. */
  | "LosesMajority"
