/** What a test waits for and does not get, with all there is to tell about it. */
import * as Schema from "effect/Schema"

/**
 * What a test waits for did not happen in the time given. The fault is the test's if it waits for what cannot happen,
 * such as a leader without a quorum, and else that of what it tests. How the replicas stand, who was elected
 * and why, and the log's end tell.
 */
export class NotReached extends Schema.TaggedError<NotReached>()("NotReached", {
  what: Schema.String,
  /** How long was waited, in milliseconds by the test's clock. */
  within: Schema.Finite,
  /** How each replica stands. */
  replicas: Schema.Array(Schema.String),
  /** The end of the story: the elections, and what the test did. */
  story: Schema.Array(Schema.String),
  /** The end of the log. */
  log: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const indented = (lines: ReadonlyArray<string>) => lines.map((line) => `\n  ${line}`).join("")
    return `not reached within ${this.within / 1_000} s: ${this.what}${indented(this.replicas)}` +
      `\nbefore that:${indented(this.story)}\nthe log:${indented(this.log)}`
  }
}
