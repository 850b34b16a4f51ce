/**
 * What every transport promises, as tests. Each row names one promise; the
 * transport under test is the only thing that differs.
 */
import { BACKLOG } from "@conclave/quorum/Acceptor"
import type { Address } from "@conclave/quorum/Transport"
import { DialError, ListenError, type Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { bytes, endings } from "./ConnectionContract.ts"
import { accept, dial, listen, receive, receiveAll, type Register, text, utf8 } from "./TransportHarness.ts"

/** Registers the contract for a transport. `host` is one it can listen on, with port 0 for any port. */
export const contract = (name: string, layer: Layer.Layer<Transport>, host: string) => {
  // Real time passes only while the kernel works; ten seconds mean that something hangs.
  const promises: Register = (promise, test) =>
    it.live(promise, () => test.pipe(Effect.provide(layer)), 10_000)

  describe(`${name}: bytes`, () => bytes(promises, { host, port: 0 }))
  describe(`${name}: endings`, () => endings(promises, { host, port: 0 }))
  describe(`${name}: dialling`, () => dialling(promises, { host, port: 0 }))
  describe(`${name}: listening`, () => listening(promises, { host, port: 0 }))
  describe(`${name}: handlers`, () => handlers(promises, { host, port: 0 }))
}

const dialling = (promises: Register, address: Address) => {
  promises("nobody listens: Refused", Effect.gen(function*() {
    const nobody = yield* Effect.scoped(Effect.map(listen(address), (listener) => listener.address))
    const error = yield* Effect.flip(dial(nobody))
    assert.instanceOf(error, DialError)
    assert.strictEqual(error.reason, "Refused")
    assert.include(error.message, String(nobody.port))
  }))

  promises("a port that cannot be: Failed", Effect.gen(function*() {
    const error = yield* Effect.flip(dial({ ...address, port: 70_000 }))
    assert.strictEqual(error.reason, "Failed")
  }))

  promises("an interrupted dial leaves nothing behind", Effect.gen(function*() {
    const listener = yield* listen(address)
    const accepted = yield* accept(listener)
    for (let n = 0; n < 20; n++) {
      const scope = yield* Scope.make()
      const attempt = yield* Effect.forkScoped(Scope.provide(dial(listener.address), scope), { startImmediately: true })
      yield* Fiber.interrupt(attempt)
      const exit = yield* Fiber.await(attempt)
      // One that came too late connected; one that did not needs no scope to clean up.
      if (Exit.isSuccess(exit)) yield* Scope.close(scope, exit)
    }
    // Whatever arrived of the others arrived before this one, which is the only one alive.
    const last = yield* dial(listener.address)
    yield* last.write(utf8("!"))
    while (true) {
      const connection = yield* Queue.take(accepted)
      const said = yield* Effect.result(connection.pull)
      if (Result.isSuccess(said)) return assert.strictEqual(text(said.success[0]!), "!")
    }
  }))

  promises("fifty at once", Effect.gen(function*() {
    const listener = yield* listen(address)
    yield* Effect.forkScoped(listener.run((connection) =>
      Effect.ignore(Effect.forever(Effect.flatMap(connection.pull, (chunks) => connection.write(chunks[0]!))))
    ))
    const echoes = yield* Effect.forEach(Array.from({ length: 50 }, (_, n) => `${n + 100}`), (word) =>
      Effect.gen(function*() {
        const connection = yield* dial(listener.address)
        yield* connection.write(utf8(word))
        return [word, text(yield* receive(connection, 3))]
      }), { concurrency: "unbounded" })
    for (const [word, echo] of echoes) assert.strictEqual(echo, word)
  }))
}

const listening = (promises: Register, address: Address) => {
  promises("two listeners cannot share an address", Effect.gen(function*() {
    const first = yield* listen(address)
    const error = yield* Effect.flip(listen(first.address))
    assert.instanceOf(error, ListenError)
    assert.include(error.message, "address already in use")
  }))

  promises("a port that cannot be is a ListenError", Effect.gen(function*() {
    assert.instanceOf(yield* Effect.flip(listen({ ...address, port: 70_000 })), ListenError)
  }))

  promises("port 0 gives each its own, and each is served", Effect.gen(function*() {
    const listeners = yield* Effect.all([listen(address), listen(address)])
    for (const [index, listener] of listeners.entries()) {
      yield* Effect.forkScoped(listener.run((connection) => Effect.ignore(connection.write(utf8(`${index}`)))))
    }
    const served = yield* Effect.forEach(listeners, (listener) =>
      Effect.flatMap(dial(listener.address), (connection) => receive(connection, 1)))
    assert.deepStrictEqual(served.map(text), ["0", "1"])
  }))

  promises("the end of a listener closes its connections and frees the address", Effect.gen(function*() {
    const scope = yield* Scope.make()
    const listener = yield* Scope.provide(listen(address), scope)
    const waiting = yield* dial(listener.address)
    const accepted = yield* accept(listener)
    yield* Queue.take(accepted)
    const handled = yield* dial(listener.address)
    yield* Queue.take(accepted)
    yield* Scope.close(scope, Exit.void)
    yield* Effect.flip(waiting.pull)
    yield* Effect.flip(handled.pull)
    assert.strictEqual((yield* Effect.flip(dial(listener.address))).reason, "Refused")
    const again = yield* listen(listener.address)
    assert.deepStrictEqual(again.address, listener.address)
    yield* accept(again)
    yield* dial(again.address)
  }))

  promises("the end of a listener closes connections that nobody has handled", Effect.gen(function*() {
    const scope = yield* Scope.make()
    const listener = yield* Scope.provide(listen(address), scope)
    const waiting = yield* dial(listener.address)
    yield* Scope.close(scope, Exit.void)
    assert.strictEqual((yield* Effect.flip(waiting.pull))._tag, "SocketError")
  }))
}

const handlers = (promises: Register, address: Address) => {
  promises("a connection waits for run, even one that has been closed since", Effect.gen(function*() {
    const listener = yield* listen(address)
    yield* Effect.scoped(Effect.flatMap(dial(listener.address), (connection) => connection.write(utf8("early"))))
    const accepted = yield* accept(listener)
    const { chunks } = yield* receiveAll(yield* Queue.take(accepted))
    assert.strictEqual(text(Buffer.concat(chunks)), "early")
  }))

  promises("a backlog of connections waits for run, one more is closed", Effect.gen(function*() {
    const listener = yield* listen(address)
    const waiting = yield* Effect.forEach(Array.from({ length: BACKLOG }), () => dial(listener.address))
    // Who shakes hands as it dials is told while it dials.
    const surplus = yield* Effect.flip(Effect.flatMap(dial(listener.address), ({ pull }) => pull))
    assert.oneOf(surplus._tag, ["SocketError", "DialError"])
    yield* Effect.forkScoped(listener.run((connection) => Effect.ignore(connection.write(utf8("!")))))
    for (const connection of waiting) assert.strictEqual(text(yield* receive(connection, 1)), "!")
  }))

  promises("the end of a handler closes its connection and its scope, and no other", Effect.gen(function*() {
    const listener = yield* listen(address)
    const released = yield* Deferred.make<void>()
    const logged: Array<unknown> = []
    const logger = Logger.make(({ message }) => void logged.push(message))
    yield* Effect.forkScoped(listener.run((connection) =>
      Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Deferred.succeed(released, undefined))
        const word = text(yield* receive(connection, 3))
        if (word === "die") return yield* Effect.die("a handler that dies")
        yield* connection.write(utf8("ok"))
      }).pipe(Effect.ignore)
    ).pipe(Effect.provide(Logger.layer([logger]))))
    const dying = yield* dial(listener.address)
    const living = yield* dial(listener.address)
    yield* dying.write(utf8("die"))
    yield* Deferred.await(released)
    yield* Effect.flip(dying.pull)
    yield* living.write(utf8("yes"))
    assert.strictEqual(text(yield* receive(living, 2)), "ok")
    yield* Effect.flip(living.pull)
    assert.include(String(logged), "a connection handler died")
  }))

  promises("interrupting run ends its handlers; the next run serves what comes", Effect.gen(function*() {
    const listener = yield* listen(address)
    const started = yield* Deferred.make<void>()
    const first = yield* Effect.forkScoped(
      listener.run(() => Effect.andThen(Deferred.succeed(started, undefined), Effect.never))
    )
    const old = yield* dial(listener.address)
    yield* Deferred.await(started)
    yield* Fiber.interrupt(first)
    yield* Effect.flip(old.pull)
    const between = yield* dial(listener.address)
    yield* Effect.forkScoped(listener.run((connection) => Effect.ignore(connection.write(utf8("!")))))
    assert.strictEqual(text(yield* receive(between, 1)), "!")
  }))
}
