/** What peers hold while they run, counted from outside: sockets, fibers, those who sleep, memory. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { inspect } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** Everything counted at one moment. */
export interface Footprint {
  /** Sockets, servers and watched files of this process; the test runner has none. */
  readonly sockets: number
  /** Fibers that run or wait. */
  readonly fibers: number
  /** Those of them that wait for a time. */
  readonly sleepers: number
}

/** Counts what the effects hold that it is applied to, and those they fork. */
export interface Counter {
  readonly count: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly now: Effect.Effect<Footprint>
}

/** Counts nobody yet. */
export const make = Effect.map(Clock.Clock, (clock): Counter => {
  let fibers = 0
  let sleepers = 0
  // The process as a whole does not tell: the test runner has timers of its own.
  const counting: Clock.Clock = {
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
    currentTimeMillis: clock.currentTimeMillis,
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
    currentTimeNanos: clock.currentTimeNanos,
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) =>
      Effect.acquireUseRelease(
        Effect.sync(() => sleepers++),
        () => clock.sleep(duration),
        () => Effect.sync(() => sleepers--)
      )
  }
  const metrics: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => void fibers++,
    recordFiberEnd: () => void fibers--
  }
  return {
    count: (self) =>
      self.pipe(
        Effect.provideService(Clock.Clock, counting),
        Effect.provideService(Metric.FiberRuntimeMetrics, metrics)
      ),
    now: Effect.sync(() => ({ sockets: sockets().length, fibers, sleepers }))
  }
})

const sockets = () => process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|FSEvent/.test(kind))

/** How long to leave the event loop to others before looking again. */
const PAUSE = "5 millis"

/** Waits until what is observed is as wanted; dies with what it is instead after so many seconds. */
export const until = <A, E, R>(
  what: string,
  observed: Effect.Effect<A, E, R>,
  wanted: (value: A) => boolean,
  seconds = 30
): Effect.Effect<A, E, R> => {
  let last: A | undefined
  const look = Effect.gen(function*() {
    while (!wanted(last = yield* observed)) yield* Effect.sleep(PAUSE)
    return last
  })
  return Effect.timeoutOrElse(look, {
    duration: `${seconds} seconds`,
    orElse: () => Effect.die(new Error(`${what}: not within ${seconds} s; it is ${inspect(last)}`))
  })
}

/** Bytes of the heap that are in use when everything is collected that can be. */
export const heapUsed = Effect.sync(() => {
  collect()
  return process.memoryUsage().heapUsed
})

// Node gives it to a new context only, if it was not started with the flag.
setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void
