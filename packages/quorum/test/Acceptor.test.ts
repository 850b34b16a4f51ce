import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Acceptor from "../src/Acceptor.ts"
import type { Connection } from "../src/Transport.ts"

// An acceptor in a scope of its own. Who is accepted is a name, and `seen` what became of it, in order.
const accepting = Effect.gen(function*() {
  const seen: Array<string> = []
  const scope = yield* Scope.fork(yield* Effect.scope)
  const acceptor = yield* Scope.provide(
    Acceptor.make<string>({
      adopt: (name) =>
        Effect.acquireRelease(
          Effect.sync((): Connection => ({
            remote: name,
            pull: Effect.never,
            write: () => Effect.void,
            identify: () => Effect.void
          })),
          () => Effect.sync(() => seen.push(`${name} closed`))
        ),
      discard: (name) => seen.push(`${name} discarded`)
    }),
    scope
  )
  return { acceptor, seen, close: Scope.close(scope, Exit.void) }
})

const names = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => `${index}`)

// Serves until it is interrupted; connections stay open.
const serving = (acceptor: Acceptor.Acceptor<string>, seen: Array<string>, server: string) =>
  Effect.forkScoped(
    acceptor.run(({ remote }) => Effect.andThen(Effect.sync(() => seen.push(`${remote} to ${server}`)), Effect.never)),
    { startImmediately: true }
  )

describe("Acceptor", () => {
  it.effect("lets a backlog wait, in order, and discards one more", () =>
    Effect.gen(function*() {
      const { acceptor, seen } = yield* accepting
      for (const name of names(Acceptor.BACKLOG)) acceptor.offer(name)
      assert.deepStrictEqual(seen, [])
      acceptor.offer("surplus")
      assert.deepStrictEqual(seen.splice(0), ["surplus discarded"])
      yield* serving(acceptor, seen, "a")
      assert.deepStrictEqual(seen, names(Acceptor.BACKLOG).map((name) => `${name} to a`))
    }))

  it.effect("gives what comes to the last who runs, and to nobody when that one stops", () =>
    Effect.gen(function*() {
      const { acceptor, seen } = yield* accepting
      const first = yield* serving(acceptor, seen, "a")
      acceptor.offer("0")
      const second = yield* serving(acceptor, seen, "b")
      acceptor.offer("1")
      // The first still has its connection, and its end does not end the second.
      yield* Fiber.interrupt(first)
      acceptor.offer("2")
      yield* Fiber.interrupt(second)
      acceptor.offer("3")
      assert.deepStrictEqual(seen.splice(0), ["0 to a", "1 to b", "0 closed", "2 to b", "1 closed", "2 closed"])
      yield* serving(acceptor, seen, "c")
      assert.deepStrictEqual(seen, ["3 to c"])
    }))

  it.effect("closes what its handlers hold, and discards what waits and what comes later", () =>
    Effect.gen(function*() {
      const { acceptor, close, seen } = yield* accepting
      const run = yield* serving(acceptor, seen, "a")
      acceptor.offer("0")
      yield* Fiber.interrupt(run)
      acceptor.offer("1")
      yield* close
      acceptor.offer("2")
      assert.deepStrictEqual(seen, ["0 to a", "0 closed", "1 discarded", "2 discarded"])
    }))

  it.effect("has closed only when its handlers have ended", () =>
    Effect.gen(function*() {
      const { acceptor, close, seen } = yield* accepting
      const mayEnd = yield* Deferred.make<void>()
      yield* Effect.forkScoped(
        acceptor.run(() => Effect.onInterrupt(Effect.never, () => Deferred.await(mayEnd))),
        { startImmediately: true }
      )
      acceptor.offer("0")
      const closing = yield* Effect.forkScoped(close, { startImmediately: true })
      yield* Effect.yieldNow
      assert.isUndefined(closing.pollUnsafe())
      assert.deepStrictEqual(seen, [])
      yield* Deferred.succeed(mayEnd, undefined)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(seen, ["0 closed"])
    }))

  it.effect("survives a handler that dies, and says so", () =>
    Effect.gen(function*() {
      const { acceptor, seen } = yield* accepting
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => void logged.push(String(message)))
      yield* Effect.forkScoped(
        acceptor.run(({ remote }) => (remote === "0" ? Effect.die("a bug") : Effect.sync(() => seen.push("served")))),
        { startImmediately: true }
      ).pipe(Effect.provide(Logger.layer([logger])))
      acceptor.offer("0")
      acceptor.offer("1")
      assert.deepStrictEqual(seen, ["0 closed", "served", "1 closed"])
      assert.strictEqual(logged.length, 1)
      assert.include(logged[0]!, "a connection handler died")
    }))

  it.effect("gives a handler a scope that ends with it", () =>
    Effect.gen(function*() {
      const { acceptor, seen } = yield* accepting
      yield* Effect.forkScoped(
        acceptor.run(() => Effect.addFinalizer(() => Effect.sync(() => seen.push("released")))),
        { startImmediately: true }
      )
      acceptor.offer("0")
      assert.deepStrictEqual(seen, ["released", "0 closed"])
    }))
})
