/** Connection managers that authenticate, over transports that are the only thing that differs. */
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import type { Connection } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as QuorumAuthPacket from "../../core/src/QuorumAuthPacket.ts"
import { concat, hex, i32 } from "../../core/test/support/Bytes.ts"
import {
  address,
  call,
  change,
  closedSilently,
  connected,
  converse,
  frame,
  hello,
  type MakePlace,
  type Member,
  next,
  nextFrame,
  type Options,
  type Place,
  reader,
  type Register,
  run,
  send,
  start
} from "../../quorum-node/test/CnxManagerHarness.ts"
import { memory, secure, tcp } from "../../quorum-node/test/CnxManagerPlaces.ts"
import { accept, utf8 } from "../../quorum-node/test/TransportHarness.ts"
import * as DigestMechanism from "../src/DigestMechanism.ts"
import * as Exchange from "../src/Exchange.ts"
import * as SaslAuth from "../src/SaslAuth.ts"

/** The rows of the table in `SaslAuth`, in the order of a roll-out. */
const stages = ["off", "enabled", "learner", "server"] as const
type Stage = typeof stages[number]

/** A login that all know. */
const alice = { username: "alice", password: Redacted.make("secret") }

interface Sasl {
  /** What we log in with. */
  readonly password?: string
  /** What the peer learns about authentications, as `learner` and `server`, when they have succeeded. */
  readonly seen?: Array<string>
}

const mechanismsOf = (password: string) =>
  DigestMechanism.make({
    learner: { ...alice, password: Redacted.make(password) },
    users: new Map([[alice.username, alice.password]])
  }).pipe(Effect.provide(SecureRandom.layerWebCrypto))

const authOf = Effect.fnUntraced(function*(stage: Stage, { password = "secret", seen = [] }: Sasl) {
  if (stage === "off") return QuorumAuth.none
  const requirements = { learnerRequireSasl: stage !== "enabled", serverRequireSasl: stage === "server" }
  const auth = SaslAuth.make(requirements, yield* mechanismsOf(password))
  const note = (side: string) => Effect.tap(() => Effect.sync(() => seen.push(side)))
  return {
    learner: (...args: Parameters<typeof auth.learner>) => note("learner")(auth.learner(...args)),
    server: (...args: Parameters<typeof auth.server>) => note("server")(auth.server(...args))
  }
})

const startAt = (place: Place, sid: bigint, stage: Stage, { password, seen, ...options }: Options & Sasl = {}) =>
  Effect.gen(function*() {
    const auth = yield* authOf(stage, { ...(password && { password }), ...(seen && { seen }) })
    return yield* start(place, sid, options).pipe(Effect.provideService(QuorumAuth.QuorumAuth, auth))
  })

/** What was wrong last with the connection to a peer. */
const failureOf = ({ manager }: Member, sid: bigint) =>
  Effect.map(manager.stories, (stories) => stories.find((story) => story.sid === sid)?.failure?.message ?? "none")

/** Waits until somebody was turned away, and says for what. */
const rejection = ({ manager }: Member) =>
  Effect.gen(function*() {
    while (true) {
      const reasons = Array.from((yield* manager.rejections).keys())
      if (reasons.length > 0) return reasons
      yield* Effect.yieldNow
    }
  })

// -----------------------------------------------------------------------------
// two managers
// -----------------------------------------------------------------------------

const talks = (promises: Register) => {
  for (const first of [1n, 2n]) {
    promises(`authenticate and talk when ${first} dials first`, Effect.fnUntraced(function*(place) {
      const [seenByOne, seenByTwo]: [Array<string>, Array<string>] = [[], []]
      const one = yield* startAt(place, 1n, "server", { seen: seenByOne })
      const two = yield* startAt(place, 2n, "server", { seen: seenByTwo })
      const [dialler, other] = first === 1n ? [one, two] : [two, one]
      yield* send(dialler, other.sid, "there")
      assert.strictEqual(yield* next(other), `${first}: there`)
      yield* converse(one, two, "and back")
      // Who has the smaller id authenticates, hangs up, and is dialled back.
      assert.deepStrictEqual(seenByOne.toSorted(), first === 1n ? ["learner", "server"] : ["server"])
      assert.deepStrictEqual(seenByTwo.toSorted(), first === 1n ? ["learner", "server"] : ["learner"])
      assert.deepStrictEqual([yield* one.manager.rejections, yield* two.manager.rejections], [new Map(), new Map()])
    }))
  }

  promises("authenticate again after a restart", Effect.fnUntraced(function*(place) {
    const one = yield* startAt(place, 1n, "server")
    const two = yield* startAt(place, 2n, "server")
    yield* converse(one, two, "before")
    yield* two.stop
    yield* connected(one)
    const again = yield* startAt(place, 2n, "server")
    yield* converse(again, one, "after")
  }))
}

