import { assert, describe, it } from "@effect/vitest"
import { AuthError } from "@conclave/quorum/QuorumAuth"
import type { Connection, ConnectionError } from "@conclave/quorum/Transport"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Socket from "effect/socket/Socket"
import * as Recording from "../../core/test/captures/Recording.ts"
import { concat, cut, hex, i32, toHex, utf8 } from "../../core/test/support/Bytes.ts"
import * as AuthStream from "../src/AuthStream.ts"
import * as DigestMechanism from "../src/DigestMechanism.ts"
import * as Exchange from "../src/Exchange.ts"
import type { Evaluated, Mechanism } from "../src/Mechanism.ts"

const MAGIC = "5f2435013501edcc"

const IN_PROGRESS = 0
const SUCCESS = 1
const ERROR = -1

/** A packet, written here once more so that a mistake in the codec is not repeated by its test. */
const packet = (status: number, token: Uint8Array | string | null) => {
  const bytes = typeof token === "string" ? utf8(token) : token ?? new Uint8Array(0)
  return concat(hex(MAGIC), i32(status), i32(token === null ? -1 : bytes.length), bytes)
}

const EMPTY = packet(IN_PROGRESS, "")
const REFUSAL = packet(ERROR, "")

/** A far end that says these things, one chunk at a time, and then closes. What it hears is kept. */
const script = (...chunks: ReadonlyArray<Uint8Array>) => {
  const left = [...chunks]
  const heard: Array<Uint8Array> = []
  const closed = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })
  const connection: Connection = {
    remote: "far:1",
    pull: Effect.suspend(() => {
      const chunk = left.shift()
      return chunk === undefined ? Effect.fail(closed) : Effect.succeed([chunk])
    }),
    write: (bytes) => Effect.sync(() => void heard.push(bytes)),
    identify: () => Effect.void
  }
  return { connection, heard: () => heard.map(toHex) }
}

/** A mechanism that answers so, in turn, and knows what it was told. */
const fake = (...answers: ReadonlyArray<Evaluated | AuthError>) => {
  const told: Array<string> = []
  const mechanism: Mechanism & { readonly hasInitialResponse: boolean } = {
    hasInitialResponse: false,
    evaluate: (token) =>
      Effect.suspend(() => {
        const answer = answers[told.length] ?? assert.fail("asked once too often")
        told.push(new TextDecoder().decode(token))
        return "token" in answer ? Effect.succeed(answer) : Effect.fail(answer)
      })
  }
  return { mechanism, told }
}

const more = (token: string) => ({ token: utf8(token), complete: false })
const content: Evaluated = { token: null, complete: true }
const done = (token: string) => ({ token: utf8(token), complete: true })

const serve = (connection: Connection, mechanism: Mechanism) => {
  const stream = AuthStream.make(connection, new Uint8Array(0))
  return Effect.map(Exchange.serve(stream, mechanism), stream.rest)
}

const problemOf = <A>(effect: Effect.Effect<A, AuthError | ConnectionError>) =>
  Effect.map(Effect.flip(effect), (error) =>
    error._tag === "AuthError" ? `${error.reason}: ${error.problem}` : error._tag)

