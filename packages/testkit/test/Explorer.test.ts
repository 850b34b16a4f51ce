import { assert, describe, it } from "@effect/vitest"
import * as Explorer from "@conclave/testkit/Explorer"
import * as Random from "@conclave/testkit/Random"

/** Two jugs of 5 and 3 litres, a tap and a drain; to measure `goal` litres must not be. */
const jugs = (goal: number): Explorer.Model => ({
  words: 2,
  initial: [Uint32Array.of(0, 0)],
  expand: ([large = 0, small = 0], emit) => {
    const poured = Math.min(large, 3 - small)
    const back = Math.min(small, 5 - large)
    const pours = [[large - poured, small + poured], [large + back, small - back]]
    const steps = [[5, small], [large, 3], [0, small], [large, 0], ...pours]
    for (const [action, next] of steps.entries()) {
      const broken = next.includes(goal) ? { property: "dry", detail: `${next.join(" and ")} litres` } : null
      emit(action, Uint32Array.from(next), broken)
    }
  },
  describe: (before, _, after) => `${before.join()} -> ${after.join()}`
})

describe("Explorer", () => {
  it("finds every state, and says how far the farthest is", () => {
    // Of 24 pairs those with a jug that is empty or full.
    assert.deepStrictEqual(Explorer.explore(jugs(9)), {
      states: 16,
      transitions: 96,
      depth: 7,
      complete: true,
      violation: null
    })
  })

  it("tells the shortest way to what must not be", () => {
    const { complete, violation } = Explorer.explore(jugs(4))
    assert.isFalse(complete)
    assert.deepStrictEqual(violation, {
      property: "dry",
      detail: "4 and 3 litres",
      path: ["0,0 -> 5,0", "5,0 -> 2,3", "2,3 -> 2,0", "2,0 -> 0,2", "0,2 -> 5,2", "5,2 -> 4,3"]
    })
  })

  it("says that it is not complete when there are more states than it may take", () => {
    const { complete, states } = Explorer.explore(jugs(9), { statesMax: 10 })
    assert.isFalse(complete)
    assert.isAtMost(states, 10 + 6)
  })

  it("agrees with a search over texts, in graphs of chance that outgrow its tables", () => {
    const random = Random.make(7)
    const size = 150_000
    const edges = Array.from({ length: size }, () => Array.from({ length: 3 }, () => random.below(size)))
    // Words of all bits, so that a part of one is not enough to tell states apart.
    const wordsOf = (node: number) => Uint32Array.of(Math.imul(node, 0x9e3779b1), node % 3, node >>> 10)
    const numbers = new Map(Array.from({ length: size }, (_, node) => [wordsOf(node).join(), node]))
    const outcome = Explorer.explore({
      words: 3,
      initial: [wordsOf(0)],
      expand: (state, emit) => {
        for (const node of edges[numbers.get(state.join())!]!) emit(node, wordsOf(node))
      },
      describe: () => ""
    })
    const depths = new Map([[0, 0]])
    let deepest = 0
    for (const [node, depth] of depths) {
      deepest = depth
      for (const next of edges[node]!) if (!depths.has(next)) depths.set(next, depth + 1)
    }
    assert.isAbove(depths.size, 1 << 17)
    assert.strictEqual(outcome.states, depths.size)
    assert.strictEqual(outcome.depth, deepest)
  })
})
