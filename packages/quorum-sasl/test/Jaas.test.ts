import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Jaas from "../src/Jaas.ts"
import * as SaslLogin from "../src/SaslLogin.ts"

// As ZooKeeper's documentation has it, with comments of both kinds.
const manual = `
// who may log in here
QuorumServer {
       org.apache.zookeeper.server.auth.DigestLoginModule required
       user_test="mypassword" /* and not
       user_nobody="no" */;
};

QuorumLearner {
       org.apache.zookeeper.server.auth.DigestLoginModule required
       username="test"
       password="mypassword";
};
`

const get = (text: string) => Result.getOrThrow(Jaas.parse(text, "jaas.conf"))

const refused = <A>(result: Result.Result<A, Jaas.InvalidJaas>) =>
  Result.isFailure(result) ? result.failure : assert.fail("accepted")

const modulesOf = (text: string) =>
  Array.from(get(text), ([name, modules]) =>
    [name, modules.map((module) => [module.name, Object.fromEntries(module.options)])] as const)

const DIGEST = "org.apache.zookeeper.server.auth.DigestLoginModule"

describe("a login configuration", () => {
  it("as the manual shows it", () => {
    assert.deepStrictEqual(modulesOf(manual), [
      ["QuorumServer", [[DIGEST, { user_test: "mypassword" }]]],
      ["QuorumLearner", [[DIGEST, { username: "test", password: "mypassword" }]]]
    ])
    assert.deepStrictEqual(get(manual).get("QuorumLearner")?.[0]?.at, { line: 10, column: 8 })
  })

  it.each<readonly [what: string, text: string, expected: ReturnType<typeof modulesOf>]>([
    ["nothing", " // nothing\n/**/", []],
    ["no modules", "A { };", [["A", []]]],
    ["two modules", "A{a.B required;c.D OPTIONAL x=y;};", [["A", [["a.B", {}], ["c.D", { x: "y" }]]]]],
    ["a quoted name", "\"A\" {a.B sufficient;};", [["A", [["a.B", {}]]]]],
    ["Kerberos", "A { k.M required\r\nuseKeyTab=true\r\nkeyTab=\"/etc/k\"; };", [
      ["A", [["k.M", { useKeyTab: "true", keyTab: "/etc/k" }]]]
    ]],
    ["escapes", String.raw`A { a.B required p="\"\\\n\t\101\7x\q"; };`, [["A", [["a.B", { p: "\"\\\n\tA\x07xq" }]]]]],
    ["what looks like a comment", "A { a.B required p=\"//x /*y*/\"; };", [["A", [["a.B", { p: "//x /*y*/" }]]]]],
    ["other alphabets", "A { a.B required p=p\u00e4ss\u2713; };", [["A", [["a.B", { p: "p\u00e4ss\u2713" }]]]]]
  ])("with %s", (_, text, expected) => {
    assert.deepStrictEqual(modulesOf(text), expected)
  })

  it.each<readonly [text: string, line: number, column: number, problem: RegExp]>([
    ["{", 1, 1, /^expected the name of a section; found \{$/],
    ["A", 1, 2, /^expected \{ after the name of a section; found the end of the file$/],
    ["A {", 1, 4, /^expected a login module, or \}; found the end of the file$/],
    ["A {\n}", 2, 2, /^expected ; after the \} of a section; found the end/],
    ["A {\n  a.B;\n};", 2, 6, /^expected one of required, requisite, sufficient, optional; found ;$/],
    ["A {\n  a.B always;\n};", 2, 7, /^this is none of required/],
    ["A {\n  a.B required\n};", 3, 1, /^expected another option, or ; after the last; found \}$/],
    ["A {\n  a.B required\n  p;\n};", 3, 4, /^expected = after the name of an option; found ;$/],
    ["A {\n  a.B required\n  p=;\n};", 3, 5, /^expected a value after =; found ;$/],
    ["A {\r  a.B required p=my secret;\r};", 2, 27, /^expected = after the name of an option; found ;$/],
    ["A {\n  a.B required p=1 p=2;\n};", 2, 20, /^this option is there already$/],
    ["A {};\nA {};", 2, 1, /^there is a section of this name already$/],
    ["A {\r\n  a.B required p=\"secret;\r\n};", 2, 18, /^a text between quotes does not end on its line$/],
    ["A {\n  a.B required p=se!cret;\n};", 2, 20, /^this character has no place outside quotes$/],
    ["A {\n  a.B required p=\"${secret}\";\n};", 2, 18, /^Java would put a system property in here$/],
    ["/* secret\nA {};", 1, 1, /^this character has no place/]
  ])("%j goes wrong at its place, and is not repeated", (text, line, column, problem) => {
    const error = refused(Jaas.parse(text, "jaas.conf"))
    assert.deepStrictEqual([error.line, error.column], [line, column])
    assert.match(error.problem, problem)
    assert.isTrue(error.message.startsWith(`jaas.conf, line ${line}, column ${column}\n  problem: `), error.message)
    assert.notInclude(error.message, "secret")
  })

  const piece = Schema.Literals(
    ["A", "{", "}", ";", "=", "\"", "\\", "required", " ", "\n", "//", "/*", "*/", "a.B", "#"]
  )

  it.prop("every text has a result", [Arbitrary.array(Arbitrary.schema(piece))], ([pieces]) => {
    assert.isBoolean(Result.isSuccess(Jaas.parse(pieces.join(""), "f")))
  })

  it.prop("any string has a result", [Schema.String], ([text]) => {
    assert.isBoolean(Result.isSuccess(Jaas.parse(text, "f")))
  })
})

