/** What is measured of leadership: handles only. Each carries the id of its peer, as the attribute `sid`. */
import type { Sid } from "@conclave/core/Sid"
import * as Metric from "effect/Metric"

/** What the peer is, by its code on the wire: 0 LOOKING, 1 FOLLOWING, 2 LEADING, 3 OBSERVING. */
export const state = Metric.gauge("leadership_state", {
  description: "0 looking, 1 following, 2 leading, 3 observing"
})

/** Terms that were entered, which is leaderships activated here. */
export const terms = Metric.counter("leadership_terms", {
  description: "Leaderships of this peer that a quorum activated",
  incremental: true
})

/** Guarded effects started. */
export const workStarted = Metric.counter("guarded_work_started", {
  description: "Guarded effects started",
  incremental: true
})

/** Guarded effects ended, whatever the outcome. */
export const workEnded = Metric.counter("guarded_work_ended", {
  description: "Guarded effects that have ended",
  incremental: true
})

/** Guarded effects that had not ended when they should have. */
export const workOverrun = Metric.counter("guarded_work_overrun", {
  description: "Guarded effects that did not end in time after their term",
  incremental: true
})

/** Leases that ran out before guarded work had been told to end. */
export const leasesLost = Metric.counter("leases_lost_to_pauses", {
  description: "Leases that ran out while guarded work still ran",
  incremental: true
})

/** Milliseconds by which the process was late. Java: jvm_pause_time_ms. */
export const pauseTime = Metric.histogram("pause_time_ms", {
  description: "How late the process ran on after it slept, in milliseconds",
  boundaries: [1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000]
})

/** The same metric, for one peer. */
export const of = <Input, State>(metric: Metric.Metric<Input, State>, sid: Sid): Metric.Metric<Input, State> =>
  Metric.withAttributes(metric, { sid: `${sid}` })
