/**
 * Why things happened in an ensemble: as a story, and as a trace whose every step can be taken again.
 */
import * as Conformance from "@conclave/core/Conformance"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Chronicle from "../src/internal/ensemble/Chronicle.ts"
import * as TestEnsemble from "../src/TestEnsemble.ts"

/** All that can happen to replicas, one after the other, and what is told of it. */
const eventful = (seed: string) =>
  Effect.gen(function*() {
    const ensemble = yield* TestEnsemble.TestEnsemble
    const first = yield* ensemble.awaitLeader()
    yield* ensemble.skewClock(1n, 1.005)
    yield* ensemble.partition([first.sid])
    const second = yield* ensemble.awaitLeader({ after: first })
    yield* ensemble.heal
    yield* ensemble.pause(1n)
    yield* ensemble.advance("20 seconds")
    yield* ensemble.resume(1n)
    yield* ensemble.advance("20 seconds")
    const third = yield* ensemble.transferTo(1n)
    yield* ensemble.crash(1n)
    yield* ensemble.awaitLeader({ after: third })
    yield* ensemble.restart(1n)
    yield* ensemble.advance("10 seconds")
    return { first, second, third, story: yield* ensemble.story, trace: yield* ensemble.trace }
  }).pipe(Effect.provide(TestEnsemble.layer({ observers: 1, lease: { duration: 8_000 }, seed }), { local: true }))

describe("an ensemble tells", () => {
  it.effect("why: elections with their reasons, and among them what the test did, in order of time", () =>
    Effect.gen(function*() {
      const { first, second, story } = yield* eventful("a")
      const text = story.join("\n")
      const told = [
        "00:00:00.000 election of server 3",
        "  why   server 3 won: histories are equal and its id is the highest, 3 against 2; 1, 2, 3 agreed",
        `server ${first.sid}: leads no longer: `,
        "the network falls apart: {3} {1, 2, 4}",
        `election of server ${second.sid}`,
        "the network heals",
        "replica 1 is paused",
        "leads no longer: it resigned; server 1 is to lead next",
        "replica 1 goes on",
        "why   server 1 leads: server 2 resigned in its favour",
        "replica 1 crashes",
        "server 1 starts"
      ]
      let from = 0
      for (const sentence of told) {
        const at = text.indexOf(sentence, from)
        assert.isAtLeast(at, 0, `${sentence}\nis not told, or too early, in\n${text}`)
        from = at
      }
      assert.notInclude(text, "replica 1 starts", "what the trace tells is told twice")
    }))

  it.effect("every step, each of which is the one that the core takes", () =>
    Effect.gen(function*() {
      const { trace } = yield* eventful("a")
      const lines = trace.split("\n")
      const { fault, lost, started, steps, unchecked } = Conformance.check(lines)
      assert.strictEqual(fault === null ? "" : Conformance.describe(fault), "")
      assert.deepStrictEqual([lost, unchecked, steps], [0, 0, lines.filter((line) => line.includes("\"Step\"")).length])
      // Five processes with an election and connections each, and a leader or learner for each office.
      assert.isAbove(started, 20)
      for (const reducer of ["election", "connections", "leader", "learner"]) {
        assert.isTrue(lines.some((line) => line.includes(`"_tag":"Step"`) && line.includes(`"${reducer}"`)), reducer)
      }
    }))

  it.effect("the same each time", () =>
    Effect.gen(function*() {
      const [one, other] = [yield* eventful("a"), yield* eventful("a")]
      assert.deepStrictEqual([other.story, other.trace], [one.story, one.trace])
    }))

  it.effect("more than it keeps: what is left is a trace still, and says what is missing", () =>
    Effect.sync(() => {
      const chronicle = Chronicle.make(() => 1_500_000)
      const place = { ms: 0, wall: 0, sid: 1n, reducer: "election", instance: 1 } as const
      for (let line = 0; line < 2 * Chronicle.LINES_KEPT + 1; line++) {
        chronicle.sink.write({ _tag: "Step", ...place, event: { _tag: "LeaderLost" }, outputs: [] })
      }
      const kept = Chronicle.LINES_KEPT + 1
      const { fault, ...counts } = Conformance.check(chronicle.trace().split("\n"))
      assert.isNull(fault)
      assert.deepStrictEqual(counts, { steps: 0, started: 0, unchecked: kept, lost: Chronicle.LINES_KEPT })
      assert.include(chronicle.story([{ at: 2e6, text: "later" }])[0], "00:00:01.500 20000 lines are missing")
      assert.include(chronicle.story([{ at: 1e6, text: "before" }])[0], "00:00:01.000 before")
    }))
})
