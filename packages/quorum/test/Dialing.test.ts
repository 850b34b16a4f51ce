import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Dialing from "../src/Dialing.ts"
import * as Transport from "../src/Transport.ts"

/** What happens to a dial: how it ends and after how many milliseconds. */
type Fate = readonly [end: "Connected" | Transport.DialReason, after: number]

// A transport whose hosts have a fate. It tells who was dialled when, and what is still held, be it an attempt.
const fated = (fates: Readonly<Record<string, Fate>>) => {
  const dialled: Array<string> = []
  const held = new Set<string>()
  const dial = Effect.fnUntraced(function*(
    { host, port }: Transport.Address
  ): Effect.fn.Return<Transport.Connection, Transport.DialError, Scope.Scope> {
    const [end, after] = fates[host]!
    dialled.push(`${host} at ${yield* Clock.currentTimeMillis}`)
    yield* Effect.acquireUseRelease(
      Effect.sync(() => held.add(`attempt at ${host}`)),
      () => Effect.sleep(after),
      () => Effect.sync(() => held.delete(`attempt at ${host}`))
    )
    if (end !== "Connected") {
      return yield* new Transport.DialError({ address: host, reason: end, cause: new Error(end) })
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => held.add(host)),
      () => Effect.sync(() => held.delete(host))
    )
    return { remote: `${host}:${port}`, pull: Effect.never, write: () => Effect.void, identify: () => Effect.void }
  })
  const listen = () => Effect.die("nobody listens in these tests")
  return { transport: Transport.Transport.of({ dial, listen }), dialled, held }
}

const CNX_TIMEOUT = 5_000

// Dials these hosts in a scope of its own, and lets so many milliseconds pass.
const race = Effect.fnUntraced(function*(fates: Readonly<Record<string, Fate>>, millis = 60_000) {
  const { dialled, held, transport } = fated(fates)
  const addresses = Object.keys(fates).map((host) => ({ host, port: 3888 }))
  const scope = yield* Scope.make()
  const fiber = yield* Effect.forkScoped(
    Scope.provide(Dialing.dialAny(transport, addresses, CNX_TIMEOUT), scope),
    { startImmediately: true }
  )
  yield* TestClock.adjust(millis)
  return { dialled, held, fiber, hangUp: Scope.close(scope, Exit.void) }
})

describe("Dialing.dialAny", () => {
  const rows: ReadonlyArray<readonly [what: string, fates: Readonly<Record<string, Fate>>, dialled: Array<string>]> = [
    ["one address", { a: ["Connected", 10] }, ["a at 0"]],
    ["the first of two that answers in time", { a: ["Connected", 249], b: ["Connected", 0] }, ["a at 0"]],
    ["another at once when one refuses", { a: ["Refused", 10], b: ["Connected", 10] }, ["a at 0", "b at 10"]],
    ["another beside one that is silent", { a: ["TimedOut", 9_999], b: ["Connected", 10] }, ["a at 0", "b at 250"]],
    ["another beside one that is slow, and the first answers after all",
      { a: ["Connected", 300], b: ["Connected", 100] }, ["a at 0", "b at 250"]],
    ["one after the other where all are silent but the last",
      { a: ["Failed", 9_999], b: ["Failed", 9_999], c: ["Connected", 10] }, ["a at 0", "b at 250", "c at 500"]],
    ["one after the other where all refuse but the last",
      { a: ["Refused", 1], b: ["Unresolved", 1], c: ["Connected", 1] }, ["a at 0", "b at 1", "c at 2"]]
  ]
  const winners = ["a", "a", "b", "b", "a", "c", "c"]
  for (const [index, [what, fates, dialled]] of rows.entries()) {
    it.effect(`dials ${what}`, () =>
      Effect.gen(function*() {
        const raced = yield* race(fates)
        const connection = yield* Fiber.join(raced.fiber)
        assert.strictEqual(connection.remote, `${winners[index]}:3888`)
        assert.deepStrictEqual(raced.dialled, dialled)
        // Of the others nothing is left, though the scope they began in is open.
        assert.deepStrictEqual(raced.held, new Set([winners[index]!]))
        yield* raced.hangUp
        assert.deepStrictEqual(raced.held, new Set())
      }))
  }

  it.effect("closes what the others hold in its scope, as soon as one answers", () =>
    Effect.gen(function*() {
      const held = new Set<string>()
      const dial = Effect.fnUntraced(function*({ host }: Transport.Address) {
        yield* Effect.acquireRelease(Effect.sync(() => held.add(host)), () => Effect.sync(() => held.delete(host)))
        if (host !== "b") return yield* Effect.never
        return { remote: host, pull: Effect.never, write: () => Effect.void, identify: () => Effect.void }
      })
      const transport = Transport.Transport.of({ dial, listen: () => Effect.die("nobody listens in this test") })
      const addresses = ["a", "b", "c"].map((host) => ({ host, port: 3888 }))
      const fiber = yield* Effect.forkScoped(Dialing.dialAny(transport, addresses, CNX_TIMEOUT), {
        startImmediately: true
      })
      assert.deepStrictEqual(held, new Set(["a"]))
      yield* TestClock.adjust(250)
      assert.strictEqual((yield* Fiber.join(fiber)).remote, "b")
      assert.deepStrictEqual(held, new Set(["b"]))
    }))

  const failures: ReadonlyArray<readonly [Readonly<Record<string, Fate>>, Transport.DialReason, string]> = [
    [{ a: ["Refused", 1] }, "Refused", "a"],
    [{ a: ["Refused", 1], b: ["Unresolved", 1] }, "Refused", "a"],
    [{ a: ["Unresolved", 1], b: ["Refused", 1], c: ["Failed", 1] }, "Refused", "b"],
    [{ a: ["Refused", 1], b: ["Failed", 9_999] }, "Refused", "a"],
    [{ a: ["Failed", 9_999], b: ["Refused", 1] }, "Refused", "b"]
  ]
  it.effect.each(failures)("fails as the one that refuses: %j", ([fates, reason, address]) =>
    Effect.gen(function*() {
      const raced = yield* race(fates)
      const error = yield* Effect.flip(Fiber.join(raced.fiber))
      assert.deepStrictEqual([error.reason, error.address], [reason, address])
      assert.deepStrictEqual(raced.held, new Set())
    }))

  it.effect("gives each address the same time, and not longer", () =>
    Effect.gen(function*() {
      const raced = yield* race({ a: ["Connected", 9_999], b: ["Connected", 9_999] }, CNX_TIMEOUT + 249)
      assert.isUndefined(raced.fiber.pollUnsafe())
      assert.deepStrictEqual(raced.held, new Set(["attempt at b"]))
      yield* TestClock.adjust(1)
      const error = yield* Effect.flip(Fiber.join(raced.fiber))
      assert.strictEqual(error.reason, "TimedOut")
      assert.match(error.message, /^cannot reach [ab]:3888: no answer in time/)
      assert.deepStrictEqual(raced.held, new Set())
    }))

  it.effect("tells of who answers and is not secure in time", () =>
    Effect.gen(function*() {
      const overdue = new Transport.SecurityError({ reason: "Silent", problem: "it answered", remedy: "ask it why" })
      const dial: Transport.Transport["Service"]["dial"] = (_, onAnswered) =>
        Effect.andThen(Effect.sync(() => onAnswered?.(overdue)), Effect.never)
      const transport = Transport.Transport.of({ dial, listen: () => Effect.die("nobody listens in this test") })
      const dialling = Dialing.dialAny(transport, [{ host: "a", port: 3888 }], CNX_TIMEOUT)
      const fiber = yield* Effect.forkScoped(dialling, { startImmediately: true })
      yield* TestClock.adjust(CNX_TIMEOUT)
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error.message, "cannot reach a:3888: it answered; ask it why")
      assert.deepStrictEqual(Dialing.whatFailed(error), { reason: "Insecure", rejected: "Silent" })
    }))

  it.effect("that is interrupted leaves nothing behind", () =>
    Effect.gen(function*() {
      const raced = yield* race({ a: ["Connected", 9_999], b: ["Refused", 1], c: ["Connected", 9_999] }, 251)
      assert.deepStrictEqual(raced.dialled, ["a at 0", "b at 250", "c at 251"])
      assert.deepStrictEqual(raced.held, new Set(["attempt at a", "attempt at c"]))
      yield* Fiber.interrupt(raced.fiber)
      assert.deepStrictEqual(raced.held, new Set())
      yield* TestClock.adjust(60_000)
      assert.strictEqual(raced.dialled.length, 3)
    }))
})

