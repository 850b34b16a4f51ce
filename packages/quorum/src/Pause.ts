/**
 * Notices that the process did not run for a while: it was suspended, its event
 * loop was blocked, or the machine had no time for it.
 *
 * A tick that comes late shows it, by a clock that only runs forward. The tick is
 * also when it is looked whether something ran out meanwhile.
 *
 * Java: `JvmPauseMonitor`.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as LeadershipMetrics from "./LeadershipMetrics.ts"

/** How pauses are looked for. Times are in milliseconds. */
export interface Options {
  /** Java: jvm.pause.monitor. Off in the original, on here: leases depend on it. */
  readonly enabled: boolean
  /** Between ticks. Java: jvm.pause.sleep.time.ms. */
  readonly sleepTime: number
  /** A pause longer than this is a warning. Java: jvm.pause.warn-threshold.ms. */
  readonly warnThreshold: number
  /** A pause longer than this is told. Java: jvm.pause.info-threshold.ms. */
  readonly infoThreshold: number
}

/** The original's times. */
export const defaults: Options = { enabled: true, sleepTime: 500, warnThreshold: 10_000, infoThreshold: 1_000 }

/** How pauses are looked for; `defaults` unless provided. */
export const PauseOptions = Context.Reference<Options>("@conclave/quorum/PauseOptions", {
  defaultValue: () => defaults
})

/**
 * Ticks for ever: measures how late each tick is, runs `onTick`, and tells of what was long. A pause is measured from
 * when the tick was due, so up to `sleepTime` of it is not seen.
 */
export const run = Effect.fnUntraced(function*(sid: Sid, options: Options, onTick: Effect.Effect<void>) {
  const { infoThreshold, sleepTime, warnThreshold } = options
  const pauseTime = LeadershipMetrics.of(LeadershipMetrics.pauseTime, sid)
  while (true) {
    const before = yield* Clock.monotonicTimeNanos
    yield* Effect.sleep(sleepTime)
    yield* onTick
    const late = Number((yield* Clock.monotonicTimeNanos) - before) / 1e6 - sleepTime
    yield* Metric.update(pauseTime, Math.max(0, late))
    if (late > infoThreshold) {
      const line =
        `the process did not run for about ${Math.round(late)} ms: it was suspended, or its event loop blocked`
      yield* late > warnThreshold ? Effect.logWarning(line) : Effect.logInfo(line)
    }
  }
})
