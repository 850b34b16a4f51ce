/**
 * Server ids, the `N` of `server.N` and the content of `myid`.
 *
 * A sid is a signed 64-bit integer. Documentation speaks of 1 to 255, but every
 * value is legal on the wire and compared signed.
 */

/** A server id: signed 64 bits, compared signed. Java: `sid`, `myid`. */
export type Sid = bigint

/**
 * The sid an anonymous observer presents in its handshake, 2^63 - 1. The
 * accepting side replaces it by the next negative number. Java:
 * QuorumCnxManager via ObserverBean, `QuorumPeer.OBSERVER_ID`.
 */
export const OBSERVER_ID: Sid = 0x7fff_ffff_ffff_ffffn

/**
 * The leader, zxid and peer epoch proposed by who may not be proposed: -2^63,
 * Java's `Long.MIN_VALUE`. It is no voter, so receivers ignore it.
 */
export const NOBODY: Sid = -0x8000_0000_0000_0000n

/** The largest signed 64-bit value, for range checks. */
export const MAX_VALUE = 0x7fff_ffff_ffff_ffffn

/** The smallest signed 64-bit value, for range checks. */
export const MIN_VALUE = -0x8000_0000_0000_0000n
