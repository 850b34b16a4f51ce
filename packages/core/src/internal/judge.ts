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
import { NO_ROUND } from "./history.ts"

/** `Vote.Verdict`, and the case that we are the candidate and not electable. */
export type Judgement = Vote.Verdict | { readonly better: false; readonly ground: KeptGround }

/**
 * Is the candidate better than the current proposal? Weighed by the committed
 * configuration; whoever is not electable never adopts itself, and prefers
 * any real proposal to its own abstention. Java: totalOrderPredicate.
 */
export const judge = (
  ensemble: Ensemble,
  membership: Membership,
  candidate: Vote.Proposal,
  current: Vote.Proposal
): Judgement => {
  if (!ensemble.electable && candidate.leader === ensemble.mySid) return notElectable
  return Vote.compare(candidate, current, QuorumVerifier.weight(membership.committed, candidate.leader))
}

/**
 * Is this our way of voting for nobody? Others see a vote for ourselves by a
 * server whose database is not trusted, which they answer and do not count.
 */
export const isAbstention = ({ electable, mySid }: Ensemble, proposal: Vote.Proposal): boolean =>
  !electable && proposal.leader === mySid && proposal.zxid === UNTRUSTED

/**
 * May our proposal win? Neither an abstention nor the proposal of a peer without
 * a vote may; only an oracle, which needs no supporters, could let it.
 */
export const mayWin = (ensemble: Ensemble, { membership, proposal }: Looking): boolean =>
  membership.voters.has(proposal.leader) && !isAbstention(ensemble, proposal)

/**
 * Does whom we propose say itself that it votes for nobody, so that it cannot win? Somebody has lied about it, or it
 * has stepped aside since. What we have said ourselves is old news. There is no round after the last one.
 */
export const isRefuted = ({ mySid, rules }: Ensemble, state: Looking, notification: Notification): boolean => {
  const { from, leader, zxid } = notification
  return rules.leaveWhoAbstains && zxid === UNTRUSTED && notification.state === "LOOKING" && leader === from &&
    from === state.proposal.leader && from !== mySid && state.logicalClock < LAST_ROUND
}

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
  const abstains = isAbstention(ensemble, state.proposal)
  const mayVote = judge(ensemble, state.membership, notification, state.initial).better
  if (isOver) return abstains && mayVote ? null : "LowerRound"
  return abstains || mayVote ? null : "NothingToVoteFor"
}

// A round is a Java long.
const LAST_ROUND = 2n ** 63n - 1n

const notElectable: Judgement = { better: false, ground: "NotElectable" }
