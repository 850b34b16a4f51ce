/**
 * How peers log: one line per fact, for people or as JSON.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as PeerStatus from "@conclave/quorum/PeerStatus"
import type { QuorumPeer } from "@conclave/quorum/QuorumPeer"
import type { Tenure } from "@conclave/quorum/Tenure"
import * as LeadershipStatus from "@conclave/quorum/LeadershipStatus"
import * as Json from "./Json.ts"
import * as Report from "./Report.ts"

/** The two forms of a line. */
export const formats = ["text", "json"] as const

/** One of the two forms of a line. */
export type Format = typeof formats[number]

/** Where the lines go: `stderr` where `stdout` is for results. */
export type Target = "stdout" | "stderr"

/** Logs in this form, to this stream. */
export const layer = (format: Format, target: Target): Layer.Layer<never> => {
  const logger = format === "json" ? json : text
  return Logger.layer([target === "stdout" ? Logger.withConsoleLog(logger) : Logger.withConsoleError(logger)])
}

/** Logs every election of a peer, until interrupted. */
export const elections = (peer: QuorumPeer["Service"]): Effect.Effect<void> =>
  Stream.runForEach(peer.changes, (status) =>
    status._tag === "Looking"
      ? Effect.logInfo(`LOOKING for a leader: ${PeerStatus.describeCause(status.cause)}`).pipe(
        Effect.annotateLogs({ event: "looking", cause: status.cause._tag })
      )
      : Effect.logInfo(PeerStatus.describe(status.report)).pipe(
        Effect.annotateLogs({ event: "elected", ...Report.elected(status.report) })
      )).pipe(Effect.annotateLogs({ sid: peer.sid }))

/** Logs every leader of a peer that a quorum has activated, until interrupted. */
export const leaders = ({ changes, sid }: Tenure["Service"]): Effect.Effect<void> =>
  Stream.runForEach(changes, (status) =>
    status._tag === "LOOKING" || status._tag === "LEADING"
      ? Effect.void
      : Effect.logInfo(LeadershipStatus.describe(status)).pipe(
        Effect.annotateLogs({ event: "activated", ...Report.activated(sid, status) })
      )).pipe(Effect.annotateLogs({ sid }))

const text = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
  const { sid } = fiber.getRef(References.CurrentLogAnnotations)
  const who = sid === undefined ? "" : ` server ${sid}:`
  const level = logLevel === "Info" ? "" : ` ${logLevel.toUpperCase()}`
  return `${date.toISOString().slice(11, 23)}${level}${who} ${textOf(message)}${causeOf(cause)}`
})

const json = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  const line = { timestamp: date.toISOString(), level: logLevel, message: `${textOf(message)}${causeOf(cause)}` }
  return Json.stringify({ ...line, ...annotations })
})

const textOf = (message: unknown): string =>
  Array.isArray(message) ? message.map(String).join(" ") : String(message)

const causeOf = (cause: Cause.Cause<unknown>): string =>
  cause.reasons.length === 0 ? "" : `\n${Cause.pretty(cause)}`
