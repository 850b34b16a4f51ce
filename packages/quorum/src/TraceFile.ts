/**
 * Writes a trace to a file.
 *
 * Nothing waits for the disk. Lines are kept in memory for a moment; for those that
 * cannot be written, or are too many, the trace says how many are missing.
 */
import * as Trace from "@conclave/core/Trace"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as TraceSink from "./TraceSink.ts"

/** The file for a trace cannot be opened. Whoever named it is at fault. */
export class TraceFileError extends Schema.TaggedError<TraceFileError>()("TraceFileError", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the trace cannot be written to ${this.file}: ${this.problem}; name a file that can be written`
  }
}

/** How long lines are kept at most, while the disk takes them. What a killed process had decided last is not told. */
const FLUSH_INTERVAL = "200 millis"

/** The most characters that are kept. Ours: some minutes of a busy peer, while a disk does not answer. */
export const KEPT_MAX = 4 * 1024 * 1024

/** A sink that appends to this file, until the scope closes. */
export const make = Effect.fnUntraced(function*(
  file: string
): Effect.fn.Return<TraceSink.TraceSink, TraceFileError, Scope.Scope | FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const opened = yield* fs.open(file, { flag: "a" }).pipe(
    Effect.mapError(({ message }) => new TraceFileError({ file, problem: message }))
  )
  const { size } = yield* Effect.orDie(opened.stat)
  const buffer = makeBuffer(size === 0n)
  const turn = yield* Semaphore.make(1)
  const flush = turn.withPermit(Effect.suspend(() => {
    const taken = buffer.take()
    if (taken === null) return Effect.void
    return opened.writeAll(new TextEncoder().encode(taken.text)).pipe(
      Effect.matchEffect({
        onSuccess: () => Effect.sync(buffer.written),
        onFailure: ({ message }) =>
          buffer.failed(taken)
            ? Effect.logError(`the trace cannot be written to ${file}: ${message}; it will have a gap`)
            : Effect.void
      })
    )
  })).pipe(Effect.uninterruptible)
  yield* Effect.addFinalizer(() => flush)
  yield* Effect.forkScoped(Effect.repeat(flush, Schedule.spaced(FLUSH_INTERVAL)))
  return TraceSink.make(buffer.write)
})

/** Traces all that is built upon it to this file; to none if there is none. */
export const layer = (file: Option.Option<string>): Layer.Layer<never, TraceFileError, FileSystem.FileSystem> =>
  Option.match(file, {
    onNone: () => Layer.empty,
    onSome: (file) => Layer.effect(TraceSink.TraceSink, make(file))
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Lines taken out together. */
interface Taken {
  readonly text: string
  readonly lines: number
}

const makeBuffer = (isNew: boolean) => {
  let lines: Array<string> = []
  let size = 0
  // Of those that were to be written last; they go before all that is kept.
  let failed = 0
  // Of those for which there was no room; they go after.
  let dropped = 0
  let hasHeader = false
  // What is in the file may have broken off in the middle of a line.
  let isBroken = !isNew
  let stamp = { ms: 0, wall: 0 }
  const lost = (lines: number) => (lines === 0 ? [] : [Trace.encode({ _tag: "Lost", ...stamp, lines })])
  const push = (texts: ReadonlyArray<string>) => {
    lines.push(...texts)
    for (const text of texts) size += text.length
  }
  return {
    write: (line: Trace.Line) => {
      if (line._tag !== "Trace") stamp = { ms: line.ms, wall: line.wall }
      const text = Trace.encode(line)
      if (size + text.length > KEPT_MAX) {
        dropped++
        return
      }
      push(lost(dropped))
      dropped = 0
      push([text])
    },
    take: (): Taken | null => {
      if (lines.length === 0 && dropped === 0 && failed === 0 && hasHeader) return null
      const header = hasHeader ? [] : [Trace.encode(Trace.header)]
      const all = [...header, ...lost(failed), ...lines, ...lost(dropped)]
      const taken = { text: `${isBroken ? "\n" : ""}${all.join("\n")}\n`, lines: lines.length + failed + dropped }
      lines = []
      size = failed = dropped = 0
      return taken
    },
    written: () => {
      hasHeader = true
      isBroken = false
    },
    /** Is that news? */
    failed: (taken: Taken): boolean => {
      const isNews = hasHeader !== isBroken
      isBroken = true
      failed += taken.lines
      return isNews
    }
  }
}
