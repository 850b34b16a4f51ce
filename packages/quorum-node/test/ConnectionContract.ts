/** The part of the transport contract that looks at one connection. */
import type { Address, Connection } from "@conclave/quorum/Transport"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { accept, dial, listen, receive, receiveAll, type Register, text, utf8 } from "./TransportHarness.ts"

// Two ends of one connection. Both live as long as the test; the near one has a scope to close.
const pair = Effect.fnUntraced(function*(address: Address) {
  const listener = yield* listen(address)
  const accepted = yield* accept(listener)
  const scope = yield* Scope.make()
  const near = yield* Scope.provide(dial(listener.address), scope)
  const far = yield* Queue.take(accepted)
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  return { listener, near, far, hangUp: Scope.close(scope, Exit.void) }
})

/** What a connection promises about bytes. */
export const bytes = (promises: Register, address: Address) => {
  promises("arrive in order, both ways at once", Effect.gen(function*() {
    const { far, near } = yield* pair(address)
    const lines = Array.from({ length: 2000 }, (_, n) => `line ${n}\n`)
    const send = (connection: Connection) => Effect.forEach(lines, (line) => connection.write(utf8(line)))
    yield* Effect.forkScoped(send(near))
    yield* Effect.forkScoped(send(far))
    const total = utf8(lines.join("")).length
    const [there, back] = yield* Effect.all([receive(far, total), receive(near, total)], { concurrency: 2 })
    assert.strictEqual(text(there), lines.join(""))
    assert.strictEqual(text(back), lines.join(""))
  }))

  promises("arrive whole when one write holds 1 MiB and the reader is slow", Effect.gen(function*() {
    const { far, near } = yield* pair(address)
    const sent = Uint8Array.from({ length: 1024 * 1024 }, (_, n) => (n * 31) % 251)
    yield* Effect.forkScoped(near.write(sent))
    const pulls: Array<Uint8Array> = []
    for (let size = 0; size < sent.length;) {
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      for (const chunk of yield* far.pull) size += pulls.push(chunk) > 0 ? chunk.length : 0
    }
    assert.isTrue(Buffer.concat(pulls).equals(sent))
  }))

  promises("wait in the writer when nobody reads", Effect.gen(function*() {
    const { far, near } = yield* pair(address)
    const chunk = new Uint8Array(65536)
    const total = 64 * 1024 * 1024
    let written = 0
    const writer = yield* Effect.forkScoped(Effect.gen(function*() {
      while (written < total) {
        yield* near.write(chunk)
        written += chunk.length
      }
    }), { startImmediately: true })
    let most = 0
    for (let got = 0; got < total;) {
      most = Math.max(most, written - got)
      for (const part of yield* far.pull) got += part.length
    }
    yield* Fiber.join(writer)
    // Kernels buffer a few MiB on each side; nobody buffers half of this.
    assert.isBelow(most, total / 2)
  }))

  promises("come in non-empty chunks", Effect.gen(function*() {
    const { far, hangUp, near } = yield* pair(address)
    yield* near.write(new Uint8Array(0))
    yield* near.write(utf8("a"))
    yield* near.write(new Uint8Array(0))
    yield* hangUp
    const { chunks } = yield* receiveAll(far)
    assert.deepStrictEqual(chunks.map(text), ["a"])
  }))

  promises("are not lost when a pull is interrupted", Effect.gen(function*() {
    const { far, near } = yield* pair(address)
    const pull = yield* Effect.forkScoped(far.pull, { startImmediately: true })
    yield* Fiber.interrupt(pull)
    yield* near.write(utf8("still here"))
    assert.strictEqual(text(yield* receive(far, 10)), "still here")
  }))
}

/** What a connection promises about its end, and who is at it. */
export const endings = (promises: Register, address: Address) => {
  promises("a dialler that writes and hangs up at once has said it all", Effect.gen(function*() {
    const { far, hangUp, near } = yield* pair(address)
    const hello = new Uint8Array(300_000).fill(7)
    const writer = yield* Effect.forkScoped(Effect.andThen(near.write(hello), hangUp))
    const { chunks, error } = yield* receiveAll(far)
    yield* Fiber.join(writer)
    assert.isTrue(Buffer.concat(chunks).equals(hello))
    assert.strictEqual(error.reason._tag, "SocketCloseError")
  }))

  promises("a handler that writes and ends has said it all", Effect.gen(function*() {
    const listener = yield* listen(address)
    const answer = new Uint8Array(300_000).fill(8)
    yield* Effect.forkScoped(listener.run((connection) => Effect.ignore(connection.write(answer))))
    const { chunks, error } = yield* receiveAll(yield* dial(listener.address))
    assert.isTrue(Buffer.concat(chunks).equals(answer))
    assert.strictEqual(error.reason._tag, "SocketCloseError")
  }))

  promises("a waiting pull fails when the far end closes, and then every write", Effect.gen(function*() {
    const { far, hangUp } = yield* pair(address)
    const pull = yield* Effect.forkScoped(Effect.flip(far.pull), { startImmediately: true })
    yield* hangUp
    assert.strictEqual((yield* Fiber.join(pull))._tag, "SocketError")
    assert.strictEqual((yield* Effect.flip(far.pull))._tag, "SocketError")
    assert.strictEqual((yield* Effect.flip(far.write(utf8("too late"))))._tag, "SocketError")
  }))

  promises("a waiting pull fails when the own scope closes, and then every write", Effect.gen(function*() {
    const { hangUp, near } = yield* pair(address)
    const pull = yield* Effect.forkScoped(Effect.flip(near.pull), { startImmediately: true })
    yield* hangUp
    assert.strictEqual((yield* Fiber.join(pull))._tag, "SocketError")
    assert.strictEqual((yield* Effect.flip(near.write(utf8("too late"))))._tag, "SocketError")
  }))

  promises("what is unread when the own scope closes stays unread", Effect.gen(function*() {
    const { far, hangUp, near } = yield* pair(address)
    yield* far.write(utf8("unread"))
    yield* hangUp
    assert.strictEqual((yield* Effect.flip(near.pull))._tag, "SocketError")
  }))

  promises("a writer that waits for a reader fails when the reader hangs up", Effect.gen(function*() {
    const { far, hangUp } = yield* pair(address)
    const writer = yield* Effect.forkScoped(Effect.forever(far.write(new Uint8Array(65536))).pipe(Effect.flip), {
      startImmediately: true
    })
    yield* hangUp
    assert.strictEqual((yield* Fiber.join(writer))._tag, "SocketError")
  }))

  promises("both ends can name the other", Effect.gen(function*() {
    const { far, listener, near } = yield* pair(address)
    const end = /^(\[[0-9a-f:]+\]|[^:[\]]+):\d+$/
    assert.match(near.remote, end)
    assert.match(far.remote, end)
    assert.isTrue(near.remote.endsWith(`:${listener.address.port}`))
  }))
}
