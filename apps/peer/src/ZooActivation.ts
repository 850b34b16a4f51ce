/**
 * How leaders are activated: the ticks, keys of ours about leases, and how a process that did not run is noticed.
 */
import * as Lease from "@conclave/core/Lease"
import * as Pause from "@conclave/quorum/Pause"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as Result from "effect/Result"
import type { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooSettings from "./ZooSettings.ts"

/** What a `zoo.cfg` says about it; the ticks have keys of ZooKeeper's. */
export interface ZooActivation {
  /** Ticks or not: `false` for a peer that takes part in elections alone. Key `conclave.activation`. */
  readonly enabled: boolean
  /** Keys `conclave.lease`, `conclave.lease.grace` and `conclave.clockDriftPercent`; `null` without the first. */
  readonly lease: Lease.Lease | null
  /** Keys `jvm.pause.*`; otherwise than in ZooKeeper it is looked for pauses unless that is turned off. */
  readonly pause: Pause.Options
}

/** The settings, sound in themselves and with these ticks. */
export const parse = (
  settings: ZooSettings.Settings,
  ticks: QuorumConfig.Activation["ticks"]
): Result.Result<ZooActivation, ZooConfigError> =>
  Result.gen(function*() {
    const millis = { unit: "milliseconds", minimum: 0 }
    const duration = yield* ZooSettings.integer(settings, "conclave.lease", { ...millis, fallback: 0, example: 10_000 })
    const grace = yield* ZooSettings.integer(settings, "conclave.lease.grace", {
      ...millis,
      fallback: Lease.defaultGrace(duration),
      example: Lease.defaultGrace(10_000)
    })
    const drift = yield* ZooSettings.integer(settings, "conclave.clockDriftPercent", {
      unit: "per cent",
      minimum: 0,
      maximum: 50,
      fallback: 1,
      example: 1
    })
    const enabled = yield* ZooSettings.boolean(settings, "conclave.activation", true)
    const pause = yield* parsePause(settings)
    if (duration === 0) return { enabled, lease: null, pause }
    const lease = Lease.make(duration, { grace, clockDrift: drift / 100 })
    if (!Lease.fits(lease, ticks)) {
      const { longest, shortest } = Lease.bounds(ticks, lease)
      return yield* ZooSettings.failAt(
        settings,
        "conclave.lease",
        `${duration} ms are too ${duration > longest ? "long" : "short"} for a lease here`,
        `choose more than a tick and the grace, ${shortest} ms, and no more than ${longest} ms, initLimit ticks by ` +
          `clocks that are ${drift} % wrong: a leader is heard of twice a tick, and who is to follow another waits ` +
          "for the lease to end"
      )
    }
    return { enabled, lease, pause }
  })

const parsePause = (settings: ZooSettings.Settings): Result.Result<Pause.Options, ZooConfigError> =>
  Result.gen(function*() {
    const { enabled, infoThreshold, sleepTime, warnThreshold } = Pause.defaults
    const millis = (fallback: number) => ({ unit: "milliseconds", minimum: 1, fallback, example: fallback })
    return {
      enabled: yield* ZooSettings.boolean(settings, "jvm.pause.monitor", enabled),
      sleepTime: yield* ZooSettings.integer(settings, "jvm.pause.sleep.time.ms", millis(sleepTime)),
      warnThreshold: yield* ZooSettings.integer(settings, "jvm.pause.warn-threshold.ms", millis(warnThreshold)),
      infoThreshold: yield* ZooSettings.integer(settings, "jvm.pause.info-threshold.ms", millis(infoThreshold))
    }
  })

/** What a peer is told. */
export const activation = (
  { enabled, lease }: ZooActivation,
  ticks: QuorumConfig.Activation["ticks"]
): QuorumConfig.Activation | null => (enabled ? QuorumConfig.activation({ ticks, lease }) : null)