describe("a learner", () => {
  it.effect("says nothing, answers, and sees the proof", () =>
    Effect.gen(function*() {
      const far = script(packet(IN_PROGRESS, "challenge"), packet(SUCCESS, "proof"))
      const { mechanism, told } = fake(more("response"), content)
      assert.strictEqual((yield* Exchange.learn(far.connection, mechanism)).length, 0)
      assert.deepStrictEqual(told, ["challenge", "proof"])
      assert.deepStrictEqual(far.heard(), [EMPTY, packet(IN_PROGRESS, "response")].map(toHex))
    }))

  it.effect("speaks first if its mechanism does", () =>
    Effect.gen(function*() {
      const far = script(packet(SUCCESS, ""))
      const { mechanism, told } = fake(more("hello"), content)
      yield* Exchange.learn(far.connection, { ...mechanism, hasInitialResponse: true })
      assert.deepStrictEqual(told, ["", ""])
      assert.deepStrictEqual(far.heard(), [toHex(packet(IN_PROGRESS, "hello"))])
    }))

  it.effect("that is content before the server says so answers with nothing, and waits for it", () =>
    Effect.gen(function*() {
      const far = script(packet(IN_PROGRESS, "challenge"), packet(IN_PROGRESS, "proof"), packet(SUCCESS, ""))
      yield* Exchange.learn(far.connection, fake(more("response"), content).mechanism)
      const said = [EMPTY, packet(IN_PROGRESS, "response"), packet(IN_PROGRESS, null)]
      assert.deepStrictEqual(far.heard(), said.map(toHex))
    }))

  const broken = new AuthError({ reason: "UnprovenServer", problem: "broken", remedy: "mend it" })
  const rows: ReadonlyArray<readonly [what: string, said: ReadonlyArray<Uint8Array>, problem: RegExp]> = [
    ["an error at once", [REFUSAL], /^AuthRefused: it did not accept our login/],
    ["an error after the response", [packet(IN_PROGRESS, "c"), REFUSAL], /^AuthRefused/],
    ["a status that nobody knows", [packet(7, "c")], /^AuthRefused/],
    ["success at once", [packet(SUCCESS, "c")], /^MalformedAuth: it was content before we were/],
    ["no token", [packet(IN_PROGRESS, null)], /^MalformedAuth: it sent no token/],
    ["no proof", [packet(IN_PROGRESS, "c"), packet(SUCCESS, null)], /^MalformedAuth: it sent no token/],
    ["nothing", [], /^AuthFailed: it closed the connection/],
    ["half a packet", [REFUSAL.subarray(0, 15)], /^AuthFailed/],
    ["a frame", [i32(40)], /^MalformedAuth: what should be an authentication packet begins with/],
    ["a token too long", [concat(hex(MAGIC), i32(0), i32(2_097_151))], /^MalformedAuth: token length/]
  ]
  it.effect.each(rows)("goes no further after %s", ([, said, problem]) =>
    Effect.gen(function*() {
      const { mechanism } = fake(more("r"), broken)
      assert.match(yield* problemOf(Exchange.learn(script(...said).connection, mechanism)), problem)
    }))

  it.effect("goes no further when its mechanism is not content", () =>
    Effect.gen(function*() {
      const far = script(packet(IN_PROGRESS, "c"), packet(SUCCESS, "lie"))
      assert.strictEqual(yield* Effect.flip(Exchange.learn(far.connection, fake(more("r"), broken).mechanism)), broken)
      for (const answer of [more("still"), { token: null, complete: false }, done("one word more")]) {
        const early = script(packet(IN_PROGRESS, "c"), packet(SUCCESS, "?"))
        const problem = yield* problemOf(Exchange.learn(early.connection, fake(more("r"), answer).mechanism))
        assert.match(problem, /content before we were/)
      }
    }))
})

describe("a server", () => {
  it.effect("challenges, and proves itself to whom it believes", () =>
    Effect.gen(function*() {
      const far = script(EMPTY, packet(IN_PROGRESS, "response"))
      const { mechanism, told } = fake(more("challenge"), done("proof"))
      yield* serve(far.connection, mechanism)
      assert.deepStrictEqual(told, ["", "response"])
      assert.deepStrictEqual(far.heard(), [packet(IN_PROGRESS, "challenge"), packet(SUCCESS, "proof")].map(toHex))
    }))

  it.effect("does not look at the status of what it is told", () =>
    Effect.gen(function*() {
      const far = script(packet(ERROR, ""), packet(9, "response"))
      yield* serve(far.connection, fake(more("c"), done("p")).mechanism)
      assert.strictEqual(far.heard().length, 2)
    }))

  it.effect("gives up after five challenges, which is no success", () =>
    Effect.gen(function*() {
      const far = script(...Array.from({ length: 9 }, () => EMPTY))
      const { mechanism, told } = fake(...Array.from({ length: 9 }, () => more("again")))
      const problem = yield* problemOf(serve(far.connection, mechanism))
      assert.match(problem, /^AuthFailed: it was not done after 5 challenges/)
      assert.deepStrictEqual([told.length, far.heard().length], [6, 5])
    }))

  it.effect.each<readonly [what: string, said: Uint8Array, problem: RegExp]>([
    ["no token", packet(IN_PROGRESS, null), /^MalformedAuth: it sent no token/],
    ["a token too long", concat(hex(MAGIC), i32(0), i32(2_097_151)), /^MalformedAuth: token length/],
    ["half a packet", EMPTY.subarray(0, 15), /^SocketError$/]
  ])("goes no further after %s", ([, said, problem]) =>
    Effect.gen(function*() {
      assert.match(yield* problemOf(serve(script(said).connection, fake().mechanism)), problem)
    }))
})

