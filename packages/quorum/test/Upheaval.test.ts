import * as Lease from "@conclave/core/Lease"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EffectRandom from "effect/Random"
import * as Random from "../../core/test/support/Random.ts"
import * as Cluster from "./Cluster.ts"
import * as Upheaval from "./Upheaval.ts"

/** Silence is tolerated as long as a lease lasts, so that it is the lease that keeps work apart. */
const leased = { lease: Lease.make(1_000), ticks: { tickTime: 50, initLimit: 30, syncLimit: 20 } }

/** Each is some ten virtual seconds with a dozen events; a script may ask for more. */
const SEEDS = Number(process.env["UPHEAVALS"] ?? 40)

/** Peers that have stepped aside come back soon, so that more happens. */
const abstainFor = 1_000

const cases = (size: number) => Array.from({ length: SEEDS }, (_, index) => [size, index + 1] as const)

const upheaval = (size: number, seed: number, activation: Upheaval.Options["activation"]) =>
  Effect.gen(function*() {
    const outcome = yield* Upheaval.run(Random.make(seed), { size, events: 12, activation })
    assert.isNotEmpty(outcome.ledger.spans)
    return outcome
  }).pipe(EffectRandom.withSeed(seed))

/** No two run at a time, and who runs later has the greater token. */
const assertApart = ({ ledger, story }: Upheaval.Outcome) => {
  assert.deepStrictEqual(ledger.overlaps, [], story.join("\n"))
  const epochs = ledger.spans.map(({ epoch }) => epoch)
  assert.deepStrictEqual(epochs, Array.from(new Set(epochs)).toSorted((a, b) => (a < b ? -1 : 1)), story.join("\n"))
}

describe("in an upheaval", () => {
  it.effect.each([...cases(3), ...cases(5)])("an epoch has one leader (%i peers, seed %i)", ([size, seed]) =>
    Cluster.networked(() => upheaval(size, seed, { abstainFor }))())

  it.effect.each([...cases(3), ...cases(5)])("leased work never overlaps (%i peers, seed %i)", ([size, seed]) =>
    Cluster.networked(() => Effect.map(upheaval(size, seed, { abstainFor, ...leased }), assertApart))())

  it.effect.each(cases(3))("nor if refusals prove nothing (%i peers, seed %i)", ([size, seed]) =>
    Cluster.networked(() =>
      Effect.map(upheaval(size, seed, { abstainFor, ...leased, refusedIsEvidence: false }), assertApart))())
})
