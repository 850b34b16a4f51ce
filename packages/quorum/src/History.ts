/**
 * What this peer knows of its own past: how far its log goes and which epoch it
 * is in. An election is decided by comparing histories.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The two facts an election asks for. */
export interface Facts {
  /** The highest zxid that is durably logged; never one that might be lost. */
  readonly lastLoggedZxid: bigint
  /** The epoch of the last leader this peer followed. Java: the file currentEpoch. */
  readonly currentEpoch: bigint
}

/** Reads the facts, anew for every election. */
export class History extends Context.Service<History, {
  readonly read: Effect.Effect<Facts>
}>()("@conclave/quorum/History") {}

/** A history that does not change: of a service without a log of its own, the empty one. */
export const layer = (facts: Facts = { lastLoggedZxid: 0n, currentEpoch: 0n }): Layer.Layer<History> =>
  Layer.succeed(History, History.of({ read: Effect.succeed(facts) }))
