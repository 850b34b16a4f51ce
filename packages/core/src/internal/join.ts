/**
 * Joining a leader that others already have, and taking up the state that an
 * election ends in.
 *
 * Java: receivedFollowingNotification, receivedLeadingNotification, checkLeader,
 * setPeerState, leaveInstance.
 */
import type { Looking, Settled } from "../Election.ts"
import type { ElectedReason, NotJoinedReason } from "../ElectionOutput.ts"
import type { Notification } from "../Notification.ts"
import type { SettledState } from "../ServerState.ts"
import type { Sid } from "../Sid.ts"
import * as Vote from "../Vote.ts"
import * as VoteTracker from "../VoteTracker.ts"
import { mayLead } from "./judge.ts"
import * as SidSet from "./sidSet.ts"
import type { Search } from "./lookForLeader.ts"

/**
 * A vote of somebody who has a leader. It counts among the votes of this round if
 * it is of this round, and always among those out of the election; either set
 * may show a quorum behind that leader. Spec: HandleNotmsg.
 */
export const settled = (search: Search, state: Looking, notification: Notification): Looking | Settled => {
  const candidate = voteOf(notification)
  const vote = Vote.make(notification, notification.electionEpoch)
  let next = state
  if (notification.electionEpoch === state.logicalClock) {
    // Recorded as of an old format, so that settled votes of this round compare by leader alone.
    const recvSet = VoteTracker.record(state.recvSet, notification.from, { ...candidate, version: 0 })
    next = { ...state, recvSet }
    const joined = tryJoin(search, next, recvSet, candidate)
    if (joined.ok) return settle(search, next, vote, { _tag: "Joined", round: "Same", supporters: joined.supporters })
  }
  const outOfElection = VoteTracker.record(state.outOfElection, notification.from, candidate)
  next = { ...next, outOfElection }
  const joined = tryJoin(search, next, outOfElection, candidate)
  if (joined.ok) {
    // The round of those we join, even if it is lower than ours.
    const there = { ...next, logicalClock: notification.electionEpoch }
    return settle(search, there, vote, { _tag: "Joined", round: "Other", supporters: joined.supporters })
  }
  if (notification.state === "LEADING" && oracleRefuses(search, state, notification.leader)) {
    return settle(search, next, vote, { _tag: "Oracle", supporters: state.supporters ?? SidSet.empty })
  }
  const { reason, supporters } = joined
  search.outputs.push({
    _tag: "NotJoined",
    from: notification.from,
    leader: notification.leader,
    reason,
    supporters
  })
  return next
}

/** Takes up the state that the vote leads to. Java: setPeerState, leaveInstance. */
export const settle = (search: Search, state: Looking, vote: Vote.Vote, reason: ElectedReason): Settled => {
  const { mySid } = search.ensemble
  const { absent, logicalClock, membership, proposal } = state
  const next: SettledState = vote.leader === mySid
    ? "LEADING"
    : membership.learnerType === "participant"
    ? "FOLLOWING"
    : "OBSERVING"
  search.outputs.push({ _tag: "CancelTimer" }, { _tag: "Elected", vote, state: next, reason })
  const { supporters } = reason
  return { _tag: "Settled", membership, absent, logicalClock, proposal, currentVote: vote, state: next, supporters }
}

type Joined =
  | { readonly ok: true; readonly supporters: ReadonlySet<Sid> }
  | { readonly ok: false; readonly supporters: ReadonlySet<Sid>; readonly reason: NotJoinedReason }

const tryJoin = (
  search: Search,
  state: Looking,
  votes: ReadonlyMap<Sid, Vote.Vote>,
  candidate: Vote.Vote
): Joined => {
  const supporters = VoteTracker.supporters(votes, candidate)
  if (!VoteTracker.hasAllQuorums(state.membership, supporters, search.oracle)) {
    return { ok: false, supporters, reason: "NoQuorum" }
  }
  const reason = checkLeader(search, state, votes, candidate)
  return reason === null ? { ok: true, supporters } : { ok: false, supporters, reason }
}

// A leader counts as one only if it says so itself; if it is us, only if we may lead and they speak of our round.
const checkLeader = (
  { ensemble }: Search,
  { logicalClock, membership }: Looking,
  votes: ReadonlyMap<Sid, Vote.Vote>,
  { electionEpoch, leader }: Vote.Vote
): NotJoinedReason | null => {
  if (leader !== ensemble.mySid) return votes.get(leader)?.state === "LEADING" ? null : "LeaderNotHeard"
  if (!mayLead(ensemble, membership)) return "NotElectable"
  return logicalClock === electionEpoch ? null : "OwnRoundDiffers"
}

// Two voters, and the oracle does not speak for us: it speaks for the one who leads.
const oracleRefuses = (
  { ensemble: { electable, mySid, rules }, oracle }: Search,
  { membership: { committed } }: Looking,
  leader: Sid
): boolean => {
  if (committed._tag !== "Oracle" || oracle || (leader === mySid && !electable)) return false
  return committed.voters.size === 2 || !rules.oracleForTwoVotersOnly
}

const voteOf = ({ electionEpoch, leader, peerEpoch, state, version, zxid }: Notification): Vote.Vote => ({
  version,
  leader,
  zxid,
  electionEpoch,
  peerEpoch,
  // The receiver has dropped unknown states already; LOOKING is the strictest to compare.
  state: state === "UNKNOWN" ? "LOOKING" : state
})
