/**
 * What learner and leader tell of themselves before an epoch is agreed on: the data
 * of FOLLOWERINFO, OBSERVERINFO, LEADERINFO and ACKEPOCH.
 *
 *     LearnerInfo   i64 sid, i32 protocol version, i64 config version
 *     LEADERINFO    i32 protocol version
 *     ACKEPOCH      i32 current epoch, or -1 if it does not count
 *
 * Behind the first two a peer of ours adds eight bytes, which ZooKeeper does not read:
 *
 *     i32 434f4e43 ("CONC"), i32 lease in milliseconds, 0 for none
 *
 * Java: `LearnerInfo`, `LearnerHandler.run`, `Learner.registerWithLeader`.
 */
import { viewOf } from "./internal/bytes.ts"
import type { Millis } from "./Ensemble.ts"
import type { Sid } from "./Sid.ts"

/** The protocol spoken since ZooKeeper 3.4. Java: LearnerHandler, 0x10000. */
export const PROTOCOL_VERSION = 0x10000

/** How a peer of ours is known. */
const MARK = 0x434f4e43

/** What a peer of ours says beyond the original. */
export interface Ours {
  /** The longest lease it grants, or the lease it asks for. */
  readonly lease: Millis
}

/** A learner about itself. */
export interface LearnerInfo {
  readonly sid: Sid
  readonly protocolVersion: number
  /** The version of its committed configuration. */
  readonly configVersion: bigint
  /** `null` for a real ZooKeeper server. */
  readonly ours: Ours | null
}

/** A leader about itself. */
export interface LeaderInfo {
  readonly protocolVersion: number
  readonly ours: Ours | null
}

const LEARNER_SIZE = 20
const LEADER_SIZE = 4
const OURS_SIZE = 8

/** The bytes of a learner's information. */
export const encode = ({ configVersion, ours, protocolVersion, sid }: LearnerInfo): Uint8Array => {
  const bytes = new Uint8Array(LEARNER_SIZE + (ours === null ? 0 : OURS_SIZE))
  const view = viewOf(bytes)
  view.setBigInt64(0, sid)
  view.setInt32(8, protocolVersion)
  view.setBigInt64(12, configVersion)
  if (ours !== null) writeOurs(view, LEARNER_SIZE, ours)
  return bytes
}

/** The fields as far as they are there; `null` without a sid, which only servers before 3.4 leave out. */
export const decode = (bytes: Uint8Array | null): LearnerInfo | null => {
  if (bytes === null || bytes.length < 8) return null
  const view = viewOf(bytes)
  return {
    sid: view.getBigInt64(0),
    protocolVersion: bytes.length >= 12 ? view.getInt32(8) : 1,
    configVersion: bytes.length >= LEARNER_SIZE ? view.getBigInt64(12) : 0n,
    ours: readOurs(bytes, LEARNER_SIZE)
  }
}

/** The bytes of a leader's information. */
export const encodeLeader = ({ ours, protocolVersion }: LeaderInfo): Uint8Array => {
  const bytes = new Uint8Array(LEADER_SIZE + (ours === null ? 0 : OURS_SIZE))
  const view = viewOf(bytes)
  view.setInt32(0, protocolVersion)
  if (ours !== null) writeOurs(view, LEADER_SIZE, ours)
  return bytes
}

/** A leader's information; `null` if it is none. */
export const decodeLeader = (bytes: Uint8Array | null): LeaderInfo | null =>
  bytes === null || bytes.length < LEADER_SIZE
    ? null
    : { protocolVersion: viewOf(bytes).getInt32(0), ours: readOurs(bytes, LEADER_SIZE) }

/** The epoch in an ACKEPOCH, which has 32 bits there. */
export const encodeEpoch = (epoch: bigint): Uint8Array => {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setInt32(0, Number(BigInt.asIntN(32, epoch)))
  return bytes
}

/** The epoch in an ACKEPOCH; `null` if there is none. */
export const decodeEpoch = (bytes: Uint8Array | null): bigint | null =>
  bytes === null || bytes.length < 4 ? null : BigInt(viewOf(bytes).getInt32(0))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const writeOurs = (view: DataView, offset: number, { lease }: Ours) => {
  view.setInt32(offset, MARK)
  view.setInt32(offset + 4, lease)
}

const readOurs = (bytes: Uint8Array, offset: number): Ours | null => {
  if (bytes.length < offset + OURS_SIZE) return null
  const view = viewOf(bytes)
  return view.getInt32(offset) === MARK ? { lease: Math.max(view.getInt32(offset + 4), 0) } : null
}
