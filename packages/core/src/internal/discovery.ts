/**
 * The way into office: an epoch that a quorum accepts, and a quorum in sync.
 *
 * Java: `Leader.getEpochToPropose`, `waitForEpochAck`, `waitForNewLeaderAck`,
 * `LearnerHandler.run`.
 */
import { encodeText } from "./bytes.ts"
import * as Learners from "./learners.ts"
import * as Pings from "./pings.ts"
import * as SidSet from "./sidSet.ts"
import type { LearnerId, Output } from "../LeaderOutput.ts"
import type { Learner, Options, State, Step, Summary } from "../Leader.ts"
import * as LearnerInfo from "../LearnerInfo.ts"
import * as Lease from "../Lease.ts"
import * as QuorumPacket from "../QuorumPacket.ts"
import * as QuorumVerifier from "../QuorumVerifier.ts"
import type { Sid } from "../Sid.ts"
import * as VoteTracker from "../VoteTracker.ts"
import * as Zxid from "../Zxid.ts"

/** The first epoch that does not fit into an ACKEPOCH. Java: the int in LearnerHandler.run. */
const EPOCH_END = 1n << 31n

/** The quorum port is open: a quorum has to come now. */
export const onStarted = (options: Options, state: State): Step =>
  Learners.andThen([state, [quorumTimer(options)]], (state) => decide(options, state))

/** Somebody has connected, and has to say who it is. */
export const onConnected = ({ ticks }: Options, state: State, id: LearnerId): Step => {
  const learner: Learner = {
    info: null,
    stage: "Connected",
    summary: null,
    deadline: Learners.tickOf(state) + ticks.initLimit,
    pings: []
  }
  return [Learners.add(state, id, learner), []]
}

/** A connection is gone. What its learner has promised stands. */
export const onDisconnected = (state: State, id: LearnerId): Step => [Learners.remove(state, id), []]

/** Who asked has to wait no longer, and we accept the epoch ourselves. */
export const onAcceptedEpochStored = (options: Options, state: State): Step => {
  if (!state.decided || state.epochStored) return [state, []]
  const next: State = { ...state, epochStored: true, electing: SidSet.add(state.electing, options.mySid) }
  const informed = Learners.each(Learners.at(next, "AwaitingEpoch"), next, (state, [id]) => inform(options, state, id))
  const [after, outputs] = Learners.andThen(informed, (state) => elect(options, state))
  return [after, [quorumTimer(options), ...outputs]]
}

/** Everybody who waits is brought in sync, and we are, once our pledge to another leader is over. */
export const onCurrentEpochStored = (options: Options, state: State, now: Lease.Now): Step => {
  if (!state.elected || state.zabState !== "DISCOVERY") return [state, []]
  const next: State = { ...state, zabState: "SYNCHRONIZATION" }
  const waiting = Learners.at(next, "AwaitingSync")
  const synced = Learners.each(waiting, next, (state, [id]) => synchronize(options, state, id))
  const [after, outputs] = Learners.andThen(synced, (state) => onPledgeOver(options, state, now))
  return [after, [quorumTimer(options), ...outputs]]
}

/** We may support ourselves, if our pledge is over by the clock; a timer may be early, and one for another pledge. */
export const onPledgeOver = (options: Options, state: State, { at, pledgeAt }: Lease.Now): Step => {
  if (state.zabState !== "SYNCHRONIZATION" || state.acked.has(options.mySid)) return [state, []]
  const remaining = Lease.remaining(state.pledge, options.mySid, pledgeAt)
  return remaining > 0
    ? [state, [{ _tag: "SetTimer", timer: "Pledge", after: remaining }]]
    : acknowledge(options, state, options.mySid, at)
}

/** No quorum has come as far in time. */
export const onQuorumTimedOut = (state: State): Step => {
  if (state.zabState === "SYNCHRONIZATION") return Learners.stepDown(state, "NoSyncQuorum")
  if (state.zabState !== "DISCOVERY") return [state, []]
  return Learners.stepDown(state, state.decided ? "NoEpochAckQuorum" : "NoEpochQuorum")
}

