import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as ZooAuth from "../src/ZooAuth.ts"
import * as ZooSettings from "../src/ZooSettings.ts"

const parse = (...lines: ReadonlyArray<string>) =>
  Result.flatMap(ZooSettings.read(lines.join("\n"), { file: "zoo.cfg" }), ZooAuth.parse)

const get = (...lines: ReadonlyArray<string>) => Result.getOrThrow(parse(...lines))

const ENABLE = "quorum.auth.enableSasl"
const LEARNER = "quorum.auth.learnerRequireSasl"
const SERVER = "quorum.auth.serverRequireSasl"

const contexts = { learner: "QuorumLearner", server: "QuorumServer" }

const defaults = { contexts, servicePrincipal: { service: "zkquorum", host: "localhost" } }

describe("quorum.auth", () => {
  it("in the order of a roll-out", () => {
    assert.isNull(get())
    assert.isNull(get(`${ENABLE}=false`))
    const nothing = { learnerRequireSasl: false, serverRequireSasl: false }
    assert.deepStrictEqual(get(`${ENABLE}=true`), { ...nothing, ...defaults })
    assert.deepStrictEqual(get(`${ENABLE}=TRUE`, `${LEARNER}=true`), {
      learnerRequireSasl: true,
      serverRequireSasl: false,
      ...defaults
    })
    assert.deepStrictEqual(get(`${ENABLE}=true`, `${LEARNER}=true`, `${SERVER}=true`), {
      learnerRequireSasl: true,
      serverRequireSasl: true,
      ...defaults
    })
  })

  it("names its sections", () => {
    const sections = ["quorum.auth.learner.saslLoginContext=L", "quorum.auth.server.saslLoginContext=S"]
    const named = get(`${ENABLE}=true`, ...sections)
    assert.deepStrictEqual(named?.contexts, { learner: "L", server: "S" })
  })

  const PRINCIPAL = "quorum.auth.kerberos.servicePrincipal"

  it("names the servers' principal", () => {
    const named = get(`${ENABLE}=true`, `${PRINCIPAL}=zookeeper/_HOST`)
    assert.deepStrictEqual(named?.servicePrincipal, { service: "zookeeper", host: "_HOST" })
  })

  it.each(["zookeeper", "zookeeper/", "/_HOST", "zookeeper/_HOST@REALM", "a/b/c"])("%s is no principal", (text) => {
    const result = parse(`${ENABLE}=true`, `${PRINCIPAL}=${text}`)
    const problem = Result.isFailure(result) ? result.failure.problem : "accepted"
    assert.strictEqual(problem, `${text} is no service and host`)
  })

  // As 3.8.0 puts it, and in that order.
  it.each([
    [[`${SERVER}=true`], `${ENABLE} is disabled, so cannot enable ${SERVER}`],
    [[`${LEARNER}=true`], `${ENABLE} is disabled, so cannot enable ${LEARNER}`],
    [[`${LEARNER}=true`, `${SERVER}=true`], `${ENABLE} is disabled, so cannot enable ${SERVER}`],
    [[`${ENABLE}=true`, `${SERVER}=true`], `${LEARNER} is disabled, so cannot enable ${SERVER}`]
  ])("%j is refused", (lines, problem) => {
    const result = parse(...lines)
    assert.strictEqual(Result.isFailure(result) ? result.failure.problem : "accepted", problem)
  })
})

const DIGEST = "org.apache.zookeeper.server.auth.DigestLoginModule"
const good = `QuorumServer { ${DIGEST} required user_a="1"; }; QuorumLearner { ${DIGEST} required ` +
  "username=\"a\" password=\"1\"; };"

describe("the login configuration", () => {
  const nobody = QuorumConfig.layerVoters(1n, {})
  /** Builds the layer with two files in a directory; DIR stands for it. */
  const build = Effect.fnUntraced(function*(env: Record<string, string>, flag?: string) {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* fs.makeTempDirectoryScoped()
    yield* fs.writeFileString(`${dir}/good.conf`, good)
    yield* fs.writeFileString(`${dir}/bad.conf`, "nonsense")
    const auth = get(`${ENABLE}=true`, `${LEARNER}=true`)
    const here = (text: string) => text.replaceAll("DIR", dir)
    const values = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here(value)]))
    return yield* QuorumAuth.QuorumAuth.pipe(
      Effect.provide(
        ZooAuth.layer(auth, Option.map(Option.fromUndefinedOr(flag), here)).pipe(
          Layer.provide([ConfigProvider.layer(ConfigProvider.fromEnv({ env: values })), nobody])
        )
      )
    )
  })

  const JVM = "-Djava.security.auth.login.config"
  it.effect.each<readonly [what: string, env: Record<string, string>, flag?: string]>([
    ["--jaas", { JVMFLAGS: `${JVM}=DIR/bad.conf` }, "DIR/good.conf"],
    ["the variable", { "java.security.auth.login.config": "DIR/good.conf", JVMFLAGS: `${JVM}=DIR/bad.conf` }],
    ["JVMFLAGS", { JVMFLAGS: `-Xmx1g ${JVM}=DIR/good.conf -Da=b` }],
    ["JVMFLAGS, with quotes", { JVMFLAGS: `${JVM}="DIR/good.conf"` }],
    ["JVMFLAGS, alone", { JVMFLAGS: `${JVM}==DIR/good.conf` }],
    ["JVMFLAGS, as a URL", { JVMFLAGS: `${JVM}=file:DIR/good.conf` }],
    ["SERVER_JVMFLAGS", { SERVER_JVMFLAGS: `${JVM}=DIR/good.conf` }],
    ["the last of several", { SERVER_JVMFLAGS: `${JVM}=DIR/bad.conf`, JVMFLAGS: `${JVM}=/x ${JVM}=DIR/good.conf` }]
  ])("is named by %s", ([, env, flag]) =>
    Effect.gen(function*() {
      assert.notStrictEqual(yield* build(env, flag), QuorumAuth.none)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.effect.each<readonly [what: string, env: Record<string, string>, flag: string | undefined, message: RegExp]>([
    ["nobody names it", { JVMFLAGS: "-Xmx1g" }, undefined, /no login configuration is named\n {2}to do: {3}add --jaas/],
    ["it is not there", {}, "DIR/none.conf", /none\.conf\n {2}problem: there is no such file\n/],
    ["it cannot be read", {}, "DIR", /problem: the file cannot be read/],
    ["it is none", {}, "DIR/bad.conf", /bad\.conf, line 1, column 9\n {2}problem: expected \{/]
  ])("is refused when %s", ([, env, flag, message]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(build(env, flag))
      assert.strictEqual(error._tag, "InvalidJaas")
      assert.match(error.message, message)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.effect("is not looked for where SASL is off", () =>
    Effect.gen(function*() {
      const layer = ZooAuth.layer(null, Option.some("/nowhere")).pipe(Layer.provide(nobody))
      const auth = yield* QuorumAuth.QuorumAuth.pipe(Effect.provide(layer))
      assert.strictEqual(auth, QuorumAuth.none)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
