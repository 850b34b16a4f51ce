/**
 * The search for a leader: rounds, votes, and the wait before a quorum is believed.
 *
 * Java: `FastLeaderElection.lookForLeader`. Spec: ZabTimeout, HandleNotmsg,
 * NotmsgTimeout, WaitNewNotmsg, WaitNewNotmsgEnd.
 */
import type { Event, Looking, Settled, State, Step } from "../Election.ts"
import type { ElectedReason, IgnoredReason, Output } from "../ElectionOutput.ts"
import type { Ensemble } from "../Ensemble.ts"
import type { Notification } from "../Notification.ts"
import type { OracleAnswer } from "../QuorumVerifier.ts"
import type { Sid } from "../Sid.ts"
import * as Vote from "../Vote.ts"
import * as VoteTracker from "../VoteTracker.ts"
import * as Abstention from "./abstention.ts"
import * as History from "./history.ts"
import * as Join from "./join.ts"
import { inadmissible, isNoNews, isUnanimous, judge, mayBeElected, mayWin, outOfRound, rivalry } from "./judge.ts"
import * as Round from "./round.ts"
import * as SidMap from "./sidMap.ts"
import * as SidSet from "./sidSet.ts"

/** One step of a search under way: what is fixed, and the outputs so far. */
export interface Search {
  readonly ensemble: Ensemble
  readonly oracle: OracleAnswer
  readonly outputs: Array<Output>
}

/** Begins a search: next round, own proposal, told to all; then whatever has been waiting. Spec: ZabTimeout. */
export const start = (ensemble: Ensemble, state: State, event: Event & { readonly _tag: "LookForLeader" }): Step => {
  const restarted = state._tag === "Idle" && state.restarting
  const own = History.ownProposal(ensemble, state.membership, event)
  const initial = History.initialProposal(ensemble, state.membership, own)
  const looking: Looking = {
    _tag: "Looking",
    membership: state.membership,
    absent: state.absent,
    // A new election object counts from 0 again. The clock is 64 bits wide, and a peer may announce the last round.
    logicalClock: restarted ? 1n : BigInt.asIntN(64, state.logicalClock + 1n),
    proposal: initial,
    currentVote: restarted ? History.ownVote(ensemble, event) : state.currentVote,
    initial,
    own,
    trusted: History.isTrusted(state.membership, event),
    recvSet: SidMap.empty,
    outOfElection: SidMap.empty,
    supporters: null,
    finalizing: false,
    notificationInterval: ensemble.timing.minNotificationInterval,
    runnerUp: null,
    heard: SidSet.empty,
    abstaining: Abstention.none
  }
  const search: Search = { ensemble, oracle: event.oracle ?? false, outputs: [] }
  search.outputs.push({ _tag: "RoundStarted", logicalClock: looking.logicalClock, initial, from: null })
  Round.broadcast(search, looking, "NewRound")
  return drain(search, looking, state._tag === "Idle" ? [...state.recvQueue] : [])
}

/** A notification that the receiver let through. Spec: HandleNotmsg, WaitNewNotmsg. */
export const onNotification = (
  ensemble: Ensemble,
  state: Looking,
  notification: Notification,
  oracle: OracleAnswer,
  outputs: Array<Output>
): Step => drain({ ensemble, oracle, outputs }, state, [notification])

/** Silence: say it again, or try to connect again; and wait twice as long. Spec: NotmsgTimeout. */
export const onNotificationTimeout = (
  ensemble: Ensemble,
  state: State,
  event: Event & { readonly _tag: "NotificationTimeout" }
): Step => {
  if (state._tag !== "Looking" || state.finalizing) return [state, []]
  const search: Search = { ensemble, oracle: event.oracle ?? false, outputs: [] }
  const { maxNotificationInterval } = ensemble.timing
  const interval = Math.min(state.notificationInterval * 2, maxNotificationInterval)
  const next = { ...state, notificationInterval: interval }
  const abstainer = Abstention.stillVotedFor(ensemble, next)
  if (abstainer !== null) return rest(search, Round.leave(search, next, abstainer))
  if (ensemble.rules.resendPerPeer) {
    Round.broadcast(search, next, "Silence", event.undelivered)
    if (event.undelivered.size > 0) search.outputs.push({ _tag: "ConnectAll" })
  } else if (event.haveDelivered) Round.broadcast(search, next, "Silence")
  else search.outputs.push({ _tag: "ConnectAll" })

  const { membership, supporters } = next
  if (membership.committed._tag === "Oracle" && supporters !== null && mayBeElected(ensemble, next)) {
    if (VoteTracker.hasAllQuorums(membership, supporters, false)) return elect(search, next, believed(ensemble, next))
    if (VoteTracker.hasAllQuorums(membership, supporters, search.oracle)) {
      return elect(search, next, { _tag: "Oracle", supporters })
    }
  }
  return rest(search, next)
}

