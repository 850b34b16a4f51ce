/**
 * What this peer knows of its own past, and what it has promised: how far its log
 * goes, which epoch it is in, and which it has accepted. An election is decided by
 * comparing histories; the epochs are promises to the ensemble.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"

/** The facts that elections and leaders ask for. */
export interface Facts {
  /** The highest zxid that is durably logged; never one that might be lost. */
  readonly lastLoggedZxid: bigint
  /** The epoch of the last leader this peer was in sync with. Java: the file currentEpoch. */
  readonly currentEpoch: bigint
  /** The newest epoch this peer promised to follow; never below `currentEpoch`. Java: the file acceptedEpoch. */
  readonly acceptedEpoch: bigint
}

/** An epoch that could not be stored. It counts as not promised, and the peer must not go on as if it were. */
export class HistoryError extends Schema.TaggedError<HistoryError>()("HistoryError", {
  /** What could not be written, for people to find. */
  what: Schema.String,
  remedy: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const cause = this.cause instanceof Error ? `: ${this.cause.message}` : ""
    return `${this.what} cannot be written${cause}; ${this.remedy}`
  }
}

/**
 * The past of one peer. The facts are read anew for every election. The two setters
 * return when the epoch is durable, and never lower it; a current epoch is accepted, too.
 */
export class History extends Context.Service<History, {
  readonly read: Effect.Effect<Facts>
  readonly setAcceptedEpoch: (epoch: bigint) => Effect.Effect<void, HistoryError>
  readonly setCurrentEpoch: (epoch: bigint) => Effect.Effect<void, HistoryError>
}>()("@conclave/quorum/History") {}

/** Writes an epoch; `false`, and a line in the log, if it could not be made durable. */
export const attempt = (write: Effect.Effect<void, HistoryError>): Effect.Effect<boolean> =>
  Effect.matchEffect(write, {
    onFailure: ({ message }) => Effect.as(Effect.logError(message), false),
    onSuccess: () => Effect.succeed(true)
  })

/**
 * A history in memory, empty unless told otherwise. It is gone with the process, and so are the promises in it: for
 * tests, and for ensembles whose epochs need not increase across restarts.
 */
export const layer = (facts: Partial<Facts> = {}): Layer.Layer<History> => Layer.effect(History, make(facts))

/** A history in memory; see `layer`. */
export const make = (facts: Partial<Facts> = {}): Effect.Effect<History["Service"]> =>
  Effect.map(Ref.make(complete(facts)), (ref) =>
    History.of({
      read: Ref.get(ref),
      setAcceptedEpoch: (epoch) =>
        Ref.update(ref, (facts) => ({ ...facts, acceptedEpoch: max(facts.acceptedEpoch, epoch) })),
      setCurrentEpoch: (epoch) =>
        Ref.update(ref, (facts) => complete({ ...facts, currentEpoch: max(facts.currentEpoch, epoch) }))
    }))

/**
 * The same history, but how far the log goes is asked of the application, which has the log. What it answers must be
 * durable; the furthest among the members of the last epoch is preferred as leader.
 */
export const withPosition = (
  self: History["Service"],
  position: Effect.Effect<bigint>
): History["Service"] => ({
  ...self,
  read: Effect.zipWith(self.read, position, (facts, lastLoggedZxid) => ({ ...facts, lastLoggedZxid }))
})

// Who is in sync with a leader has accepted it.
const complete = ({ acceptedEpoch = 0n, currentEpoch = 0n, lastLoggedZxid = 0n }: Partial<Facts>): Facts => ({
  lastLoggedZxid,
  currentEpoch,
  acceptedEpoch: max(acceptedEpoch, currentEpoch)
})

const max = (self: bigint, that: bigint): bigint => (self > that ? self : that)
