/**
 * One job after another, in threads that cannot be told to stop.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

/** Lets one job run at a time, in the order in which they came. */
export interface Turns {
  /** Waits for the result. Interrupted, a job that has begun comes to its end all the same, and no other is begun. */
  readonly run: <A, E>(job: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Does not wait. */
  readonly later: (job: Effect.Effect<void>) => Effect.Effect<void>
}

/** For jobs that belong to the present scope; when it closes, the one under way is waited for. */
export const make: Effect.Effect<Turns, never, Scope.Scope> = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const semaphore = yield* Semaphore.make(1)
  const begin = <A, E>(job: Effect.Effect<A, E>) =>
    Effect.forkIn(Semaphore.withPermit(semaphore, Effect.uninterruptible(job)), scope, { startImmediately: true })
  return {
    run: (job) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(begin(job), (fiber) =>
          Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => fiber.interruptUnsafe())))
      ),
    later: (job) => Effect.asVoid(begin(job))
  }
})
