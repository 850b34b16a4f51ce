import * as Conformance from "@conclave/core/Conformance"
import * as Trace from "@conclave/core/Trace"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TraceSink from "../src/TraceSink.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { host, networked } = Cluster

/** A test whose peers are traced. What they trace must be what the core would do. */
const traced = (test: Parameters<typeof networked>[0], look: (lines: ReadonlyArray<Trace.Line>) => void) => () => {
  const lines: Array<Trace.Line> = [Trace.header]
  const sink = TraceSink.make((line) => void lines.push(line))
  return Effect.provideService(networked(test)(), TraceSink.TraceSink, sink).pipe(Effect.tap(Effect.sync(() => {
    const report = Conformance.check(lines.map(Trace.encode))
    assert.strictEqual(report.fault === null ? "" : Conformance.describe(report.fault), "")
    assert.strictEqual(report.steps, stepsOf(lines).length)
    look(lines)
  })))
}

const stepsOf = (lines: ReadonlyArray<Trace.Line>): ReadonlyArray<Trace.Step> =>
  lines.flatMap((line) => (line._tag === "Step" ? [line] : []))

const three = Effect.fnUntraced(function*(options: Parameters<typeof Leaders.activated>[0]) {
  const members = yield* Cluster.startAll(3, Leaders.activated(options))
  yield* Effect.addFinalizer(() => Leaders.stopAll(members))
  yield* Leaders.until(members, Leaders.ledBy(3n, 1n))
  const [one, two, leader] = members
  return { members, one: one!, two: two!, leader: leader! }
})

describe("the steps of peers over the memory network", () => {
  it.effect(
    "are told with all that they depended on: elections, resignations, leases",
    traced(
      Effect.fnUntraced(function*() {
        const { leader, members, one, two } = yield* three({ lease: Leaders.lease })
        const resigning = yield* Effect.forkChild(leader.leadership.resign)
        yield* Leaders.advance(Effect.sync(() => resigning.pollUnsafe() !== undefined), Effect.succeed("resigning"))
        yield* Leaders.until(members, Leaders.ledBy(2n, 2n))
        // Who has resigned abstains, and the next leader is gone: an election in which it proposes nobody.
        yield* two.crash
        yield* Leaders.led([one, leader])
      }),
      (lines) => {
        const steps = stepsOf(lines)
        for (const reducer of ["election", "connections", "leader", "learner"] as const) {
          assert.isAbove(steps.filter((step) => step.reducer === reducer).length, 5, reducer)
        }
        const outputs = new Set<string>(steps.flatMap((step) => step.outputs.map(({ _tag }) => _tag)))
        for (const tag of ["Elected", "Adopted", "Activated", "LeaseExtended", "Pledged", "SteppedDown", "Left"]) {
          assert.isTrue(outputs.has(tag), tag)
        }
        assert.isTrue(steps.some(({ electable }) => electable === false), "nobody abstained")
      }
    )
  )

  it.effect(
    "are told through a partition",
    traced(
      (network) =>
        Effect.gen(function*() {
          const { one, two } = yield* three({})
          yield* network.partition([host(3n)], [host(1n), host(2n)])
          yield* Leaders.led([one, two])
          yield* network.heal
        }),
      (lines) => {
        const outputs = stepsOf(lines).flatMap((step) => (step.reducer === "leader" ? step.outputs : []))
        assert.isTrue(outputs.some((output) => output._tag === "SteppedDown" && output.reason === "QuorumLost"))
      }
    )
  )
})