describe("Dialing.redialDelay", () => {
  const chances = [0, 0.5, 1 - Number.EPSILON]
  const delays = (failures: number) =>
    Effect.forEach(chances, (chance) =>
      Effect.map(
        Effect.provideService(Dialing.redialDelay(failures), Random.Random, {
          nextDoubleUnsafe: () => chance,
          nextIntUnsafe: () => 0
        }),
        Duration.toMillis
      ))

  it.effect.each([
    [1, [25, 37.5, 50]],
    [2, [50, 75, 100]],
    [3, [100, 150, 200]],
    [6, [800, 1200, 1600]],
    [7, [1000, 1500, 2000]],
    [8, [1000, 1500, 2000]],
    [5_000, [1000, 1500, 2000]]
  ] as const)("after %j failures", ([failures, expected]) =>
    Effect.gen(function*() {
      const found = yield* delays(failures)
      for (const [index, delay] of found.entries()) assert.approximately(delay, expected[index]!, 1e-6)
    }))
})

describe("Dialing.isReachable", () => {
  it.effect.each([
    [["Connected", 10], true],
    [["Refused", 10], true],
    [["Unresolved", 10], false],
    [["Failed", 10], false],
    [["Connected", 1_001], false],
    [["TimedOut", 10], false]
  ] as ReadonlyArray<readonly [Fate, boolean]>)("of a host whose fate is %j", ([fate, expected]) =>
    Effect.gen(function*() {
      const { dialled, held, transport } = fated({ a: fate })
      const asking = yield* Effect.forkScoped(Dialing.isReachable(transport, "a", 1_000), { startImmediately: true })
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* Fiber.join(asking), expected)
      assert.deepStrictEqual(dialled, ["a at 0"])
      assert.deepStrictEqual(held, new Set())
    }))

  it.effect("asks at the port of the echo service", () =>
    Effect.gen(function*() {
      const ports: Array<number> = []
      const dial = ({ host, port }: Transport.Address) => {
        ports.push(port)
        return Effect.fail(new Transport.DialError({ address: host, reason: "Refused", cause: new Error("refused") }))
      }
      const transport = Transport.Transport.of({ dial, listen: () => Effect.die("nobody listens in this test") })
      assert.isTrue(yield* Dialing.isReachable(transport, "a", 1_000))
      assert.deepStrictEqual(ports, [7])
    }))
})
