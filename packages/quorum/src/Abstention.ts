/**
 * For a while this peer proposes nobody: it has stepped aside, or could not lead.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Scope from "effect/Scope"

/** Whether a peer abstains. */
export interface Abstention {
  readonly isActive: () => boolean
  /** Abstains from now on, for so many milliseconds. */
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
      Effect.suspend(() => {
        active = true
        const end = Effect.andThen(
          Effect.sync(() => {
            active = false
          }),
          over
        )
        return Effect.asVoid(FiberHandle.run(fiber, Effect.asVoid(Effect.delay(end, Duration.millis(millis)))))
      })
  }
})
