/**
 * What `Leadership` needs of a peer: where it stands, the office it enters and
 * leaves, and a way to ask it to make room for another.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { LeadershipStatus } from "./LeadershipStatus.ts"
import type { Office } from "./Office.ts"

/** Why leadership cannot be handed to a server. */
export type TransferProblem =
  /** This peer does not lead. */
  | "NotLeading"
  /** That server may not be elected: it observes, weighs nothing, is not electable, or is unknown. */
  | "NotElectable"
  /** It does not follow this leader now, or does not answer. */
  | "NotFollowing"

/** Leadership was not handed over, and this peer goes on as before. */
export class TransferRefused extends Schema.TaggedError<TransferRefused>()("TransferRefused", {
  to: Schema.BigInt,
  problem: Schema.Literals(["NotLeading", "NotElectable", "NotFollowing"])
}) {
  override get message(): string {
    return `leadership cannot be handed to server ${this.to}: ${problems[this.problem]}`
  }
}

const problems: Record<TransferProblem, string> = {
  NotLeading: "this peer does not lead; ask the one that does",
  NotElectable: "it cannot be elected; choose a voter with weight that is electable",
  NotFollowing: "it does not follow this leader; wait until it does, or choose another"
}

/** The part of a peer that leadership is built on. */
export class Tenure extends Context.Service<Tenure, {
  readonly sid: Sid
  readonly office: Office
  readonly status: Effect.Effect<LeadershipStatus>
  /** The status, now and after every change; a subscriber misses none. */
  readonly changes: Stream.Stream<LeadershipStatus>
  /** Steps aside and proposes another for a while. Returns once the office is left; at once if it does not lead. */
  readonly resign: Effect.Effect<void>
  /** Steps aside so that the given server wins. Returns once the office is left. */
  readonly transferTo: (sid: Sid) => Effect.Effect<void, TransferRefused>
}>()("@conclave/quorum/Tenure") {}
