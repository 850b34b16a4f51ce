import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as turns from "../src/internal/turns.ts"

const forked = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

describe("turns", () => {
  it.effect("one job runs at a time, in order, and none that nobody waits for any more", () =>
    Effect.gen(function*() {
      const { run } = yield* turns.make
      const slow = yield* Deferred.make<void>()
      const done: Array<string> = []
      const job = (name: string) => Effect.sync(() => void done.push(name))
      const first = yield* forked(run(Effect.andThen(job("first"), Deferred.await(slow))))
      const second = yield* forked(run(job("second")))
      const third = yield* forked(run(Effect.as(job("third"), 3)))
      assert.deepStrictEqual(done, ["first"])
      yield* Fiber.interrupt(second)
      yield* Deferred.succeed(slow, undefined)
      yield* Fiber.join(first)
      assert.strictEqual(yield* Fiber.join(third), 3)
      assert.deepStrictEqual(done, ["first", "third"])
    }))

  it.effect("who is interrupted does not wait, but what has begun comes to its end before the next begins", () =>
    Effect.gen(function*() {
      const { later, run } = yield* turns.make
      const slow = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      const done: Array<string> = []
      const job = Effect.andThen(Deferred.await(slow), Effect.sync(() => void done.push("done")))
      const fiber = yield* forked(run(job))
      yield* Fiber.interrupt(fiber)
      yield* later(Effect.andThen(Effect.sync(() => void done.push("released")), Deferred.succeed(released, undefined)))
      assert.deepStrictEqual(done, [])
      yield* Deferred.succeed(slow, undefined)
      yield* Deferred.await(released)
      assert.deepStrictEqual(done, ["done", "released"])
    }))

  it.effect("tells of a failure, and goes on", () =>
    Effect.gen(function*() {
      const { run } = yield* turns.make
      assert.strictEqual(yield* Effect.flip(run(Effect.fail("no"))), "no")
      assert.strictEqual(yield* run(Effect.succeed("yes")), "yes")
    }))

  it.effect("closing waits for what has begun", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { run } = yield* Scope.provide(turns.make, scope)
      const slow = yield* Deferred.make<void>()
      const done: Array<string> = []
      yield* forked(run(Effect.andThen(Deferred.await(slow), Effect.sync(() => void done.push("done")))))
      const closing = yield* forked(Scope.close(scope, Exit.void))
      yield* Deferred.succeed(slow, undefined)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(done, ["done"])
    }))
})
