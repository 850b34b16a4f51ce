import * as Conformance from "@conclave/core/Conformance"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestEnsemble from "../src/TestEnsemble.ts"

/** A test with an ensemble of its own, all of whose decisions must be those of the core. */
export const withEnsemble = <A, E>(
  options: TestEnsemble.Options,
  test: (ensemble: TestEnsemble.TestEnsemble["Service"]) => Effect.Effect<A, E>
) =>
() =>
  Effect.gen(function*() {
    const ensemble = yield* TestEnsemble.TestEnsemble
    yield* test(ensemble)
    const { fault } = Conformance.check((yield* ensemble.trace).split("\n"))
    assert.strictEqual(fault === null ? "" : Conformance.describe(fault), "")
  }).pipe(Effect.provide(TestEnsemble.layer(options)))
