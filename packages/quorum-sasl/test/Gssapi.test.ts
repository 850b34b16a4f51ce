import { assert, describe, it } from "@effect/vitest"
import type { AuthError } from "@conclave/quorum/QuorumAuth"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Fiber from "effect/Fiber"
import { utf8 } from "../../core/test/support/Bytes.ts"
import * as Gssapi from "../src/Gssapi.ts"

/** What the package is asked for, in order: the call and its arguments, tokens as text. */
type Calls = Array<ReadonlyArray<unknown>>

interface Script {
  /** What the server's offer is, unwrapped. */
  readonly offer?: Uint8Array
  /** The call that fails, `step 2` for the second step. */
  readonly failing?: string
}

const text = (token: string) => Base64.decodeString(token).pipe((read) => read._tag === "Success" ? read.success : "?")

/** A package as real ones behave, in which the server proves itself in one token. */
const fake = (calls: Calls, { failing, offer = Uint8Array.of(1, 0, 0, 0) }: Script = {}): Gssapi.Kerberos => ({
  initializeClient: async (service, options) => {
    let steps = 0
    const call = async (name: string, ...args: ReadonlyArray<unknown>) => {
      calls.push([name, ...args])
      if (failing === name || failing === `${name} ${steps}`) throw new Error("so says Kerberos")
    }
    await call("initializeClient", service, options)
    return {
      get username() {
        return steps === 2 ? "learner/zk1@REALM" : null
      },
      get contextComplete() {
        return steps === 2
      },
      step: async (challenge) => {
        steps++
        await call("step", text(challenge))
        return steps === 1 ? Base64.encode("request") : null
      },
      unwrap: async (challenge) => {
        await call("unwrap", text(challenge))
        return Base64.encode(offer)
      },
      wrap: async (challenge, given) => {
        await call("wrap", challenge, given)
        return Base64.encode("agreed")
      }
    }
  }
})

const principals = { principal: "learner/zk1@REALM", servicePrincipal: { service: "zkquorum", host: "_HOST" } }

/** Answers these tokens, one after another, to a server of this name. */
const answers = (kerberos: Gssapi.Kerberos, tokens: ReadonlyArray<string>, given: Gssapi.Principals = principals) =>
  Effect.gen(function*() {
    const { evaluate, hasInitialResponse } = yield* Gssapi.make(kerberos, given).learner("ZK2.Example.com")
    assert.isTrue(hasInitialResponse)
    const said: Array<readonly [string | null, boolean]> = []
    for (const token of tokens) {
      const { complete, token: answer } = yield* evaluate(utf8(token))
      said.push([answer && new TextDecoder().decode(answer), complete])
    }
    return said
  })

const CONVERSATION = ["", "reply", "offer"]

const told = (effect: Effect.Effect<unknown, AuthError>) =>
  Effect.map(Effect.flip(effect), ({ problem, reason }) => `${reason}: ${problem}`)

