/**
 * What a connection manager promises, as tests, over a transport that is the only
 * thing that differs.
 */
import { DialError } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { frames, handshakes, strangers } from "./CnxManagerClients.ts"
import {
  address,
  call,
  change,
  closedSilently,
  connected,
  converse,
  hello,
  type MakePlace,
  next,
  type Place,
  type Register,
  run,
  send,
  start,
  startAll,
  until
} from "./CnxManagerHarness.ts"

/** Registers the contract for a transport. */
export const contract = (name: string, makePlace: MakePlace) => {
  // Real time passes only while the kernel works; twenty seconds mean that something hangs.
  const promises: Register = (promise, test) => it.live(promise, () => run(makePlace, test), 20_000)

  describe(`${name}: messages`, () => messages(promises))
  describe(`${name}: links`, () => links(promises))
  describe(`${name}: a dial`, () => redials(promises))
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

// A manager whose dials are counted for as long as they are open, as `dialler to dialled`.
const startCounted = Effect.fnUntraced(function*(
  place: Place,
  sid: bigint,
  open: SubscriptionRef.SubscriptionRef<ReadonlyArray<string>>
) {
  const transport = yield* place.transport(place.host(sid))
  const dial: typeof transport.dial = (to) => {
    const other = [1n, 2n, 3n, 4n, 5n].find((one) => place.host(one) === to.host)
    const name = `${sid} to ${other}`
    const add = SubscriptionRef.update(open, (now) => [...now, name])
    const remove = SubscriptionRef.update(open, (now) => now.toSpliced(now.indexOf(name), 1))
    return Effect.tap(transport.dial(to), () => Effect.acquireRelease(add, () => remove))
  }
  return yield* start(place, sid, { transport: { ...transport, dial } })
})

const links = (promises: Register) => {
  promises("are one per pair after all have dialled all at once", Effect.fnUntraced(function*(place) {
    const sids = [1n, 2n, 3n, 4n, 5n]
    const open = yield* SubscriptionRef.make<ReadonlyArray<string>>([])
    const members = yield* Effect.forEach(sids, (sid) => startCounted(place, sid, open))
    const pairs = members.flatMap((one) =>
      members.filter((other) => other !== one).map((other) => [one, other] as const))
    yield* Effect.forEach(pairs, ([one, other]) => send(one, other.sid, "hello"), { concurrency: "unbounded" })
    for (const one of members) yield* connected(one, ...sids.filter((sid) => sid !== one.sid))
    const rightful = pairs.filter(([one, other]) => one.sid > other.sid)
    const wanted = rightful.map(([one, other]) => `${one.sid} to ${other.sid}`)
    yield* SubscriptionRef.changes(open).pipe(
      Stream.filter((now) => now.length === wanted.length && wanted.every((pair) => now.includes(pair))),
      Stream.runHead
    )
    for (const [one, other] of pairs) {
      if (one.sid < other.sid) yield* converse(one, other, `${one.sid} and ${other.sid}`)
    }
  }))

  promises("are reported when they come and go", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    const two = yield* start(place, 2n)
    const changes = yield* one.manager.linkChanges
    yield* two.manager.connectOne(1n)
    yield* change(changes, "Up", 2n)
    assert.deepStrictEqual(yield* one.manager.connected, new Set([2n]))
    yield* two.stop
    yield* change(changes, "Down", 2n)
    assert.deepStrictEqual(yield* one.manager.connected, new Set())
  }))

  promises("that cannot be made are reported, and made when the peer is there", Effect.fnUntraced(function*(place) {
    // Somebody has lived there, so that the host is known.
    yield* Effect.scoped(start(place, 1n))
    const two = yield* start(place, 2n)
    const changes = yield* two.manager.linkChanges
    yield* two.manager.connectOne(1n)
    yield* change(changes, "DialFailed", 1n)
    assert.deepStrictEqual(yield* two.manager.connected, new Set())
    const one = yield* start(place, 1n)
    yield* two.manager.connectOne(1n)
    yield* change(changes, "Up", 1n)
    yield* connected(one, 2n)
  }))

  promises("are made to everybody something was ever sent to", Effect.fnUntraced(function*(place) {
    const three = yield* start(place, 3n)
    const changes = yield* three.manager.linkChanges
    for (const [sid, words] of [[1n, "for one"], [2n, "for two"]] as const) {
      yield* send(three, sid, words)
      yield* change(changes, "DialFailed", sid)
    }
    const [one, two, four] = yield* startAll(place, 1n, 2n, 4n)
    yield* three.manager.connectAll
    assert.strictEqual(yield* next(one!), "3: for one")
    assert.strictEqual(yield* next(two!), "3: for two")
    assert.deepStrictEqual(yield* three.manager.connected, new Set([1n, 2n]))
    assert.deepStrictEqual(yield* four!.manager.connected, new Set())
  }))

  promises("need an address", Effect.fnUntraced(function*(place, logged) {
    const one = yield* start(place, 1n)
    yield* one.manager.connectOne(77n)
    assert.deepStrictEqual(logged, [
      "server 77 cannot be dialled: no configuration and no handshake gives its address"
    ])
  }))

  promises("to somebody whom nobody knows leave nothing to be kept", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    yield* send(one, 77n, "who?")
    assert.deepStrictEqual(yield* one.manager.undelivered, new Set())
    assert.deepStrictEqual(yield* one.manager.stories, [])
  }))

  promises("do not wait for a dial that hangs", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(3n))
    const hung = yield* Deferred.make<void>()
    const three = yield* start(place, 3n, {
      transport: {
        ...transport,
        dial: (to) =>
          to.host === place.host(1n)
            ? Effect.andThen(Deferred.succeed(hung, undefined), Effect.never)
            : transport.dial(to)
      }
    })
    const two = yield* start(place, 2n)
    yield* send(three, 1n, "nobody hears this")
    yield* Deferred.await(hung)
    yield* converse(three, two, "meanwhile")
    yield* three.stop
    yield* connected(two)
    yield* start(place, 3n)
  }))
}

const redials = (promises: Register) => {
  promises("is tried once more when it fails after its peer has called", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(2n))
    const refused = yield* Deferred.make<never, DialError>()
    let dials = 0
    const two = yield* start(place, 2n, {
      transport: {
        ...transport,
        dial: (to) => (dials++ === 0 ? Deferred.await(refused) : transport.dial(to))
      }
    })
    const changes = yield* two.manager.linkChanges
    yield* send(two, 1n, "from two")
    const caller = yield* call(place, 2n)
    yield* caller.write(hello({ sid: 1n }))
    yield* closedSilently(caller)
    const one = yield* start(place, 1n)
    yield* Deferred.fail(refused, new DialError({ address: "one", reason: "Refused", cause: new Error("too early") }))
    assert.strictEqual(yield* next(one), "2: from two")
    assert.strictEqual((yield* PubSub.take(changes))._tag, "Up")
    assert.strictEqual(dials, 2)
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
