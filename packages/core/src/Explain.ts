/**
 * What was decided, in words a person understands.
 *
 * Made from the outputs alone, so that a log, a console and a test say the same.
 */
import type { CloseReason as LinkCloseReason } from "./ConnectionsOutput.ts"
import type { ConfigVerdict, ElectedReason, KeptGround, NotJoinedReason, Output } from "./ElectionOutput.ts"
import type { CloseReason, Output as LeaderOutput, StepDownReason } from "./LeaderOutput.ts"
import type { LeaveReason, Output as LearnerOutput } from "./LearnerOutput.ts"
import type { LeaderLostReason } from "./Liveness.ts"
import { NOBODY, type Sid } from "./Sid.ts"
import * as QuorumVerifier from "./QuorumVerifier.ts"
import type { Ground, Proposal, Vote } from "./Vote.ts"
import * as Zxid from "./Zxid.ts"

/** Who won and on what ground, in one sentence without a full stop. */
export const elected = (vote: Vote, reason: ElectedReason): string => {
  switch (reason._tag) {
    case "Quorum":
      return `server ${vote.leader} won: ${quorumGround(vote, reason.runnerUp, reason.ground)}; ` +
        `${sids(reason.supporters)} agreed`
    case "Joined":
      return `server ${vote.leader} leads already: ${sids(reason.supporters)} support it, and it says so itself`
    case "Oracle":
      return `server ${vote.leader} leads: the other of two voters is missing, and the oracle decided`
    case "Designated":
      return `server ${vote.leader} leads: server ${reason.by} resigned in its favour`
  }
}

/**
 * The ground of a decision in one word, for machines: `epoch`, `zxid`, `id`,
 * `weight`, `electable`, `unopposed`, `joined`, `oracle` or `designated`.
 */
export const groundOf = (reason: ElectedReason): string => {
  switch (reason._tag) {
    case "Quorum":
      return reason.ground === null ? "unopposed" : grounds[reason.ground]
    case "Joined":
      return "joined"
    case "Oracle":
      return "oracle"
    case "Designated":
      return "designated"
  }
}

/** Why a leader was given up. */
export const leaderLost = (leader: Sid, reason: LeaderLostReason): string => {
  switch (reason) {
    case "LinkToLeaderClosed":
      return `there is no connection with the leader, server ${leader}`
    case "LeaderLooking":
      return `the leader, server ${leader}, looks for a leader itself`
    case "LinksLost":
      return "those who are connected and do not look are no quorum"
    case "ElectionDenied":
      return `others do not have server ${leader} as their leader`
    case "ElectionUnconfirmed":
      return `nobody confirms that server ${leader} leads`
  }
}

/** Why a leader left office. */
export const steppedDown = (reason: StepDownReason): string => stepDownReasons[reason]

/** Is this why a leader left office? */
export const isStepDown = (reason: string): reason is StepDownReason => Object.hasOwn(stepDownReasons, reason)

/** Why a learner left its leader. */
export const left = (reason: LeaveReason): string => leaveReasons[reason]

/** Why a leader closed the connection with a learner. */
export const closed = (reason: CloseReason): string => closeReasons[reason]

/** What became of a leader; `null` for what only moves packets and timers, and for learners it leaves behind. */
export const leader = (output: LeaderOutput): string | null => {
  switch (output._tag) {
    case "EpochDecided":
      return `chose epoch ${output.epoch}, higher than all that ${sids(output.supporters)} had accepted`
    case "Activated":
      return `leads in epoch ${output.epoch}: ${sids(output.supporters)} accepted it, a quorum`
    case "LearnerSynced":
      return `server ${output.sid} came in sync`
    case "Close":
      return output.reason === "SteppedDown"
        ? null
        : `let ${output.sid === null ? "somebody" : `server ${output.sid}`} go: ${closed(output.reason)}`
    case "SteppedDown":
      return `leads no longer: ${steppedDown(output.reason)}${next(output.successor)}`
    default:
      return null
  }
}

/** What became of a learner; `null` for what only moves packets, timers and pledges. */
export const learner = (output: LearnerOutput): string | null => {
  switch (output._tag) {
    case "Following":
      return `follows in epoch ${output.epoch}`
    case "Left":
      return `left: ${left(output.reason)}${next(output.successor)}`
    default:
      return null
  }
}