describe("the credentials in it", () => {
  const login = (text: string, contexts = SaslLogin.defaultContexts) => SaslLogin.fromJaas(text, "jaas.conf", contexts)
  const section = (name: string, options: string) => `${name} { ${DIGEST} required ${options}; };\n`
  const server = section("QuorumServer", "user_a=\"1\" user_b=\"2\"")
  const learner = section("QuorumLearner", "username=\"a\" password=\"1\"")

  it("are those of the two sections", () => {
    const { learner: { password, username }, users } = Result.getOrThrow(login(server + learner))
    assert.deepStrictEqual([username, Redacted.value(password)], ["a", "1"])
    const read = Array.from(users, ([name, secret]) => [name, Redacted.value(secret)])
    assert.deepStrictEqual(read, [["a", "1"], ["b", "2"]])
  })

  it("are those of the sections that are named", () => {
    const text = section("S", "user_c=\"3\"") + section("L", "username=\"c\" password=\"3\"") + server
    const { learner: { username } } = Result.getOrThrow(login(text, { learner: "L", server: "S" }))
    assert.strictEqual(username, "c")
  })

  it("are printed by nobody", () => {
    const shown = `${Result.getOrThrow(login(server + learner)).learner.password}`
    assert.strictEqual(shown, "<redacted>")
  })

  const FAILED = "Failed to initialize authentication mechanism using SASL: "
  it.each<readonly [what: string, text: string, problem: string]>([
    ["no server", learner, `${FAILED}there is no section QuorumServer`],
    ["no learner", server, `${FAILED}there is no section QuorumLearner`],
    ["no module", `${server}QuorumLearner {};`, `${FAILED}section QuorumLearner is empty`],
    ["another module", `${server}QuorumLearner { a.B required; };`, `${FAILED}this login module is not known`],
    ["no users", section("QuorumServer", "users=\"a\"") + learner, "nobody may log in here"],
    ["a user without password", section("QuorumServer", "user_a=\"\"") + learner, "a user has no name or no password"],
    ["a user without name", section("QuorumServer", "user_=\"1\"") + learner, "a user has no name or no password"],
    ["no name", server + section("QuorumLearner", "password=\"1\""), "username is not set"],
    ["no password", server + section("QuorumLearner", "username=\"a\""), "password is not set"]
  ])("are not there: %s", (_, text, problem) => {
    assert.strictEqual(refused(login(text)).problem, problem)
  })
})

describe("the credentials in Config", () => {
  const read = (values: unknown) =>
    SaslLogin.config.pipe(
      Config.map(({ learner, users }) => ({
        learner: [learner.username, Redacted.value(learner.password)],
        users: Array.from(users, ([name, secret]) => [name, Redacted.value(secret)])
      }))
    ).parse(ConfigProvider.fromUnknown(values))

  it.effect("are one login for all", () =>
    Effect.gen(function*() {
      const both = { learner: ["a", "1"], users: [["a", "1"]] }
      assert.deepStrictEqual(yield* read({ username: "a", password: "1" }), both)
    }))

  it.effect("or one for each", () =>
    Effect.gen(function*() {
      const { users } = yield* read({ username: "a", password: "1", users: { a: "1", b: "2" } })
      assert.deepStrictEqual(users, [["a", "1"], ["b", "2"]])
    }))

  it.effect.each([{ username: "a" }, { password: "1" }, { username: "", password: "1" }])("and fail: %j", (values) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(read(values)))._tag, "ConfigError")
    }))
})
