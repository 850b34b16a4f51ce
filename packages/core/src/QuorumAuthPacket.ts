/**
 * One step of an authentication between servers. With SASL on, packets go to and
 * fro between the handshake and the first frame.
 *
 *     i64  5f2435013501edcc
 *     i32  status            0 in progress, 1 success, -1 error
 *     i32  n                 length of the token, -1 for none
 *     n bytes                what the SASL mechanism says
 *
 * Java: `QuorumAuthPacket`, `auth/QuorumAuth`, `SaslQuorumAuthServer`.
 */
import * as Result from "effect/Result"
import { MalformedAuthPacket } from "./CodecError.ts"
import { viewOf } from "./internal/bytes.ts"

/**
 * How every packet begins. It was meant to be negative, so that nobody takes it for the sid of a 3.4 server, but the
 * literal overflows. Java: QUORUM_AUTH_MAGIC_NUMBER.
 */
export const MAGIC = 0x5f2435013501edccn

/** The longest token in bytes. Java: jute.maxbuffer, and as much again as its extra size. */
export const TOKEN_MAX = 2 * 1_048_575

const MAGIC_SIZE = 8
const HEADER_SIZE = 16

/** Where an authentication stands, as the sender sees it. Java: QuorumAuth.Status. */
export type Status = "InProgress" | "Success" | "Error"

/** A packet. */
export interface QuorumAuthPacket {
  readonly status: Status
  /** What the mechanism says; having nothing to say is another thing than saying nothing, and is written so. */
  readonly token: Uint8Array | null
}

/** A packet read, and how many bytes it took. */
export interface Decoded {
  readonly packet: QuorumAuthPacket
  readonly size: number
}

const codes: Record<Status, number> = { InProgress: 0, Success: 1, Error: -1 }

/** The bytes of a packet. */
export const encode = ({ status, token }: QuorumAuthPacket): Uint8Array => {
  const bytes = new Uint8Array(HEADER_SIZE + (token?.length ?? 0))
  const view = viewOf(bytes)
  view.setBigInt64(0, MAGIC)
  view.setInt32(8, codes[status])
  view.setInt32(12, token?.length ?? -1)
  if (token !== null) bytes.set(token, HEADER_SIZE)
  return bytes
}

/** Do these bytes begin a packet? `null` while fewer than 8 leave it open. Java: QuorumAuth.nextPacketIsAuth. */
export const isNext = (bytes: Uint8Array): boolean | null => {
  const head = bytes.subarray(0, MAGIC_SIZE)
  if (head.some((byte, index) => byte !== magicBytes[index])) return false
  return head.length === MAGIC_SIZE ? true : null
}

/**
 * Reads a packet from the beginning of a stream; `null` while it is not complete.
 * What is wrong is said as early as it can be known. A status that nobody knows
 * is an error of the sender.
 */
export const decode = (bytes: Uint8Array): Result.Result<Decoded | null, MalformedAuthPacket> => {
  const next = isNext(bytes)
  if (next === false) {
    const head = Array.from(bytes.subarray(0, MAGIC_SIZE), (byte) => byte.toString(16).padStart(2, "0"))
    return Result.fail(new MalformedAuthPacket({ reason: "BadMagic", detail: head.join("") }))
  }
  if (next === null || bytes.length < HEADER_SIZE) return Result.succeed(null)
  const view = viewOf(bytes)
  const length = view.getInt32(12)
  if (length < -1 || length > TOKEN_MAX) {
    return Result.fail(new MalformedAuthPacket({ reason: "BadLength", detail: `${length}` }))
  }
  const size = HEADER_SIZE + Math.max(length, 0)
  if (bytes.length < size) return Result.succeed(null)
  const token = length === -1 ? null : bytes.subarray(HEADER_SIZE, size)
  return Result.succeed({ packet: { status: statusOf(view.getInt32(8)), token }, size })
}

const statusOf = (code: number): Status =>
  (["InProgress", "Success"] as const).find((status) => codes[status] === code) ?? "Error"

const magicBytes = new Uint8Array(MAGIC_SIZE)
viewOf(magicBytes).setBigInt64(0, MAGIC)
