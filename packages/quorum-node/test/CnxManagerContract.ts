/**
 * What a connection manager promises, as tests, over a transport that is the only
 * thing that differs.
 */
import { DialError } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { listening, several } from "./CnxManagerAddresses.ts"
import { frames, handshakes, strangers } from "./CnxManagerClients.ts"
import {
  address,
  change,
  connected,
  converse,
  type MakePlace,
  next,
  type Register,
  run,
  send,
  start,
  startAll,
  until
} from "./CnxManagerHarness.ts"
import { dials, links, restarts, wanted } from "./CnxManagerLinks.ts"
import { limits, stories } from "./CnxManagerStories.ts"

/** Registers the contract for a transport. */
export const contract = (name: string, makePlace: MakePlace) => {
  // Real time passes only while the kernel works; twenty seconds mean that something hangs.
  const promises: Register = (promise, test) => it.live(promise, () => run(makePlace, test), 20_000)

  describe(`${name}: messages`, () => messages(promises))
  describe(`${name}: links`, () => links(promises))
  describe(`${name}: a dial`, () => dials(promises))
  describe(`${name}: wanted`, () => wanted(promises))
  describe(`${name}: restarts`, () => restarts(promises))
  describe(`${name}: stories`, () => stories(promises))
  describe(`${name}: limits:`, () => limits(promises))
  describe(`${name}: listens`, () => listening(promises))
  describe(`${name}: several addresses`, () => several(promises))
  describe(`${name}: halting`, () => halting(promises))
  describe(`${name}: handshakes of a client`, () => handshakes(promises))
  describe(`${name}: refused handshakes`, () => strangers(promises))
  describe(`${name}: frames of a client`, () => frames(promises))
}

const messages = (promises: Register) => {
  for (const first of [1n, 2n]) {
    promises(`go both ways when ${first} dials first`, Effect.fnUntraced(function*(place) {
      const [one, two] = yield* startAll(place, 1n, 2n)
      const [dialler, other] = first === 1n ? [one!, two!] : [two!, one!]
      yield* send(dialler, other.sid, "there")
      assert.strictEqual(yield* next(other), `${first}: there`)
      yield* send(other, dialler.sid, "back")
      assert.strictEqual(yield* next(dialler), `${other.sid}: back`)
    }))
  }

  promises("come back to who sends to itself", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    yield* send(one, 1n, "me")
    assert.strictEqual(yield* next(one), "1: me")
    assert.strictEqual((yield* one.manager.connected).size, 0)
  }))

  promises("wait for their peer, the newest only", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    yield* send(one, 2n, "older")
    yield* send(one, 2n, "newest")
    const two = yield* start(place, 2n)
    yield* two.manager.connectOne(1n)
    assert.strictEqual(yield* next(two), "1: newest")
    yield* send(one, 2n, "after")
    assert.strictEqual(yield* next(two), "1: after")
  }))

  promises("are sent again on a new link, the last one, when nothing waits", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    const two = yield* start(place, 2n)
    yield* send(one, 2n, "first")
    assert.strictEqual(yield* next(two), "1: first")
    yield* send(one, 2n, "last")
    assert.strictEqual(yield* next(two), "1: last")
    yield* two.stop
    yield* connected(one)
    const again = yield* start(place, 2n)
    yield* again.manager.connectOne(1n)
    assert.strictEqual(yield* next(again), "1: last")
  }))

  promises("are not sent again when something newer waits", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    const two = yield* start(place, 2n)
    yield* send(one, 2n, "old")
    assert.strictEqual(yield* next(two), "1: old")
    yield* two.stop
    yield* connected(one)
    yield* send(one, 2n, "new")
    const again = yield* start(place, 2n)
    yield* again.manager.connectOne(1n)
    assert.strictEqual(yield* next(again), "1: new")
    yield* send(one, 2n, "after")
    assert.strictEqual(yield* next(again), "1: after")
  }))

  promises("count as delivered when they are handed to a link", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    const { haveDelivered, undelivered } = one.manager
    assert.isFalse(yield* haveDelivered)
    yield* send(one, 2n, "to nobody")
    yield* send(one, 3n, "to nobody yet")
    assert.deepStrictEqual(yield* undelivered, new Set([2n, 3n]))
    assert.isFalse(yield* haveDelivered)
    const three = yield* start(place, 3n)
    yield* three.manager.connectOne(1n)
    assert.strictEqual(yield* next(three), "1: to nobody yet")
    assert.deepStrictEqual(yield* undelivered, new Set([2n]))
    assert.isTrue(yield* haveDelivered)
  }))
}

const halting = (promises: Register) => {
  promises("closes every connection and frees the address at once", Effect.fnUntraced(function*(place) {
    const [one, two, three] = yield* startAll(place, 1n, 2n, 3n)
    yield* converse(two!, one!, "below")
    yield* converse(two!, three!, "above")
    yield* two!.stop
    const again = yield* start(place, 2n)
    assert.deepStrictEqual(again.manager.addresses, [address(place, 2n)])
    yield* connected(one!)
    yield* connected(three!)
    yield* converse(again, one!, "below again")
    yield* converse(again, three!, "above again")
  }))

  promises("leaves no address behind that is taken", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    const transport = yield* place.transport(place.host(1n))
    const taken = yield* Effect.flip(transport.listen(address(place, 1n)))
    assert.strictEqual(taken._tag, "ListenError")
    yield* one.stop
    yield* transport.listen(address(place, 1n))
  }))

  promises("does not wait for a client that says nothing", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(99n))
    const one = yield* start(place, 1n)
    const client = yield* transport.dial(address(place, 1n))
    yield* client.write(new Uint8Array(3))
    yield* one.stop
    yield* Effect.flip(client.pull)
  }))

  promises("ends every dial under way", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(3n))
    let open = 0
    const three = yield* start(place, 3n, {
      transport: {
        ...transport,
        // 1 is silent, 2 refuses, and what is held while dialling is counted.
        dial: (to) =>
          Effect.acquireRelease(Effect.sync(() => open++), () => Effect.sync(() => open--)).pipe(
            Effect.andThen(to.host === place.host(2n) ? Effect.fail(refused) : Effect.never)
          )
      }
    })
    const changes = yield* three.manager.linkChanges
    yield* three.manager.want(new Set([1n, 2n]))
    yield* change(changes, "DialFailed", 2n)
    assert.isAtLeast(open, 1)
    yield* three.stop
    assert.strictEqual(open, 0)
  }))

  promises("loses nobody else's messages", Effect.fnUntraced(function*(place) {
    const [one, two, three] = yield* startAll(place, 1n, 2n, 3n)
    yield* converse(one!, three!, "before")
    yield* send(two!, 3n, "said before the end")
    yield* until(three!, "2: said before the end")
    yield* two!.stop
    yield* connected(three!, 1n)
    yield* converse(one!, three!, "after")
    assert.strictEqual(yield* Queue.size(three!.manager.recvQueue), 0)
  }))
}

const refused = new DialError({ address: "two", reason: "Refused", cause: new Error("nobody there") })
