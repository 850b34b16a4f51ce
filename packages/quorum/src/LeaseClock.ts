/**
 * The clocks by which leases and pledges are counted, in milliseconds since a moment
 * of no meaning.
 *
 * A monotonic clock stands still while the machine is suspended, and others go on.
 * So who holds a lease counts whichever has gone further, the monotonic clock or the
 * wall clock: a jump of the wall clock may cost a lease, and can never prolong one.
 * Who has given a pledge counts the monotonic clock alone, for the same reason.
 */
import type { Instant } from "@conclave/core/Lease"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Reads a clock, now. */
export type LeaseClock = () => Instant

/** The clock of who has given a pledge. */
export const pledges: Effect.Effect<LeaseClock> = Effect.map(
  Clock.Clock,
  (clock) => () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
)

/** The clock of who holds a lease. Every reading counts what has passed since the one before. */
export const leases: Effect.Effect<LeaseClock> = Effect.map(Clock.Clock, (clock) => {
  const monotonic = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const last = { monotonic: monotonic(), wall: clock.currentTimeMillisUnsafe() }
  let now = last.monotonic
  return () => {
    const read = { monotonic: monotonic(), wall: clock.currentTimeMillisUnsafe() }
    now += Math.max(read.monotonic - last.monotonic, read.wall - last.wall, 0)
    Object.assign(last, read)
    return now
  }
})
