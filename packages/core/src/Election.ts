/**
 * Fast leader election: who follows whom, decided from notifications alone.
 *
 * Two rules. Every rule of the election is in this file and in the two under
 * `internal/` that it calls, `workerReceiver` and `lookForLeader`. And nothing in
 * them knows sockets, clocks, randomness or Effect: facts go in with the event,
 * decisions come out as data with their reason.
 *
 * How it works. A peer that looks starts a round, proposes itself and tells every
 * voter. It changes to a better proposal when it hears one (peer epoch, then zxid,
 * then id) and tells everybody again. When a quorum votes as it does, it waits a
 * little for something better; if nothing comes, the proposed server leads and
 * the others follow. A peer that hears of a higher round joins that round; one
 * that hears of a lower round says so to the sender. A peer that finds a quorum
 * already following a leader, and hears from that leader that it leads, joins
 * it, whatever the round. Once settled a peer only answers those who look.
 *
 * What it promises is weak: a quorum *probably* follows the elected. It is the
 * activation after the election that makes a leader.
 *
 *     state \ event | LookForLeader | Received         | NotificationTimeout | FinalizeTimeout
 *     Idle          | Looking       | Idle (queued)    |                     |
 *     Looking       | Looking       | Looking, Settled | Looking, Settled*   | Settled
 *     Settled       | Looking       | Settled          |                     |
 *
 *     * only with an oracle. A newer configuration takes Looking and Idle to Idle
 *       and asks for a restart. LeaderLost takes Settled to Idle, Designated to
 *       Settled under another leader.
 *
 * Java: `FastLeaderElection`. Spec: FastLeaderElection.tla, whose actions are
 * named at the handlers.
 */
import type { ElectedReason, Output } from "./ElectionOutput.ts"
import type { Ensemble, Membership, Millis } from "./Ensemble.ts"
import type { Notification } from "./Notification.ts"
import * as QuorumVerifier from "./QuorumVerifier.ts"
import type { ServerState, SettledState } from "./ServerState.ts"
import type { Sid } from "./Sid.ts"
import * as History from "./internal/history.ts"
import * as LookForLeader from "./internal/lookForLeader.ts"
import * as SidMap from "./internal/sidMap.ts"
import * as WorkerReceiver from "./internal/workerReceiver.ts"
import * as Vote from "./Vote.ts"
import type { Zxid } from "./Zxid.ts"

/** What one event leads to: the next state, and the outputs in the order in which they count. */
export type Step = readonly [State, ReadonlyArray<Output>]

/** Where a peer stands. */
export type State = Idle | Looking | Settled

/** What every state knows. */
export interface Common {
  readonly membership: Membership
  /** The round, counted in memory from 0. Never a fencing token. Java: logicalclock. */
  readonly logicalClock: bigint
  /** Whom we propose, or last proposed. Java: proposedLeader, proposedZxid, proposedEpoch. */
  readonly proposal: Vote.Proposal
  /** The vote by which we are known: the last result, or our own vote before any. Java: getCurrentVote. */
  readonly currentVote: Vote.Vote
  /**
   * Peers that could not be connected with when it was tried last: `Refused` by their own host, so that their process
   * is gone, or `Unreachable`, which may mean anything. Who is gone need not be waited for.
   */
  readonly absent: ReadonlyMap<Sid, "Refused" | "Unreachable">
}

/** LOOKING, but no search runs: before the first one, and after a leader was lost. */
export interface Idle extends Common {
  readonly _tag: "Idle"
  /** What arrived meanwhile, for the search to begin with; at most `RECV_CAPACITY`, the oldest go first. */
  readonly recvQueue: ReadonlyArray<Notification>
  /** A newer configuration ended the last search; nothing is heard until `LookForLeader`. */
  readonly restarting: boolean
}

