/**
 * What `Confirmation` is for: peers that start at different moments, and votes that
 * arrive late, make some finalise early, with a leader that then changes its mind.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EffectRandom from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Random from "../../core/test/support/Random.ts"
import type { MemoryNetwork } from "../src/MemoryNetwork.ts"
import * as Cluster from "./Cluster.ts"

const { agree, host, networked, sids } = Cluster

/** When something happens, in steps of the clock. */
type Step = number

/** Peers start and votes are held up within the first second. */
const STEPS = 50

/** By then all must agree, in seconds: patience with a leader that does not answer, and an election, twice. */
const BOUND = 15

interface Delay {
  readonly from: string
  readonly to: string
  readonly held: Step
  readonly released: Step
}

interface Plan {
  readonly starts: ReadonlyMap<bigint, Step>
  readonly delays: ReadonlyArray<Delay>
}

const planOf = (random: Random.Random, size: number): Plan => {
  const everybody = sids(1, size)
  const starts = new Map(everybody.map((sid) => [sid, random.below(STEPS)]))
  const pairs = everybody.flatMap((from) => everybody.filter((to) => to !== from).map((to) => [from, to] as const))
  const share = random.pick([10, 30, 60])
  const late = pairs.filter(() => random.percent(share))
  const delays = late.map(([from, to]): Delay => {
    const held = random.below(STEPS)
    return { from: host(from), to: host(to), held, released: held + 1 + random.below(STEPS - held) }
  })
  return { starts, delays }
}

const run = Effect.fnUntraced(function*(
  network: MemoryNetwork["Service"],
  size: number,
  { delays, starts }: Plan
): Effect.fn.Return<ReadonlyArray<Cluster.Member>, unknown, Scope.Scope | MemoryNetwork> {
  const members: Array<Cluster.Member> = []
  for (let step = 0; step < STEPS; step++) {
    for (const { from, held, released, to } of delays) {
      if (held === step) yield* network.hold(from, to)
      if (released === step) yield* network.release(from, to)
    }
    for (const [sid, start] of starts) if (start === step) members.push(yield* Cluster.start(size, sid))
    yield* Cluster.stays(members, 0.02, () => true)
  }
  yield* network.heal
  return members
})

/** Enough that peers which do not ask for `Confirmation` fail nine of these cases: 45, 83, 98 of five, and so on. */
const SEEDS = 120

const cases = [5, 7].flatMap((size) => Array.from({ length: SEEDS }, (_, index) => [size, index + 1] as const))

describe("peers that start when they like, while votes are late", () => {
  it.effect.each(cases)("soon agree and keep to it (%i peers, seed %i)", ([size, seed]) =>
    networked((network) =>
      Effect.gen(function*() {
        const members = yield* run(network, size, planOf(Random.make(seed), size))
        yield* Cluster.until(members, agree, BOUND)
        yield* Cluster.stays(members, 10, agree)
      }).pipe(EffectRandom.withSeed(seed)))())
})