// The link between two peers is that which the larger one has dialled; so it is there if the smaller one accepts it.
const meets = (smaller: Stage, larger: Stage): boolean => {
  const authenticates = larger === "learner" || larger === "server"
  return authenticates ? smaller !== "off" : smaller !== "server"
}

const rollout = (promises: Register) => {
  for (const smaller of stages) {
    for (const larger of stages) {
      const verb = meets(smaller, larger) ? "talks" : "does not talk"
      promises(`1 at "${smaller}" ${verb} to 2 at "${larger}"`, Effect.fnUntraced(function*(place) {
        const one = yield* startAt(place, 1n, smaller, { handshakeTimeout: 1_000 })
        const two = yield* startAt(place, 2n, larger, { handshakeTimeout: 1_000 })
        if (meets(smaller, larger)) {
          yield* converse(two, one, "hello")
          yield* two.stop
          yield* connected(one)
          // A smaller one that begins is dialled back, unless it is refused; then it waits to be dialled.
          const again = yield* startAt(place, 2n, larger)
          yield* meets(larger, smaller) ? converse(one, again, "again") : converse(again, one, "again")
        } else {
          const changes = yield* two.manager.linkChanges
          yield* send(two, 1n, "nobody should hear this")
          yield* smaller === "server" ? rejection(one) : change(changes, "DialFailed", 1n)
          assert.strictEqual(yield* Queue.size(one.manager.recvQueue), 0)
          assert.isFalse((yield* one.manager.connected).has(2n))
        }
      }))
    }
  }
}

const refusals = (promises: Register) => {
  promises("required and plain: no vote arrives, and both say why", Effect.fnUntraced(function*(place, logged) {
    const one = yield* startAt(place, 1n, "server")
    const two = yield* startAt(place, 2n, "off")
    yield* send(two, 1n, "a vote")
    assert.deepStrictEqual(yield* rejection(one), ["Unauthenticated"])
    assert.strictEqual(yield* Queue.size(one.manager.recvQueue), 0)
    assert.match(
      logged.find((line) => line.startsWith("connection from ")) ?? "",
      /refused: as server 2: it did not authenticate, and quorum\.auth\.serverRequireSasl is on here; turn on/
    )
    const changes = yield* one.manager.linkChanges
    yield* send(one, 2n, "not in the clear")
    yield* change(changes, "DialFailed", 2n)
    assert.strictEqual(yield* Queue.size(two.manager.recvQueue), 0)
    assert.match(yield* failureOf(one, 2n), /^it closed the connection instead of authenticating us; look at its log/)
  }))

  promises("a wrong password is refused, and both say so", Effect.fnUntraced(function*(place, logged) {
    const one = yield* startAt(place, 1n, "server")
    const two = yield* startAt(place, 2n, "server", { password: "guess" })
    const changes = yield* two.manager.linkChanges
    yield* send(two, 1n, "a vote")
    yield* change(changes, "DialFailed", 1n)
    assert.deepStrictEqual(yield* two.manager.rejections, new Map([["AuthRefused", 1]]))
    assert.deepStrictEqual(yield* rejection(one), ["WrongCredentials"])
    assert.deepStrictEqual([yield* one.manager.connected, yield* two.manager.connected], [new Set(), new Set()])
    assert.strictEqual(yield* Queue.size(one.manager.recvQueue), 0)
    assert.isTrue(logged.some((line) => /as server 2: user "alice" gave a wrong password; the login/.test(line)))
    assert.isTrue(logged.some((line) => line.startsWith("no connection with server 1: it did not accept our login; ")))
    for (const line of logged) assert.notMatch(line, /guess|secret/)
  }))

  promises("who is refused is dialled again", Effect.fnUntraced(function*(place) {
    yield* startAt(place, 1n, "server")
    const two = yield* startAt(place, 2n, "server", { password: "guess" })
    const changes = yield* two.manager.linkChanges
    yield* two.manager.want(new Set([1n]))
    for (const _ of [1, 2, 3]) yield* change(changes, "DialFailed", 1n)
    assert.isAtLeast((yield* two.manager.rejections).get("AuthRefused") ?? 0, 3)
  }))
}

