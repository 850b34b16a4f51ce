/**
 * What happened in an ensemble, as lines in order: what the test did, how the
 * replicas stand, and what they log.
 */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import type { Micros } from "./VirtualTime.ts"

/** Something that the test did. */
export interface Fact {
  readonly at: Micros
  readonly text: string
}

/** Lines, the oldest of which are forgotten once there are too many. */
export interface Journal {
  readonly lines: ReadonlyArray<string>
  /** What the test did, which is among the lines, too. */
  readonly facts: ReadonlyArray<Fact>
  /** Writes down what the test does; `null` for what concerns nobody alone. */
  readonly write: (sid: bigint | null, text: string) => void
  /** Writes down what a replica does, and how it stands. */
  readonly note: (sid: bigint, text: string) => void
  /** Writes down what a replica logs. */
  readonly logger: (sid: bigint) => Logger.Logger<unknown, void>
}

/** Lines that are kept: more than anybody reads, and some megabytes at most. Ours. */
const LINES_MAX = 10_000

/** An empty journal that is dated by this clock. */
export const make = (now: () => Micros): Journal => {
  const lines: Array<string> = []
  const facts: Array<Fact> = []
  const add = (text: string) => keep(lines, `${(now() / 1e6).toFixed(3).padStart(9)} s  ${text}`)
  const note = (sid: bigint, text: string) => add(`${named(sid)}: ${text}`)
  return {
    lines,
    facts,
    write: (sid, text) => {
      add(sid === null ? text : `${named(sid)}: ${text}`)
      keep(facts, { at: now(), text: sid === null ? text : `${named(sid)} ${text}` })
    },
    note,
    logger: (sid) =>
      Logger.make(({ cause, logLevel, message }) => {
        const parts = [message].flat().map((part) => (typeof part === "string" ? part : Formatter.format(part)))
        const causes = cause.reasons.length === 0 ? [] : Cause.prettyErrors(cause).map((error) => error.message)
        note(sid, `${logLevel} ${[...parts, ...causes].join(" ")}`)
      })
  }
}

const named = (sid: bigint): string => `replica ${sid}`

const keep = <A>(all: Array<A>, one: A): void => {
  if (all.length === LINES_MAX) all.shift()
  all.push(one)
}
