/**
 * What one process runs on: a scheduler that can be stopped, and a clock.
 *
 * Stopped, as by SIGSTOP, no fiber of the process takes another step, wherever the
 * answer it waits for comes from: the scheduler is asked before each step, and makes
 * it wait. Meanwhile time goes on, bytes arrive, and sleeps run out. Continued, the
 * process does what has piled up, and finds that it is later than it thought.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scheduler from "effect/Scheduler"
import type { HostClock } from "./HostClock.ts"
import type { Sleeper, VirtualTime } from "./VirtualTime.ts"

/** A process, as its operating system sees it. */
export interface Machine {
  readonly clock: Clock.Clock
  readonly scheduler: Scheduler.Scheduler
  readonly isPaused: () => boolean
  readonly pause: () => void
  readonly resume: () => void
  /** Nothing of it runs any more, not even finalizers. */
  readonly kill: () => void
}

interface Task {
  readonly run: () => void
  readonly priority: number
}

/** A machine that runs. */
export const make = (time: VirtualTime, host: HostClock): Machine => {
  const { dispatcher } = time
  const sleepers = new Set<Sleeper>()
  const parked: Array<Task> = []
  let state: "Running" | "Paused" | "Gone" = "Running"
  let stopped = 0

  const schedule = (task: Task): void =>
    dispatcher.scheduleTask(() => {
      if (state === "Running") task.run()
      else if (state === "Paused") parked.push(task)
    }, task.priority)
  // Who is asked for the time on behalf of a stopped process must not tell it what it cannot know.
  const now = () => (state === "Running" ? host.now() : stopped)
  const stop = (to: "Paused" | "Gone") => {
    stopped = now()
    state = to
  }
  return {
    clock: makeClock(now, (micros, wake) => {
      const deadline = now() + micros
      const forget = () => {
        sleepers.delete(sleeper)
        time.sleepers.delete(sleeper)
      }
      const sleeper: Sleeper = {
        due: () => host.dueAt(deadline),
        wake: () => {
          forget()
          wake()
        }
      }
      sleepers.add(sleeper)
      time.sleepers.add(sleeper)
      return forget
    }),
    scheduler: {
      executionMode: time.scheduler.executionMode,
      shouldYield: (fiber) => state !== "Running" || time.scheduler.shouldYield(fiber),
      makeDispatcher: () => ({
        scheduleTask: (run, priority) => schedule({ run, priority }),
        flush: () => dispatcher.flush()
      })
    },
    isPaused: () => state === "Paused",
    pause: () => {
      if (state === "Running") stop("Paused")
    },
    resume: () => {
      if (state !== "Paused") return
      state = "Running"
      parked.splice(0).forEach(schedule)
    },
    kill: () => {
      stop("Gone")
      parked.length = 0
      for (const sleeper of sleepers) time.sleepers.delete(sleeper)
    }
  }
}

/** A clock, from a way to tell the time and a way to be woken; the latter returns how to forget it. In microseconds. */
const makeClock = (now: () => number, wakeAfter: (micros: number, wake: () => void) => () => void): Clock.Clock => {
  const millis = () => Math.floor(now() / 1_000)
  const nanos = () => BigInt(now()) * 1_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeNanosUnsafe: nanos,
    monotonicTimeNanosUnsafe: nanos,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const micros = Math.ceil(Duration.toMillis(duration) * 1_000)
        if (micros <= 0) return resume(Effect.void)
        return Effect.sync(wakeAfter(micros, () => resume(Effect.void)))
      })
  }
}