// -----------------------------------------------------------------------------
// a client that is no manager
// -----------------------------------------------------------------------------

const EMPTY = QuorumAuthPacket.encode({ status: "InProgress", token: new Uint8Array(0) })
const FRAME = frame(utf8("early"))

/** Reads one packet: its status and its token. */
const nextPacket = Effect.fnUntraced(function*(read: ReturnType<typeof reader>) {
  const head = yield* read(16)
  assert.strictEqual(head.subarray(0, 8).toString("hex"), "5f2435013501edcc")
  return { status: head.readInt32BE(8), token: new Uint8Array(yield* read(head.readInt32BE(12))) }
})

const answerTo = Effect.fnUntraced(function*(challenge: Uint8Array) {
  const { learner } = yield* mechanismsOf("secret")
  const mechanism = yield* learner("localhost")
  const { token } = yield* mechanism.evaluate(challenge)
  return QuorumAuthPacket.encode({ status: "InProgress", token })
})

const ways: ReadonlyArray<readonly [how: string, pieces: (bytes: Uint8Array) => ReadonlyArray<Uint8Array>]> = [
  ["in one piece", (bytes) => [bytes]],
  ["byte by byte", (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte))]
]

const clients = (promises: Register) => {
  for (const [how, pieces] of ways) {
    promises(`who authenticates ${how} is served, frames in the same chunk too`, Effect.fnUntraced(function*(place) {
      const two = yield* startAt(place, 2n, "server")
      const client = yield* call(place, 2n)
      const read = reader(client)
      const say = (bytes: Uint8Array) => Effect.forEach(pieces(bytes), client.write, { discard: true })
      yield* say(concat(hello({ sid: 9n }), EMPTY))
      const { token } = yield* nextPacket(read)
      yield* say(concat(yield* answerTo(token), FRAME))
      assert.strictEqual((yield* nextPacket(read)).status, 1)
      assert.strictEqual(yield* next(two), "9: early")
      yield* say(frame(utf8("later")))
      assert.strictEqual(yield* next(two), "9: later")
    }))
  }

  promises("a plain frame with the handshake is not lost where nobody must", Effect.fnUntraced(function*(place) {
    const two = yield* startAt(place, 2n, "learner")
    const client = yield* call(place, 2n)
    yield* client.write(concat(hello({ sid: 9n }), FRAME))
    assert.strictEqual(yield* next(two), "9: early")
  }))

  promises("who is plain and silent is let through in time where nobody must", Effect.fnUntraced(function*(place) {
    const two = yield* startAt(place, 2n, "enabled", { handshakeTimeout: 200 })
    const client = yield* call(place, 2n)
    yield* client.write(hello({ sid: 9n }))
    yield* connected(two, 9n)
    yield* send(two, 9n, "hello")
    assert.strictEqual(yield* nextFrame(client), "hello")
    yield* client.write(frame(utf8("back")))
    assert.strictEqual(yield* next(two), "9: back")
  }))

  promises("who fails where nobody must may go on without", Effect.fnUntraced(function*(place, logged) {
    const two = yield* startAt(place, 2n, "learner")
    const client = yield* call(place, 2n)
    const read = reader(client)
    yield* client.write(concat(hello({ sid: 9n }), EMPTY))
    yield* nextPacket(read)
    yield* client.write(QuorumAuthPacket.encode({ status: "InProgress", token: utf8("nonsense") }))
    assert.strictEqual((yield* nextPacket(read)).status, -1)
    yield* client.write(FRAME)
    assert.strictEqual(yield* next(two), "9: early")
    assert.match(logged[0] ?? "", /failed to authenticate, and may go on without: the response cannot be read/)
  }))

  promises("who wants to authenticate where nobody can is refused, and no link", Effect.fnUntraced(function*(place) {
    const refusal = new QuorumAuth.AuthError({ reason: "AuthUnavailable", problem: "no key", remedy: "get one" })
    const mechanisms = { learner: () => Effect.fail(refusal), server: Effect.fail(refusal) }
    const auth = SaslAuth.make({ learnerRequireSasl: true, serverRequireSasl: false }, mechanisms)
    const two = yield* start(place, 2n).pipe(Effect.provideService(QuorumAuth.QuorumAuth, auth))
    const changes = yield* two.manager.linkChanges
    const client = yield* call(place, 2n)
    const read = reader(client)
    yield* client.write(concat(hello({ sid: 9n }), EMPTY, FRAME))
    assert.strictEqual((yield* nextPacket(read)).status, -1)
    yield* Effect.flip(read(1))
    assert.deepStrictEqual(yield* rejection(two), ["AuthUnavailable"])
    assert.deepStrictEqual([yield* PubSub.remaining(changes), yield* Queue.size(two.manager.recvQueue)], [0, 0])
  }))

  promises("a response to the challenge of another connection is refused", Effect.fnUntraced(function*(place) {
    const two = yield* startAt(place, 2n, "server")
    const begin = Effect.fnUntraced(function*() {
      const client = yield* call(place, 2n)
      const read = reader(client)
      yield* client.write(concat(hello({ sid: 9n }), EMPTY))
      return { client, read, challenge: (yield* nextPacket(read)).token }
    })
    const first = yield* begin()
    const second = yield* begin()
    yield* second.client.write(yield* answerTo(first.challenge))
    assert.strictEqual((yield* nextPacket(second.read)).status, -1)
    assert.deepStrictEqual(yield* rejection(two), ["MalformedAuth"])
  }))

  const silences: ReadonlyArray<readonly [what: string, stage: Stage, said: Uint8Array]> = [
    ["after the handshake, where it must", "server", new Uint8Array(0)],
    ["within the first packet", "learner", EMPTY.subarray(0, 3)],
    ["within the header", "learner", EMPTY.subarray(0, 15)],
    ["after the first packet", "learner", EMPTY],
    ["after the first packet, where it must", "server", EMPTY]
  ]
  for (const [what, stage, said] of silences) {
    promises(`silence ${what} ends at the deadline`, Effect.fnUntraced(function*(place) {
      const two = yield* startAt(place, 2n, stage, { handshakeTimeout: 200 })
      const client = yield* call(place, 2n)
      yield* client.write(concat(hello({ sid: 9n }), said))
      yield* Effect.flip(Effect.forever(client.pull))
      assert.deepStrictEqual(yield* two.manager.rejections, new Map([["AuthTimedOut", 1]]))
      assert.deepStrictEqual(yield* two.manager.connected, new Set())
    }))
  }

  promises("a token too long is refused by its length alone", Effect.fnUntraced(function*(place) {
    const two = yield* startAt(place, 2n, "server")
    const client = yield* call(place, 2n)
    yield* client.write(concat(hello({ sid: 9n }), hex("5f2435013501edcc"), i32(0), i32(2_097_151)))
    assert.strictEqual((yield* nextPacket(reader(client))).status, -1)
    assert.deepStrictEqual(yield* rejection(two), ["MalformedAuth"])
  }))

  promises("a vote of who does not authenticate is not even read", Effect.fnUntraced(function*(place) {
    const two = yield* startAt(place, 2n, "server")
    const client = yield* call(place, 2n)
    yield* client.write(concat(hello({ sid: 3n }), FRAME))
    yield* closedSilently(client)
    assert.deepStrictEqual(yield* two.manager.rejections, new Map([["Unauthenticated", 1]]))
    assert.strictEqual(yield* Queue.size(two.manager.recvQueue), 0)
  }))
}

