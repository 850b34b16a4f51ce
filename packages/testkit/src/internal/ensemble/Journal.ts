/**
 * What happened in an ensemble, as lines in order: what the test did, how the
 * replicas stand, and what they log.
 */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import type { Micros } from "./VirtualTime.ts"

/** Lines, the oldest of which are forgotten once there are too many. */
export interface Journal {
  readonly lines: ReadonlyArray<string>
  /** `null` for what concerns nobody alone. */
  readonly write: (sid: bigint | null, text: string) => void
  /** Writes down what a replica logs. */
  readonly logger: (sid: bigint) => Logger.Logger<unknown, void>
}

/** Lines that are kept: more than anybody reads, and some megabytes at most. Ours. */
const LINES_MAX = 10_000

/** An empty journal that is dated by this clock. */
export const make = (now: () => Micros): Journal => {
  const lines: Array<string> = []
  const write = (sid: bigint | null, text: string) => {
    if (lines.length === LINES_MAX) lines.shift()
    const who = sid === null ? "" : `replica ${sid}: `
    lines.push(`${(now() / 1e6).toFixed(3).padStart(9)} s  ${who}${text}`)
  }
  return {
    lines,
    write,
    logger: (sid) =>
      Logger.make(({ cause, logLevel, message }) => {
        const parts = [message].flat().map((part) => (typeof part === "string" ? part : Formatter.format(part)))
        const causes = cause.reasons.length === 0 ? [] : Cause.prettyErrors(cause).map((error) => error.message)
        write(sid, `${logLevel} ${[...parts, ...causes].join(" ")}`)
      })
  }
}