/** LOOKING, and a search runs. Java: inside lookForLeader. */
export interface Looking extends Common {
  readonly _tag: "Looking"
  /** Whom we propose when a round starts. */
  readonly initial: Vote.Proposal
  /** What speaks for ourselves; who may not be proposed votes for nobody who knows less. */
  readonly own: Vote.Proposal
  /** Is our own database to be trusted, so that we may take part in voting? */
  readonly trusted: boolean
  /** The votes of this round, by sender. */
  readonly recvSet: ReadonlyMap<Sid, Vote.Vote>
  /** The votes of those who have a leader, of any round, by sender. */
  readonly outOfElection: ReadonlyMap<Sid, Vote.Vote>
  /** Who voted as we do when a vote of this round was last counted; `null` before any was. Java: voteSet. */
  readonly supporters: ReadonlySet<Sid> | null
  /** A quorum votes as we do and the timer that runs is `Finalize`; otherwise it is `Notification`. */
  readonly finalizing: boolean
  /** Doubles with every silence. Java: notTimeout. */
  readonly notificationInterval: Millis
  /** The best proposal of this round that is not ours, for the explanation only. */
  readonly runnerUp: Vote.Proposal | null
  /** Voters heard from in this search. */
  readonly heard: ReadonlySet<Sid>
  /** Who says itself that it votes for nobody. With the rule `leaveWhoAbstains`. */
  readonly abstaining: ReadonlySet<Sid>
}

/** FOLLOWING, LEADING or OBSERVING. */
export interface Settled extends Common {
  readonly _tag: "Settled"
  readonly state: SettledState
  /** Who elected us or the leader we follow. Java: leadingVoteSet. */
  readonly supporters: ReadonlySet<Sid>
}

/** What can happen, with the facts that the shell knows about it. */
export type Event =
  /** Look for a leader, now. The facts are those of our own history. Java: lookForLeader. Spec: ZabTimeout. */
  | {
    readonly _tag: "LookForLeader"
    readonly lastLoggedZxid: Zxid
    readonly currentEpoch: bigint
    readonly oracle?: QuorumVerifier.OracleAnswer
  }
  /** A notification arrived. Spec: ReceiveNotmsg, HandleNotmsg, WaitNewNotmsg. */
  | { readonly _tag: "Received"; readonly notification: Notification; readonly oracle?: QuorumVerifier.OracleAnswer }
  /** The `Notification` timer fired. Spec: NotmsgTimeout. */
  | {
    readonly _tag: "NotificationTimeout"
    /** Is the queue of any peer empty? Java: haveDelivered. */
    readonly haveDelivered: boolean
    /** The peers whose queue still holds a message. */
    readonly undelivered: ReadonlySet<Sid>
    readonly oracle?: QuorumVerifier.OracleAnswer
  }
  /** The `Finalize` timer fired. Spec: WaitNewNotmsgEnd. */
  | { readonly _tag: "FinalizeTimeout" }
  /** The elected leader was activated with this epoch. Java: updateElectionVote. */
  | { readonly _tag: "EpochEstablished"; readonly peerEpoch: bigint }
  /** A quorum is in sync with this leader, and so with its last configuration. Java: processReconfig at UPTODATE. */
  | { readonly _tag: "ConfigActivated"; readonly from: Sid; readonly config: string }
  /** There is a connection with this peer. */
  | { readonly _tag: "PeerConnected"; readonly sid: Sid }
  /** Its host answered that nobody listens at its address. */
  | { readonly _tag: "PeerRefused"; readonly sid: Sid }
  /** The connection with it is gone, or none could be made. */
  | { readonly _tag: "PeerUnreachable"; readonly sid: Sid }
  /** The leader has resigned in favour of another, which takes no election. Java: updateVote, reconfigFlag. */
  | { readonly _tag: "Designated"; readonly leader: Sid }
  /** There is no leader any more; a search will be asked for. Java: setPeerState(LOOKING). */
  | { readonly _tag: "LeaderLost" }

/** How much an idle peer keeps. Java: QuorumCnxManager.RECV_CAPACITY, 100 messages. */
export const RECV_CAPACITY = 100

/** The state before anything happened. Java: startLeaderElection and the constructor's -1, -1, 0. */
export const make = (
  ensemble: Ensemble,
  membership: Membership,
  facts: { readonly lastLoggedZxid: Zxid; readonly currentEpoch: bigint }
): Idle => ({
  _tag: "Idle",
  membership,
  logicalClock: 0n,
  proposal: nothingProposed,
  currentVote: History.ownVote(ensemble, facts),
  absent: SidMap.empty,
  recvQueue: [],
  restarting: false
})

/**
 * What one event leads to. Total: nothing that a peer sends can make it throw.
 * The only door between what decides and what performs.
 */