// -----------------------------------------------------------------------------
// a server that is no manager
// -----------------------------------------------------------------------------

const servers = (promises: Register) => {
  type Act = (connection: Connection, read: ReturnType<typeof reader>) => Effect.Effect<unknown, unknown>
  const proof = `rspauth=${"0".repeat(32)}`
  const challenge = "realm=\"r\",nonce=\"n\",charset=utf-8,algorithm=md5-sess"
  const say = (connection: Connection, status: QuorumAuthPacket.Status, token: string) =>
    connection.write(QuorumAuthPacket.encode({ status, token: utf8(token) }))
  const rows: ReadonlyArray<readonly [what: string, act: Act, reason: string]> = [
    ["refuses", (far) => say(far, "Error", ""), "AuthRefused"],
    ["believes at once", (far) => say(far, "Success", ""), "MalformedAuth"],
    ["talks of something else", (far) => far.write(FRAME), "MalformedAuth"],
    ["proves nothing", (far, read) =>
      Effect.gen(function*() {
        yield* say(far, "InProgress", challenge)
        yield* nextPacket(read)
        yield* say(far, "Success", proof)
      }), "UnprovenServer"],
    ["says nothing", () => Effect.void, "AuthTimedOut"]
  ]
  for (const [what, act, reason] of rows) {
    promises(`who ${what} is not talked to`, Effect.fnUntraced(function*(place) {
      const transport = yield* place.transport(place.host(1n))
      const accepted = yield* accept(yield* transport.listen(address(place, 1n)))
      const two = yield* startAt(place, 2n, "learner", { handshakeTimeout: 200 })
      const changes = yield* two.manager.linkChanges
      yield* send(two, 1n, "a secret vote")
      const far = yield* Queue.take(accepted)
      const read = reader(far)
      yield* read(hello({ sid: 2n, text: `${place.host(2n)}:3888` }).length)
      assert.strictEqual((yield* nextPacket(read)).token.length, 0)
      yield* act(far, read)
      yield* change(changes, "DialFailed", 1n)
      assert.deepStrictEqual(yield* two.manager.rejections, new Map([[reason, 1]]))
      // Nothing more came before the end: no vote in the clear.
      yield* Effect.flip(read(1))
      assert.strictEqual(yield* PubSub.remaining(changes), 0)
    }))
  }

  promises("what follows the proof in the same chunk is received", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(1n))
    const accepted = yield* accept(yield* transport.listen(address(place, 1n)))
    const two = yield* startAt(place, 2n, "learner")
    yield* two.manager.connectOne(1n)
    const far = yield* Queue.take(accepted)
    const read = reader(far)
    yield* read(hello({ sid: 2n, text: `${place.host(2n)}:3888` }).length)
    const { server } = yield* mechanismsOf("secret")
    const written: Array<Uint8Array> = []
    const last: Connection = { ...far, write: (bytes) => Effect.sync(() => void written.push(bytes)) }
    const mechanism = yield* server
    const { token } = yield* mechanism.evaluate((yield* nextPacket(read)).token)
    yield* far.write(QuorumAuthPacket.encode({ status: "InProgress", token }))
    const answer = yield* mechanism.evaluate((yield* nextPacket(read)).token)
    yield* last.write(QuorumAuthPacket.encode({ status: "Success", token: answer.token }))
    yield* far.write(concat(...written, FRAME))
    assert.strictEqual(yield* next(two), "1: early")
  }))

  promises("whom no configuration knows is dialled without, as by the original", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(98n))
    const accepted = yield* accept(yield* transport.listen(address(place, 98n)))
    const two = yield* startAt(place, 2n, "learner")
    const client = yield* call(place, 2n)
    // The beginning of a frame says that it is plain; it is hung up on and dialled back.
    yield* client.write(concat(hello({ sid: -5n, text: `${place.host(98n)}:3888` }), i32(1)))
    const link = yield* Queue.take(accepted)
    yield* link.write(FRAME)
    assert.strictEqual(yield* next(two), "-5: early")
    assert.deepStrictEqual(yield* two.manager.rejections, new Map())
  }))
}

const contract = (name: string, makePlace: MakePlace) => {
  const promises: Register = (promise, test) => it.live(promise, () => run(makePlace, test), 20_000)
  describe(`${name}: two that both insist`, () => talks(promises))
  describe(`${name}: a roll-out`, () => rollout(promises))
  describe(`${name}: refusals`, () => refusals(promises))
  describe(`${name}: a client`, () => clients(promises))
  describe(`${name}: a server`, () => servers(promises))
}

contract("memory", memory)
contract("TCP", tcp)
contract("TLS", secure(true, false))

describe("the limits", () => {
  it("are Java's", () => assert.deepStrictEqual([Exchange.MAX_RETRIES, QuorumAuthPacket.TOKEN_MAX], [5, 2_097_150]))
})
