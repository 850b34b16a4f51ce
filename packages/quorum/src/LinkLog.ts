/**
 * What the connection manager tells people about its links, one line per fact.
 */
import type { CloseReason } from "@conclave/core/ConnectionsOutput"
import type { MalformedFrame } from "@conclave/core/CodecError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CloseOrder } from "./Links.ts"
import type { ConnectionError } from "./Transport.ts"

/** What can end a link that nobody here closed. */
export type LinkError = ConnectionError | MalformedFrame

/** A link is up. */
export const up = (sid: bigint, remote: string) => Effect.logDebug(`connected with server ${sid} at ${remote}`)

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
  if (value._tag !== "SocketError") return Effect.logWarning(`connection with ${far} closed: ${value.message}`)
  return isClean(value)
    ? Effect.logDebug(`${far} closed the connection`)
    : Effect.logInfo(`connection with ${far} is gone: ${value.message}`)
}

/** What ended a link, in words, and in one word if it was something that is turned away and counted. */
export const endOf = (
  cause: Cause.Cause<LinkError>
): { readonly message: string; readonly rejected: "MalformedFrame" | null } => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return {
    message: error === undefined ? "ended by us" : isClean(error) ? "closed by the other side" : error.message,
    rejected: error?._tag === "MalformedFrame" ? "MalformedFrame" : null
  }
}

/** A link is closed on purpose; `news` says whether that is more than the same again. */
export const closing = ({ reason, sid }: CloseOrder, own: string, remote = "an unknown address", news = true) => {
  switch (reason) {
    case "OwnSid":
      return warnOnce(
        news,
        `a server at ${remote} says that it is server ${sid}, as we are at ${own}: two servers have the same myid, ` +
          "or an address of another server leads here; connection closed"
      )
    case "TooManyStrangers":
      return warnOnce(news, `connection of server ${sid} from ${remote} refused: ${closeReasons[reason]}`)
    default:
      return Effect.logDebug(`closing connection with server ${sid} at ${remote}: ${closeReasons[reason]}`)
  }
}

/** A peer could not be reached; told of once, and not again at every attempt that fails as the last one did. */
export const dialFailed = (
  sid: bigint,
  { _tag, message }: { readonly _tag: string; readonly message: string },
  news: boolean
) => {
  const line = `no connection with server ${sid}: ${message}`
  if (!news) return Effect.logDebug(line)
  // A server may well be down; that one does not trust the other is for its operator to mend.
  return _tag === "AuthError" ? Effect.logWarning(line) : Effect.logInfo(line)
}

/** A peer has no address. */
export const noAddress = (sid: bigint) =>
  Effect.logWarning(`server ${sid} cannot be dialled: no configuration and no handshake gives its address`)

/** Somebody connected who did not shake hands. */
export const handshakeFailed = (
  remote: string,
  { _tag, message }: { readonly _tag: string; readonly message: string },
  news: boolean
) => {
  const why = _tag === "SocketError" ? "it ended before the handshake did" : message
  return warnOnce(news, `connection from ${remote} refused: ${why}`)
}

const warnOnce = (news: boolean, line: string) => (news ? Effect.logWarning(line) : Effect.logDebug(line))

/** The code of a stream that ended in good order. */
const CLEAN = 1000

const isClean = (error: LinkError): boolean =>
  error._tag === "SocketError" && error.reason._tag === "SocketCloseError" && error.reason.code === CLEAN

const closeReasons: Record<CloseReason, string> = {
  Yielded: "it has the larger id and dials us",
  DialingBack: "we have the larger id and dial it",
  Replaced: "a newer one takes its place",
  Overtaken: "a newer one is in its place",
  OwnSid: "it has our own id",
  TooManyStrangers: "too many servers that no configuration knows are connected",
  Unreachable: "its address does not answer any more, and it has others"
}