/** That a configuration is in force, who sent it, and what it makes of us. */
export const configAdopted = (
  mySid: Sid,
  { from, verifier }: Pick<Output & { readonly _tag: "AdoptConfig" }, "from" | "verifier">
): string =>
  `configuration ${QuorumVerifier.versionText(verifier)} from server ${from} is in force: ` +
  `${QuorumVerifier.describe(verifier)}${verifier.servers.has(mySid) ? "" : `; ${notListed(mySid)}`}`

/** What it means not to be in a configuration. */
export const notListed = (mySid: Sid): string =>
  `it does not list server ${mySid}, which has no vote; it listens on, and can be added again`

/** Why a newer configuration was not adopted, and what to do; `null` if it was. */
export const configRefused = (
  { from, problem, verdict, version }: Omit<Output & { readonly _tag: "ConfigSeen" }, "_tag">
): string | null => {
  if (verdict === "Adopted") return null
  const which = version === null ? "a configuration" : `configuration ${QuorumVerifier.versionText({ version })}`
  const why = verdict === "Unparsable" ? problem?.message ?? "it cannot be read" : refusals[verdict]
  return `${which} from server ${from} is not adopted: ${why}`
}

/** Because of whom somebody changed its mind, and on what ground. */
export const adopted = (
  { from, ground, previous, proposal }: Omit<Output & { readonly _tag: "Adopted" }, "_tag">
): string =>
  previous.zxid === NOBODY || previous.zxid === Zxid.UNTRUSTED
    ? `to server ${proposal.leader}, because of server ${from}: it had proposed nobody`
    : `from server ${previous.leader} to ${proposal.leader}, because of server ${from}: ` +
      better(proposal, previous, ground)

/** Why the one proposal is better than the other. */
export const better = (self: Proposal, that: Proposal, ground: Ground): string => betterGrounds[ground](self, that)

/** Why the leader that somebody else has is not followed. */
export const notJoined = (
  { from, leader, reason, supporters }: Omit<Output & { readonly _tag: "NotJoined" }, "_tag">
): string =>
  `server ${from} has server ${leader} as its leader, which was not joined: ${notJoinedReasons[reason]}; ` +
  `known to support it: ${sids(supporters)}`

/** Why a connection was closed on purpose, where that is a trouble and not how connections are made; else `null`. */
export const linkTrouble = (reason: LinkCloseReason): string | null => linkTroubles[reason] ?? null

/** How long something took, in whole milliseconds. */
export const millis = (length: number): string => `${Math.round(length)} ms`

/** How long an election took, and what of it: until the first vote, from there to a quorum, and from there on. */
export const took = (elapsed: number, { finalize, firstVote, quorum }: Phases): string => {
  const parts = [
    ...(firstVote === null ? [] : [`${millis(firstVote)} until the first vote`]),
    ...(quorum === null ? [] : [`${millis(quorum)} until a quorum`]),
    ...(finalize === null ? [] : [`${millis(finalize)} waiting for a better vote`])
  ]
  return parts.length === 0 ? millis(elapsed) : `${millis(elapsed)} (${parts.join(", ")})`
}

/** The parts of an election in milliseconds; `null` for one that there was not. */
export interface Phases {
  /** From the start to the first vote of another voter; `null` if none was heard. */
  readonly firstVote: number | null
  /** From there to the last moment at which a quorum was reached; `null` for who joined a leader. */
  readonly quorum: number | null
  /** From there to the decision: the finalize wait. */
  readonly finalize: number | null
}

/** A proposal: whose, and how fresh its history is; or of nobody, by who may not be proposed. */
export const proposal = ({ leader, peerEpoch, zxid }: Proposal): string =>
  leader === NOBODY ? "nobody" : `server ${leader} (epoch ${peerEpoch}, zxid ${Zxid.format(zxid)})`

/** Ids in ascending order, as a list for people. */
export const sids = (set: Iterable<Sid>): string => {
  const sorted = Array.from(set).sort((a, b) => (a < b ? -1 : 1))
  return sorted.length === 0 ? "nobody" : sorted.join(", ")
}

const next = (successor: Sid | null): string => (successor === null ? "" : `; server ${successor} is to lead next`)

