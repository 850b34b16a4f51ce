/**
 * What makes an elected server a leader, and what ends that: the leader's side of
 * discovery, synchronization and the pings.
 *
 * An election picks a candidate. The candidate waits until a quorum has asked for
 * an epoch (FOLLOWERINFO), takes one higher than any of them ever accepted, makes it
 * durable and tells it (LEADERINFO). When a quorum has accepted it (ACKEPOCH) and
 * none of them knows more than we, everybody is brought in sync, which with an
 * empty history is an empty DIFF, and told so (NEWLEADER). When a quorum has
 * acknowledged that, we lead: the epoch is ours alone, because two quorums share a
 * voter and a voter accepts an epoch once. From then on we ping, and lead as long as
 * a quorum answers.
 *
 *     zab state       | ends with                                   | within
 *     DISCOVERY       | a quorum asked: epoch decided, then stored  | initLimit ticks
 *                     | a quorum accepted it, epoch stored          | initLimit ticks
 *     SYNCHRONIZATION | a quorum acknowledged NEWLEADER             | initLimit ticks
 *     BROADCAST       | those who answer are no quorum              |
 *
 * Nothing is promised before it is durable: between a `Store…` output and the event
 * that confirms it nobody is told.
 *
 * Java: `Leader`, `LearnerHandler`. Spec: Zab.tla, its leader's actions.
 */
import * as Discovery from "./internal/discovery.ts"
import * as Learners from "./internal/learners.ts"
import * as Pings from "./internal/pings.ts"
import * as SidMap from "./internal/sidMap.ts"
import * as SidSet from "./internal/sidSet.ts"
import type { Membership, Ticks } from "./Ensemble.ts"
import { type Instant, type Lease, type Now, type Pledge, release } from "./Lease.ts"
import type { LearnerId, Output, Timer } from "./LeaderOutput.ts"
import type { LearnerInfo } from "./LearnerInfo.ts"
import type { QuorumPacket } from "./QuorumPacket.ts"
import * as QuorumVerifier from "./QuorumVerifier.ts"
import type { Sid } from "./Sid.ts"
import * as VoteTracker from "./VoteTracker.ts"
import type { Zxid } from "./Zxid.ts"

/** What a leader needs to know that it does not decide. */
export interface Options {
  readonly mySid: Sid
  readonly membership: Membership
  readonly ticks: Ticks
  /** `null` for leadership without a lease, which only the epoch protects. */
  readonly lease: Lease | null
  /** Are real ZooKeeper servers taken for learners? They would wait for data that we do not have. */
  readonly acceptForeign: boolean
}

/** How far a history goes, as two are compared: by epoch, then zxid. Java: StateSummary. */
export interface Summary {
  readonly currentEpoch: bigint
  readonly lastLoggedZxid: Zxid
}

/** Where a leader stands. Java: QuorumPeer.ZabState. */
export type ZabState = "DISCOVERY" | "SYNCHRONIZATION" | "BROADCAST" | "OVER"

/** One connection of a learner. */
export interface Learner {
  /** `null` until it has said who it is. */
  readonly info: LearnerInfo | null
  readonly stage: Stage
  /** How far its history went when it said so last. */
  readonly summary: Summary | null
  /** The tick by which something must be heard; `null` while it waits for us. */
  readonly deadline: number | null
  /** When the pings that it has not answered were sent, the oldest first. */
  readonly pings: ReadonlyArray<Instant>
}

/** How far a learner has come; each stage is ended by the packet named. */
export type Stage =
  /** FOLLOWERINFO or OBSERVERINFO. */
  | "Connected"
  /** Our LEADERINFO. */
  | "AwaitingEpoch"
  /** ACKEPOCH. */
  | "EpochSent"
  /** Our NEWLEADER. */
  | "AwaitingSync"
  /** ACK. */
  | "SyncSent"
  /** Our UPTODATE. */
  | "AwaitingActivation"
  | "Synced"

/** The state of one leadership. */
export interface State {
  readonly zabState: ZabState
  /** Our own history at the start. */
  readonly summary: Summary
  /** Our own pledge to the leader before us; we count for ourselves only when it is over. */
  readonly pledge: Pledge | null
  /** The epoch we propose; the one we lead in once `decided`. */
  readonly epoch: bigint
  readonly decided: boolean
  /** Is it durable, so that it can be told? */
  readonly epochStored: boolean
  /** Has a quorum accepted it? */
  readonly elected: boolean
  /** Who asked for an epoch. Java: connectingFollowers. */
  readonly connecting: ReadonlySet<Sid>
  /** Who accepted it. Java: electingFollowers. */
  readonly electing: ReadonlySet<Sid>
  /** Who acknowledged NEWLEADER. Java: newLeaderProposal's ack set. */
  readonly acked: ReadonlySet<Sid>
  readonly learners: ReadonlyMap<LearnerId, Learner>
  /** Counted from 0, by two half ticks each. */
  readonly halfTicks: number
  /** When the newest ping that each voter has answered was sent. */
  readonly answered: ReadonlyMap<Sid, Instant>
  /** Until when a quorum has granted us a lease; `null` before it has. */
  readonly leaseUntil: Instant | null
}

