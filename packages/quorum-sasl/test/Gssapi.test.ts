import { assert, describe, it } from "@effect/vitest"
import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumAuthPacket from "@conclave/core/QuorumAuthPacket"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import type { Connection } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { concat, utf8 } from "../../core/test/support/Bytes.ts"
import { type Gss, type GssContext, GssError } from "../src/Gss.ts"
import * as Gssapi from "../src/Gssapi.ts"
import type { Mechanism } from "../src/Mechanism.ts"

/** What the library is asked for, in order: the call and its arguments, bytes as text. */
type Calls = Array<ReadonlyArray<unknown>>

/** How the library behaves; by default as real ones do, in which the server proves itself in one token. */
interface Script {
  /** The tokens of this side's steps; the last of them completes the context. */
  readonly steps?: ReadonlyArray<string>
  /** What the other side has wrapped. */
  readonly wrapped?: Uint8Array
  /** Who begins. */
  readonly initiator?: string
  /** The call that fails, `step 2` for the second step, and how. */
  readonly failing?: readonly [call: string, reason?: GssError["reason"]]
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const fake = (calls: Calls, script: Script = {}): Gss => {
  const { failing = [], initiator = "learner/zk1@REALM", steps = [], wrapped = LAYERS } = script
  const [failingCall, reason = "Failed"] = failing
  let step = 0
  const call = <A>(name: string, args: ReadonlyArray<unknown>, result: A) =>
    Effect.suspend(() => {
      calls.push([name, ...args])
      const fails = failingCall === name || (name === "step" && failingCall === `step ${step}`)
      return fails ? Effect.fail(new GssError({ reason, said: "so says Kerberos" })) : Effect.succeed(result)
    })
  const context: GssContext = {
    step: (token) => {
      const answer = steps[step++] ?? ""
      return call("step", [text(token)], { token: utf8(answer), complete: step >= steps.length })
    },
    initiator: call("initiator", [], initiator),
    wrap: (message) => call("wrap", [...message.subarray(0, 4), text(message.subarray(4))], utf8("wrapped")),
    unwrap: (token) => call("unwrap", [text(token)], wrapped)
  }
  const begin = (name: string, ...args: ReadonlyArray<unknown>) =>
    Effect.acquireRelease(call(name, args, context), () => Effect.sync(() => calls.push(["released"])))
  return {
    initiate: (login, service) => begin("initiate", login, service),
    accept: (login) => begin("accept", login)
  }
}

const LAYERS = Uint8Array.of(1, 0, 0, 0)

const principals: Gssapi.Principals = {
  learner: { principal: "learner/zk1@REALM", keyTab: "/l", useTicketCache: false },
  server: { principal: "zkquorum/zk2@REALM", keyTab: "/s" },
  servicePrincipal: { service: "zkquorum", host: "_HOST" },
  hosts: ["zk1", "ZK2.Example.com"]
}

/** Answers these tokens, one after another. */
const say = Effect.fnUntraced(function*({ evaluate }: Mechanism, tokens: ReadonlyArray<string>) {
  const said: Array<readonly [string | null, boolean]> = []
  for (const token of tokens) {
    const { complete, token: answer } = yield* evaluate(utf8(token))
    said.push([answer && text(answer), complete])
  }
  return said
})

const told = (effect: Effect.Effect<unknown, QuorumAuth.AuthError>) =>
  Effect.map(Effect.flip(effect), ({ problem, reason }) => `${reason}: ${problem}`)

describe("who dials", () => {
  const REAL = { steps: ["request", ""] }
  const CONVERSATION = ["", "reply", "offer"]
  const answers = (gss: Gss, tokens: ReadonlyArray<string>, given = principals) =>
    Effect.scoped(Effect.gen(function*() {
      const mechanism = yield* Gssapi.make(gss, given).learner("ZK2.Example.com")
      assert.isTrue(mechanism.hasInitialResponse)
      return yield* say(mechanism, tokens)
    }))

  it.effect("makes a context, and agrees that nothing is wrapped afterwards", () =>
    Effect.gen(function*() {
      const calls: Calls = []
      const said = yield* answers(fake(calls, REAL), CONVERSATION)
      assert.deepStrictEqual(said, [["request", false], ["", false], ["wrapped", true]])
      assert.deepStrictEqual(calls, [
        ["initiate", principals.learner, "zkquorum@zk2.example.com"],
        ["step", ""],
        ["step", "reply"],
        ["unwrap", "offer"],
        ["initiator"],
        ["wrap", 1, 0, 0, 0, "learner/zk1@REALM"],
        ["released"]
      ])
    }))

  it.effect("knows servers by a host of their own, or one that all have", () =>
    Effect.gen(function*() {
      const calls: Calls = []
      const servicePrincipal = { service: "zkquorum", host: "Shared" }
      yield* answers(fake(calls), [], { ...principals, servicePrincipal })
      assert.deepStrictEqual(calls[0], ["initiate", principals.learner, "zkquorum@Shared"])
    }))

  it.effect.each<readonly [what: string, offer: ReadonlyArray<number>]>([
    ["none and a size", [1, 1, 0, 0]],
    ["every layer", [7, 255, 255, 255]]
  ])("takes %s", ([, offer]) =>
    Effect.gen(function*() {
      const said = yield* answers(fake([], { ...REAL, wrapped: Uint8Array.from(offer) }), CONVERSATION)
      assert.deepStrictEqual(said.at(-1), ["wrapped", true])
    }))

  it.effect.each<readonly [what: string, offer: ReadonlyArray<number>, problem: string]>([
    ["layers without none", [6, 1, 0, 0], "it insists on a security layer, qop auth-int or auth-conf"],
    ["nothing", [], "what it offered as security layers has not four bytes"],
    ["three bytes", [1, 0, 0], "what it offered as security layers has not four bytes"],
    ["five bytes", [1, 0, 0, 0, 0], "what it offered as security layers has not four bytes"]
  ])("refuses %s", ([, offer, problem]) =>
    Effect.gen(function*() {
      const calls: Calls = []
      const said = answers(fake(calls, { ...REAL, wrapped: Uint8Array.from(offer) }), CONVERSATION)
      assert.strictEqual(yield* told(said), `MalformedAuth: ${problem}`)
      assert.deepStrictEqual(calls.slice(-2), [["unwrap", "offer"], ["released"]])
    }))

  const NO_TICKET = "AuthFailed: no ticket for zkquorum@zk2.example.com from Kerberos: so says Kerberos"
  const UNPROVEN = "UnprovenServer: it did not prove that it is zkquorum@zk2.example.com: so says Kerberos"
  it.effect.each<readonly [failing: string, problem: string]>([
    ["initiate", NO_TICKET],
    ["step 1", NO_TICKET],
    ["step 2", UNPROVEN],
    ["unwrap", UNPROVEN],
    ["initiator", NO_TICKET],
    ["wrap", NO_TICKET]
  ])("says whose fault it is when this fails: %s", ([failing, problem]) =>
    Effect.gen(function*() {
      const gss = fake([], { ...REAL, failing: [failing] })
      assert.strictEqual(yield* told(answers(gss, CONVERSATION)), problem)
    }))
})

describe("who is dialled", () => {
  const REAL = { steps: ["reply"] }
  const CONVERSATION = ["request", "", "answer"]
  const answer = (user: string, ...layer: ReadonlyArray<number>) => concat(Uint8Array.from(layer), utf8(user))
  const AGREED = { ...REAL, wrapped: answer("learner/zk1@REALM", 1, 0, 0, 0) }
  const answers = (gss: Gss, tokens: ReadonlyArray<string>) =>
    Effect.scoped(Effect.flatMap(Gssapi.make(gss, principals).server, (mechanism) => say(mechanism, tokens)))

  it.effect("makes a context, offers no layer, and lets in whom it knows", () =>
    Effect.gen(function*() {
      const calls: Calls = []
      const said = yield* answers(fake(calls, AGREED), CONVERSATION)
      assert.deepStrictEqual(said, [["reply", false], ["wrapped", false], [null, true]])
      assert.deepStrictEqual(calls, [
        ["accept", principals.server],
        ["step", "request"],
        ["wrap", 1, 0, 0, 0, ""],
        ["unwrap", "answer"],
        ["initiator"],
        ["released"]
      ])
    }))

  it.effect("offers at once where no proof was asked for", () =>
    Effect.gen(function*() {
      const said = yield* answers(fake([], { ...AGREED, steps: [""] }), ["request", "answer"])
      assert.deepStrictEqual(said, [["wrapped", false], [null, true]])
    }))

  it.effect("goes on as long as the context is not complete", () =>
    Effect.gen(function*() {
      const tokens = ["request", "more", "", "answer"]
      const said = yield* answers(fake([], { ...AGREED, steps: ["and?", "reply"] }), tokens)
      assert.deepStrictEqual(said, [["and?", false], ["reply", false], ["wrapped", false], [null, true]])
    }))

  it.effect.each<readonly [what: string, initiator: string, wrapped: Uint8Array]>([
    ["says nothing of who it is", "learner/zk1@REALM", LAYERS],
    ["is of another realm", "any/zk1@OTHER", answer("any/zk1@OTHER", 1, 0, 0, 0)],
    ["is of a host in other letters", "learner/zk2.example.COM@R", answer("learner/zk2.example.COM@R", 1, 9, 9, 9)]
  ])("lets in who %s", ([, initiator, wrapped]) =>
    Effect.gen(function*() {
      const said = yield* answers(fake([], { ...REAL, initiator, wrapped }), CONVERSATION)
      assert.deepStrictEqual(said.at(-1), [null, true])
    }))

  const PARTS = "is no principal of three parts"
  it.effect.each<readonly [initiator: string, user: string, problem: string]>([
    ["learner/zk1@REALM", "learner/zk2@REALM", "learner/zk1@REALM wants to be \"learner/zk2@REALM\""],
    ["learner/zk1@REALM", "learner/zk1", "learner/zk1@REALM wants to be \"learner/zk1\""],
    ["eve@REALM", "eve@REALM", `eve@REALM ${PARTS}`],
    ["a/zk1/b@REALM", "a/zk1/b@REALM", `a/zk1/b@REALM ${PARTS}`],
    // One part with a slash in it, as GSS-API shows it.
    ["eve\\/zk1@REALM", "eve\\/zk1@REALM", `eve\\/zk1@REALM ${PARTS}`],
    ["eve\\@zk1/zk1@R", "eve\\@zk1/zk1@R", `eve\\@zk1/zk1@R ${PARTS}`],
    ["learner/zk1", "learner/zk1", `learner/zk1 ${PARTS}`],
    ["learner/zk9@REALM", "learner/zk9@REALM", "learner/zk9@REALM is of zk9, which is no host of ours"]
  ])("%s as %s is refused", ([initiator, user, problem]) =>
    Effect.gen(function*() {
      const gss = fake([], { ...REAL, initiator, wrapped: answer(user, 1, 0, 0, 0) })
      assert.strictEqual(yield* told(answers(gss, CONVERSATION)), `WrongCredentials: ${problem}`)
    }))

  it.effect.each<readonly [what: string, tokens: ReadonlyArray<string>, wrapped: Uint8Array, problem: string]>([
    ["no ticket", [""], LAYERS, "it sent no ticket (who logs in with DIGEST-MD5 begins like that)"],
    ["something after the proof", ["request", "x"], LAYERS, "it had something to say to our proof"],
    ["a choice too short", CONVERSATION, Uint8Array.of(1), "what it chose as security layer has not four bytes"],
    ["another layer", CONVERSATION, answer("", 2, 0, 0, 0), "it chose a security layer, and we offered none"],
    ["two layers", CONVERSATION, answer("", 3, 0, 0, 0), "it chose a security layer, and we offered none"]
  ])("refuses %s", ([, tokens, wrapped, problem]) =>
    Effect.gen(function*() {
      const calls: Calls = []
      assert.strictEqual(yield* told(answers(fake(calls, { ...REAL, wrapped }), tokens)), `MalformedAuth: ${problem}`)
      assert.deepStrictEqual(calls.at(-1), ["released"])
    }))

  const OURS = "zkquorum/zk2@REALM"
  it.effect.each<readonly [failing: NonNullable<Script["failing"]>, problem: string]>([
    [["accept"], `AuthUnavailable: our own key, that of ${OURS}, cannot be had from /s: so says Kerberos`],
    [["step", "NoKey"], `AuthUnavailable: its ticket is not for our key, that of ${OURS} in /s: so says Kerberos`],
    [["step", "DefectiveToken"], "MalformedAuth: what it sent is no ticket: so says Kerberos"],
    [["step"], "WrongCredentials: it did not prove who it is: so says Kerberos"],
    [["unwrap"], "MalformedAuth: its answer is broken: so says Kerberos"]
  ])("says whose fault it is when this fails: %s", ([failing, problem]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* told(answers(fake([], { ...AGREED, failing }), CONVERSATION)), problem)
    }))
})

