/**
 * What the connection manager tells people about its links, one line per fact.
 */
import type { CloseReason, Output } from "@conclave/core/Connections"
import type { MalformedFrame } from "@conclave/core/CodecError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SocketError } from "effect/socket/Socket"

/** What can end a link that nobody here closed. */
export type LinkError = SocketError | MalformedFrame

/** The last failure told of each peer, so that a peer that stays away is told of once and not at every attempt. */
export type Told = Map<bigint, string>

/** A link is up. */
export const up = (told: Told, sid: bigint, remote: string) => {
  told.delete(sid)
  return Effect.logDebug(`connected with server ${sid} at ${remote}`)
}

/**
 * A link is down although nobody here closed it. That the other side closed it in
 * good order is usual: it has a better one, or its process ended.
 */
export const down = (sid: bigint, remote: string, cause: Cause.Cause<LinkError>) => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Cause.findErrorOption(cause)
  const far = `server ${sid} at ${remote}`
  if (Option.isNone(error)) return Effect.logError(`connection with ${far} failed`, cause)
  const { value } = error
  if (value._tag === "MalformedFrame") return Effect.logWarning(`connection with ${far} closed: ${value.message}`)
  return value.reason._tag === "SocketCloseError" && value.reason.code === CLEAN
    ? Effect.logDebug(`${far} closed the connection`)
    : Effect.logInfo(`connection with ${far} is gone: ${value.message}`)
}

/** A link is closed on purpose. */
export const closing = ({ reason, sid }: Output & { readonly _tag: "Close" }, remote = "an unknown address") =>
  reason === "OwnSid"
    ? Effect.logWarning(
      `a server at ${remote} says that it is server ${sid}, as we are: two servers have the same myid, ` +
        "or an address of another server leads here; connection closed"
    )
    : Effect.logDebug(`closing connection with server ${sid} at ${remote}: ${closeReasons[reason]}`)

/** A peer could not be reached. */
export const dialFailed = (told: Told, sid: bigint, { message }: { readonly message: string }) => {
  const line = `no connection with server ${sid}: ${message}`
  if (told.get(sid) === message) return Effect.logDebug(line)
  told.set(sid, message)
  return Effect.logInfo(line)
}

/** A peer has no address. */
export const noAddress = (sid: bigint) =>
  Effect.logWarning(`server ${sid} cannot be dialled: no configuration and no handshake gives its address`)

/** Somebody connected who did not shake hands. */
export const handshakeFailed = (remote: string, error: { readonly message: string }) =>
  Effect.logWarning(`connection from ${remote} refused: ${error.message}`)

/** The code of a stream that ended in good order. */
const CLEAN = 1000

const closeReasons: Record<CloseReason, string> = {
  Yielded: "it has the larger id and dials us",
  DialingBack: "we have the larger id and dial it",
  Replaced: "a newer one takes its place",
  Overtaken: "a newer one is in its place",
  OwnSid: "it has our own id"
}
