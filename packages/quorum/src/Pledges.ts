/**
 * Whom this peer supports and for how long, kept from one role to the next.
 *
 * Not on disk: a process that starts again pledges itself to whomever it may have
 * supported before, without knowing who that was.
 */
import type * as Lease from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import * as Effect from "effect/Effect"

/** The pledge of one peer. */
export interface Pledges {
  readonly get: () => Lease.Pledge | null
  readonly set: (pledge: Lease.Pledge | null) => void
  /** The process of this server is gone: what was pledged to it does not bind any more. */
  readonly release: (sid: Sid) => Effect.Effect<void>
  /** Whom to tell of a release; the last one to ask. */
  readonly onRelease: (tell: Effect.Effect<unknown>) => void
}

/** A pledge that lasts from before, or none. */
export const make = (initial: Lease.Pledge | null): Pledges => {
  let pledge = initial
  let released: Effect.Effect<unknown> = Effect.void
  return {
    get: () => pledge,
    set: (next) => {
      pledge = next
    },
    release: (sid) =>
      Effect.suspend(() => {
        if (pledge === null || pledge.leader !== sid) return Effect.void
        pledge = null
        return Effect.asVoid(released)
      }),
    onRelease: (tell) => {
      released = tell
    }
  }
}
