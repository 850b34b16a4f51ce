/**
 * What may be voted for, and what is worth hearing: the predicates of a search.
 */
import type { Looking } from "../Election.ts"
import type { IgnoredReason, KeptGround } from "../ElectionOutput.ts"
import type { Ensemble, Membership } from "../Ensemble.ts"
import type { Notification } from "../Notification.ts"
import * as QuorumVerifier from "../QuorumVerifier.ts"
import * as Vote from "../Vote.ts"
import { UNTRUSTED } from "../Zxid.ts"
import { isAbstention } from "./abstention.ts"
import { NO_ROUND } from "./history.ts"

/** `Vote.Verdict`, and the cases that the candidate votes for nobody, or that we are not electable. */
export type Judgement = Vote.Verdict | { readonly better: false; readonly ground: KeptGround }

/**
 * Is the candidate better than the current proposal? Weighed by the committed
 * configuration; whoever is not electable never adopts itself, nor who knows less,
 * which would turn it away as a follower, and prefers any other real proposal to
 * its own abstention. Java: totalOrderPredicate.
 */
export const judge = (
  { electable, mySid }: Ensemble,
  { abstaining, membership, own }: Looking,
  candidate: Vote.Proposal,
  current: Vote.Proposal
): Judgement => {
  if (!electable && candidate.leader === mySid) return notElectable
  if (!electable && Vote.isOlder(candidate, own)) return knowsLess
  if (abstaining.has(candidate.leader)) return abstains
  return Vote.compare(candidate, current, QuorumVerifier.weight(membership.committed, candidate.leader))
}

/**
 * May our proposal win? Neither an abstention nor the proposal of a peer without
 * a vote may; only an oracle, which needs no supporters, could let it.
 */
export const mayWin = (ensemble: Ensemble, { membership, proposal }: Looking): boolean =>
  membership.voters.has(proposal.leader) && !isAbstention(ensemble, proposal)

/** May we lead? Not if we may not be proposed; nor if we weigh nothing, whatever others say. */
export const mayLead = ({ electable, mySid, rules }: Ensemble, { committed }: Membership): boolean =>
  electable && !(rules.leadOnlyWithWeight && QuorumVerifier.weight(committed, mySid) === 0n)

/** May our proposal be elected, if a quorum votes for it? It may win; and if it is for ourselves, we may lead. */
export const mayBeElected = (ensemble: Ensemble, state: Looking): boolean =>
  mayWin(ensemble, state) && (state.proposal.leader !== ensemble.mySid || mayLead(ensemble, state.membership))

/**
 * Is nobody left who could bring a better vote? Every voter votes as we do, or is gone; but who has had no leader yet
 * has just started, and others may be about to. A vote for who is gone itself is an old one that was sent again.
 */
export const isUnanimous = ({ rules }: Ensemble, state: Looking): boolean => {
  const { absent, currentVote, membership, proposal, supporters } = state
  if (!rules.endWaitWhenUnanimous || !supporters?.has(proposal.leader)) return false
  const hadLeader = currentVote.electionEpoch !== NO_ROUND
  for (const sid of membership.voters) {
    if (!supporters.has(sid) && !(hadLeader && absent.get(sid) === "Refused")) return false
  }
  return true
}

/**
 * Has a notification said nothing that was not known to who waits for a better vote, or has asked in vain? A connection
 * that keeps breaking brings the same vote again and again, and so does who looks over and over. A vote that says the
 * same is not recorded.
 */
export const isNoNews = ({ rules, timing }: Ensemble, before: Looking, after: Looking): boolean =>
  rules.waitOnRepetition && (before.finalizing || before.notificationInterval > timing.minNotificationInterval) &&
  before.recvSet === after.recvSet && before.outOfElection === after.outOfElection && before.heard === after.heard &&
  before.proposal === after.proposal && before.finalizing === after.finalizing

/** Why a notification has no place in a search, whatever its round, or `null` if it has one. */
export const inadmissible = (state: Looking, notification: Notification): IgnoredReason | null => {
  const { voters } = state.membership
  if (!voters.has(notification.leader)) return "LeaderNotVoter"
  if (!voters.has(notification.from)) return "SenderNotVoter"
  if (notification.state === "OBSERVING") return "SenderObserving"
  if (notification.state !== "LOOKING") return null
  if (!state.trusted) return "OwnZxidUntrusted"
  if (notification.zxid === UNTRUSTED) return "ZxidUntrusted"
  return null
}

/**
 * Why the vote of somebody who looks has no place in our round, or begins none, and `null` if it does. An older round
 * than ours is over. Who may not be proposed and has voted for nobody is like one just started, and takes up any round
 * in which it can vote; once it votes it leaves that round only for one in which it can. Else it would go to and fro
 * between rounds, and ask in each, without end.
 */
export const outOfRound = (ensemble: Ensemble, state: Looking, notification: Notification): IgnoredReason | null => {
  if (notification.state !== "LOOKING" || notification.electionEpoch === state.logicalClock) return null
  const isOver = notification.electionEpoch < state.logicalClock
  if (ensemble.electable) return isOver ? "LowerRound" : null
  const undecided = isAbstention(ensemble, state.proposal)
  const mayVote = judge(ensemble, state, notification, state.initial).better
  if (isOver) return undecided && mayVote ? null : "LowerRound"
  return undecided || mayVote ? null : "NothingToVoteFor"
}

/**
 * On what ground a notification re-opens the vote that a quorum has agreed on, `null` if it does not. In the original
 * whatever is better does; filtered, only the vote of somebody who looks.
 */
export const rivalry = (
  ensemble: Ensemble,
  state: Looking,
  notification: Notification
): Vote.Ground | "HigherRound" | null => {
  if (ensemble.rules.filterWhileFinalizing) {
    if (notification.state !== "LOOKING") return null
    if (notification.electionEpoch > state.logicalClock) return "HigherRound"
  }
  const verdict = judge(ensemble, state, notification, state.proposal)
  return verdict.better ? verdict.ground : null
}

const notElectable: Judgement = { better: false, ground: "NotElectable" }
const knowsLess: Judgement = { better: false, ground: "KnowsLess" }
const abstains: Judgement = { better: false, ground: "Abstains" }
