import * as Conformance from "@conclave/core/Conformance"
import * as Trace from "@conclave/core/Trace"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TraceSink from "../src/TraceSink.ts"
import { host } from "./Cluster.ts"
import * as Replicas from "./Replicas.ts"

const { replicated, until, working } = Replicas

/** A test whose peers are traced, and whose trace must be what the core would do. */
const traced = (test: Test, contract: Parameters<typeof replicated>[0], look: Look) => () => {
  const lines: Array<Trace.Line> = [Trace.header]
  return Effect.provideService(replicated(contract, test)(), TraceSink.TraceSink, TraceSink.make((line) => {
    lines.push(line)
  })).pipe(Effect.tap(Effect.sync(() => {
    const report = Conformance.check(lines.map(Trace.encode))
    assert.strictEqual(report.fault === null ? "" : Conformance.describe(report.fault), "")
    assert.strictEqual(report.steps, lines.filter(({ _tag }) => _tag === "Step").length)
    look(lines)
  })))
}

type Test = Parameters<typeof replicated>[1]

type Look = (lines: ReadonlyArray<Trace.Line>) => void

const stepsOf = (lines: ReadonlyArray<Trace.Line>): ReadonlyArray<Trace.Step> =>
  lines.flatMap((line) => (line._tag === "Step" ? [line] : []))

describe("the steps of peers over the memory network", () => {
  it.effect(
    "are told with all that they depended on: elections, resignations, leases",
    traced(
      Effect.fnUntraced(function*({ intervals, running, start, startAll }) {
        yield* startAll
        yield* until(() => working(intervals).length === 1)
        const first = working(intervals)[0]!
        const resigning = yield* Effect.forkChild(running.get(first)!.leadership.resign)
        yield* until(() => intervals.length === 2)
        yield* Fiber.join(resigning)
        // The one who has resigned abstains, and the next leader goes: an election without it.
        const second = intervals[1]!.sid
        const stopping = yield* Effect.forkChild(running.get(second)!.stop)
        yield* until(() => stopping.pollUnsafe() !== undefined && working(intervals).length === 1)
        yield* start(second)
        yield* until(() => running.size === 3)
      }),
      "Leased",
      (lines) => {
        const steps = stepsOf(lines)
        for (const reducer of ["election", "connections", "leader", "learner"] as const) {
          assert.isAbove(steps.filter((step) => step.reducer === reducer).length, 5, reducer)
        }
        const outputs = new Set(steps.flatMap((step) => step.outputs.map(({ _tag }) => _tag)))
        for (const tag of ["Elected", "Adopted", "Activated", "LeaseExtended", "Pledged", "SteppedDown", "Left"]) {
          assert.isTrue(outputs.has(tag as never), tag)
        }
        assert.isTrue(steps.some(({ electable }) => electable === false), "nobody abstained")
      }
    )
  )

  it.effect(
    "are told through a partition",
    (() => {
      const test: Test = ({ intervals, startAll }, network) =>
        Effect.gen(function*() {
          yield* startAll
          yield* until(() => working(intervals).length === 1)
          const first = working(intervals)[0]!
          const others = [1n, 2n, 3n].filter((sid) => sid !== first)
          yield* network.partition([host(first)], others.map(host))
          yield* until(() => working(intervals).some((sid) => sid !== first))
          yield* network.heal
          yield* until(() => working(intervals).length === 1)
        })
      return traced(test, "Fenced", (lines) => {
        const outputs = stepsOf(lines).flatMap((step) => (step.reducer === "leader" ? step.outputs : []))
        assert.isTrue(outputs.some((output) => output._tag === "SteppedDown" && output.reason === "QuorumLost"))
      })
    })()
  )
})
