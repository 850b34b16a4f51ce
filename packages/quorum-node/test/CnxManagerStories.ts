/** The part of the connection manager's contract that is about what it tells, and what it bounds. */
import { DialError, type DialReason } from "@conclave/quorum/Transport"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import {
  call,
  change,
  closedSilently,
  connected,
  converse,
  frame,
  hello,
  next,
  nextFrame,
  type Register,
  rejected,
  send,
  start,
  storyOf,
  storyWhen
} from "./CnxManagerHarness.ts"
import { text, utf8 } from "./TransportHarness.ts"

/** What is told of the connections with each peer. */
export const stories = (promises: Register) => {
  promises("tell since when, who dialled, where, and what went over it", Effect.fnUntraced(function*(place) {
    const one = yield* start(place, 1n)
    const two = yield* start(place, 2n)
    const before = yield* Clock.currentTimeMillis
    yield* send(two, 1n, "12345")
    assert.strictEqual(yield* next(one), "2: 12345")
    for (const word of ["a", "bc"]) {
      yield* send(one, 2n, word)
      assert.strictEqual(yield* next(two), `1: ${word}`)
    }
    const after = yield* Clock.currentTimeMillis
    // A frame is its length of four bytes, and its payload.
    const there = { framesSent: 1, bytesSent: 9, framesReceived: 2, bytesReceived: 11 }
    const back = { framesSent: 2, bytesSent: 11, framesReceived: 1, bytesReceived: 9 }
    const rows = [[two, 1n, "Us", there], [one, 2n, "Them", back]] as const
    for (const [member, sid, dialedBy, traffic] of rows) {
      const [story, ...others] = yield* member.manager.stories
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual([story!.sid, story!.failure], [sid, null])
      const { remote, since, ...link } = story!.link!
      assert.deepStrictEqual(link, { dialedBy, traffic })
      assert.isTrue(before <= since && since <= after)
      // Who dials over TCP does it from any address and port of its host.
      assert.match(remote, dialedBy === "Us" ? new RegExp(`^${place.host(1n)}:3888$`) : /^[^ ]+:\d+$/)
    }
  }))

  promises("count anew for a new connection", Effect.fnUntraced(function*(place) {
    const two = yield* start(place, 2n)
    for (const words of [["a", "b", "c"], ["d"]]) {
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid: 9n }))
      for (const word of words) {
        yield* client.write(frame(utf8(word)))
        assert.strictEqual(yield* next(two), `9: ${word}`)
      }
      const { link } = yield* storyWhen(two, 9n, (story) => story.link !== null)
      assert.strictEqual(link?.traffic.framesReceived, words.length)
      yield* client.hangUp
      yield* connected(two)
    }
  }))

  const reasons: ReadonlyArray<DialReason> = ["Refused", "TimedOut", "Unresolved", "Failed"]
  for (const reason of reasons) {
    promises(`tell that a peer could not be dialled: ${reason}`, Effect.fnUntraced(function*(place, logged) {
      const transport = yield* place.transport(place.host(2n))
      const error = new DialError({ address: "there", reason, cause: "as the test wants it" })
      const two = yield* start(place, 2n, { transport: { ...transport, dial: () => Effect.fail(error) } })
      const changes = yield* two.manager.linkChanges
      for (let count = 1; count <= 3; count++) {
        const before = yield* Clock.currentTimeMillis
        yield* two.manager.connectOne(1n)
        assert.strictEqual((yield* change(changes, "DialFailed", 1n)).reason, reason)
        const story = yield* storyOf(two, 1n)
        const { at, ...failure } = story!.failure!
        assert.deepStrictEqual(failure, { reason, message: error.message, count })
        assert.isAtLeast(at, before)
        assert.isNull(story!.link)
      }
      // People are told once.
      assert.deepStrictEqual(logged, [`no connection with server 1: ${error.message}`])
    }))
  }

  promises("tell of who refuses, and of who is silent for as long as a dial may take", Effect.fnUntraced(
    function*(place) {
      yield* Effect.scoped(start(place, 1n))
      const transport = yield* place.transport(place.host(2n))
      const two = yield* start(place, 2n, {
        cnxTimeout: 50,
        transport: { ...transport, dial: (to) => (to.host === place.host(3n) ? Effect.never : transport.dial(to)) }
      })
      const changes = yield* two.manager.linkChanges
      yield* two.manager.connectOne(1n)
      yield* change(changes, "DialFailed", 1n)
      yield* two.manager.connectOne(3n)
      yield* change(changes, "DialFailed", 3n)
      const told = (yield* two.manager.stories).map(({ failure }) => failure?.reason)
      assert.deepStrictEqual(told, ["Refused", "TimedOut"])
    }
  ))

  promises("tell that a connection was lost, and go on telling when there is one again", Effect.fnUntraced(
    function*(place) {
      const two = yield* start(place, 2n)
      const one = yield* start(place, 1n)
      yield* converse(two, one, "before")
      yield* one.stop
      const lost = yield* storyWhen(two, 1n, ({ link }) => link === null)
      const { at: _, ...failed } = lost.failure!
      assert.deepStrictEqual(failed, { reason: "Lost", message: "closed by the other side", count: 1 })
      const again = yield* start(place, 1n)
      yield* converse(two, again, "after")
      const { failure, link } = (yield* storyOf(two, 1n))!
      assert.isNotNull(link)
      assert.strictEqual(failure?.reason, "Lost")
    }
  ))

  promises("tell nothing of a stranger that is gone", Effect.fnUntraced(function*(place) {
    const two = yield* start(place, 2n)
    const client = yield* call(place, 2n)
    yield* client.write(hello({ sid: 9n }))
    yield* connected(two, 9n)
    yield* send(two, 9n, "hello")
    assert.strictEqual(yield* nextFrame(client), "hello")
    assert.strictEqual((yield* storyOf(two, 9n))?.link?.traffic.framesSent, 1)
    yield* client.hangUp
    yield* connected(two)
    assert.deepStrictEqual(yield* two.manager.stories, [])
    assert.isFalse(yield* two.manager.haveDelivered)
  }))
}

