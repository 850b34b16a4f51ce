/**
 * Notifications as bytes, in every form that has been in use.
 *
 *     offset  field                        28     40    44+n
 *      0      i32 state of the sender       x      x     x
 *      4      i64 leader                    x      x     x
 *     12      i64 zxid                      x      x     x
 *     20      i64 election epoch            x      x     x
 *     28      i64 peer epoch                       x     x
 *     36      i32 version                          x     x
 *     40      i32 n                                      x
 *     44      n bytes of configuration                   x
 *
 * All big endian. The 28-byte form (to 3.3) has no peer epoch: it is the zxid's.
 * The 40-byte form (3.4) counts as version 0 whatever its version says. We send
 * the last form only, version 2.
 *
 * Java: `FastLeaderElection.buildMsg`, `WorkerReceiver.run`.
 */
import * as Result from "effect/Result"
import { MalformedNotification } from "./CodecError.ts"
import { decodeText, encodeText, viewOf } from "./internal/bytes.ts"
import type { Notification, ToSend } from "./Notification.ts"
import * as ServerState from "./ServerState.ts"
import type { Sid } from "./Sid.ts"
import * as Zxid from "./Zxid.ts"

/** The version we send. Java: Notification.CURRENTVERSION. */
export const CURRENT_VERSION = 2

const SIZE_28 = 28
const SIZE_40 = 40
const HEADER_SIZE = 44

/** The first version that carries a configuration. */
const VERSION_WITH_CONFIG = 2

/** The bytes of a message, version 2. */
export const encode = (toSend: ToSend): Uint8Array => {
  const config = encodeText(toSend.config)
  const bytes = new Uint8Array(HEADER_SIZE + config.length)
  const view = viewOf(bytes)
  view.setInt32(0, ServerState.toCode(toSend.state))
  view.setBigInt64(4, toSend.leader)
  view.setBigInt64(12, toSend.zxid)
  view.setBigInt64(20, toSend.electionEpoch)
  view.setBigInt64(28, toSend.peerEpoch)
  view.setInt32(36, CURRENT_VERSION)
  view.setInt32(40, config.length)
  bytes.set(config, HEADER_SIZE)
  return bytes
}

/**
 * Reads a message from this sender. Bytes after what the form needs are ignored,
 * as are unknown versions above 2; a length that cannot be is refused, an empty
 * configuration is not.
 */
export const decode = (from: Sid, bytes: Uint8Array): Result.Result<Notification, MalformedNotification> => {
  const size = bytes.length
  if (size < SIZE_28) return malformed("TooShort", size)
  const view = viewOf(bytes)
  const zxid = view.getBigInt64(12)
  const old = size === SIZE_28 || size === SIZE_40
  if (!old && size < SIZE_40) return malformed("Truncated", size)
  const version = old ? 0 : view.getInt32(36)
  const config = version >= VERSION_WITH_CONFIG ? readConfig(bytes, view) : Result.succeed(null)
  return Result.map(config, (config) => ({
    from,
    version,
    state: ServerState.fromCode(view.getInt32(0)) ?? "UNKNOWN",
    leader: view.getBigInt64(4),
    zxid,
    electionEpoch: view.getBigInt64(20),
    peerEpoch: size === SIZE_28 ? Zxid.epochOf(zxid) : view.getBigInt64(28),
    config
  }))
}

const readConfig = (bytes: Uint8Array, view: DataView): Result.Result<string, MalformedNotification> => {
  const size = bytes.length
  if (size < HEADER_SIZE) return malformed("Truncated", size)
  const length = view.getInt32(SIZE_40)
  if (length < 0 || length > size) return malformed("BadConfigLength", size)
  if (HEADER_SIZE + length > size) return malformed("ConfigTruncated", size)
  return Result.succeed(decodeText(bytes.subarray(HEADER_SIZE, HEADER_SIZE + length)))
}

const malformed = (reason: MalformedNotification["reason"], size: number) =>
  Result.fail(new MalformedNotification({ reason, size }))