/** Nothing better came: the quorum is believed. Spec: WaitNewNotmsgEnd. */
export const onFinalizeTimeout = (ensemble: Ensemble, state: State): Step => {
  if (state._tag !== "Looking" || !state.finalizing) return [state, []]
  return elect({ ensemble, oracle: false, outputs: [] }, state, believed(ensemble, state))
}

/** Somebody's process is gone: is anybody left to wait for? */
export const onRefused = (ensemble: Ensemble, state: State): Step =>
  state._tag === "Looking" && state.finalizing && isUnanimous(ensemble, state)
    ? rest({ ensemble, oracle: false, outputs: [] }, state)
    : [state, []]

const believed = (ensemble: Ensemble, state: Looking): ElectedReason => {
  const { proposal, runnerUp, supporters } = state
  const ground = runnerUp === null ? null : judge(ensemble, state, runnerUp, proposal).ground
  return { _tag: "Quorum", supporters: supporters ?? SidSet.empty, runnerUp, ground }
}

// -----------------------------------------------------------------------------
// the main loop
// -----------------------------------------------------------------------------

// Handles notifications until none is left or the search is over. A notification that re-opens the vote goes to the
// tail of the queue, which is this step's own, behind what waits already.
const drain = (search: Search, looking: Looking, queue: Array<Notification>): Step => {
  let state: Looking = looking
  let waitOn = queue.length > 0
  for (const next of queue) {
    state = Abstention.hear(search.ensemble, state, next)
    const after = state.finalizing ? whileFinalizing(search, state, next) : whileWaiting(search, state, next)
    if (after === "Unmoved") continue
    waitOn = false
    if (after === "Reopen") {
      queue.push(next)
      state = { ...state, finalizing: false }
    } else if (after._tag === "Settled") return [after, search.outputs]
    else state = after
  }
  return waitOn ? [state, search.outputs] : rest(search, state)
}

const consider = (search: Search, state: Looking, notification: Notification): Looking | Settled => {
  const reason = inadmissible(state, notification)
  return reason === null ? count(search, state, notification) : dismiss(search, state, notification, reason)
}

// HandleNotmsg: the switch on the sender's state.
const count = (search: Search, state: Looking, notification: Notification): Looking | Settled => {
  const heard = hear(search, state, notification.from)
  return notification.state === "LOOKING"
    ? looking(search, heard, notification)
    : Join.settled(search, heard, notification)
}

const whileWaiting = (search: Search, state: Looking, notification: Notification): Looking | Settled | "Unmoved" => {
  const after = consider(search, state, notification)
  return after._tag === "Looking" && isNoNews(search.ensemble, state, after) ? "Unmoved" : after
}

// WaitNewNotmsg: a quorum agreed; does this change anything? What does not leaves even the wait as it is.
const whileFinalizing = (
  search: Search,
  state: Looking,
  notification: Notification
): Looking | Settled | "Reopen" | "Unmoved" => {
  const { ensemble, outputs } = search
  const { filterWhileFinalizing, recordWhileFinalizing } = ensemble.rules
  if (filterWhileFinalizing) {
    const reason = inadmissible(state, notification) ?? outOfRound(ensemble, state, notification)
    if (reason !== null) {
      const after = dismiss(search, state, notification, reason)
      return after === state ? "Unmoved" : after
    }
  }
  const ground = rivalry(ensemble, state, notification)
  if (ground !== null) {
    outputs.push({ _tag: "Reopened", from: notification.from, offered: Vote.proposalOf(notification), ground })
    return "Reopen"
  }
  if (!recordWhileFinalizing) return ignore(search, state, notification, "NotBetterWhileFinalizing")
  const after = (filterWhileFinalizing ? count : consider)(search, state, notification)
  if (after._tag === "Settled") return after
  // A vote of somebody who looks has been counted by now.
  const next = after.supporters === state.supporters ? tally(search, after, after.recvSet) : after
  // It may take support away, when a supporter changed its mind.
  if (!next.finalizing) {
    const offered = Vote.proposalOf(notification)
    outputs.push({ _tag: "Reopened", from: notification.from, offered, ground: "QuorumLost" })
  }
  return isNoNews(ensemble, state, next) ? "Unmoved" : next
}

