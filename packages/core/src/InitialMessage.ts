/**
 * The handshake: what the dialling side says first on an election connection.
 *
 *     i64  protocol version   -65536, or -65535 if several addresses are in use
 *     i64  sid of the sender
 *     i32  n                  1 to 2048
 *     n bytes                 host:port of its election address, more joined by |
 *
 * A first number of 0 or more is the whole handshake of a 3.4 peer: its sid.
 * Nothing is answered.
 *
 * Java: `QuorumCnxManager.InitialMessage`, `startConnection`, `handleConnection`.
 */
import * as Result from "effect/Result"
import * as Address from "./Address.ts"
import { MalformedInitialMessage } from "./CodecError.ts"
import { decodeText, encodeText, viewOf } from "./internal/bytes.ts"
import type { Sid } from "./Sid.ts"

/** One address; what everybody since 3.5.0 understands. Java: PROTOCOL_VERSION_V1. */
export const PROTOCOL_VERSION_V1 = -65_536n

/** Several addresses; since 3.6.0, and only where multi-address is on. Java: PROTOCOL_VERSION_V2. */
export const PROTOCOL_VERSION_V2 = -65_535n

/** The longest address text in bytes. Java: maxBuffer. */
export const MAX_BUFFER = 2048

const HEADER_SIZE = 20
const LEGACY_SIZE = 8

/** The longest handshake in bytes; whoever reads need never buffer more. */
export const MAX_SIZE = HEADER_SIZE + MAX_BUFFER

/** What a handshake says. */
export interface InitialMessage {
  /** Who dials. `OBSERVER_ID` stands for an anonymous observer. */
  readonly sid: Sid
  /** Where it says it can be reached; wildcards are left out, and a 3.4 peer says nothing. */
  readonly addresses: ReadonlyArray<Address.Address>
  readonly protocolVersion: typeof PROTOCOL_VERSION_V1 | typeof PROTOCOL_VERSION_V2 | "Legacy"
}

/** A handshake read, and how many bytes it took; the next byte belongs to the first frame. */
export interface Decoded {
  readonly message: InitialMessage
  readonly size: number
}

/**
 * The bytes of our own handshake. With several addresses only version 2 tells
 * them, and of those as many as 2,048 bytes hold, the first ones first. Nobody
 * reads an empty text, so that none at all is told as a separator alone.
 */
export const encode = (options: {
  readonly sid: Sid
  readonly addresses: ReadonlyArray<Address.Address>
  readonly multiAddress: boolean
}): Uint8Array => {
  const told = options.multiAddress ? options.addresses : options.addresses.slice(0, 1)
  const text = encodeText(textOf(told))
  const bytes = new Uint8Array(HEADER_SIZE + text.length)
  const view = viewOf(bytes)
  view.setBigInt64(0, options.multiAddress ? PROTOCOL_VERSION_V2 : PROTOCOL_VERSION_V1)
  view.setBigInt64(8, options.sid)
  view.setInt32(16, text.length)
  bytes.set(text, HEADER_SIZE)
  return bytes
}

const textOf = (addresses: ReadonlyArray<Address.Address>): string => {
  let text = ""
  for (const address of addresses) {
    const longer = text === "" ? Address.format(address) : `${text}|${Address.format(address)}`
    if (encodeText(longer).length <= MAX_BUFFER) text = longer
  }
  return text === "" ? "|" : text
}

/**
 * Reads a handshake from the beginning of a stream; `null` while it is not
 * complete. What is wrong is said as early as it can be known.
 */
export const decode = (bytes: Uint8Array): Result.Result<Decoded | null, MalformedInitialMessage> => {
  if (bytes.length < LEGACY_SIZE) return Result.succeed(null)
  const view = viewOf(bytes)
  const first = view.getBigInt64(0)
  if (first >= 0n) {
    return Result.succeed({
      message: { sid: first, addresses: [], protocolVersion: "Legacy" },
      size: LEGACY_SIZE
    })
  }
  if (first !== PROTOCOL_VERSION_V1 && first !== PROTOCOL_VERSION_V2) return malformed("UnknownVersion", `${first}`)
  if (bytes.length < HEADER_SIZE) return Result.succeed(null)
  const length = view.getInt32(16)
  if (length < 1 || length > MAX_BUFFER) return malformed("BadLength", `${length}`)
  const size = HEADER_SIZE + length
  if (bytes.length < size) return Result.succeed(null)
  return Result.map(parseAddresses(decodeText(bytes.subarray(HEADER_SIZE, size))), (addresses) => ({
    message: { sid: view.getBigInt64(8), addresses, protocolVersion: first },
    size
  }))
}

const parseAddresses = (
  text: string
): Result.Result<ReadonlyArray<Address.Address>, MalformedInitialMessage> => {
  // As Java splits: trailing empty parts vanish, so that "|" alone names no address.
  const parts = text.replace(/\|+$/, "").split("|")
  const addresses: Array<Address.Address> = []
  for (const part of parts) {
    if (part === "" && parts.length === 1) break
    const pieces = Address.split(part)
    if (Result.isFailure(pieces)) return malformed("BadAddress", pieces.failure)
    const [host, portText] = pieces.success
    if (host === undefined || portText === undefined || pieces.success.length > 2) return malformed("BadAddress", part)
    const port = Address.parsePort(portText)
    if (Result.isFailure(port)) return malformed("BadPort", port.failure)
    const address = { host, port: port.success }
    if (!Address.isWildcard(address)) addresses.push(address)
  }
  return Result.succeed(addresses)
}

const malformed = (reason: MalformedInitialMessage["reason"], detail: string) =>
  Result.fail(new MalformedInitialMessage({ reason, detail }))
