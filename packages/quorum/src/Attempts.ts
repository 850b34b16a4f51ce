/**
 * Several ways to one peer, tried side by side: its addresses, and what the name
 * of each resolves to.
 *
 * RFC 8305, "Happy Eyeballs".
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { DialError } from "./Transport.ts"

/** How long one attempt may stay silent before the next begins beside it: the delay that RFC 8305 recommends. */
const STAGGER_MS = 250

/**
 * Begins the attempts in order, the next when one has failed or is silent, and
 * takes the first that succeeds; what the others hold is closed. Fails as the last
 * one failed, but a refusal tells more than silence, and an insecure answer more
 * than both.
 */
export const firstOf = Effect.fnUntraced(function*<A>(
  attempts: ReadonlyArray<Effect.Effect<A, DialError, Scope.Scope>>
): Effect.fn.Return<A, DialError, Scope.Scope> {
  const parent = yield* Effect.scope
  const runs = yield* Effect.forEach(attempts, (attempt) =>
    Effect.map(Scope.fork(parent), (scope) => ({ attempt, scope, failed: Deferred.makeUnsafe<void>() })))
  const failures: Array<DialError> = []
  const winner = yield* Effect.raceAll(runs.map(({ attempt, failed, scope }, index) =>
    Effect.andThen(
      turn(index, runs[index - 1]?.failed),
      Scope.provide(attempt, scope).pipe(
        Effect.map((value) => ({ index, value })),
        Effect.tapError((error) => {
          failures.push(error)
          return Deferred.succeed(failed, undefined)
        })
      )
    )
  )).pipe(Effect.mapError((error) =>
    failures.find(({ reason }) => reason === "Insecure") ?? failures.find(({ reason }) => reason === "Refused") ?? error
  ))
  for (const [index, { scope }] of runs.entries()) {
    if (index !== winner.index) yield* Scope.close(scope, Exit.void)
  }
  return winner.value
})

// The first at once; another after the one before it has failed, or has had its time.
const turn = (index: number, previous: Deferred.Deferred<void> | undefined): Effect.Effect<void> =>
  previous === undefined
    ? Effect.void
    : Effect.raceFirst(Effect.sleep(Duration.millis(index * STAGGER_MS)), Deferred.await(previous))
