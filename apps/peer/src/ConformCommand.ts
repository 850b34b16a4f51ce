/**
 * `conclave conform`: takes every step of a trace again, and tells the first that the
 * core would not have taken.
 */
import * as Conformance from "@conclave/core/Conformance"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TraceFiles from "./TraceFiles.ts"

/** A step that the core would not have taken: who wrote the trace has a bug or other rules, or the file was changed. */
export class DoesNotConform extends Schema.TaggedError<DoesNotConform>()("DoesNotConform", {
  file: Schema.String,
  fault: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.fault}`
  }
}

/** The command. */
export const command = Command.make(
  "conform",
  { files: Argument.String("FILE").pipe(Argument.variadic({ min: 1 })) },
  ({ files }) => Effect.forEach(files, conform, { discard: true })
).pipe(Command.withDescription("Check that each step in these traces is the one that the rules of this program take"))

const conform = Effect.fnUntraced(function*(file: string) {
  const { fault, ...counts } = Conformance.check(yield* TraceFiles.linesOf(file))
  if (fault !== null) return yield* new DoesNotConform({ file, fault: Conformance.describe(fault) })
  yield* Console.log(`${file}: ${Conformance.summary(counts)}`)
})
