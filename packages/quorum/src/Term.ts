/** One activated leadership, as guarded work sees it. */
import type { Sid } from "@conclave/core/Sid"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Activation } from "./LeadershipStatus.ts"

/**
 * What is promised about two leaderships. `Fenced`: their work may overlap as long as detection takes, and the older
 * token loses wherever it is checked. `Leased`: their work does not overlap while clocks run at rates within the bound.
 */
export type Contract = "Fenced" | "Leased"

/** What is known of a term from its beginning. */
export interface Facts {
  /** The fencing token: greater than that of every term activated before, across restarts. */
  readonly epoch: bigint
  /** Who leads: this peer. */
  readonly leader: Sid
  /** When it was activated, in milliseconds since 1970 by this machine's clock. */
  readonly since: number
  /** How it was won, and who accepted it. */
  readonly reason: Activation
  readonly contract: Contract
}

/** One activated leadership of this peer. */
export interface Term extends Facts {
  /**
   * Whether the term still holds, asked of a clock that only runs forward. Once `false` it stays so: the term ended or,
   * in leased mode, the lease ran out. It says nothing about the next moment.
   */
  readonly isValid: () => boolean
  /** Fails once the term does not hold any more; for use right before a side effect. */
  readonly check: Effect.Effect<void, TermOver>
}

/** The term in which something was to be done does not hold any more; another peer may lead. */
export class TermOver extends Schema.TaggedError<TermOver>()("TermOver", {
  epoch: Schema.BigInt
}) {
  override get message(): string {
    return `the leadership of epoch ${this.epoch} is over; do nothing more in its name`
  }
}

/** A term that holds until `holds` says for the first time that it does not. */
export const make = (facts: Facts, holds: () => boolean): Term => {
  let over = false
  const isValid = () => {
    over ||= !holds()
    return !over
  }
  return {
    ...facts,
    isValid,
    check: Effect.suspend(() => (isValid() ? Effect.void : Effect.fail(new TermOver({ epoch: facts.epoch }))))
  }
}
