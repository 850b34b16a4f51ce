import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestEnsemble from "../src/TestEnsemble.ts"
import { withEnsemble } from "./WithEnsemble.ts"

/** How long it takes until there is a leader at first, in milliseconds. */
const firstElection = (latency: number) =>
  TestEnsemble.TestEnsemble.use(Effect.fnUntraced(function*(e) {
    const before = yield* Clock.currentTimeMillis
    const leader = yield* e.awaitLeader()
    return { leader, took: (yield* Clock.currentTimeMillis) - before }
  })).pipe(Effect.provide(TestEnsemble.layer({ latency })))

describe("an ensemble in which bytes take their time", () => {
  it.effect("has a leader later by some round trips", () =>
    Effect.gen(function*() {
      const [near, far] = [yield* firstElection(0), yield* firstElection(40)]
      assert.deepStrictEqual(far.leader, near.leader)
      // A dial, a handshake, votes, and six packets of discovery and activation.
      assert.isAtLeast(far.took, near.took + 6 * 40)
      assert.isAtMost(far.took, near.took + 30 * 40)
    }))

  it.effect("keeps its leader on links that are slow and not too slow", withEnsemble(
    { lease: { duration: 8_000 } },
    Effect.fnUntraced(function*(e) {
      const first = yield* e.awaitLeader()
      yield* e.delay([3n], [1n, 2n], "2 seconds")
      yield* e.advance("1 minute")
      assert.deepStrictEqual(yield* e.leader, first)
    })
  ))

  it.effect("has another leader when answers come too late, and the first again if it is asked", withEnsemble(
    { lease: { duration: 8_000 } },
    Effect.fnUntraced(function*(e) {
      const first = yield* e.awaitLeader()
      yield* e.delay([first.sid], [1n, 2n], "7 seconds")
      yield* e.delay([1n, 2n], [first.sid], "7 seconds")
      const second = yield* e.awaitLeader({ after: first })
      assert.notStrictEqual(second.sid, first.sid)
      yield* e.heal
      yield* e.advance("1 minute")
      assert.deepStrictEqual(yield* e.transferTo(first.sid), { sid: first.sid, epoch: second.epoch + 1n })
    })
  ))

  it.effect("takes a delay between replicas that there are not for a mistake", withEnsemble(
    {},
    Effect.fnUntraced(function*(e) {
      const exit = yield* Effect.exit(e.delay([4n], [1n], "1 second"))
      assert.isTrue(exit._tag === "Failure" && `${exit.cause}`.includes("there is no replica 4"))
    })
  ))
})
