/**
 * One leader and one learner to be driven by hand, as `Peer` is for the election.
 * What they decide comes back as lines, one for each output.
 */
import { decodeText } from "../../src/internal/bytes.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import * as Leader from "../../src/Leader.ts"
import * as Learner from "../../src/Learner.ts"
import type { Output as LeaderOutput, Timer } from "../../src/LeaderOutput.ts"
import type { Output as LearnerOutput } from "../../src/LearnerOutput.ts"
import * as LearnerInfo from "../../src/LearnerInfo.ts"
import type * as Lease from "../../src/Lease.ts"
import * as QuorumPacket from "../../src/QuorumPacket.ts"
import type { LearnerType } from "../../src/QuorumServer.ts"
import type { QuorumVerifier } from "../../src/QuorumVerifier.ts"
import * as Zxid from "../../src/Zxid.ts"
import { toHex } from "./Bytes.ts"
import { freeze } from "./freeze.ts"
import { majority } from "./Peer.ts"

/** Ticks of 20 ms, so that initLimit is 200 ms and syncLimit 100 ms. */
export const ticks: Ensemble.Ticks = { tickTime: 20, initLimit: 10, syncLimit: 5 }

/** A lease of 50 ms that ends 10 ms earlier for the leader, under clocks that differ by nothing. */
export const lease: Lease.Lease = { duration: 50, grace: 10, clockDrift: 0 }

/** A zxid as tests write it: `[1, 2]` is the second of the first epoch, a number of epoch 0. */
export type Short = number | bigint | readonly [epoch: number | bigint, counter: number | bigint]

/** The zxid that is meant. */
export const zxid = (short: Short): Zxid.Zxid =>
  typeof short === "object" ? Zxid.make(BigInt(short[0]), BigInt(short[1])) : BigInt(short)

/** What happened before, by small numbers. */
export interface Past {
  readonly acceptedEpoch?: number | bigint
  readonly currentEpoch?: number | bigint
  readonly lastLoggedZxid?: Short
}

const past = ({ acceptedEpoch = 0, currentEpoch = 0, lastLoggedZxid = 0 }: Past): Learner.History => ({
  acceptedEpoch: BigInt(acceptedEpoch),
  currentEpoch: BigInt(currentEpoch),
  lastLoggedZxid: zxid(lastLoggedZxid)
})

/** A packet in one line: type, zxid, and what its data are. */
export const packetText = ({ data, type, zxid }: QuorumPacket.QuorumPacket): string => {
  const number = zxid < 0n ? `${zxid}` : `${Zxid.epochOf(zxid)}.${Zxid.counterOf(zxid)}`
  if (data === null) return `${type} ${number}`
  return type === "NEWLEADER" ? `${type} ${number} ${decodeText(data).split("\n").at(-1)}` : `${type} ${number} ${
    data.length === 0 ? "empty" : toHex(data)
  }`
}

const list = (sids: ReadonlySet<bigint>): string => Array.from(sids).toSorted((a, b) => Number(a - b)).join(",")

/** An output of either in one line. */
export const text = (output: LeaderOutput | LearnerOutput): string => {
  switch (output._tag) {
    case "Send":
      return `${"learner" in output ? `${output.learner} ` : ""}< ${packetText(output.packet)}`
    case "Ignored":
      return `Ignored${"learner" in output ? ` ${output.learner} ${output.reason}` : ""} ${packetText(output.packet)}`
    case "EpochDecided":
    case "Activated":
      return `${output._tag} ${output.epoch} by ${list(output.supporters)}`
    case "Pledged":
      return output.pledge === null ? "Released" : `Pledged ${output.pledge.leader} ${output.pledge.until}`
    default: {
      const { _tag, ...rest } = output
      return [_tag, ...Object.values(rest)].join(" ").trimEnd()
    }
  }
}

/** Now, by the clocks of leases and of pledges, which are the same unless told otherwise. */
export const now = (at: number, pledgeAt = at): Lease.Now => ({ at, pledgeAt })

/** A leader that is driven by hand. */
export interface LeaderSubject {
  readonly options: Leader.Options
  readonly state: () => Leader.State
  readonly event: (event: Leader.Event) => ReadonlyArray<string>
  readonly hears: (learner: number, packet: QuorumPacket.QuorumPacket, at?: number) => ReadonlyArray<string>
  readonly currentStored: (at: number) => ReadonlyArray<string>
  readonly timedOut: (timer: Timer, at: number, pledgeAt?: number) => ReadonlyArray<string>
  /** Both halves of so many ticks; a half is at the middle of its tick. What was decided at the last half. */
  readonly ticks: (count: number, at?: number) => ReadonlyArray<string>
}

/** What a leader is made from. */
export interface LeaderOptions extends Past, Partial<Pick<Leader.Options, "lease" | "acceptForeign">> {
  readonly mySid?: number
  readonly verifier?: QuorumVerifier
  readonly lastSeen?: QuorumVerifier
  readonly pledge?: Lease.Pledge
}

