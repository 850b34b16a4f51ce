/**
 * What is wrong with a configuration text or file, and where.
 */
import * as Schema from "effect/Schema"

/**
 * A configuration that cannot be used. `key` is the offending key (`server.3`,
 * `weight.x`, …), so that whoever has the file can point at the line.
 * In a notification it is the sender's fault and the text is ignored; in our own
 * file it is ours and the peer does not start.
 */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  key: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.key}: ${this.problem}`
  }
}
