/** Named timers that fire into an inbox. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"

/** That a timer has fired. It may have been set anew or cancelled since. */
export interface Fired<out Name extends string> {
  readonly _tag: "Fired"
  readonly timer: Name
  readonly generation: number
}

/** Timers by name, at most one of each. */
export interface Timers<Name extends string> {
  /** Fires after so many milliseconds, not earlier, instead of what was set before under this name. */
  readonly set: (timer: Name, after: number) => Effect.Effect<void>
  readonly cancel: (timer: Name) => Effect.Effect<void>
  /** Does this firing still count? Once it has been asked, it does not any more. */
  readonly claim: (fired: Fired<Name>) => boolean
}

/** No timer runs; none does once the scope has closed. */
export const make = Effect.fnUntraced(function*<Name extends string>(
  offer: (fired: Fired<Name>) => Effect.Effect<unknown>
): Effect.fn.Return<Timers<Name>, never, Scope.Scope> {
  const fibers = yield* FiberMap.make<Name>()
  const generations = new Map<Name, number>()
  const next = (timer: Name) => {
    const generation = (generations.get(timer) ?? 0) + 1
    generations.set(timer, generation)
    return generation
  }
  return {
    set: (timer, after) =>
      Effect.suspend(() => {
        const fire = offer({ _tag: "Fired", timer, generation: next(timer) })
        // Clocks sleep whole milliseconds, and who is woken too early asks for the rest again and again.
        const delay = Duration.millis(Math.ceil(after))
        return Effect.asVoid(FiberMap.run(fibers, timer, Effect.delay(fire, delay)))
      }),
    cancel: (timer) =>
      Effect.suspend(() => {
        next(timer)
        return FiberMap.remove(fibers, timer)
      }),
    claim: ({ generation, timer }) => {
      const counts = generations.get(timer) === generation
      if (counts) next(timer)
      return counts
    }
  }
})
