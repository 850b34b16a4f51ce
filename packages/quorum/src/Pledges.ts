/**
 * Whom this peer supports and for how long, kept from one role to the next.
 *
 * Not on disk: a process that starts again pledges itself to whomever it may have
 * supported before, without knowing who that was.
 */
import type * as Lease from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import * as Effect from "effect/Effect"
import * as Signal from "./internal/Signal.ts"

/** The pledge of one peer. */
export interface Pledges {
  readonly get: () => Lease.Pledge | null
  readonly set: (pledge: Lease.Pledge | null) => void
  /** The process of this server is gone: what was pledged to it does not bind any more. */
  readonly release: (sid: Sid) => void
  /** Returns when the present pledge is released. */
  readonly released: Effect.Effect<void>
}

/** A pledge that lasts from before, or none. */
export const make = (initial: Lease.Pledge | null): Pledges => {
  const changed = Signal.make()
  let pledge = initial
  let releases = 0
  return {
    get: () => pledge,
    set: (next) => {
      pledge = next
    },
    release: (sid) => {
      if (pledge === null || pledge.leader !== sid) return
      pledge = null
      releases++
      changed.wake()
    },
    released: Effect.suspend(() => {
      const before = releases
      return changed.until(() => releases > before)
    })
  }
}