/** What nobody can have more of. */
export const limits = (promises: Register) => {
  promises("a hundred messages wait to be handled, of all peers; the oldest go", Effect.fnUntraced(function*(place) {
    const two = yield* start(place, 2n)
    for (const [sid, count] of [[8n, 60], [9n, 65]] as const) {
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid }))
      for (let n = 0; n < count; n++) yield* client.write(frame(utf8(`${n}`)))
      yield* storyWhen(two, sid, ({ link }) => link?.traffic.framesReceived === count)
    }
    const kept = (yield* Queue.takeAll(two.manager.recvQueue)).map(({ payload, sid }) => `${sid}: ${text(payload)}`)
    const numbers = (sid: number, first: number, end: number) =>
      Array.from({ length: end - first }, (_, n) => `${sid}: ${first + n}`)
    assert.deepStrictEqual(kept, [...numbers(8, 25, 60), ...numbers(9, 0, 65)])
  }))

  promises("one message waits to be sent while a link is slow, the newest", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(2n))
    const writing = yield* Deferred.make<void>()
    const mayWrite = yield* Deferred.make<void>()
    const isSlow = (bytes: Uint8Array) => text(bytes).endsWith("first")
    const two = yield* start(place, 2n, {
      transport: {
        ...transport,
        dial: (to) =>
          Effect.map(transport.dial(to), (connection) => ({
            ...connection,
            write: (bytes) =>
              isSlow(bytes)
                ? Effect.andThen(Deferred.succeed(writing, undefined), Deferred.await(mayWrite)).pipe(
                  Effect.andThen(connection.write(bytes))
                )
                : connection.write(bytes)
          }))
      }
    })
    const one = yield* start(place, 1n)
    yield* send(two, 1n, "first")
    yield* Deferred.await(writing)
    assert.isTrue(yield* two.manager.haveDelivered)
    for (const word of ["older", "old", "newest"]) yield* send(two, 1n, word)
    assert.deepStrictEqual(yield* two.manager.undelivered, new Set([1n]))
    assert.isFalse(yield* two.manager.haveDelivered)
    yield* Deferred.succeed(mayWrite, undefined)
    assert.strictEqual(yield* next(one), "2: first")
    assert.strictEqual(yield* next(one), "2: newest")
    assert.isTrue(yield* two.manager.haveDelivered)
  }))

  promises("as many handshakes are in progress as are configured, and the slowest gives way", Effect.fnUntraced(
    function*(place) {
      const limit = 3
      const two = yield* start(place, 2n, { quorumCnxnThreadsSize: limit })
      const silent = yield* Effect.forEach(Array.from({ length: limit }), () => call(place, 2n))
      const honest = yield* call(place, 2n)
      yield* honest.write(hello({ sid: 9n }))
      yield* connected(two, 9n)
      yield* closedSilently(silent[0]!)
      assert.deepStrictEqual(yield* rejected(two, 1), { TooManyHandshakes: 1 })
      // Who has shaken hands is in nobody's way, and the others still may.
      for (const [index, client] of silent.slice(1).entries()) yield* client.write(hello({ sid: 10n + BigInt(index) }))
      yield* connected(two, 9n, 10n, 11n)
    }
  ))

  promises("many who say nothing keep nobody out", Effect.fnUntraced(function*(place) {
    const limit = 20
    const rounds = 4
    const two = yield* start(place, 2n, { quorumCnxnThreadsSize: limit })
    const three = yield* start(place, 3n)
    for (let round = 1; round <= rounds; round++) {
      yield* Effect.forEach(Array.from({ length: 2 * limit }), () => call(place, 2n))
      yield* rejected(two, 2 * round * limit - limit)
    }
    yield* converse(three, two, "through")
    // One more in progress pushed out one more, at most.
    const surplus = 2 * rounds * limit - limit
    const rejections = yield* rejected(two, surplus)
    assert.deepStrictEqual(Object.keys(rejections), ["TooManyHandshakes"])
    assert.isAtMost(rejections["TooManyHandshakes"]!, surplus + 1)
  }))

  promises("twenty strangers are connected, one more is hung up on", Effect.fnUntraced(function*(place, logged) {
    const two = yield* start(place, 2n)
    const sids = Array.from({ length: 20 }, (_, n) => 100n + BigInt(n))
    const strangers = yield* Effect.forEach(sids, Effect.fnUntraced(function*(sid) {
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid }))
      return client
    }))
    yield* connected(two, ...sids)
    const surplus = yield* call(place, 2n)
    yield* surplus.write(hello({ sid: 99n }))
    yield* closedSilently(surplus)
    assert.deepStrictEqual(yield* rejected(two, 1), { TooManyStrangers: 1 })
    assert.strictEqual(logged.length, 1)
    assert.match(logged[0]!, /^connection of server 99 from [^ ]+ refused: too many servers that no configuration/)
    // They keep out no member, and one that leaves makes room.
    const three = yield* start(place, 3n)
    yield* converse(three, two, "a member")
    yield* strangers[0]!.hangUp
    yield* connected(two, 3n, ...sids.slice(1))
    const later = yield* call(place, 2n)
    yield* later.write(hello({ sid: 99n }))
    yield* connected(two, 3n, 99n, ...sids.slice(1))
    for (const { hangUp } of [...strangers, later]) yield* hangUp
    yield* connected(two, 3n)
    assert.deepStrictEqual((yield* two.manager.stories).map(({ sid }) => sid), [3n])
  }))
}