export const step = (ensemble: Ensemble, state: State, event: Event): Step => {
  switch (event._tag) {
    case "LookForLeader":
      return LookForLeader.start(ensemble, state, event)
    case "Received":
      return onReceived(ensemble, state, event)
    case "NotificationTimeout":
      return LookForLeader.onNotificationTimeout(ensemble, state, event)
    case "FinalizeTimeout":
      return LookForLeader.onFinalizeTimeout(ensemble, state)
    case "EpochEstablished":
      return [{ ...state, currentVote: { ...state.currentVote, peerEpoch: event.peerEpoch } }, []]
    case "ConfigActivated":
      return onConfigActivated(ensemble, state, event)
    case "PeerConnected":
      return [withAbsent(state, event.sid, undefined), []]
    case "PeerRefused":
      return LookForLeader.onRefused(ensemble, withAbsent(state, event.sid, "Refused"))
    case "PeerUnreachable":
      return [withAbsent(state, event.sid, "Unreachable"), []]
    case "Designated":
      return onDesignated(ensemble, state, event.leader)
    case "LeaderLost":
      return onLeaderLost(state)
  }
}

/** What the peer says it is doing. */
export const serverState = (state: State): ServerState => (state._tag === "Settled" ? state.state : "LOOKING")

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const nothingProposed: Vote.Proposal = { leader: -1n, zxid: -1n, peerEpoch: 0n }

// The receiver answers and filters; what it lets through goes to the search, or waits for one.
const onReceived = (ensemble: Ensemble, state: State, event: Event & { readonly _tag: "Received" }): Step => {
  const received = WorkerReceiver.receive(ensemble, state, event.notification)
  if (!received.forElection) return [received.state, received.outputs]
  const next = received.state
  if (next._tag === "Looking") {
    return LookForLeader.onNotification(ensemble, next, event.notification, event.oracle ?? false, received.outputs)
  }
  if (next._tag === "Idle") {
    const recvQueue = [...next.recvQueue, event.notification].slice(-RECV_CAPACITY)
    return [{ ...next, recvQueue }, received.outputs]
  }
  return [next, received.outputs]
}

const onLeaderLost = (state: State): Step => {
  if (state._tag !== "Settled") return [state, []]
  const { absent, currentVote, logicalClock, membership, proposal } = state
  const common: Common = { absent, currentVote, logicalClock, membership, proposal }
  return [{ _tag: "Idle", ...common, recvQueue: [], restarting: false }, []]
}

// Here the original, too, does nothing where it may not adopt; a restart would come again after each activation.
const onConfigActivated = (
  ensemble: Ensemble,
  state: State,
  event: Event & { readonly _tag: "ConfigActivated" }
): Step => {
  const rules = { ...ensemble.rules, configOnlyIfEnabled: true }
  return WorkerReceiver.seeConfig({ ...ensemble, rules }, state, event)
}

// Round and epoch stay as they are until the new leader is activated. Who could not be elected cannot lead.
const onDesignated = ({ electable, mySid }: Ensemble, state: State, leader: Sid): Step => {
  if (state._tag !== "Settled" || (leader === mySid && !electable)) return [state, []]
  if (!state.membership.verifiers.every((verifier) => QuorumVerifier.mayLead(verifier, leader))) return [state, []]
  const learns = state.membership.learnerType === "observer" ? "OBSERVING" : "FOLLOWING"
  const role: SettledState = leader === mySid ? "LEADING" : learns
  const vote: Vote.Vote = { ...state.currentVote, leader }
  const reason: ElectedReason = { _tag: "Designated", by: state.currentVote.leader, supporters: state.supporters }
  return [
    { ...state, state: role, currentVote: vote, proposal: Vote.proposalOf(vote) },
    [{ _tag: "Elected", vote, state: role, reason }]
  ]
}

// Only voters matter, which also bounds the table.
const withAbsent = <S extends State>(state: S, sid: Sid, how: "Refused" | "Unreachable" | undefined): S => {
  if (state.absent.get(sid) === how || !state.membership.voters.has(sid)) return state
  return { ...state, absent: how === undefined ? SidMap.remove(state.absent, sid) : SidMap.set(state.absent, sid, how) }
}
