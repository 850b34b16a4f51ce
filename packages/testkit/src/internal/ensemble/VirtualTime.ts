/**
 * Time that moves only when a test moves it, and one queue of work for all fibers
 * that live in it.
 *
 * There is one order in which things happen: work is done in the order in which it
 * was scheduled, all of it before time moves on; then whoever is due first wakes.
 * So the same test does the same things, however busy the machine is.
 */
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

/** Whole microseconds since the test began. */
export type Micros = number

/** Somebody who waits for a time. */
export interface Sleeper {
  /** When to wake; asked anew each time, for a clock may have been made faster meanwhile. */
  readonly due: () => Micros
  readonly wake: () => void
}

/** Time for the fibers of one test. */
export interface VirtualTime {
  readonly now: () => Micros
  /** In order of arrival, which is the order of waking among those due at the same time. */
  readonly sleepers: Set<Sleeper>
  /** Runs fibers; what they schedule goes into the one queue. */
  readonly scheduler: Scheduler.Scheduler
  readonly dispatcher: Scheduler.SchedulerDispatcher
  /**
   * One step ahead, and whether anything happened. Work that is left to do now is done, and that is the step; if there
   * is none, whoever is due next wakes, and what follows from that is done; if nobody is due by the limit, it is the
   * limit then. Promises that need no more than a turn of the event loop are settled before time moves.
   */
  readonly step: (limit: Micros) => Effect.Effect<boolean>
}

/**
 * How often the queue may be filled anew at one instant before that counts as a loop. Ours: elections take tens of
 * rounds, and a loop would never end.
 */
export const ROUNDS_MAX = 100_000

/** Time at zero, with nobody in it. */
export const make = (): VirtualTime => {
  // The event loop's turns, which no virtual clock delays.
  const live = new Scheduler.MixedScheduler().makeDispatcher()
  const sleepers = new Set<Sleeper>()
  let now: Micros = 0
  let round: (() => void) | undefined
  let pumping = false
  let quiet = true

  const runRound = () => {
    const run = round
    round = undefined
    quiet = false
    run?.()
  }
  // Without a step under way, too, work goes on.
  const pump = () => {
    pumping = false
    if (round !== undefined) runRound()
  }
  const mixed = new Scheduler.MixedScheduler("async", (run) => {
    round = run
    if (!pumping) live.scheduleTask(pump, 0)
    pumping = true
    return () => {
      if (round === run) round = undefined
    }
  })
  const dispatcher = mixed.makeDispatcher()
  const settle = () => {
    for (let rounds = 0; round !== undefined; rounds++) {
      if (rounds === ROUNDS_MAX) throw new Error(endless(now))
      runRound()
    }
  }
  const wakeNext = (limit: Micros): boolean => {
    const next = earliest(sleepers)
    const due = next?.due() ?? Infinity
    now = Math.max(now, Math.min(due, limit))
    if (next === undefined || due > limit) return false
    sleepers.delete(next)
    next.wake()
    settle()
    return true
  }
  const step = (limit: Micros): boolean => {
    settle()
    const happened = !quiet || wakeNext(limit)
    quiet = true
    return happened
  }
  return {
    now: () => now,
    sleepers,
    scheduler: {
      executionMode: mixed.executionMode,
      shouldYield: (fiber) => mixed.shouldYield(fiber),
      makeDispatcher: () => dispatcher
    },
    dispatcher,
    step: (limit) =>
      Effect.callback((resume) => {
        let isWanted = true
        live.scheduleTask(() => {
          if (isWanted) resume(Effect.sync(() => step(limit)))
        }, 0)
        return Effect.sync(() => {
          isWanted = false
        })
      })
  }
}

const earliest = (sleepers: ReadonlySet<Sleeper>): Sleeper | undefined => {
  let first: Sleeper | undefined
  let firstDue = Infinity
  for (const sleeper of sleepers) {
    const due = sleeper.due()
    if (due < firstDue) {
      first = sleeper
      firstDue = due
    }
  }
  return first
}

const endless = (now: Micros) =>
  `at ${now / 1e6} s the work of one instant does not end: some fiber yields in a loop and never sleeps; ` +
  "let it wait for something, or sleep"
