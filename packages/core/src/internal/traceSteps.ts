/**
 * How the events and outputs of the four reducers stand in a trace.
 */
import * as Schema from "effect/Schema"
import type * as Connections from "../Connections.ts"
import type * as ConnectionsOutput from "../ConnectionsOutput.ts"
import type * as Election from "../Election.ts"
import type * as ElectionOutput from "../ElectionOutput.ts"
import type * as Leader from "../Leader.ts"
import type * as LeaderOutput from "../LeaderOutput.ts"
import type * as Learner from "../Learner.ts"
import type * as LearnerOutput from "../LearnerOutput.ts"
import * as Values from "./traceValues.ts"

const { NotificationOf, Packet, Pledge, Proposal, Real, Sids, VoteOf, Wide, of } = Values

const { Boolean, Literals, NullOr, String, TaggedUnion, optionalKey } = Schema

const oracle = { oracle: optionalKey(Boolean) }

// -----------------------------------------------------------------------------
// election
// -----------------------------------------------------------------------------

/** What can happen in an election. */
export const ElectionEvent = of<Election.Event>()(TaggedUnion({
  LookForLeader: { ...Values.history, ...oracle },
  Received: { notification: NotificationOf, ...oracle },
  NotificationTimeout: { haveDelivered: Boolean, undelivered: Sids, ...oracle },
  FinalizeTimeout: {},
  EpochEstablished: { peerEpoch: Wide },
  ConfigActivated: { from: Wide, config: String },
  PeerConnected: { sid: Wide },
  PeerRefused: { sid: Wide },
  PeerUnreachable: { sid: Wide },
  Designated: { leader: Wide },
  LeaderLost: {}
}))

const grounds = ["peerEpoch", "zxid", "sid"] as const
const KeptGround = Literals([...grounds, "Equal", "ZeroWeight", "NotElectable", "Abstains", "KnowsLess"])

const ElectedReason = of<ElectionOutput.ElectedReason>()(TaggedUnion({
  Quorum: { supporters: Sids, runnerUp: NullOr(Proposal), ground: NullOr(KeptGround) },
  Joined: { round: Literals(["Same", "Other"]), supporters: Sids },
  Oracle: { supporters: Sids },
  Designated: { by: Wide, supporters: Sids }
}))

const SendCause = Literals([
  "NewRound",
  "Adopted",
  "Silence",
  "AnswerNonVoter",
  "AnswerLagging",
  "AnswerSettled",
  "AnswerMisled"
])

const Ignored = Literals([
  "UnknownState",
  "SenderNotVoter",
  "LeaderNotVoter",
  "Settled",
  "SenderObserving",
  "OwnZxidUntrusted",
  "ZxidUntrusted",
  "LowerRound",
  "NothingToVoteFor",
  "NotBetterWhileFinalizing",
  "Restarting"
])

const Verdict = Literals(["Adopted", "Unparsable", "ReconfigDisabled", "SenderNotVoter", "NoVoters", "LosesMajority"])

const NotJoined = Literals(["NoQuorum", "LeaderNotHeard", "OwnRoundDiffers", "NotElectable"])

/** What an election can decide. */
export const ElectionOutputOf = of<ElectionOutput.Output>()(TaggedUnion({
  Send: { toSend: Values.ToSend, cause: SendCause },
  ConnectAll: {},
  SetTimer: { timer: Literals(["Notification", "Finalize"]), after: Real },
  CancelTimer: {},
  Elected: { vote: VoteOf, state: Values.Settled, reason: ElectedReason },
  Restart: { reason: Literals(["ConfigChanged"]) },
  AdoptConfig: { from: Wide, verifier: Values.Verifier },
  RoundStarted: { logicalClock: Wide, initial: Proposal, from: NullOr(Wide) },
  Adopted: { from: Wide, previous: Proposal, proposal: Proposal, ground: Literals(grounds) },
  Kept: { from: Wide, offered: Proposal, proposal: Proposal, ground: KeptGround },
  QuorumReached: { proposal: Proposal, supporters: Sids },
  Reopened: { from: Wide, offered: Proposal, ground: Literals([...grounds, "HigherRound", "QuorumLost"]) },
  NotJoined: { from: Wide, leader: Wide, reason: NotJoined, supporters: Sids },
  Ignored: { notification: NotificationOf, reason: Ignored },
  ConfigSeen: { from: Wide, version: NullOr(Wide), verdict: Verdict, problem: NullOr(Values.Problem) },
  VoterLooking: { sid: Wide, elector: Boolean },
  IntervalReset: { from: Wide }
}))

// -----------------------------------------------------------------------------
// connections
// -----------------------------------------------------------------------------

const link = { link: Real, sid: Wide }