const quorumGround = (winner: Proposal, runnerUp: Proposal | null, ground: KeptGround | null): string => {
  if (runnerUp === null || ground === null) return "no other proposal was heard"
  switch (ground) {
    case "peerEpoch":
      return `its epoch is the highest, ${winner.peerEpoch} against ${runnerUp.peerEpoch} of server ${runnerUp.leader}`
    case "zxid":
      return `its history is the freshest, zxid ${Zxid.format(winner.zxid)} ` +
        `against ${Zxid.format(runnerUp.zxid)} of server ${runnerUp.leader}`
    case "sid":
      return `histories are equal and its id is the highest, ${winner.leader} against ${runnerUp.leader}`
    case "ZeroWeight":
      return `server ${runnerUp.leader} weighs nothing and may not lead`
    case "NotElectable":
      return `server ${runnerUp.leader} is not electable`
    case "KnowsLess":
      return `server ${runnerUp.leader} knows less than this server, which is not electable`
    case "Abstains":
      return `server ${runnerUp.leader} votes for nobody itself`
    case "Equal":
      return "no other proposal was heard"
  }
}

const betterGrounds: Record<Ground, (next: Proposal, previous: Proposal) => string> = {
  peerEpoch: (next, previous) => `its epoch is higher, ${next.peerEpoch} against ${previous.peerEpoch}`,
  zxid: (next, previous) =>
    `its history is fresher, zxid ${Zxid.format(next.zxid)} against ${Zxid.format(previous.zxid)}`,
  sid: () => "histories are equal and its id is higher"
}

const notJoinedReasons: Record<NotJoinedReason, string> = {
  NoQuorum: "too few are known to support it",
  LeaderNotHeard: "it has not said itself that it leads",
  OwnRoundDiffers: "that is this server, in another round",
  NotElectable: "that is this server, which is not electable"
}

const linkTroubles: { readonly [R in LinkCloseReason]?: string } = {
  OwnSid: "it calls itself by the id of this server: two servers have the same myid",
  TooManyStrangers: "too many servers that no configuration knows are connected",
  Unreachable: "its address does not answer any more"
}

const refusals: Record<Exclude<ConfigVerdict, "Adopted" | "Unparsable">, string> = {
  ReconfigDisabled: "reconfiguration is off here; write reconfigEnabled=true, or bring this server's file up to date",
  SenderNotVoter: "the sender has no vote in the configuration here",
  NoVoters: "it has no voters",
  LosesMajority: "no majority of the present voters is in it; if it is right, write it to this server's file"
}

const grounds: Record<KeptGround, string> = {
  peerEpoch: "epoch",
  zxid: "zxid",
  sid: "id",
  ZeroWeight: "weight",
  NotElectable: "electable",
  Abstains: "abstains",
  KnowsLess: "history",
  Equal: "unopposed"
}

const stepDownReasons: Record<StepDownReason, string> = {
  NoEpochQuorum: "no quorum came to follow in time",
  NoEpochAckQuorum: "no quorum accepted the epoch in time",
  NoSyncQuorum: "no quorum came in sync in time",
  QuorumLost: "those who answer are no quorum any more",
  LeaseExpired: "the lease could not be renewed in time",
  StorageFailed: "an epoch could not be written to disk",
  EpochsExhausted: "there are no epochs left",
  Resigned: "it resigned"
}

const leaveReasons: Record<LeaveReason, string> = {
  ConnectionClosed: "the leader closed the connection, or its process is gone",
  NotReached: "the leader cannot be reached at its quorum port",
  LeaderSilent: "the leader has said nothing for too long",
  UnexpectedPacket: "the leader said something that does not belong there",
  LowerEpoch: "the leader proposes an older epoch than was accepted here",
  ForeignLeader: "the leader is a ZooKeeper server, which this server can vote for and not follow",
  LeaseTooLong: "the leader asks for a longer lease than is granted here; give all servers the same lease",
  CannotTruncate: "the leader wants data removed that is not here",
  StorageFailed: "an epoch could not be written to disk",
  LeaderResigned: "the leader resigned"
}

const closeReasons: Record<CloseReason, string> = {
  UnexpectedPacket: "it said something that does not belong there",
  ProtocolTooOld: "it speaks the protocol of before ZooKeeper 3.4; upgrade it",
  Foreign: "it is a ZooKeeper server, which wants data that is not here; this server must not be electable beside it",
  LaterConfig: "it has a later configuration in force than this server",
  AheadOfLeader: "its history goes further than that of this server, so it should lead",
  LeaseTooLong: "it grants no lease as long as is asked for; give all servers the same lease",
  OwnSid: "it calls itself by the id of this server: two servers have the same myid",
  Replaced: "it has connected again",
  Silent: "nothing was heard of it for too long",
  SteppedDown: "this server leads no longer"
}