/** Server 3 of three, unless said otherwise. */
export const leader = (options: LeaderOptions = {}): LeaderSubject => {
  const mySid = BigInt(options.mySid ?? 3)
  const own: Leader.Options = freeze({
    mySid,
    membership: Ensemble.membership({
      mySid,
      committed: options.verifier ?? majority([1, 2, 3]),
      lastSeen: options.lastSeen
    }),
    ticks,
    lease: options.lease ?? null,
    acceptForeign: options.acceptForeign ?? false
  })
  let state = Leader.make(own, past(options), options.pledge ?? null)
  const event: LeaderSubject["event"] = (event) => {
    const [next, outputs] = Leader.step(own, freeze(state), event)
    state = next
    return outputs.map(text)
  }
  return {
    options: own,
    state: () => state,
    event,
    hears: (learner, packet, at = 0) => event({ _tag: "Received", learner, packet, at }),
    currentStored: (at) => event({ _tag: "CurrentEpochStored", ...now(at) }),
    timedOut: (timer, at, pledgeAt) => event({ _tag: "TimedOut", timer, ...now(at, pledgeAt) }),
    ticks: (count, at = 0) => {
      let outputs: ReadonlyArray<string> = []
      for (let half = 0; half < 2 * count; half++) outputs = event({ _tag: "HalfTick", at })
      return outputs
    }
  }
}

/** What a learner says of itself. */
export interface InfoOptions {
  readonly type?: "FOLLOWERINFO" | "OBSERVERINFO"
  readonly acceptedEpoch?: number | bigint
  readonly protocolVersion?: number
  readonly configVersion?: number
  /** `null` for a real ZooKeeper server. */
  readonly lease?: number | null
}

/** FOLLOWERINFO or OBSERVERINFO. */
export const info = (sid: number, options: InfoOptions = {}): QuorumPacket.QuorumPacket => {
  const { acceptedEpoch = 0, configVersion = 0, lease = 0, type = "FOLLOWERINFO" } = options
  const data = LearnerInfo.encode({
    sid: BigInt(sid),
    protocolVersion: options.protocolVersion ?? LearnerInfo.PROTOCOL_VERSION,
    configVersion: BigInt(configVersion),
    ours: lease === null ? null : { lease }
  })
  return QuorumPacket.make(type, zxid([acceptedEpoch, 0]), data)
}

/** ACKEPOCH. */
export const ackEpoch = (currentEpoch: number | bigint, lastLogged: Short = 0): QuorumPacket.QuorumPacket =>
  QuorumPacket.make("ACKEPOCH", zxid(lastLogged), LearnerInfo.encodeEpoch(BigInt(currentEpoch)))

/** ACK of an epoch. */
export const ack = (epoch: number | bigint): QuorumPacket.QuorumPacket => QuorumPacket.make("ACK", zxid([epoch, 0]))

/** The answer to a ping. */
export const pong = (lastLogged: Short = 0): QuorumPacket.QuorumPacket =>
  QuorumPacket.make("PING", zxid(lastLogged), new Uint8Array(0))

/** LEADERINFO. */
export const leaderInfo = (epoch: number | bigint, lease: number | null = 0): QuorumPacket.QuorumPacket =>
  QuorumPacket.make(
    "LEADERINFO",
    zxid([epoch, 0]),
    LearnerInfo.encodeLeader({
      protocolVersion: LearnerInfo.PROTOCOL_VERSION,
      ours: lease === null ? null : { lease }
    })
  )

/** The leader has started, and this learner has said who it is. */
export const ask = (subject: LeaderSubject, id: number, sid: number, options: InfoOptions = {}) => {
  subject.event({ _tag: "Connected", learner: id })
  return subject.hears(id, info(sid, options))
}

/** Brings a leader into office with these learners in sync, the first by connection 1; all at the same moment. */
export const activate = (subject: LeaderSubject, sids: ReadonlyArray<number>, options: InfoOptions = {}, at = 0) => {
  subject.event({ _tag: "Started" })
  for (const [index, sid] of sids.entries()) ask(subject, index + 1, sid, options)
  subject.event({ _tag: "AcceptedEpochStored" })
  for (const [index] of sids.entries()) subject.hears(index + 1, ackEpoch(0), at)
  subject.event({ _tag: "CurrentEpochStored", at, pledgeAt: at })
  const { epoch } = subject.state()
  return sids.flatMap((_, index) => subject.hears(index + 1, ack(epoch), at))
}

/** A learner that is driven by hand. */
export interface LearnerSubject {
  readonly state: () => Learner.State
  readonly event: (event: Learner.Event) => ReadonlyArray<string>
  readonly hears: (
    packet: QuorumPacket.QuorumPacket,
    facts?: { readonly at?: number; readonly lastLoggedZxid?: Short }
  ) => ReadonlyArray<string>
}

/** What a learner is made from. */
export interface LearnerOptions extends Past {
  readonly mySid?: number
  readonly leader?: number
  readonly verifier?: QuorumVerifier
  readonly learnerType?: LearnerType
  readonly lease?: Lease.Lease | null
  readonly pledge?: Lease.Pledge
}

/** Server 1 of three under server 3, unless said otherwise. */
export const learner = (options: LearnerOptions = {}): LearnerSubject => {
  const mySid = BigInt(options.mySid ?? 1)
  const own: Learner.Options = freeze({
    mySid,
    leader: BigInt(options.leader ?? 3),
    membership: Ensemble.membership({
      mySid,
      committed: options.verifier ?? majority([1, 2, 3]),
      learnerType: options.learnerType
    }),
    ticks,
    lease: options.lease ?? null
  })
  let state = Learner.make(past(options), options.pledge ?? null)
  const event: LearnerSubject["event"] = (event) => {
    const [next, outputs] = Learner.step(own, freeze(state), event)
    state = next
    return outputs.map(text)
  }
  return {
    state: () => state,
    event,
    hears: (packet, { at = 0, lastLoggedZxid = 0 } = {}) =>
      event({ _tag: "Received", packet, at, lastLoggedZxid: zxid(lastLoggedZxid) })
  }
}
