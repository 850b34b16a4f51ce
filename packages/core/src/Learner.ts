/**
 * How an elected leader is followed: the learner's side of discovery,
 * synchronization and the pings.
 *
 *     stage          | waits for                | then
 *     Registering    | LEADERINFO               | accepts its epoch, durably
 *     Accepting      | AcceptedEpochStored      | ACKEPOCH, with how far its own history goes
 *     Synchronizing  | DIFF or SNAP, NEWLEADER  | makes the epoch its current one, durably
 *     Acknowledging  | CurrentEpochStored, and  | ACK
 *                    | the end of a pledge      |
 *     Activating     | UPTODATE                 | ACK; follows
 *     Following      | PING                     | answers, and pledges itself if there is a lease
 *
 * Nothing is promised before it is durable, and nobody is supported while a pledge
 * to somebody else lasts.
 *
 * Java: `Learner`, `Follower`, `Observer`. Spec: Zab.tla, its follower's actions.
 */
import { decodeText } from "./internal/bytes.ts"
import * as Designated from "./internal/designated.ts"
import type { Membership, Millis, Ticks } from "./Ensemble.ts"
import type { LeaveReason, Output } from "./LearnerOutput.ts"
import * as LearnerInfo from "./LearnerInfo.ts"
import * as Lease from "./Lease.ts"
import * as ReconfigTxn from "./ReconfigTxn.ts"
import * as QuorumPacket from "./QuorumPacket.ts"
import type { Sid } from "./Sid.ts"
import * as Zxid from "./Zxid.ts"

/** What a learner needs to know that it does not decide. */
export interface Options {
  readonly mySid: Sid
  /** Whom it follows. */
  readonly leader: Sid
  readonly membership: Membership
  readonly ticks: Ticks
  /** The longest lease it grants; `null` for none. */
  readonly lease: Lease.Lease | null
}

/** What it knows of its own past. Java: acceptedEpoch, currentEpoch, getLastLoggedZxid. */
export interface History {
  readonly acceptedEpoch: bigint
  readonly currentEpoch: bigint
  readonly lastLoggedZxid: Zxid.Zxid
}

/** How far it has come; see above. */
export type Stage =
  "Registering" | "Accepting" | "Synchronizing" | "Acknowledging" | "Activating" | "Following" | "Over"

/** The state of following one leader. */
export interface State {
  readonly stage: Stage
  readonly history: History
  readonly pledge: Lease.Pledge | null
  /** The leader's epoch, once it has told it. */
  readonly epoch: bigint
  /** The epoch for ACKEPOCH: -1 if we had accepted the leader's before, so that it does not count twice. */
  readonly ackEpoch: bigint
  /** Is the leader one of ours, and no real ZooKeeper server? */
  readonly leaderIsOurs: boolean
  /** The lease that the leader asks for; 0 for none. */
  readonly lease: Millis
  /** Has DIFF or SNAP come? */
  readonly synced: boolean
  /** Is the current epoch durable? */
  readonly stored: boolean
}

/** What can happen to a learner, with the facts that the shell knows about it. */
export type Event =
  /** There is a connection with the leader. Java: registerWithLeader. */
  | { readonly _tag: "Connected" }
  | {
    readonly _tag: "Received"
    readonly packet: QuorumPacket.QuorumPacket
    readonly at: Lease.Instant
    /** How far our history goes by now. */
    readonly lastLoggedZxid: Zxid.Zxid
  }
  /** A part of a snapshot has come. However large it is, the leader lives. */
  | { readonly _tag: "Progress" }
  | { readonly _tag: "Disconnected" }
  /** No connection with the leader could be made. */
  | { readonly _tag: "NotReached" }
  | { readonly _tag: "AcceptedEpochStored" }
  | { readonly _tag: "CurrentEpochStored"; readonly at: Lease.Instant }
  | { readonly _tag: "StoreFailed" }
  | { readonly _tag: "TimedOut"; readonly timer: "Silence" | "Pledge"; readonly at: Lease.Instant }
  /** Whom our pledge was given to needs it no more: its process is gone. */
  | { readonly _tag: "PledgeReleased"; readonly at: Lease.Instant }

/** What one event leads to. */
export type Step = readonly [State, ReadonlyArray<Output>]

/** The state before there is a connection. */
export const make = (history: History, pledge: Lease.Pledge | null): State => ({
  stage: "Registering",
  history,
  pledge,
  epoch: -1n,
  ackEpoch: -1n,
  leaderIsOurs: false,
  lease: 0,
  synced: false,
  stored: false
})

