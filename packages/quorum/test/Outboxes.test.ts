import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Outboxes from "../src/Outboxes.ts"

const message = (byte: number): Uint8Array => Uint8Array.of(byte)

describe("an outbox (Java: TestCircularBlockingQueue)", () => {
  it.effect("holds one message, the newest", () =>
    Effect.gen(function*() {
      const { sendQueue } = yield* Outboxes.make().of(1n)
      for (const byte of [1, 2, 3]) assert.isTrue(yield* Queue.offer(sendQueue, message(byte)))
      assert.strictEqual(yield* Queue.size(sendQueue), 1)
      assert.deepStrictEqual(yield* Queue.take(sendQueue), message(3))
      assert.strictEqual(yield* Queue.size(sendQueue), 0)
    }))

  it.effect("wakes who waits for a message", () =>
    Effect.gen(function*() {
      const { sendQueue } = yield* Outboxes.make().of(1n)
      const taker = yield* Effect.forkScoped(Queue.take(sendQueue), { startImmediately: true })
      assert.isUndefined(taker.pollUnsafe())
      yield* Queue.offer(sendQueue, message(10))
      yield* Effect.yieldNow
      assert.deepStrictEqual(yield* taker.pollUnsafe() ?? Effect.die("not woken"), message(10))
    }))
})

describe("Outboxes", () => {
  it.effect("are one per peer, and remember", () =>
    Effect.gen(function*() {
      const outboxes = Outboxes.make()
      assert.deepStrictEqual(outboxes.sids(), [])
      const one = yield* outboxes.of(1n)
      one.lastMessageSent = message(7)
      assert.strictEqual(yield* outboxes.of(1n), one)
      assert.notStrictEqual(yield* outboxes.of(2n), one)
      assert.deepStrictEqual(outboxes.sids(), [1n, 2n])
    }))

  it.effect("are one per peer, however many ask at once and whenever they have to wait", () =>
    Effect.gen(function*() {
      // A fiber has to wait after so many operations, and so at each point of what it does.
      for (let ops = 5; ops <= 20; ops++) {
        const outboxes = Outboxes.make()
        const ask = Effect.andThen(Effect.repeat(Effect.void, { times: 10 }), outboxes.of(1n))
        const asked = yield* Effect.forEach([1, 2, 3], () => ask, { concurrency: "unbounded" }).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, ops)
        )
        assert.strictEqual(new Set(asked).size, 1, `${ops} operations at a time`)
      }
    }))

  it.effect("tell for whom a message waits", () =>
    Effect.gen(function*() {
      const outboxes = Outboxes.make()
      const one = yield* outboxes.of(1n)
      const two = yield* outboxes.of(2n)
      yield* Queue.offer(one.sendQueue, message(1))
      yield* Queue.offer(two.sendQueue, message(2))
      assert.deepStrictEqual(outboxes.undelivered(), new Set([1n, 2n]))
      yield* Queue.take(one.sendQueue)
      assert.deepStrictEqual(outboxes.undelivered(), new Set([2n]))
    }))

  it.effect("forget a peer", () =>
    Effect.gen(function*() {
      const outboxes = Outboxes.make()
      const one = yield* outboxes.of(1n)
      one.lastMessageSent = message(7)
      yield* Queue.offer(one.sendQueue, message(1))
      outboxes.forget(1n)
      assert.deepStrictEqual(outboxes.sids(), [])
      assert.deepStrictEqual(outboxes.undelivered(), new Set())
      assert.isNull((yield* outboxes.of(1n)).lastMessageSent)
    }))
})
