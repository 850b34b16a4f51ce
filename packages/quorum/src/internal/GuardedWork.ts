/**
 * Guarded work: an effect that runs once in each term, and what an office knows
 * of what runs.
 *
 * Starting and stopping are single steps on plain state, so that a term that ends
 * while work starts either finds it here and ends it, or keeps it from starting.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { type Term, TermOver } from "../Term.ts"
import * as GuardScheduler from "./GuardScheduler.ts"
import type * as Signal from "./Signal.ts"

/** A piece of guarded work in one term. */
export interface Work {
  readonly name: string
  readonly term: Term
  readonly guard: GuardScheduler.GuardScheduler
  /** `Ending`: told to end. `Overrun`: did not end in time, and still runs. */
  state: "Running" | "Ending" | "Overrun"
  /** Set once it is forked. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** What an office knows; mutable, changed in single steps only. */
export interface Floor {
  /** The term in office. */
  term: Term | undefined
  /** What has not ended, of whichever term. */
  readonly works: Set<Work>
  /** To be woken after each change. */
  readonly signal: Signal.Signal
  /** Called when work finds that its term does not hold any more. */
  readonly onOver: (term: Term) => void
  /** Run in the fiber of the work, before its first step and after its last. */
  readonly onStart: Effect.Effect<void>
  readonly onEnd: (work: Work) => Effect.Effect<void>
}

/** Tells work to end. A fiber that takes a step right now stops before the next one. */
export const stop = (work: Work): void => {
  if (work.state !== "Running") return
  work.state = "Ending"
  work.guard.stopped()
  work.fiber?.interruptUnsafe()
}

/** Runs the effect once in each term, as soon as there is one that it has not run in and it does not run any more. */
export const run = Effect.fnUntraced(function*<A, E, R>(
  floor: Floor,
  name: string,
  effect: (term: Term) => Effect.Effect<A, E, R>
): Effect.fn.Return<never, Exclude<E, TermOver>, Exclude<R, Scope.Scope>> {
  let last: Term | undefined
  const next = () => (floor.term !== last && floor.term?.isValid() === true ? floor.term : undefined)
  const runNext = Effect.uninterruptibleMask((restore) => {
    // Whoever was woken asks again: the term may have ended before its turn came.
    const term = next()
    if (term === undefined) return Effect.void
    last = term
    return runIn(floor, term, name, effect, restore)
  })
  while (true) {
    yield* floor.signal.until(() => next() !== undefined)
    yield* runNext
  }
})

/** The part of `Effect.uninterruptibleMask` that makes its caller interruptible again. */
type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const runIn = <A, E, R>(
  floor: Floor,
  term: Term,
  name: string,
  effect: (term: Term) => Effect.Effect<A, E, R>,
  restore: Restore
) => {
  const guard = GuardScheduler.make(term.isValid, () => floor.onOver(term))
  const work: Work = { name, term, guard, state: "Running", fiber: undefined }
  floor.works.add(work)
  return Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(guarded(floor, work, effect))
    work.fiber = fiber
    fiber.addObserver(() => {
      guard.ended()
      floor.works.delete(work)
      floor.signal.wake()
    })
    // Told to end before it had a fiber.
    if (work.state !== "Running") fiber.interruptUnsafe()
    const exit = yield* Effect.onInterrupt(restore(Fiber.await(fiber)), () => {
      stop(work)
      return Fiber.await(fiber)
    })
    return yield* outcome(work, exit)
  })
}

const guarded = <A, E, R>(floor: Floor, work: Work, effect: (term: Term) => Effect.Effect<A, E, R>) =>
  Effect.andThen(floor.onStart, Effect.suspend(() => effect(work.term))).pipe(
    Effect.scoped,
    Effect.ensuring(Effect.suspend(() => floor.onEnd(work))),
    work.guard.guard,
    Effect.provideService(Scheduler.PreventSchedulerYield, false)
  )

/** What the end of work means for who asked for it: to go on to the next term, or to fail as the work did. */
const outcome = <A, E>(
  { state, term }: Work,
  exit: Exit.Exit<A, E>
): Effect.Effect<void, Exclude<E, TermOver>> => {
  if (exit._tag === "Success") return Effect.void
  const isOver = (reason: Cause.Reason<E>) =>
    Cause.isFailReason(reason) && reason.error instanceof TermOver && reason.error.epoch === term.epoch
  const ended = state !== "Running" || exit.cause.reasons.some(isOver)
  const reasons = exit.cause.reasons.filter((reason) => !isOver(reason) && !(ended && Cause.isInterruptReason(reason)))
  if (reasons.length === 0) return Effect.void
  return Effect.failCause(Cause.fromReasons(reasons as ReadonlyArray<Cause.Reason<Exclude<E, TermOver>>>))
}