/** What one event leads to. Total: nothing that a leader sends can make it throw. */
export const step = (options: Options, state: State, event: Event): Step => {
  if (state.stage === "Over") return [state, []]
  switch (event._tag) {
    case "Connected":
      return onConnected(options, state)
    case "Received":
      return onReceived(options, state, event)
    case "Progress":
      return [state, [silenceTimer(options, state)]]
    case "Disconnected":
      return leave(state, "ConnectionClosed")
    case "NotReached":
      return leave(state, "NotReached")
    case "AcceptedEpochStored":
      return onAcceptedEpochStored(state)
    case "CurrentEpochStored":
      return acknowledge(options, { ...state, stored: state.stage === "Acknowledging" }, event.at)
    case "StoreFailed":
      return leave(state, "StorageFailed")
    case "TimedOut":
      return event.timer === "Silence" ? leave(state, "LeaderSilent") : acknowledge(options, state, event.at)
    case "PledgeReleased":
      return acknowledge(options, { ...state, pledge: Lease.release(state.pledge) }, event.at)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Received = Event & { readonly _tag: "Received" }

const onConnected = (options: Options, state: State): Step => {
  const { lease, membership, mySid } = options
  const { acceptedEpoch } = state.history
  const data = LearnerInfo.encode({
    sid: mySid,
    protocolVersion: LearnerInfo.PROTOCOL_VERSION,
    configVersion: membership.committed.version,
    ours: { lease: lease?.duration ?? 0 }
  })
  const type = membership.learnerType === "observer" ? "OBSERVERINFO" : "FOLLOWERINFO"
  return [state, [send(type, Zxid.make(acceptedEpoch, 0n), data), silenceTimer(options, state)]]
}

// Whatever it says, the leader lives.
const onReceived = (options: Options, state: State, event: Received): Step => {
  const [next, outputs] = onPacket(options, state, event)
  return next.stage === "Over" ? [next, outputs] : [next, [silenceTimer(options, next), ...outputs]]
}

const onPacket = (options: Options, state: State, event: Received): Step => {
  switch (state.stage) {
    case "Registering":
      return onLeaderInfo(options, state, event.packet)
    case "Synchronizing":
      return onSync(state, event.packet)
    case "Accepting":
    case "Acknowledging":
    case "Activating":
      return onBeforeActivation(state, event.packet)
    case "Following":
      return onFollowing(options, state, event)
    case "Over":
      return [state, []]
  }
}

const onLeaderInfo = (options: Options, state: State, packet: QuorumPacket.QuorumPacket): Step => {
  const info = LearnerInfo.decodeLeader(packet.data)
  if (packet.type !== "LEADERINFO" || info === null) return leave(state, "UnexpectedPacket")
  const epoch = Zxid.epochOf(packet.zxid)
  const { acceptedEpoch, currentEpoch } = state.history
  if (epoch < acceptedEpoch) return leave(state, "LowerEpoch")
  if (info.ours === null && votes(options)) return leave(state, "ForeignLeader")
  const lease = info.ours?.lease ?? 0
  if (lease > (options.lease?.duration ?? 0) && votes(options)) return leave(state, "LeaseTooLong")
  const next: State = { ...state, stage: "Accepting", epoch, lease, leaderIsOurs: info.ours !== null }
  return epoch > acceptedEpoch
    ? [{ ...next, ackEpoch: currentEpoch }, [{ _tag: "StoreAcceptedEpoch", epoch }]]
    : onAcceptedEpochStored(next)
}

// Whose acknowledgements are counted, or may be in the next configuration.
const votes = ({ membership, mySid }: Options): boolean => membership.voters.has(mySid)

const onAcceptedEpochStored = (state: State): Step => {
  if (state.stage !== "Accepting") return [state, []]
  return [
    { ...state, stage: "Synchronizing", history: { ...state.history, acceptedEpoch: state.epoch } },
    [send("ACKEPOCH", state.history.lastLoggedZxid, LearnerInfo.encodeEpoch(state.ackEpoch))]
  ]
}

const onSync = (state: State, packet: QuorumPacket.QuorumPacket): Step => {
  switch (packet.type) {
    case "DIFF":
    case "SNAP":
      return [{ ...state, synced: true }, []]
    case "TRUNC":
      return leave(state, "CannotTruncate")
    case "NEWLEADER":
      return onNewLeader(state, packet)
    default:
      // Before anything else the leader says how it brings us in sync; then come proposals, which we keep none of.
      return state.synced ? ignore(state, packet) : leave(state, "UnexpectedPacket")
  }
}

const onNewLeader = (state: State, { data, zxid }: QuorumPacket.QuorumPacket): Step => {
  if (!state.synced || Zxid.epochOf(zxid) !== state.epoch) return leave(state, "UnexpectedPacket")
  const config: ReadonlyArray<Output> = data !== null && data.length > 1
    ? [{ _tag: "ConfigSeen", text: decodeText(data) }]
    : []
  return [{ ...state, stage: "Acknowledging" }, [...config, { _tag: "StoreCurrentEpoch", epoch: state.epoch }]]
}

const onBeforeActivation = (state: State, packet: QuorumPacket.QuorumPacket): Step => {
  if (packet.type !== "UPTODATE") return ignore(state, packet)
  if (state.stage !== "Activating") return leave(state, "UnexpectedPacket")
  const { epoch } = state
  return [{ ...state, stage: "Following" }, [send("ACK", Zxid.make(epoch, 0n)), { _tag: "Following", epoch }]]
}

const onFollowing = (options: Options, state: State, { at, lastLoggedZxid, packet }: Received): Step => {
  switch (packet.type) {
    case "PING":
      return onPing(options, state, packet, at, lastLoggedZxid)
    case "INFORMANDACTIVATE": {
      const text = ReconfigTxn.configIn(packet.data)
      return text === null ? ignore(state, packet) : [state, [{ _tag: "ConfigChanged", text }]]
    }
    case "COMMITANDACTIVATE": {
      // A real one tells of a configuration. One of ours resigns, and what depended on it has ended.
      if (!state.leaderIsOurs) return ignore(state, packet)
      const [next, outputs] = leave({ ...state, pledge: null }, "LeaderResigned", Designated.decode(packet.data))
      return [next, [{ _tag: "Pledged", pledge: null }, ...outputs]]
    }
    default:
      return ignore(state, packet)
  }
}

// What touches no client sessions.
const empty = new Uint8Array(0)

// To a leader of ours the answer says how far we are by now.
const onPing = (
  { leader, lease }: Options,
  state: State,
  { zxid }: QuorumPacket.QuorumPacket,
  at: Lease.Instant,
  lastLoggedZxid: Zxid.Zxid
): Step => {
  const answer = send("PING", state.leaderIsOurs ? lastLoggedZxid : zxid, empty)
  if (state.lease === 0 || lease === null) return [state, [answer]]
  const pledge = Lease.pledge(leader, at, state.lease, lease.clockDrift)
  return [{ ...state, pledge }, [{ _tag: "Pledged", pledge }, answer]]
}

// The acknowledgement may complete a quorum, so it waits for both: the disk, and a pledge to somebody else.
const acknowledge = (options: Options, state: State, at: Lease.Instant): Step => {
  if (state.stage !== "Acknowledging" || !state.stored) return [state, []]
  const remaining = Lease.remaining(state.pledge, options.leader, at)
  if (remaining > 0) return [state, [{ _tag: "SetTimer", timer: "Pledge", after: remaining }]]
  return [{ ...state, stage: "Activating" }, [
    { _tag: "CancelTimer", timer: "Pledge" },
    send("ACK", Zxid.make(state.epoch, 0n))
  ]]
}

const leave = (state: State, reason: LeaveReason, successor: Sid | null = null): Step => [{ ...state, stage: "Over" }, [
  { _tag: "CancelTimer", timer: "Silence" },
  { _tag: "CancelTimer", timer: "Pledge" },
  { _tag: "Left", reason, successor }
]]

const ignore = (state: State, packet: QuorumPacket.QuorumPacket): Step => [state, [{ _tag: "Ignored", packet }]]

// Until we follow, the leader may be waiting for others; afterwards it pings. The original is less patient once it has
// acknowledged, and leaves a leader whose quorum is slow.
const silenceTimer = ({ ticks }: Options, { stage }: State): Output => {
  const limit = stage === "Following" ? ticks.syncLimit : ticks.initLimit
  return { _tag: "SetTimer", timer: "Silence", after: limit * ticks.tickTime }
}

const send = (type: QuorumPacket.PacketType, zxid: Zxid.Zxid, data: Uint8Array | null = null): Output => ({
  _tag: "Send",
  packet: QuorumPacket.make(type, zxid, data)
})
