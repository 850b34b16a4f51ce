/**
 * What the replicas of a test decided, with the reasons: kept as a trace, told as a
 * story.
 */
import * as Trace from "@conclave/core/Trace"
import * as TraceStory from "@conclave/core/TraceStory"
import * as TraceSink from "@conclave/quorum/TraceSink"
import type { Fact } from "./Journal.ts"
import type { Micros } from "./VirtualTime.ts"

/** The decisions of all replicas, in order. */
export interface Chronicle {
  /** Of every process, one after another on the same replica, too. */
  readonly sink: TraceSink.TraceSink
  /** The lines of a trace, each with its newline. */
  readonly trace: () => string
  /** The elections, and among them what the test did, a sentence a line. */
  readonly story: (facts: ReadonlyArray<Fact>) => ReadonlyArray<string>
}

/** Lines that are kept at least: an hour of pings with the ticks that are the default, and some tens of megabytes. */
export const LINES_KEPT = 20_000

/** An empty chronicle that is dated by this clock, however wrong the clocks of replicas are. */
export const make = (now: () => Micros): Chronicle => {
  let lines: Array<Trace.Start | Trace.Step> = []
  let lost = 0
  const place = () => ({ ms: now() / 1_000, wall: Math.floor(now() / 1_000) })
  const write = (line: Trace.Line) => {
    if (line._tag !== "Start" && line._tag !== "Step") return
    if (lines.length === 2 * LINES_KEPT) {
      lines = lines.slice(LINES_KEPT)
      lost += LINES_KEPT
    }
    lines.push({ ...line, ...place() })
  }
  const all = (): ReadonlyArray<Trace.Line> => {
    const first = lines[0]
    const gap: ReadonlyArray<Trace.Line> =
      lost === 0 || first === undefined ? [] : [{ _tag: "Lost", ms: first.ms, wall: first.wall, lines: lost }]
    return [Trace.header, ...gap, ...lines]
  }
  return {
    sink: TraceSink.make(write),
    trace: () => all().map((line) => `${Trace.encode(line)}\n`).join(""),
    story: (facts) => {
      const notes = facts.map(({ at, text }) => ({ wall: Math.floor(at / 1_000), text }))
      return TraceStory.tell(all(), { verbose: false, notes })
    }
  }
}