describe("the Layer", () => {
  /** A connection on which these tokens come, and what was written to it. */
  const connectionOf = (tokens: ReadonlyArray<string>, written: Array<Uint8Array>): Connection => ({
    pull: Effect.succeed(tokens.map((token) => QuorumAuthPacket.encode({ status: "InProgress", token: utf8(token) }))),
    write: (bytes) => Effect.sync(() => void written.push(bytes)),
    identify: () => Effect.void,
    remote: "there"
  })
  const statusOf = (packet: Uint8Array) => Result.getOrThrow(QuorumAuthPacket.decode(packet))?.packet.status
  const serverAt = (sid: bigint, role: "participant" | "observer" = "participant") =>
    QuorumServer.make(sid, { host: `zk${sid}`, quorumPort: 1, electionPort: 2 }, role)
  const config = QuorumConfig.layer({
    ensemble: Ensemble.make({ mySid: 1n }),
    membership: Ensemble.membership({
      mySid: 1n,
      committed: QuorumVerifier.majority({ servers: [serverAt(1n), serverAt(2n, "observer")] }),
      lastSeen: QuorumVerifier.majority({ servers: [serverAt(7n)], version: 1n })
    })
  })

  it.effect.each<readonly [initiator: string, isLetIn: boolean]>([
    ["learner/zk1@R", true],
    ["learner/zk2@R", true],
    ["learner/zk7@R", true],
    ["learner/zk3@R", false]
  ])("lets in whose host is in the configuration, or in the next: %s", ([initiator, isLetIn]) =>
    Effect.gen(function*() {
      const gss = fake([], { steps: ["reply"], initiator, wrapped: concat(LAYERS, utf8(initiator)) })
      const requirements = { learnerRequireSasl: true, serverRequireSasl: true }
      const auth = Gssapi.layer(requirements, gss, principals).pipe(Layer.provide(config))
      const { server } = yield* Effect.provide(QuorumAuth.QuorumAuth, auth)
      const written: Array<Uint8Array> = []
      const connection = connectionOf(["request", "", "answer"], written)
      const result = yield* Effect.result(server(connection, new Uint8Array(0), 1_000))
      assert.strictEqual(Result.isSuccess(result), isLetIn)
      const statuses: Array<QuorumAuthPacket.Status> = ["InProgress", "InProgress", isLetIn ? "Success" : "Error"]
      assert.deepStrictEqual(written.map(statusOf), statuses)
    }))
})
