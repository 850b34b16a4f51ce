/** The part of the connection manager's contract that looks at who dials it and is no manager. */
import * as Rules from "../../core/src/Rules.ts"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import {
  call,
  change,
  closedSilently,
  connected,
  converse,
  frame,
  hello,
  legacyHello,
  listen,
  next,
  nextFrame,
  type Place,
  reader,
  type Register,
  rejected,
  send,
  start
} from "./CnxManagerHarness.ts"
import { text, utf8 } from "./TransportHarness.ts"

/** What becomes of who shakes hands. */
export const handshakes = (promises: Register) => {
  const said: ReadonlyArray<readonly [how: string, pieces: ReadonlyArray<Uint8Array>]> = [
    ["in one piece", [hello({ sid: 9n })]],
    ["one byte at a time", Array.from(hello({ sid: 9n }), (byte) => Uint8Array.of(byte))],
    ["together with its first frame", [Buffer.concat([hello({ sid: 9n }), frame(utf8("early"))])]],
    ["as several addresses", [hello({ sid: 9n, version: -65535n, text: "1.1.1.1:9999|[::1]:8888" })]],
    ["as a 3.4 server", [legacyHello(9n)]],
    ["as a 3.4 server, with its first frame", [Buffer.concat([legacyHello(9n), frame(utf8("early"))])]]
  ]
  for (const [how, pieces] of said) {
    promises(`a larger sid that nobody knows is served: ${how}`, Effect.fnUntraced(function*(place) {
      const two = yield* start(place, 2n)
      const client = yield* call(place, 2n)
      yield* Effect.forEach(pieces, client.write)
      yield* connected(two, 9n)
      if (how.endsWith("frame")) assert.strictEqual(yield* next(two), "9: early")
      yield* client.write(frame(utf8("ping")))
      assert.strictEqual(yield* next(two), "9: ping")
      yield* send(two, 9n, "pong")
      assert.strictEqual(yield* nextFrame(client), "pong")
      yield* client.hangUp
      yield* connected(two)
    }))
  }

  promises("the second connection of a sid takes the place of the first", Effect.fnUntraced(function*(place) {
    const two = yield* start(place, 2n)
    const first = yield* call(place, 2n)
    yield* first.write(hello({ sid: 9n }))
    yield* connected(two, 9n)
    const changes = yield* two.manager.linkChanges
    const second = yield* call(place, 2n)
    yield* second.write(hello({ sid: 9n }))
    yield* closedSilently(first)
    yield* send(two, 9n, "to the second")
    assert.strictEqual(yield* nextFrame(second), "to the second")
    assert.deepStrictEqual(yield* two.manager.connected, new Set([9n]))
    // The end of the first is no news: there is a connection.
    const other = yield* call(place, 2n)
    yield* other.write(hello({ sid: 8n }))
    yield* connected(two, 8n, 9n)
    const told = [yield* PubSub.take(changes), yield* PubSub.take(changes)]
    assert.deepStrictEqual(told.map(({ _tag, sid }) => `${_tag} ${sid}`), ["Up 9", "Up 8"])
  }))

  promises("an older connection of a sid that shakes hands late is hung up on", Effect.fnUntraced(function*(place) {
    const two = yield* start(place, 2n)
    const older = yield* call(place, 2n)
    const newer = yield* call(place, 2n)
    yield* newer.write(hello({ sid: 9n }))
    yield* connected(two, 9n)
    yield* older.write(hello({ sid: 9n }))
    yield* closedSilently(older)
    yield* newer.write(frame(utf8("still here")))
    assert.strictEqual(yield* next(two), "9: still here")
  }))

  promises("what is queued while links are replaced goes out on the last", Effect.fnUntraced(function*(place) {
    const two = yield* start(place, 2n)
    for (let turns = 0; turns < 40; turns++) {
      const first = yield* call(place, 2n)
      yield* first.write(hello({ sid: 9n }))
      const changes = yield* two.manager.linkChanges
      const second = yield* call(place, 2n)
      yield* second.write(hello({ sid: 9n }))
      if (turns % 2 === 0) yield* change(changes, "Up", 9n)
      for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
      yield* send(two, 9n, `message ${turns}`)
      const read = reader(second)
      while (text(yield* read((yield* read(4)).readInt32BE())) !== `message ${turns}`);
      yield* first.hangUp
      yield* second.hangUp
      yield* connected(two)
    }
  }))

  promises("our own sid is hung up on, with a warning that names both", Effect.fnUntraced(function*(place, logged) {
    const two = yield* start(place, 2n)
    const client = yield* call(place, 2n)
    yield* client.write(hello({ sid: 2n }))
    yield* closedSilently(client)
    assert.strictEqual(logged.length, 1)
    assert.match(
      logged[0]!,
      /^a server at [^ ]+:\d+ says that it is server 2, as we are at [^ ]+:3888: two servers have the same myid, or/
    )
    assert.deepStrictEqual(yield* two.manager.connected, new Set())
    assert.deepStrictEqual(yield* two.manager.rejections, new Map([["OwnSid", 1]]))
  }))

  dialledBack(promises)
}