/** What can happen to connections. */
export const ConnectionsEvent = of<Connections.Event>()(TaggedUnion({
  ConnectRequested: { sid: Wide },
  Wanted: { sids: Sids },
  RedialDue: { sid: Wide },
  Dialed: link,
  DialFailed: { sid: Wide },
  Accepted: { ...link, announced: Schema.Array(Values.AddressOf) },
  Closed: { ...link, useful: Boolean },
  ProbeFailed: link
}))

const LinkCloseReason = Literals([
  "Yielded",
  "DialingBack",
  "Replaced",
  "Overtaken",
  "OwnSid",
  "TooManyStrangers",
  "Unreachable"
])

/** What can be decided about connections. */
export const ConnectionsOutputOf = of<ConnectionsOutput.Output>()(TaggedUnion({
  Dial: { sid: Wide, addresses: Schema.Array(Values.AddressOf) },
  Adopt: link,
  Close: { ...link, reason: LinkCloseReason, linger: Boolean },
  RedialLater: { sid: Wide, failures: Real },
  Probe: link,
  NoAddress: { sid: Wide }
}))

// -----------------------------------------------------------------------------
// leader and learner
// -----------------------------------------------------------------------------

const at = { at: Real }
const now = { ...at, pledgeAt: Real }
const learner = { learner: Real }
const epoch = { epoch: Wide }
const LeaderTimer = Literals(["Quorum", "Pledge", "Lease"])
const LearnerTimer = Literals(["Silence", "Pledge"])

/** What can happen to a leader. */
export const LeaderEvent = of<Leader.Event>()(TaggedUnion({
  Started: {},
  Connected: learner,
  Received: { ...learner, packet: Packet, ...at },
  Disconnected: learner,
  AcceptedEpochStored: {},
  CurrentEpochStored: now,
  StoreFailed: {},
  HalfTick: { ...at, ...oracle },
  TimedOut: { timer: LeaderTimer, ...now },
  PledgeReleased: now,
  Resign: { successor: NullOr(Wide) }
}))

const CloseReason = Literals([
  "UnexpectedPacket",
  "ProtocolTooOld",
  "Foreign",
  "LaterConfig",
  "AheadOfLeader",
  "LeaseTooLong",
  "OwnSid",
  "Replaced",
  "Silent",
  "SteppedDown"
])

const StepDownReason = Literals([
  "NoEpochQuorum",
  "NoEpochAckQuorum",
  "NoSyncQuorum",
  "QuorumLost",
  "LeaseExpired",
  "StorageFailed",
  "EpochsExhausted",
  "Resigned"
])

/** What a leader can decide. */
export const LeaderOutputOf = of<LeaderOutput.Output>()(TaggedUnion({
  Send: { ...learner, packet: Packet },
  Close: { ...learner, sid: NullOr(Wide), reason: CloseReason },
  SetTimer: { timer: LeaderTimer, after: Real },
  CancelTimer: { timer: LeaderTimer },
  StoreAcceptedEpoch: epoch,
  StoreCurrentEpoch: epoch,
  EpochDecided: { ...epoch, supporters: Sids },
  Activated: { ...epoch, supporters: Sids },
  LearnerSynced: { sid: Wide, votes: Boolean },
  LeaseExtended: { until: Real },
  SteppedDown: { reason: StepDownReason, successor: NullOr(Wide) },
  Ignored: { ...learner, packet: Packet, reason: Literals(["NotNeeded", "Over"]) }
}))

/** What can happen to a learner. */
export const LearnerEvent = of<Learner.Event>()(TaggedUnion({
  Connected: {},
  Received: { packet: Packet, ...at, lastLoggedZxid: Wide },
  Progress: {},
  Disconnected: {},
  NotReached: {},
  AcceptedEpochStored: {},
  CurrentEpochStored: at,
  StoreFailed: {},
  TimedOut: { timer: LearnerTimer, ...at },
  PledgeReleased: at
}))

const LeaveReason = Literals([
  "ConnectionClosed",
  "NotReached",
  "LeaderSilent",
  "UnexpectedPacket",
  "LowerEpoch",
  "ForeignLeader",
  "LeaseTooLong",
  "CannotTruncate",
  "StorageFailed",
  "LeaderResigned"
])

/** What a learner can decide. */
export const LearnerOutputOf = of<LearnerOutput.Output>()(TaggedUnion({
  Send: { packet: Packet },
  SetTimer: { timer: LearnerTimer, after: Real },
  CancelTimer: { timer: LearnerTimer },
  StoreAcceptedEpoch: epoch,
  StoreCurrentEpoch: epoch,
  ConfigSeen: { text: String },
  ConfigChanged: { text: String },
  Following: epoch,
  Pledged: { pledge: NullOr(Pledge) },
  Left: { reason: LeaveReason, successor: NullOr(Wide) },
  Ignored: { packet: Packet }
}))
