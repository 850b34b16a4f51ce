/** What is wrong with a file of keys or certificates, and what to do about it. */
import * as Schema from "effect/Schema"

/** Keys, certificates or revocation lists that cannot be used: our own files, our own fault. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  file: Schema.String,
  problem: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.problem}; ${this.remedy}`
  }
}
