/**
 * Reads traces from files.
 */
import * as Trace from "@conclave/core/Trace"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** A file that is no trace, or cannot be read. Whoever named it is at fault. */
export class UnreadableTrace extends Schema.TaggedError<UnreadableTrace>()("UnreadableTrace", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.problem}; name files that conclave has written by --trace FILE`
  }
}

/** The lines of a file, as they stand there. */
export const linesOf = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(file).pipe(
    Effect.mapError(({ message }) => new UnreadableTrace({ file, problem: message }))
  )
  return split(bytes)
})

/** What a file tells, without lines that broke off. */
export const read = Effect.fnUntraced(function*(file: string) {
  const lines: Array<Trace.Line> = []
  let number = 0
  for (const text of yield* linesOf(file)) {
    number++
    const line = Trace.decode(text)
    if (Result.isSuccess(line)) lines.push(line.success)
    else if (text !== "" && !line.failure.isTorn) {
      return yield* new UnreadableTrace({ file, problem: `line ${number} is ${line.failure.message}` })
    }
  }
  if (lines[0]?._tag === "Trace") return lines
  return yield* new UnreadableTrace({ file, problem: "it does not begin as a trace does" })
})

// One line at a time: the text of a large file may be longer than a string can be.
const split = function*(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder()
  let from = 0
  while (from < bytes.length) {
    const newline = bytes.indexOf(10, from)
    const to = newline === -1 ? bytes.length : newline
    yield decoder.decode(bytes.subarray(from, to))
    from = to + 1
  }
}
