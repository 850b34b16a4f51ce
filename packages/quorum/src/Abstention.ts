/**
 * For a while this peer proposes nobody: it has stepped aside, or could not lead.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"

/** Whether a peer abstains. */
export interface Abstention {
  readonly isActive: () => boolean
  /**
   * Abstains from now on, for so many milliseconds, and by chance up to half as long again: two that could not lead at
   * the same time must not come back at the same time, and be in each other's way again.
   */
  readonly begin: (millis: number) => Effect.Effect<void>
}

/** Does not abstain. `over` comes when an abstention has ended. */
export const make = Effect.fnUntraced(function*(
  over: Effect.Effect<unknown>
): Effect.fn.Return<Abstention, never, Scope.Scope> {
  const fiber = yield* FiberHandle.make<void>()
  let active = false
  return {
    isActive: () => active,
    begin: (millis) =>
      Effect.flatMap(Random.next, (chance) => {
        active = true
        const end = Effect.sync(() => {
          active = false
        })
        const abstains = end.pipe(Effect.andThen(over), Effect.delay(Duration.millis(millis * (1 + chance / 2))))
        return Effect.asVoid(FiberHandle.run(fiber, Effect.asVoid(abstains)))
      })
  }
})
