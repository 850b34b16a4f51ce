import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { vi } from "vitest"
import * as ZooKerberos from "../src/ZooKerberos.ts"

const zoo: ZooKerberos.ZooKerberos = {
  learnerRequireSasl: true,
  serverRequireSasl: false,
  servicePrincipal: { service: "zkquorum", host: "_HOST" },
  file: "jaas.conf"
}

const login = {
  principal: "learner/h@REALM",
  keyTab: import.meta.filename,
  useTicketCache: false,
  at: { learner: { line: 2, column: 17 }, server: { line: 1, column: 16 } }
}

const kerberos = { initializeClient: () => Promise.reject(new Error("not here")) }

type Given = Partial<ZooKerberos.ZooKerberos & typeof login>

/** Builds the layer with an environment of its own. */
const build = (given: Given, load: typeof ZooKerberos.load = () => kerberos) =>
  Effect.gen(function*() {
    for (const name of ["KRB5_CLIENT_KTNAME", "KRB5CCNAME"]) vi.stubEnv(name, "")
    yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllEnvs()))
    return yield* QuorumAuth.QuorumAuth.pipe(
      Effect.provide(
        Layer.provide(ZooKerberos.layer({ ...zoo, ...given }, { ...login, ...given }, load), NodeFileSystem.layer)
      )
    )
  })

const environment = () => [process.env["KRB5_CLIENT_KTNAME"], process.env["KRB5CCNAME"]]

describe("Kerberos", () => {
  it.effect("finds the keytab in its environment, and keeps tickets to itself", () =>
    Effect.gen(function*() {
      assert.notStrictEqual(yield* build({}), QuorumAuth.none)
      assert.deepStrictEqual(environment(), [login.keyTab, "MEMORY:conclave"])
    }))

  it.effect("uses a ticket cache as it is, and its keytab too", () =>
    Effect.gen(function*() {
      yield* build({ useTicketCache: true })
      assert.deepStrictEqual(environment(), [login.keyTab, ""])
    }))

  const absent = () => {
    throw new Error("Cannot find module 'kerberos'\nRequire stack:\n- here")
  }
  it.effect.each<readonly [what: string, Parameters<typeof build>, message: RegExp]>([
    [
      "somebody is to be kept out who dials",
      [{ serverRequireSasl: true }],
      /^jaas\.conf, line 1, column 16\n {2}problem: quorum\.auth\.serverRequireSasl=true, but nobody can log in here/
    ],
    [
      "the keytab is not there",
      [{ keyTab: "/nowhere" }],
      /^jaas\.conf, line 2, column 17\n {2}problem: the keytab \/nowhere cannot be read \(NotFound\)/
    ],
    [
      "the package is not there",
      [{}, absent],
      /npm package kerberos cannot be loaded \(Cannot find module 'kerberos'\)\n {2}to do: {3}npm install --prefix DIR/
    ]
  ])("is refused when %s", ([, args, message]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(build(...args))
      assert.strictEqual(error._tag, "InvalidJaas")
      assert.match(error.message, message)
    }))
})
