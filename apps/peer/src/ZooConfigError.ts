/**
 * What is wrong with a configuration file, where, and what to do about it.
 */
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/**
 * A configuration with which the peer does not start. `file` is the file at fault
 * or the flag of the command line; `line` and `text` are the offending line, or
 * `text` alone the flag with its value. Both are absent where something is missing.
 * Java: `QuorumPeerConfig.ConfigException`, exit code 2.
 */
export class ZooConfigError extends Schema.TaggedError<ZooConfigError>()("ZooConfigError", {
  file: Schema.String,
  line: Schema.NullOr(Schema.Int),
  key: Schema.NullOr(Schema.String),
  text: Schema.NullOr(Schema.String),
  problem: Schema.String,
  remedy: Schema.String
}) {
  /** Java: ExitCode.INVALID_INVOCATION. */
  override readonly [Runtime.errorExitCode] = 2

  override get message(): string {
    return [
      this.line === null ? this.text ?? this.file : `${this.file}, line ${this.line}: ${this.text ?? ""}`,
      `  problem: ${this.problem}`,
      `  to do:   ${this.remedy}`
    ].join("\n")
  }
}
