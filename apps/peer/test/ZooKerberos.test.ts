import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import { type Gss, GssError } from "@conclave/quorum-sasl/Gss"
import type { KerberosLogin } from "@conclave/quorum-sasl/KerberosLogin"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ZooKerberos from "../src/ZooKerberos.ts"

const zoo: ZooKerberos.ZooKerberos = {
  learnerRequireSasl: true,
  serverRequireSasl: true,
  servicePrincipal: { service: "zkquorum", host: "_HOST" },
  file: "jaas.conf"
}

const keyTab = import.meta.filename

const login: KerberosLogin = {
  learner: { principal: "learner/h@R", keyTab, useTicketCache: false },
  server: { principal: "zkquorum/h@R", keyTab },
  at: { learner: { line: 2, column: 17 }, server: { line: 1, column: 16 } }
}

const never = () => Effect.never

const context = { step: never, initiator: Effect.never, wrap: never, unwrap: never }

const keyed: Gss = { initiate: never, accept: () => Effect.succeed(context) }

const build = (given: Partial<KerberosLogin>, load: typeof ZooKerberos.load = Effect.succeed(keyed)) =>
  QuorumAuth.QuorumAuth.pipe(
    Effect.provide(
      ZooKerberos.layer(zoo, { ...login, ...given }, load).pipe(
        Layer.provide([NodeFileSystem.layer, QuorumConfig.layerVoters(1n, {})])
      )
    )
  )

describe("Kerberos", () => {
  it.effect("leaves the environment as it is", () =>
    Effect.gen(function*() {
      const before = { ...process.env }
      assert.notStrictEqual(yield* build({}), QuorumAuth.none)
      assert.deepStrictEqual({ ...process.env }, before)
    }))

  it.effect("needs no keytab to dial with where there is a ticket cache", () =>
    Effect.gen(function*() {
      const learner = { principal: null, keyTab: null, useTicketCache: true }
      assert.notStrictEqual(yield* build({ learner }), QuorumAuth.none)
    }))

  const absent = Effect.fail(new GssError({ reason: "Unavailable", said: "Error: cannot open\nand more" }))
  const keyless = { ...keyed, accept: () => Effect.fail(new GssError({ reason: "Failed", said: "No such key" })) }
  it.effect.each<readonly [what: string, Parameters<typeof build>, message: RegExp]>([
    [
      "the learner's keytab is not there",
      [{ learner: { ...login.learner, keyTab: "/nowhere" } }],
      /^jaas\.conf, line 2, column 17\n {2}problem: the keytab \/nowhere cannot be read \(NotFound\)/
    ],
    [
      "the server's keytab is not there",
      [{ server: { ...login.server, keyTab: "/nowhere" } }],
      /^jaas\.conf, line 1, column 16\n {2}problem: the keytab \/nowhere cannot be read \(NotFound\)/
    ],
    [
      "the library is not there",
      [{}, absent],
      /MIT Kerberos cannot be used \(Error: cannot open\)\n {2}to do: {3}install its library \(apt-get install libgss/
    ],
    [
      "the server's keytab has no key of the server",
      [{}, Effect.succeed(keyless)],
      /^jaas\.conf, line 1, column 16\n {2}problem: there is no key of zkquorum\/h@R in .*\.ts \(No such key\)/
    ]
  ])("is refused when %s", ([, args, message]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(build(...args))
      assert.strictEqual(error._tag, "InvalidJaas")
      assert.match(error.message, message)
    }))
})
