/**
 * Roles that came to nothing, one after another, and how long to wait before the
 * next is sought.
 *
 * Where there is a leader an election is over at once. So who is let in nowhere, say
 * because its lease is another than that of the others, would try again without end.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Dialing from "./Dialing.ts"
import * as LeaseClock from "./LeaseClock.ts"

/** The setbacks of one peer. */
export interface Setbacks {
  /** A role is taken up. */
  readonly begin: () => void
  /** It has come to something: a leader was activated. */
  readonly established: () => void
  /** It has come to nothing. */
  readonly failed: () => void
  /**
   * How many milliseconds to wait now. After one setback none: anything may happen once. Then as long as for a peer
   * that cannot be connected with, less the time that the role has taken.
   */
  readonly pause: Effect.Effect<number>
}

/** Nothing has failed yet. */
export const make: Effect.Effect<Setbacks> = Effect.map(LeaseClock.pledges, (now) => {
  let began = 0
  let failures = 0
  return {
    begin: () => {
      began = now()
    },
    established: () => {
      failures = 0
    },
    failed: () => {
      failures++
    },
    pause: Effect.suspend(() =>
      failures < 2
        ? Effect.succeed(0)
        : Effect.map(Dialing.redialDelay(failures - 1), (delay) =>
          Math.max(0, Duration.toMillis(delay) - (now() - began)))
    )
  }
})
