import { Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { LookupFunction } from "node:net"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as SilentAddress from "./SilentAddress.ts"
import { PORT, randomNet } from "./TcpEnsemble.ts"
import { accept, hasIPv6, receiveAll } from "./TransportHarness.ts"

const loopback = { host: "127.0.0.1", port: 0 }

const tcp = Effect.provide(NodeTransport.layerTcp())

const dialWith = (lookup: LookupFunction, port: number) =>
  Transport.use((transport) => transport.dial({ host: "peer.invalid", port })).pipe(
    Effect.provide(NodeTransport.layerTcp({ lookup }))
  )

const resolvesTo = (...addresses: ReadonlyArray<string>) => {
  const asked: Array<string> = []
  const lookup: LookupFunction = (name, _, callback) => {
    asked.push(name)
    setImmediate(() => callback(null, addresses.map((address) => ({ address, family: 4 }))))
  }
  return { asked, lookup }
}

// More than both kernels of a loopback connection buffer.
const unread = new Uint8Array(32 * 1024 * 1024).fill(1)

// A connection of which nobody reads the far end, and a write on it that waits.
const stalled = Effect.gen(function*() {
  const transport = yield* Transport
  const listener = yield* transport.listen(loopback)
  const accepted = yield* accept(listener)
  const scope = yield* Scope.make()
  const near = yield* Scope.provide(transport.dial(listener.address), scope)
  const far = yield* Queue.take(accepted)
  yield* Effect.forkScoped(Effect.ignore(near.write(unread)), { startImmediately: true })
  return { far, near, hangUp: Scope.close(scope, Exit.void) }
})

describe("NodeTransport.layerTcp", () => {
  it.live("asks for the name at every dial and tries every address", () =>
    Effect.gen(function*() {
      const listener = yield* Transport.use((transport) => transport.listen(loopback))
      const accepted = yield* accept(listener)
      // Nobody listens on the first.
      const { asked, lookup } = resolvesTo("127.0.0.2", "127.0.0.1")
      for (let n = 1; n <= 2; n++) {
        const connection = yield* dialWith(lookup, listener.address.port)
        yield* Queue.take(accepted)
        assert.strictEqual(connection.remote, `127.0.0.1:${listener.address.port}`)
        assert.strictEqual(asked.length, n)
      }
    }).pipe(tcp))

  it.live("is refused when every address refuses", () =>
    Effect.gen(function*() {
      const nobody = yield* Effect.scoped(Transport.use((transport) => transport.listen(loopback)))
      const error = yield* Effect.flip(dialWith(resolvesTo("127.0.0.2", "127.0.0.1").lookup, nobody.address.port))
      assert.strictEqual(error.reason, "Refused")
    }).pipe(tcp))

  it.live.skipIf(process.platform !== "linux" || !hasIPv6())("lets IPv6 and IPv4 take turns", () =>
    Effect.gen(function*() {
      const net = randomNet()
      const silent = { host: `${net}.1`, port: PORT }
      yield* SilentAddress.make(silent)
      const transport = yield* Transport
      yield* accept(yield* transport.listen({ host: `${net}.2`, port: PORT }))
      yield* accept(yield* transport.listen({ host: "::1", port: PORT }))
      const connection = yield* dialWith(resolvesTo(silent.host, `${net}.2`, "::1").lookup, PORT)
      assert.strictEqual(connection.remote, `[::1]:${PORT}`)
    }).pipe(tcp))

  it.live("has nothing to dial when the name resolves to nothing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(dialWith(resolvesTo().lookup, 1))
      assert.deepStrictEqual([error.reason, error.address], ["Unresolved", "peer.invalid:1"])
    }))

  // Linux drops what a full queue cannot take; other systems answer.
  it.live.skipIf(process.platform !== "linux")("can be given up while an address swallows packets", () =>
    Effect.gen(function*() {
      const silent = { host: `${randomNet()}.1`, port: PORT }
      yield* SilentAddress.make(silent)
      const transport = yield* Transport
      const dialing = yield* Effect.forkScoped(Effect.scoped(transport.dial(silent)), { startImmediately: true })
      // Another dial has had no answer since.
      assert.strictEqual(yield* SilentAddress.ask(silent), "silence")
      assert.isUndefined(dialing.pollUnsafe())
      yield* Fiber.interrupt(dialing)
    }).pipe(tcp))

  it.live.skipIf(process.platform !== "linux")("tries the next address beside one that swallows packets", () =>
    Effect.gen(function*() {
      const net = randomNet()
      const [silent, serving] = [{ host: `${net}.1`, port: PORT }, { host: `${net}.2`, port: PORT }]
      yield* SilentAddress.make(silent)
      const listener = yield* Transport.use((transport) => transport.listen(serving))
      yield* accept(listener)
      const connection = yield* dialWith(resolvesTo(silent.host, serving.host).lookup, PORT)
      assert.strictEqual(connection.remote, `${serving.host}:${PORT}`)
      assert.strictEqual(yield* SilentAddress.ask(silent), "silence")
    }).pipe(tcp))

  it.live.each([
    ["ENOTFOUND", "Unresolved"],
    ["EAI_AGAIN", "Unresolved"],
    ["ETIMEDOUT", "TimedOut"],
    ["EHOSTUNREACH", "Failed"]
  ])("tells %s as %s", ([code, reason]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        dialWith((_, __, callback) => callback(Object.assign(new Error(code), { code }), ""), 1)
      )
      assert.strictEqual(error.reason, reason)
      assert.strictEqual(error.address, "peer.invalid:1")
    }))

  it.live("does not begin to listen once the scope has closed", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const free = yield* Effect.scoped(transport.listen(loopback))
      // The name has to be looked up, so the interruption comes before the listening.
      const byName = { host: "localhost", port: free.address.port }
      const attempt = yield* Effect.forkScoped(Effect.scoped(transport.listen(byName)), { startImmediately: true })
      yield* Fiber.interrupt(attempt)
      assert.deepStrictEqual((yield* transport.listen(byName)).address, byName)
    }).pipe(tcp))

  it.live("flushes what it has taken when the scope closes, if someone reads", () =>
    Effect.gen(function*() {
      const { far, hangUp } = yield* stalled
      const closing = yield* Effect.forkScoped(hangUp, { startImmediately: true })
      const { chunks, error } = yield* receiveAll(far)
      assert.strictEqual(chunks.reduce((size, chunk) => size + chunk.length, 0), unread.length)
      assert.strictEqual(error.reason._tag, "SocketCloseError")
      yield* Fiber.join(closing)
    }).pipe(tcp))

  it.live("flushes even when the far end reads only after it has written", () =>
    Effect.gen(function*() {
      const { far, hangUp } = yield* stalled
      const closing = yield* Effect.forkScoped(hangUp, { startImmediately: true })
      yield* far.write(unread)
      const { chunks } = yield* receiveAll(far)
      assert.strictEqual(chunks.reduce((size, chunk) => size + chunk.length, 0), unread.length)
      yield* Fiber.join(closing)
    }).pipe(tcp))

  it.effect("gives up flushing after two seconds, if nobody reads", () =>
    Effect.gen(function*() {
      const { far, hangUp, near } = yield* stalled
      const pull = yield* Effect.forkScoped(Effect.flip(near.pull), { startImmediately: true })
      const closing = yield* Effect.forkScoped(hangUp, { startImmediately: true })
      yield* Fiber.join(pull)
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      const { chunks } = yield* receiveAll(far)
      assert.isBelow(chunks.reduce((size, chunk) => size + chunk.length, 0), unread.length)
    }).pipe(tcp), 10_000)
})
