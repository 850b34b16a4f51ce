/**
 * `conclave explain`: what traces tell, in words.
 */
import * as TraceStory from "@conclave/core/TraceStory"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as TraceFiles from "./TraceFiles.ts"

const verbose = Flag.Boolean("verbose").pipe(
  Flag.withDescription("Tell the troubles of connections, too"),
  Flag.withDefault(false)
)

/** The command. */
export const command = Command.make(
  "explain",
  { files: Argument.String("FILE").pipe(Argument.variadic({ min: 1 })), verbose },
  ({ files, verbose }) =>
    Effect.gen(function*() {
      const traces = yield* Effect.forEach(files, TraceFiles.read)
      const story = TraceStory.tell(TraceStory.merge(traces), { verbose })
      yield* Console.log(story.length === 0 ? "nothing is told of an election" : story.join("\n"))
    })
).pipe(Command.withDescription("Tell who won each election in these traces and why, who was late, and what came of it"))