/** What can happen to a leader, with the facts that the shell knows about it. */
export type Event =
  /** The quorum port is open. Java: the beginning of lead(). */
  | { readonly _tag: "Started" }
  /** A learner has connected. The later, the higher the number. */
  | { readonly _tag: "Connected"; readonly learner: LearnerId }
  | { readonly _tag: "Received"; readonly learner: LearnerId; readonly packet: QuorumPacket; readonly at: Instant }
  | { readonly _tag: "Disconnected"; readonly learner: LearnerId }
  | { readonly _tag: "AcceptedEpochStored" }
  | { readonly _tag: "CurrentEpochStored" } & Now
  | { readonly _tag: "StoreFailed" }
  /** Half of tickTime has passed, again and again from the start. */
  | { readonly _tag: "HalfTick"; readonly at: Instant; readonly oracle?: boolean }
  | { readonly _tag: "TimedOut"; readonly timer: Timer } & Now
  /** Whom our pledge was given to needs it no more: its process is gone. */
  | { readonly _tag: "PledgeReleased" } & Now
  /** Leave office now; what depended on it has ended. The successor is told to all, if there is one. */
  | { readonly _tag: "Resign"; readonly successor: Sid | null }

/** What one event leads to. */
export type Step = readonly [State, ReadonlyArray<Output>]

/** The state before the quorum port is open. */
export const make = (
  { mySid }: Options,
  history: Summary & { readonly acceptedEpoch: bigint },
  pledge: Pledge | null
): State => ({
  zabState: "DISCOVERY",
  summary: { currentEpoch: history.currentEpoch, lastLoggedZxid: history.lastLoggedZxid },
  pledge,
  epoch: history.acceptedEpoch + 1n,
  decided: false,
  epochStored: false,
  elected: false,
  connecting: SidSet.of([mySid]),
  electing: SidSet.empty,
  acked: SidSet.empty,
  learners: new Map(),
  halfTicks: 0,
  answered: SidMap.empty,
  leaseUntil: null
})

/** What one event leads to. Total: nothing that a learner sends can make it throw. */
export const step = (options: Options, state: State, event: Event): Step => {
  if (state.zabState === "OVER") return afterwards(state, event)
  switch (event._tag) {
    case "Started":
      return Discovery.onStarted(options, state)
    case "Connected":
      return Discovery.onConnected(options, state, event.learner)
    case "Received":
      return onReceived(options, state, event)
    case "Disconnected":
      return Discovery.onDisconnected(state, event.learner)
    case "AcceptedEpochStored":
      return Discovery.onAcceptedEpochStored(options, state)
    case "CurrentEpochStored":
      return Discovery.onCurrentEpochStored(options, state, event)
    case "StoreFailed":
      return Learners.stepDown(state, "StorageFailed")
    case "HalfTick":
      return Pings.onHalfTick(options, state, event.at, event.oracle ?? false)
    case "TimedOut":
      return onTimedOut(options, state, event)
    case "PledgeReleased":
      return Discovery.onPledgeOver(options, { ...state, pledge: release(state.pledge) }, event)
    case "Resign":
      return Pings.onResign(state, event.successor)
  }
}

/**
 * Who should lead after us, of those in sync who vote: the one asked for, if it is one of them; or, if none is, the one
 * whose history goes furthest, then the highest sid. `null` if there is none; and if none is asked for where those who
 * are told are no quorum without us, for we may be about to stop, and who looks for a leader has to be asked.
 */
export const successor = (options: Options, { learners }: State, asked: Sid | null): Sid | null => {
  const { membership, mySid } = options
  const told = Array.from(learners.values()).flatMap(({ info, stage, summary }) =>
    stage === "Synced" && info !== null && info.ours !== null && summary !== null && info.sid !== mySid
      ? [{ sid: info.sid, zxid: summary.lastLoggedZxid }]
      : []
  )
  const candidates = told.filter(({ sid }) =>
    membership.verifiers.every((verifier) => QuorumVerifier.mayLead(verifier, sid)))
  if (asked !== null) return candidates.some(({ sid }) => sid === asked) ? asked : null
  const supporters = SidSet.from(told.map(({ sid }) => sid).filter((sid) => Learners.votes(options, sid)))
  if (!VoteTracker.hasAllQuorums(membership, supporters, false)) return null
  const best = candidates.toSorted((self, that) =>
    self.zxid === that.zxid ? compare(that.sid, self.sid) : compare(that.zxid, self.zxid)
  )
  return best[0]?.sid ?? null
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const compare = (self: bigint, that: bigint): number => (self < that ? -1 : self > that ? 1 : 0)

const afterwards = (state: State, event: Event): Step =>
  event._tag === "Received"
    ? [state, [{ _tag: "Ignored", learner: event.learner, packet: event.packet, reason: "Over" }]]
    : [state, []]

const onReceived = (options: Options, state: State, event: Event & { readonly _tag: "Received" }): Step => {
  const { at, packet } = event
  const learner = state.learners.get(event.learner)
  if (learner === undefined) {
    return [state, [{ _tag: "Ignored", learner: event.learner, packet, reason: "Over" }]]
  }
  return learner.stage === "Synced"
    ? Pings.onReceived(options, state, event.learner, learner, packet, at)
    : Discovery.onReceived(options, state, event.learner, learner, packet, at)
}

const onTimedOut = (options: Options, state: State, event: Event & { readonly _tag: "TimedOut" }): Step => {
  switch (event.timer) {
    case "Quorum":
      return Discovery.onQuorumTimedOut(state)
    case "Pledge":
      return Discovery.onPledgeOver(options, state, event)
    case "Lease":
      return Pings.onLeaseOver(options, state, event.at)
  }
}