describe("who dials", () => {
  it.effect("makes a context, and agrees that nothing is wrapped afterwards", () =>
    Effect.gen(function*() {
      const calls: Calls = []
      const said = yield* answers(fake(calls), CONVERSATION)
      assert.deepStrictEqual(said, [["request", false], ["", false], ["agreed", true]])
      assert.deepStrictEqual(calls, [
        // Kerberos 5; mutual authentication, sequence and integrity.
        ["initializeClient", "zkquorum@zk2.example.com", { principal: "learner/zk1@REALM", mechOID: 9, flags: 42 }],
        ["step", ""],
        ["step", "reply"],
        ["unwrap", "offer"],
        // Twice the four bytes that the package reads, all zero: it says "no layer" itself.
        ["wrap", "AAAAAAAAAAA=", { user: "learner/zk1@REALM" }]
      ])
    }))

  it.effect("knows servers by a host of their own, or one that all have", () =>
    Effect.gen(function*() {
      const calls: Calls = []
      const servicePrincipal = { service: "zkquorum", host: "Shared" }
      yield* answers(fake(calls), [], { principal: null, servicePrincipal })
      assert.deepStrictEqual(calls, [["initializeClient", "zkquorum@Shared", { mechOID: 9, flags: 42 }]])
    }))

  it.effect.each<readonly [what: string, offer: ReadonlyArray<number>]>([
    ["none and a size", [1, 1, 0, 0]],
    ["every layer", [7, 255, 255, 255]]
  ])("takes %s", ([, offer]) =>
    Effect.gen(function*() {
      const said = yield* answers(fake([], { offer: Uint8Array.from(offer) }), CONVERSATION)
      assert.deepStrictEqual(said.at(-1), ["agreed", true])
    }))

  it.effect.each<readonly [what: string, offer: ReadonlyArray<number>, problem: string]>([
    ["layers without none", [6, 1, 0, 0], "it insists on a security layer, qop auth-int or auth-conf"],
    ["three bytes", [1, 0, 0], "what it offered as security layers has not four bytes"],
    ["five bytes", [1, 0, 0, 0, 0], "what it offered as security layers has not four bytes"]
  ])("refuses %s", ([, offer, problem]) =>
    Effect.gen(function*() {
      const calls: Calls = []
      const said = answers(fake(calls, { offer: Uint8Array.from(offer) }), CONVERSATION)
      assert.strictEqual(yield* told(said), `MalformedAuth: ${problem}`)
      assert.strictEqual(calls.at(-1)?.[0], "unwrap")
    }))

  it.effect("refuses an empty offer, which the package would take for none", () =>
    Effect.gen(function*() {
      const calls: Calls = []
      assert.match(yield* told(answers(fake(calls), ["", "reply", ""])), /^MalformedAuth: it offered no security layer/)
      assert.strictEqual(calls.at(-1)?.[0], "step")
    }))

  const NO_TICKET = "AuthFailed: no ticket for zkquorum@zk2.example.com from Kerberos: so says Kerberos"
  const UNPROVEN = "UnprovenServer: it did not prove that it is zkquorum@zk2.example.com: so says Kerberos"
  it.effect.each<readonly [failing: string, problem: string]>([
    ["initializeClient", NO_TICKET],
    ["step 1", NO_TICKET],
    ["step 2", UNPROVEN],
    ["unwrap", UNPROVEN],
    ["wrap", NO_TICKET]
  ])("says whose fault it is when this fails: %s", ([failing, problem]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* told(answers(fake([], { failing }), CONVERSATION)), problem)
    }))

  it.effect("asks for one thing at a time, and not for what nobody waits for any more", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const slow = Promise.withResolvers<void>()
      const kerberos: Gssapi.Kerberos = {
        initializeClient: async (service, options) => {
          asked.push(service)
          if (asked.length === 1) await slow.promise
          return fake([]).initializeClient(service, options)
        }
      }
      const { learner } = Gssapi.make(kerberos, principals)
      const [first, second, third] = [
        yield* Effect.forkChild(learner("a"), { startImmediately: true }),
        yield* Effect.forkChild(learner("b"), { startImmediately: true }),
        yield* Effect.forkChild(learner("c"), { startImmediately: true })
      ]
      yield* Effect.promise(() => Promise.resolve())
      assert.deepStrictEqual(asked, ["zkquorum@a"])
      yield* Fiber.interrupt(second)
      slow.resolve()
      yield* Fiber.join(first)
      yield* Fiber.join(third)
      assert.deepStrictEqual(asked, ["zkquorum@a", "zkquorum@c"])
    }))
})

describe("who is dialled", () => {
  it.effect("lets nobody log in", () =>
    Effect.gen(function*() {
      const { evaluate } = yield* Gssapi.make(fake([]), principals).server
      assert.match(yield* told(evaluate(utf8("request"))), /^AuthUnavailable: with Kerberos this server auth/)
    }))
})
