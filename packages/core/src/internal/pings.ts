/**
 * In office: pings, who answers them, the lease they grant, and the way out.
 *
 * Java: the loop of `Leader.lead`, `LearnerHandler.ping`, `synced`.
 */
import * as Designated from "./designated.ts"
import * as Learners from "./learners.ts"
import * as SidMap from "./sidMap.ts"
import * as SidSet from "./sidSet.ts"
import type { LearnerId, Output } from "../LeaderOutput.ts"
import type { Learner, Options, State, Step } from "../Leader.ts"
import * as Lease from "../Lease.ts"
import * as QuorumPacket from "../QuorumPacket.ts"
import type { OracleAnswer } from "../QuorumVerifier.ts"
import type { Sid } from "../Sid.ts"
import * as VoteTracker from "../VoteTracker.ts"
import * as Zxid from "../Zxid.ts"

/** A quorum is in sync: we lead, and all who wait are told. */
export const activate = (options: Options, state: State, at: Lease.Instant): Step => {
  const next: State = { ...state, zabState: "BROADCAST" }
  const [after, outputs] = Learners.andThen(
    Learners.each(Learners.at(next, "AwaitingActivation"), next, (state, [id]) => upToDate(options, state, id, at)),
    (state) => extend(options, state, at)
  )
  return [after, [
    { _tag: "CancelTimer", timer: "Quorum" },
    { _tag: "Activated", epoch: state.epoch, supporters: state.acked },
    ...outputs
  ]]
}

/** A learner in sync counts from now on. With a lease it is pinged at once, for there is none until it answers. */
export const upToDate = (options: Options, state: State, id: LearnerId, at: Lease.Instant): Step => {
  const sid = state.learners.get(id)?.info?.sid
  if (sid === undefined) return [state, []]
  const deadline = Learners.tickOf(state) + options.ticks.syncLimit
  const next = Learners.update(state, id, { stage: "Synced", deadline })
  const synced: Step = [next, [
    { _tag: "Send", learner: id, packet: QuorumPacket.make("UPTODATE", -1n) },
    { _tag: "LearnerSynced", sid, votes: Learners.votes(options, sid) }
  ]]
  return options.lease === null ? synced : Learners.andThen(synced, (state) => ping(state, id, at))
}

/** Twice a tick everybody is pinged; once a tick those who answer are counted. */
export const onHalfTick = (options: Options, state: State, at: Lease.Instant, oracle: OracleAnswer): Step => {
  const ticked: State = { ...state, halfTicks: state.halfTicks + 1 }
  const tick = Learners.tickOf(ticked)
  // Who answers no pings but says other things, for more than twice the patience with who says nothing, is no better.
  const pingsMax = 4 * (options.ticks.syncLimit + 1)
  const silent = Array.from(ticked.learners).filter(([, { deadline, pings }]) =>
    (deadline !== null && tick > deadline) || pings.length > pingsMax
  )
  return Learners.andThen(
    Learners.each(silent, ticked, (state, [id]) => Learners.close(state, id, "Silent")),
    (state) => {
      if (state.zabState !== "BROADCAST") return [state, []]
      const isWhole = state.halfTicks % 2 === 0
      if (isWhole && !isQuorumThere(options, state, oracle)) return Learners.stepDown(state, "QuorumLost")
      return Learners.andThen(pingAll(state, at), (state) => extend(options, state, at))
    }
  )
}

/** A packet of a learner in sync; whatever it is, it lives. */
export const onReceived = (
  options: Options,
  state: State,
  id: LearnerId,
  learner: Learner,
  packet: QuorumPacket.QuorumPacket,
  at: Lease.Instant
): Step => {
  const deadline = Learners.tickOf(state) + options.ticks.syncLimit
  if (packet.type !== "PING" || learner.info === null) {
    return [Learners.update(state, id, { deadline }), [{ _tag: "Ignored", learner: id, packet, reason: "NotNeeded" }]]
  }
  const [sent, ...pings] = learner.pings
  const { ours, sid } = learner.info
  // A peer of ours says with every answer how far its log goes by now.
  const summary = ours === null || learner.summary === null
    ? learner.summary
    : { ...learner.summary, lastLoggedZxid: packet.zxid }
  const next = Learners.update(state, id, { deadline, pings, summary })
  // Without a lease it is enough that somebody answers.
  if (sent === undefined || options.lease === null || !Learners.votes(options, sid)) return [next, []]
  return extend(options, { ...next, answered: SidMap.set(next.answered, sid, sent) }, at)
}

/** The lease may have been extended since the timer was set. */
export const onLeaseOver = ({ lease }: Options, state: State, at: Lease.Instant): Step => {
  const after = (state.leaseUntil ?? -Infinity) - (lease?.grace ?? 0) - at
  return after > 0 ? [state, [{ _tag: "SetTimer", timer: "Lease", after }]] : Learners.stepDown(state, "LeaseExpired")
}

/** Leaves office on purpose. The learners are told whom to follow instead, or that there is nobody to follow. */
export const onResign = (state: State, successor: Sid | null): Step => {
  const packet = QuorumPacket.make("COMMITANDACTIVATE", Zxid.make(state.epoch, 0n), Designated.encode(successor))
  const told = Learners.at(state, "Synced").filter(([, { info }]) => info !== null && info.ours !== null)
  const [after, outputs] = Learners.stepDown(state, "Resigned", told.length === 0 ? null : successor)
  return [after, [...told.map(([learner]): Output => ({ _tag: "Send", learner, packet })), ...outputs]]
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const ping = (state: State, id: LearnerId, at: Lease.Instant): Step => [
  Learners.update(state, id, { pings: [...(state.learners.get(id)?.pings ?? []), at] }),
  [{ _tag: "Send", learner: id, packet: QuorumPacket.make("PING", Zxid.make(state.epoch, 0n)) }]
]

// In one go: a leader does this more often than anything else.
const pingAll = (state: State, at: Lease.Instant): Step => {
  const packet = QuorumPacket.make("PING", Zxid.make(state.epoch, 0n))
  const learners = new Map(state.learners)
  const outputs: Array<Output> = []
  for (const [id, learner] of state.learners) {
    if (learner.stage !== "Synced") continue
    learners.set(id, { ...learner, pings: [...learner.pings, at] })
    outputs.push({ _tag: "Send", learner: id, packet })
  }
  return [{ ...state, learners }, outputs]
}

const isQuorumThere = ({ membership, mySid }: Options, { learners }: State, oracle: OracleAnswer): boolean => {
  let there = SidSet.of([mySid])
  for (const { info } of learners.values()) if (info !== null) there = SidSet.add(there, info.sid)
  return VoteTracker.hasAllQuorums(membership, there, oracle)
}

// Says only that it is longer than before, and not once it is too short to be of use.
const extend = ({ lease, membership, mySid }: Options, state: State, at: Lease.Instant): Step => {
  if (lease === null || state.zabState !== "BROADCAST") return [state, []]
  // Whoever noticed that it ran out has ended what depended on it, and no answer brings that back.
  if (state.leaseUntil !== null && at >= state.leaseUntil) return Learners.stepDown(state, "LeaseExpired")
  const before = state.leaseUntil ?? -Infinity
  const until = Lease.expiry(lease, mySid, membership, state.answered, at, before)
  if (until === null || until <= before) return [state, []]
  const after = until - lease.grace - at
  if (after <= 0) return [state, []]
  return [{ ...state, leaseUntil: until }, [
    { _tag: "LeaseExtended", until },
    { _tag: "SetTimer", timer: "Lease", after }
  ]]
}