const dialledBack = (promises: Register) => {
  // Where it says that it lives (nobody does at 97), and where it is dialled.
  const rows = [
    ["a smaller sid", "conclave", 1n, [1n], 1n],
    ["a smaller sid, where the configuration says", "conclave", 1n, [98n], 1n],
    ["a smaller sid, where its handshake says, as the original does", "zookeeper", 1n, [98n], 98n],
    ["a smaller sid that nobody knows, where its handshake says", "conclave", -5n, [98n], 98n],
    ["a smaller sid that nobody knows, at the second of its addresses", "conclave", -5n, [97n, 98n], 98n],
    ["an anonymous observer", "conclave", 2n ** 63n - 1n, [98n], 98n]
  ] as const
  for (const [what, rules, sid, said, at] of rows) {
    promises(`is hung up on and dialled back: ${what}`, Effect.fnUntraced(function*(place) {
      const two = yield* start(place, 2n, { rules: Rules.named[rules] })
      const accepted = yield* listen(place, at)
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid, text: said.map((one) => `${place.host(one)}:3888`).join("|") }))
      yield* closedSilently(client)
      const link = yield* Queue.take(accepted)
      const read = reader(link)
      const expected = hello({ sid: 2n, text: `${place.host(2n)}:3888` })
      assert.isTrue((yield* read(expected.length)).equals(expected))
      yield* link.write(frame(utf8("hello")))
      assert.strictEqual(yield* next(two), `${sid === 2n ** 63n - 1n ? -1n : sid}: hello`)
    }))
  }

  promises("is hung up on, with a warning: a smaller sid without address", Effect.fnUntraced(function*(place, logged) {
    yield* start(place, 2n)
    const client = yield* call(place, 2n)
    yield* client.write(legacyHello(0n))
    yield* closedSilently(client)
    assert.deepStrictEqual(logged, [
      "server 0 cannot be dialled: no configuration and no handshake gives its address"
    ])
  }))
}

// Two managers that talk, and whatever the test does to the first must not disturb them, and is counted.
const undisturbed = (
  rejections: Readonly<Record<string, number>>,
  test: (place: Place) => Effect.Effect<void, unknown, Effect.Services<ReturnType<typeof call>>>
) =>
  Effect.fnUntraced(function*(place: Place) {
    const two = yield* start(place, 2n, { handshakeTimeout: 300 })
    const three = yield* start(place, 3n)
    yield* converse(two, three, "before")
    const changes = yield* three.manager.linkChanges
    yield* test(place)
    yield* converse(two, three, "after")
    assert.strictEqual(yield* PubSub.remaining(changes), 0)
    assert.isTrue((yield* two.manager.connected).has(3n))
    assert.deepStrictEqual(yield* rejected(two, Object.keys(rejections).length), rejections)
  })