/** A packet of a learner that is not in sync yet. Each stage has one that may come. */
export const onReceived = (
  options: Options,
  state: State,
  id: LearnerId,
  learner: Learner,
  packet: QuorumPacket.QuorumPacket,
  at: Lease.Instant
): Step => {
  switch (learner.stage) {
    case "Connected":
      return onInfo(options, state, id, packet)
    case "EpochSent":
      return onAckEpoch(options, state, id, learner, packet)
    case "SyncSent":
      return onAck(options, state, id, learner, packet, at)
    case "AwaitingEpoch":
    case "AwaitingSync":
    case "AwaitingActivation":
    case "Synced":
      return Learners.close(state, id, "UnexpectedPacket")
  }
}

// -----------------------------------------------------------------------------
// FOLLOWERINFO, OBSERVERINFO: who it is, and which epochs it has accepted
// -----------------------------------------------------------------------------

const onInfo = (options: Options, state: State, id: LearnerId, packet: QuorumPacket.QuorumPacket): Step => {
  if (packet.type !== "FOLLOWERINFO" && packet.type !== "OBSERVERINFO") {
    return Learners.close(state, id, "UnexpectedPacket")
  }
  const info = LearnerInfo.decode(packet.data)
  const refused = info === null ? "ProtocolTooOld" : refuse(options, info)
  if (info === null || refused !== null) return Learners.close(state, id, refused ?? "ProtocolTooOld")
  const older = Array.from(state.learners).filter(([other, learner]) => other !== id && learner.info?.sid === info.sid)
  return Learners.andThen(
    Learners.each(older, state, (state, [other]) => Learners.close(state, other, "Replaced")),
    (state) => {
      const known = Learners.update(state, id, { info, stage: "AwaitingEpoch", deadline: null })
      if (state.decided) return state.epochStored ? inform(options, known, id) : [known, []]
      return decide(options, ask(options, known, info.sid, Zxid.epochOf(packet.zxid)))
    }
  )
}

const refuse = ({ acceptForeign, lease, membership, mySid }: Options, info: LearnerInfo.LearnerInfo) => {
  if (info.sid === mySid) return "OwnSid"
  if (info.protocolVersion < LearnerInfo.PROTOCOL_VERSION) return "ProtocolTooOld"
  if (info.ours === null && !acceptForeign) return "Foreign"
  if (info.configVersion > membership.committed.version) return "LaterConfig"
  const grants = info.ours?.lease ?? 0
  return lease !== null && grants < lease.duration && membership.voters.has(info.sid) ? "LeaseTooLong" : null
}

// The original believes anybody's epoch. One stranger could use up all there are.
const ask = ({ membership }: Options, state: State, sid: Sid, lastAccepted: bigint): State => {
  const isMember = membership.committed.servers.has(sid) || membership.lastSeen.servers.has(sid)
  return {
    ...state,
    epoch: isMember && lastAccepted >= state.epoch ? lastAccepted + 1n : state.epoch,
    connecting: membership.committed.voters.has(sid) ? SidSet.add(state.connecting, sid) : state.connecting
  }
}

// Only the committed configuration counts here. Java: getEpochToPropose.
const decide = ({ membership }: Options, state: State): Step => {
  if (!isQuorum(membership.committed, state.connecting)) return [state, []]
  if (state.epoch >= EPOCH_END) return Learners.stepDown(state, "EpochsExhausted")
  return [{ ...state, decided: true }, [
    { _tag: "CancelTimer", timer: "Quorum" },
    { _tag: "EpochDecided", epoch: state.epoch, supporters: state.connecting },
    { _tag: "StoreAcceptedEpoch", epoch: state.epoch }
  ]]
}

const inform = ({ lease, ticks }: Options, state: State, id: LearnerId): Step => {
  const ours = { lease: lease?.duration ?? 0 }
  const data = LearnerInfo.encodeLeader({ protocolVersion: LearnerInfo.PROTOCOL_VERSION, ours })
  return [
    Learners.update(state, id, { stage: "EpochSent", deadline: Learners.tickOf(state) + ticks.initLimit }),
    [send(id, QuorumPacket.make("LEADERINFO", Zxid.make(state.epoch, 0n), data))]
  ]
}

