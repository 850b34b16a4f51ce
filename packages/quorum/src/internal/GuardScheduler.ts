/**
 * The scheduler that guarded work runs under, so that none of it runs on after its
 * term.
 *
 * A process that was suspended, or whose event loop was blocked, learns nothing
 * meanwhile; when it runs on, the first thing that happens may be that guarded
 * work gets an answer and goes on to its next write. Before a fiber takes its
 * first step after a wait, and between later ones, it asks its scheduler whether
 * to make way for others. Here that question is answered from the term's clock:
 *
 * 1. The term holds: as the scheduler around us answers.
 * 2. It does not hold any more: the work is told, this fiber is interrupted and
 *    makes way. What it was about to do does not happen; its finalizers run.
 * 3. Asked again by the same fiber: as in 1. An uninterruptible region runs to
 *    its end and is interrupted there, as always.
 * 4. Asked by a fiber that was made after the work was told to stop: as in 1. It
 *    belongs to a finalizer.
 * 5. Asked after the work has ended: as in 1. Only what was detached from the work
 *    on purpose still runs then.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/** The scheduler of one piece of guarded work, and what it must be told. */
export interface GuardScheduler {
  /** Runs the work under it. */
  readonly guard: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The work was told to end: fibers made from here on are finalizers' and are let be. */
  readonly stopped: () => void
  /** The work has ended: whatever fiber still runs under this scheduler is not the work's any more. */
  readonly ended: () => void
}

/** Guards a piece of work. `onOver` is called once, when it is seen that the term does not hold any more. */
export const make = (holds: () => boolean, onOver: () => void): GuardScheduler => {
  const told = new WeakSet<Fiber.Fiber<unknown, unknown>>()
  let phase: "Holds" | "Over" | "Ended" = "Holds"
  let newest = Number.POSITIVE_INFINITY

  const mustStop = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
    if (phase === "Ended" || (phase === "Holds" && holds())) return false
    if (phase === "Holds") {
      phase = "Over"
      // The work may end during this call; the fiber that asks stops all the same.
      onOver()
    }
    if (fiber.id > newest || told.has(fiber)) return false
    told.add(fiber)
    fiber.interruptUnsafe()
    return true
  }
  return {
    guard: Effect.updateService(Scheduler.Scheduler, (ambient) => ({
      executionMode: ambient.executionMode,
      shouldYield: (fiber) => mustStop(fiber) || ambient.shouldYield(fiber),
      makeDispatcher: () => ambient.makeDispatcher()
    })),
    stopped: () => {
      newest = Math.min(newest, newestId())
    },
    ended: () => {
      phase = "Ended"
    }
  }
}

// Ids of fibers count upward, so one made now parts those there are from those to come.
const newestId = (): number => Effect.runFork(Effect.void).id
