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

/** How far the wall clock may get ahead before that counts: it tells whole milliseconds. */
const WALL_STEP = 2

/** The clock of who holds a lease: as the monotonic one, and by as much ahead as the wall clock has jumped forward. */
export const leases: Effect.Effect<LeaseClock> = Effect.map(Clock.Clock, (clock) => {
  let ahead = 0
  let offset = Infinity
  return () => {
    const monotonic = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    const wall = clock.currentTimeMillisUnsafe() - monotonic
    // Counted since it was least, or the parts of milliseconds would add up, and the clock run twice as fast.
    if (wall - offset > WALL_STEP) ahead += wall - offset
    offset = wall - offset > WALL_STEP ? wall : Math.min(offset, wall)
    return monotonic + ahead
  }
})