// -----------------------------------------------------------------------------
// ACKEPOCH: that it accepts the epoch, and how far its history goes
// -----------------------------------------------------------------------------

const onAckEpoch = (
  options: Options,
  state: State,
  id: LearnerId,
  { info }: Learner,
  packet: QuorumPacket.QuorumPacket
): Step => {
  const currentEpoch = LearnerInfo.decodeEpoch(packet.data)
  if (packet.type !== "ACKEPOCH" || currentEpoch === null || info === null) {
    return Learners.close(state, id, "UnexpectedPacket")
  }
  const summary: Summary = { currentEpoch, lastLoggedZxid: packet.zxid }
  // Who had accepted this epoch before says -1: it may have lost what it knew then, and does not count.
  const counts = !state.elected && currentEpoch !== -1n
  if (counts && isAhead(summary, state.summary)) return Learners.close(state, id, "AheadOfLeader")
  const known = Learners.update(state, id, { summary, stage: "AwaitingSync", deadline: null })
  if (state.zabState !== "DISCOVERY") return synchronize(options, known, id)
  const elects = counts && packet.zxid !== Zxid.UNTRUSTED && options.membership.committed.voters.has(info.sid)
  return elects
    ? elect(options, { ...known, electing: SidSet.add(known.electing, info.sid) })
    : [known, []]
}

const isAhead = (self: Summary, that: Summary): boolean =>
  self.currentEpoch > that.currentEpoch ||
  (self.currentEpoch === that.currentEpoch && self.lastLoggedZxid > that.lastLoggedZxid)

const elect = ({ membership, mySid }: Options, state: State): Step => {
  if (state.elected || !state.electing.has(mySid) || !isQuorum(membership.committed, state.electing)) return [state, []]
  return [{ ...state, elected: true }, [
    { _tag: "CancelTimer", timer: "Quorum" },
    { _tag: "StoreCurrentEpoch", epoch: state.epoch }
  ]]
}

// An empty history, and the configuration.
const synchronize = ({ membership, ticks }: Options, state: State, id: LearnerId): Step => [
  Learners.update(state, id, { stage: "SyncSent", deadline: Learners.tickOf(state) + ticks.initLimit }),
  [
    send(id, QuorumPacket.make("DIFF", state.summary.lastLoggedZxid)),
    send(id, QuorumPacket.make("NEWLEADER", Zxid.make(state.epoch, 0n), encodeText(membership.lastSeen.text)))
  ]
]

// -----------------------------------------------------------------------------
// ACK: that it is in sync
// -----------------------------------------------------------------------------

const onAck = (
  options: Options,
  state: State,
  id: LearnerId,
  { info }: Learner,
  packet: QuorumPacket.QuorumPacket,
  at: Lease.Instant
): Step => {
  if (packet.type !== "ACK" || packet.zxid !== Zxid.make(state.epoch, 0n) || info === null) {
    return Learners.close(state, id, "UnexpectedPacket")
  }
  const next = Learners.update(state, id, { stage: "AwaitingActivation", deadline: null })
  return state.zabState === "BROADCAST"
    ? Pings.upToDate(options, next, id, at)
    : acknowledge(options, next, info.sid, at)
}

const acknowledge = (options: Options, state: State, sid: Sid, at: Lease.Instant): Step => {
  const acked = Learners.votes(options, sid) || sid === options.mySid ? SidSet.add(state.acked, sid) : state.acked
  const next: State = { ...state, acked }
  return acked.has(options.mySid) && VoteTracker.hasAllQuorums(options.membership, acked, false)
    ? Pings.activate(options, next, at)
    : [next, []]
}

// -----------------------------------------------------------------------------

const isQuorum = (verifier: QuorumVerifier.QuorumVerifier, sids: ReadonlySet<Sid>): boolean =>
  QuorumVerifier.containsQuorum(verifier, sids)

const quorumTimer = ({ ticks }: Options): Output => ({
  _tag: "SetTimer",
  timer: "Quorum",
  after: ticks.initLimit * ticks.tickTime
})

const send = (learner: LearnerId, packet: QuorumPacket.QuorumPacket): Output => ({ _tag: "Send", learner, packet })