/** Who does not shake hands properly is hung up on, alone. */
export const strangers = (promises: Register) => {
  const rows: ReadonlyArray<readonly [what: string, said: Uint8Array, reason: string]> = [
    ["an unknown version", hello({ sid: 9n, version: -65530n }), "UnknownVersion"],
    ["a length of 0", hello({ sid: 9n, text: "", length: 0 }), "BadLength"],
    ["a negative length", hello({ sid: 9n, length: -1 }), "BadLength"],
    ["a length of 2049", hello({ sid: 9n, length: 2049 }), "BadLength"],
    ["a length of 1 MiB", hello({ sid: 9n, length: 1048576 }), "BadLength"],
    ["no address", hello({ sid: 9n, text: "what's going on here?" }), "BadAddress"],
    ["an address without port", hello({ sid: 9n, text: "10.0.0.2" }), "BadAddress"],
    ["an empty address among others", hello({ sid: 9n, text: "a:1||b:2" }), "BadAddress"],
    ["a port that is no number", hello({ sid: 9n, text: "10.0.0.2:x" }), "BadPort"],
    ["a port above 65535", hello({ sid: 9n, text: "10.0.0.2:65536" }), "BadPort"],
    ["another protocol", utf8("GET / HTTP/1.1\r\nHost: peer\r\n\r\n"), "MalformedFrame"]
  ]
  for (const [what, said, reason] of rows) {
    promises(what, undisturbed({ [reason]: 1 }, Effect.fnUntraced(function*(place) {
      const client = yield* call(place, 2n)
      yield* client.write(said)
      yield* closedSilently(client)
    })))
  }

  for (const size of [0, 1, 7, 19, 25]) {
    promises(`silence after ${size} bytes`, undisturbed({ HandshakeTimedOut: 1 }, Effect.fnUntraced(function*(place) {
      const client = yield* call(place, 2n)
      if (size > 0) yield* client.write(hello({ sid: 9n }).subarray(0, size))
      yield* closedSilently(client)
    })))
  }

  promises("ten in a row are told of four times", Effect.fnUntraced(function*(place, logged) {
    const two = yield* start(place, 2n)
    for (let time = 0; time < 10; time++) {
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid: 9n, length: -1 }))
      yield* closedSilently(client)
    }
    assert.deepStrictEqual(yield* two.manager.rejections, new Map([["BadLength", 10]]))
    assert.strictEqual(logged.filter((line) => line.includes("refused")).length, 4)
  }))

  promises("an end within the handshake", undisturbed({ ClosedEarly: 1 }, Effect.fnUntraced(function*(place) {
    const client = yield* call(place, 2n)
    yield* client.write(hello({ sid: 9n }).subarray(0, 21))
    yield* client.hangUp
  })))
}

/** What becomes of frames, and of connections that send what is none. */
export const frames = (promises: Register) => {
  for (const length of [0, -1, -20, 524_289, 2 ** 31 - 1]) {
    const rejections = { MalformedFrame: 1 }
    promises(`of length ${length} close their connection`, undisturbed(rejections, Effect.fnUntraced(function*(place) {
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid: 9n }))
      yield* client.write(frame(utf8("...."), length))
      yield* closedSilently(client)
    })))
  }

  for (const length of [1, 4, 524_288]) {
    promises(`of length ${length} are delivered`, Effect.fnUntraced(function*(place) {
      const two = yield* start(place, 2n)
      const client = yield* call(place, 2n)
      yield* client.write(hello({ sid: 9n }))
      const payload = Uint8Array.from({ length }, (_, n) => (n * 31) % 251)
      yield* Effect.forkScoped(client.write(frame(payload)))
      const received = yield* Queue.take(two.manager.recvQueue)
      assert.strictEqual(received.sid, 9n)
      assert.isTrue(Buffer.from(received.payload).equals(payload))
    }))
  }

  promises("may come in pieces, with a pause", undisturbed({}, Effect.fnUntraced(function*(place) {
    const five = yield* start(place, 5n)
    const six = yield* start(place, 4n)
    const client = yield* call(place, 5n)
    const bytes = Buffer.concat([frame(utf8("in pieces")), frame(utf8("whole"))])
    yield* client.write(hello({ sid: 9n }))
    yield* client.write(bytes.subarray(0, 2))
    yield* converse(five, six, "the pause")
    yield* client.write(bytes.subarray(2, 9))
    yield* converse(five, six, "another")
    yield* client.write(bytes.subarray(9))
    assert.strictEqual(yield* next(five), "9: in pieces")
    assert.strictEqual(yield* next(five), "9: whole")
  })))
}
