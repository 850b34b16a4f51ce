/**
 * Transaction ids: the epoch in the high 32 bits, a counter in the low 32.
 *
 * A zxid is a signed 64-bit integer and is compared signed. Java: `ZxidUtils`.
 */

/** A transaction id. Signed 64 bits: `epoch << 32 | counter`. */
export type Zxid = bigint

/**
 * The zxid of a peer whose database must not be trusted: it neither counts nor
 * is counted while it is LOOKING. Java: `db.autocreate=false`.
 */
export const UNTRUSTED: Zxid = -1n

/** Builds a zxid from an epoch and an unsigned 32-bit counter. */
export const make = (epoch: bigint, counter: bigint): Zxid =>
  BigInt.asIntN(64, (epoch << 32n) | BigInt.asUintN(32, counter))

/** The epoch, by arithmetic shift, so that a negative zxid has a negative epoch. */
export const epochOf = (zxid: Zxid): bigint => zxid >> 32n

/** The counter, 0 to 2^32 - 1. */
export const counterOf = (zxid: Zxid): bigint => zxid & 0xffff_ffffn

/** `0x` and the two's complement hex digits, as ZooKeeper's logs show it. */
export const format = (zxid: Zxid): string => `0x${BigInt.asUintN(64, zxid).toString(16)}`