describe("bytes", () => {
  const frame = concat(i32(3), utf8("abc"))
  const rows: ReadonlyArray<readonly [how: string, pieces: (bytes: Uint8Array) => ReadonlyArray<Uint8Array>]> = [
    ["in one chunk", (bytes) => [bytes]],
    ["one at a time", (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte))],
    ["in three chunks", (bytes) => cut(bytes, [9, 30])]
  ]

  it.effect.each(rows)("%s are read as well, and what follows is handed on", ([, pieces]) =>
    Effect.gen(function*() {
      const server = script(...pieces(concat(packet(IN_PROGRESS, "challenge"), packet(SUCCESS, "proof"), frame)))
      const left = yield* Exchange.learn(server.connection, fake(more("response"), content).mechanism)
      const learner = script(...pieces(concat(EMPTY, packet(IN_PROGRESS, "response"), frame)))
      const over = yield* serve(learner.connection, fake(more("c"), done("p")).mechanism)
      // What was not pulled yet is there for who pulls next.
      for (const [{ connection }, taken] of [[server, left], [learner, over]] as const) {
        const all = [taken]
        yield* Effect.flip(Effect.forever(Effect.map(connection.pull, (chunks) => void all.push(...chunks))))
        assert.strictEqual(toHex(concat(...all)), toHex(frame))
      }
    }))

  it.effect("of two megabytes in small pieces take no time that grows with their square", () =>
    Effect.gen(function*() {
      const token = new Uint8Array(2_097_150)
      const bytes = packet(IN_PROGRESS, token)
      const pieces = Array.from({ length: Math.ceil(bytes.length / 64) }, (_, n) => bytes.subarray(64 * n, 64 * n + 64))
      const stream = AuthStream.make(script(...pieces).connection, new Uint8Array(0))
      assert.strictEqual((yield* stream.receive).token?.length, token.length)
    }))
})

describe("the conversations of real servers", () => {
  const login = { username: "zkquorum", password: Redacted.make("lab-secret") }
  const conversations = Recording.load("election-v1-sasl").connections.flatMap(({ accepted, opened }) => {
    const said = (messages: ReadonlyArray<Recording.Message>) =>
      messages.filter(({ told }) => told.startsWith("QuorumAuth")).map(({ segments }) => concat(...segments))
    return said(opened).length === 0 ? [] : [{ learner: said(opened), server: said(accepted) }]
  })

  // Both sides draw the nonces that were drawn then.
  const mechanisms = (message: Uint8Array, name: string) => {
    const nonce = new RegExp(`\\b${name}="([^"]+)"`).exec(new TextDecoder().decode(message))?.[1] ?? ""
    const random = SecureRandom.make(() => Result.getOrThrow(Base64.decode(nonce)))
    return DigestMechanism.make({ learner: login, users: new Map([[login.username, login.password]]) }).pipe(
      Effect.provideService(SecureRandom.SecureRandom, random)
    )
  }

  it("are six", () => assert.strictEqual(conversations.length, 6))

  it.effect("are ours byte for byte, as learner and as server", () =>
    Effect.gen(function*() {
      for (const { learner, server } of conversations) {
        const asLearner = script(...server)
        const { learner: makeLearner } = yield* mechanisms(learner[1]!, "cnonce")
        yield* Exchange.learn(asLearner.connection, yield* makeLearner("localhost"))
        assert.deepStrictEqual(asLearner.heard(), learner.map(toHex))
        const asServer = script(...learner)
        const { server: makeServer } = yield* mechanisms(server[0]!, "nonce")
        yield* serve(asServer.connection, yield* makeServer)
        assert.deepStrictEqual(asServer.heard(), server.map(toHex))
      }
    }))
})

describe("nonces", () => {
  it.effect("are 30 random bytes, and others each time", () =>
    Effect.gen(function*() {
      const { server } = yield* DigestMechanism.make({
        learner: { username: "a", password: Redacted.make("1") },
        users: new Map()
      }).pipe(Effect.provide(SecureRandom.layerWebCrypto))
      const challenges = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.flatMap(server, (mechanism) => mechanism.evaluate(new Uint8Array(0))))
      const nonces = challenges.map(({ token }) => /nonce="([^"]+)"/.exec(new TextDecoder().decode(token!))?.[1] ?? "")
      assert.strictEqual(new Set(nonces).size, 100)
      for (const nonce of nonces) assert.strictEqual(Result.getOrThrow(Base64.decode(nonce)).length, 30)
    }))
})
