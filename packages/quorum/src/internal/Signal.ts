/** Waiting for a fact about plain mutable state to become true. */
import * as Effect from "effect/Effect"

/** Fibers that wait for a fact, and the call that makes them look again. */
export interface Signal {
  /** Resumes once `holds` is true, at once if it is true already. */
  readonly until: (holds: () => boolean) => Effect.Effect<void>
  /** To be called after every change; resumes those whose fact has become true. */
  readonly wake: () => void
}

/** A signal nobody waits for yet. */
export const make = (): Signal => {
  const waiters = new Set<() => void>()
  return {
    // Look and register are one step, so no change can fall between the two.
    until: (holds) =>
      Effect.callback<void>((resume) => {
        if (holds()) return resume(Effect.void)
        const look = () => {
          if (!holds()) return
          waiters.delete(look)
          resume(Effect.void)
        }
        waiters.add(look)
        return Effect.sync(() => waiters.delete(look))
      }),
    // A resumed fiber may wait again at once, so walk over a copy.
    wake: () => Array.from(waiters).forEach((look) => look())
  }
}