// What has no place in the search is ignored; but who says that it votes for nobody cannot be voted for.
const dismiss = (search: Search, state: Looking, notification: Notification, reason: IgnoredReason): Looking => {
  ignore(search, state, notification, reason)
  return Abstention.isRefuted(state) ? Round.leave(search, state, notification.from) : state
}

const ignore = ({ outputs }: Search, state: Looking, notification: Notification, reason: IgnoredReason): Looking => {
  outputs.push({ _tag: "Ignored", notification, reason })
  return state
}

const hear = (search: Search, state: Looking, from: Sid): Looking => {
  const { mySid, rules, timing } = search.ensemble
  if (!rules.resetIntervalOnNewPeer || from === mySid || state.heard.has(from)) return state
  const heard = SidSet.add(state.heard, from)
  if (state.notificationInterval === timing.minNotificationInterval) return { ...state, heard }
  search.outputs.push({ _tag: "IntervalReset", from })
  return { ...state, heard, notificationInterval: timing.minNotificationInterval }
}

// -----------------------------------------------------------------------------
// a vote of somebody who looks
// -----------------------------------------------------------------------------

const looking = (search: Search, state: Looking, notification: Notification): Looking => {
  const { ensemble } = search
  const reason = outOfRound(ensemble, state, notification)
  if (reason !== null) return ignore(search, state, notification, reason)
  const sameRound = notification.electionEpoch === state.logicalClock
  // A new round voids what was proposed in the old one: we start again from our own vote.
  const base = sameRound ? state : Round.enter(search, state, notification.electionEpoch, notification.from)
  const voted = weigh(search, base, notification)
  if (!sameRound) Round.broadcast(search, voted, "NewRound")
  else if (voted.proposal !== base.proposal) Round.broadcast(search, voted, "Adopted")
  const vote = Vote.make(notification, notification.electionEpoch)
  return tally(search, voted, VoteTracker.record(voted.recvSet, notification.from, vote))
}

const weigh = (search: Search, state: Looking, notification: Notification): Looking => {
  const { ensemble, outputs } = search
  const { from } = notification
  const { proposal, runnerUp } = state
  const verdict = judge(ensemble, state, notification, proposal)
  const offered = Vote.proposalOf(notification)
  if (verdict.better) {
    outputs.push({ _tag: "Adopted", from, previous: proposal, proposal: offered, ground: verdict.ground })
    return { ...state, proposal: offered, runnerUp: mayWin(ensemble, state) ? proposal : runnerUp }
  }
  outputs.push({ _tag: "Kept", from, offered, proposal, ground: verdict.ground })
  if (verdict.ground === "Equal") return state
  const beaten = runnerUp !== null && !Vote.compare(offered, runnerUp, 1n).better
  return beaten ? state : { ...state, runnerUp: offered }
}

// A quorum is looked for only after a vote of this round was recorded.
const tally = (search: Search, state: Looking, recvSet: Looking["recvSet"]): Looking => {
  const supporters = VoteTracker.supporters(recvSet, Vote.make(state.proposal, state.logicalClock))
  const finalizing = VoteTracker.hasAllQuorums(state.membership, supporters, search.oracle) &&
    mayBeElected(search.ensemble, state)
  if (finalizing && !state.finalizing) {
    search.outputs.push({ _tag: "QuorumReached", proposal: state.proposal, supporters })
  }
  return { ...state, recvSet, supporters, finalizing }
}

// -----------------------------------------------------------------------------
// outputs
// -----------------------------------------------------------------------------

// The step is over and the search goes on: wait again.
const rest = ({ ensemble, outputs }: Search, state: Looking): Step => {
  outputs.push(
    state.finalizing
      ? { _tag: "SetTimer", timer: "Finalize", after: isUnanimous(ensemble, state) ? 0 : ensemble.timing.finalizeWait }
      : { _tag: "SetTimer", timer: "Notification", after: state.notificationInterval }
  )
  return [state, outputs]
}

const elect = (search: Search, state: Looking, reason: ElectedReason): Step => {
  const vote = Vote.make(state.proposal, state.logicalClock)
  return [Join.settle(search, state, vote, reason), search.outputs]
}
