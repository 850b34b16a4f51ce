/**
 * Measures one election, from the moment a peer begins to look.
 */
import type { Output } from "@conclave/core/ElectionOutput"
import type { Phases } from "@conclave/core/Explain"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Marks of one election, in nanoseconds of a clock that only runs forward; mutable, with one owner. */
export interface ElectionClock {
  readonly started: bigint
  firstVote: bigint | null
  quorum: bigint | null
}

/** Starts measuring. */
export const start: Effect.Effect<ElectionClock> = Effect.map(
  Clock.monotonicTimeNanos,
  (started) => ({ started, firstVote: null, quorum: null })
)

/** Marks what an output tells. */
export const mark = (clock: ElectionClock, mySid: bigint, outputs: ReadonlyArray<Output>): Effect.Effect<void> => {
  const heard = clock.firstVote === null && outputs.some((output) => isVote(output) && output.from !== mySid)
  const quorum = outputs.some(({ _tag }) => _tag === "QuorumReached")
  if (!heard && !quorum) return Effect.void
  return Effect.map(Clock.monotonicTimeNanos, (now) => {
    if (heard) clock.firstVote = now
    if (quorum) clock.quorum = now
  })
}

/** What took how long until now. */
export const phases = (
  { firstVote, quorum, started }: ElectionClock
): Effect.Effect<{ readonly phases: Phases; readonly elapsed: number }> =>
  Effect.map(Clock.monotonicTimeNanos, (now) => ({
    elapsed: millis(now - started),
    phases: {
      firstVote: firstVote === null ? null : millis(firstVote - started),
      quorum: quorum === null ? null : millis(quorum - (firstVote ?? started)),
      finalize: quorum === null ? null : millis(now - quorum)
    }
  }))

const isVote = (output: Output) => output._tag === "Adopted" || output._tag === "Kept" || output._tag === "NotJoined"

const millis = (nanos: bigint): number => Number(nanos) / 1e6
