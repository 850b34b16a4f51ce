import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as HandshakeGate from "../src/HandshakeGate.ts"

type Handshake = Fiber.Fiber<never, HandshakeGate.TooManyHandshakes>

// A handshake that never ends by itself, of somebody at this port of a host.
const silent = (gate: HandshakeGate.HandshakeGate, host: string, port = 1) =>
  Effect.forkScoped(gate.run(`${host}:${port}`, Effect.never), { startImmediately: true })

const allSilent = (
  gate: HandshakeGate.HandshakeGate,
  ...hosts: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Handshake>, never, Scope.Scope> =>
  Effect.forEach(hosts, (host, index) => silent(gate, host, index))

// Which of them were given up; who was, ends at once.
const givenUp = Effect.fnUntraced(function*(handshakes: ReadonlyArray<Handshake>) {
  yield* Effect.yieldNow
  return handshakes.flatMap((fiber, index) => (fiber.pollUnsafe() === undefined ? [] : [index]))
})

describe("HandshakeGate", () => {
  it.effect("gives a handshake what it comes to", () =>
    Effect.gen(function*() {
      const gate = HandshakeGate.make(1)
      assert.strictEqual(yield* gate.run("a:1", Effect.succeed("done")), "done")
      assert.strictEqual(yield* Effect.flip(gate.run("a:1", Effect.fail("malformed"))), "malformed")
    }))

  it.effect("lets as many last as its limit, and gives up the oldest of a host for one more", () =>
    Effect.gen(function*() {
      const gate = HandshakeGate.make(3)
      const handshakes = yield* allSilent(gate, "a", "a", "a")
      assert.deepStrictEqual(yield* givenUp(handshakes), [])
      const fourth = yield* silent(gate, "a", 4)
      assert.deepStrictEqual(yield* givenUp([...handshakes, fourth]), [0])
      const error = yield* Effect.flip(Fiber.join(handshakes[0]!))
      assert.strictEqual(error._tag, "TooManyHandshakes")
      assert.strictEqual(error.message, "more than 3 handshakes at a time, and this one was the slowest of its host")
    }))

  it.effect.each([
    ["the host that has most", ["a", "b", "b", "c"], [1]],
    ["of hosts that have as many, the one that came first", ["a", "b", "b", "a"], [0]],
    ["an IPv6 host is told by its whole literal", ["[::1]", "[::2]", "[::2]", "[::3]"], [1]]
  ])("gives up that of %s", ([, hosts, expected]) =>
    Effect.gen(function*() {
      const gate = HandshakeGate.make(4)
      const handshakes = yield* allSilent(gate, ...hosts as ReadonlyArray<string>)
      yield* silent(gate, "new")
      assert.deepStrictEqual(yield* givenUp(handshakes), expected as Array<number>)
    }))

  it.effect("is no harm to others when one host floods it", () =>
    Effect.gen(function*() {
      const gate = HandshakeGate.make(20)
      const honest = yield* allSilent(gate, "b", "c", "d")
      const flood = yield* Effect.forEach(Array.from({ length: 1_000 }), (_, port) => silent(gate, "a", port))
      assert.deepStrictEqual(yield* givenUp(honest), [])
      assert.strictEqual((yield* givenUp(flood)).length, 1_000 - 17)
      assert.strictEqual(yield* gate.run("e:1", Effect.succeed("done")), "done")
    }))

  it.effect("has room again after a handshake, however it ended", () =>
    Effect.gen(function*() {
      const gate = HandshakeGate.make(2)
      const [lasting, interrupted] = yield* allSilent(gate, "a", "a")
      yield* Fiber.interrupt(interrupted!)
      const ends = [Effect.void, Effect.fail("malformed"), Effect.die("a bug"), Effect.interrupt]
      for (const end of ends) yield* Effect.exit(gate.run("a:1", end))
      const second = yield* silent(gate, "a")
      assert.deepStrictEqual(yield* givenUp([lasting!, second]), [])
      yield* silent(gate, "a")
      assert.deepStrictEqual(yield* givenUp([lasting!, second]), [0])
    }))

  it.effect("without any room lets one through", () =>
    Effect.gen(function*() {
      const gate = HandshakeGate.make(0)
      assert.strictEqual(yield* gate.run("a:1", Effect.succeed("done")), "done")
    }))
})
