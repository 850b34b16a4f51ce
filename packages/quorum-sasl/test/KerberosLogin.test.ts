import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as KerberosLogin from "../src/KerberosLogin.ts"
import * as SaslLogin from "../src/SaslLogin.ts"

const KRB5 = "com.sun.security.auth.module.Krb5LoginModule required"
const DIGEST = "org.apache.zookeeper.server.auth.DigestLoginModule required"

const section = (name: string, options: string, module = KRB5) => `${name} { ${module} ${options}; };\n`

const server = section("QuorumServer", "useKeyTab=true keyTab=\"/s\" principal=\"s/h@R\"")

const read = (text: string, contexts = SaslLogin.defaultContexts) =>
  KerberosLogin.fromJaas(text, "jaas.conf", contexts)

const learner = (options: string) => read(server + section("QuorumLearner", options))

const withServer = (options: string) => read(section("QuorumServer", options) + section("QuorumLearner", KEYTAB))

const KEYTAB = "useKeyTab=true keyTab=\"/l\" principal=\"l/h@R\""

describe("a login with Kerberos", () => {
  it.each<readonly [what: string, options: string, login: readonly [string | null, string | null, boolean]]>([
    ["as the manual shows it", `${KEYTAB} storeKey=true useTicketCache=false debug=false`, ["l/h@R", "/l", false]],
    ["with a keytab named with its type", KEYTAB.replace("/l", "FILE:/l"), ["l/h@R", "/l", false]],
    ["with a keytab and a cache", `${KEYTAB} useTicketCache=TRUE`, ["l/h@R", "/l", true]],
    ["with a cache", "useTicketCache=true", [null, null, true]],
    ["with a cache, as somebody", "useTicketCache=true principal=\"l\"", ["l", null, true]]
  ])("%s", (_, options, expected) => {
    const [principal, keyTab, useTicketCache] = expected
    assert.deepStrictEqual(Result.getOrThrow(learner(options)), {
      learner: { principal, keyTab, useTicketCache },
      server: { principal: "s/h@R", keyTab: "/s" },
      at: { server: { line: 1, column: 16 }, learner: { line: 2, column: 17 } }
    })
  })

  it("is in the sections that are named", () => {
    const text = section("S", KEYTAB) + section("L", KEYTAB)
    assert.strictEqual(Result.getOrThrow(read(text, { learner: "L", server: "S" }))?.learner.principal, "l/h@R")
    assert.isNull(Result.getOrThrow(read(text)))
  })

  it("is none of DIGEST-MD5", () => {
    const digest = section("QuorumServer", "user_a=\"1\"", DIGEST) + section("QuorumLearner", "username=\"a\"", DIGEST)
    assert.isNull(Result.getOrThrow(read(digest)))
  })

  it.each<readonly [what: string, result: ReturnType<typeof read>, problem: string]>([
    ["a server alone", read(server), "only one section is of Kerberos, and QuorumLearner is not"],
    [
      "a learner alone",
      read(section("QuorumLearner", KEYTAB) + section("QuorumServer", "user_a=\"1\"", DIGEST)),
      "only one section is of Kerberos, and QuorumServer is not"
    ],
    ["neither keytab nor cache", learner("principal=\"l/h@R\""), "there is nothing to log in with"],
    ["no file", learner("useKeyTab=true principal=\"l/h@R\""), "keyTab is not set"],
    ["no principal", learner("useKeyTab=true keyTab=\"/l\""), "principal is not set"],
    ["a server without a key", withServer("useTicketCache=true"), "there is nothing to log in with"],
    ["a server without a file", withServer("useKeyTab=true principal=\"s/h@R\""), "keyTab is not set"],
    ["a server that is nobody", withServer("useKeyTab=true keyTab=\"/s\""), "principal is not set"],
    ["a server with caches", withServer(`${KEYTAB} ticketCache="/t"`), "the option ticketCache has no meaning here"],
    ["what nobody heeds", learner(`${KEYTAB} ticketCache="/t"`), "the option ticketCache has no meaning here"]
  ])("cannot be had with %s", (_, result, problem) => {
    assert.strictEqual(Result.isFailure(result) ? result.failure.problem : "accepted", problem)
  })
})
