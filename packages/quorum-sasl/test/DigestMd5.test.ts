import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Recording from "../../core/test/captures/Recording.ts"
import * as DigestMd5 from "../src/DigestMd5.ts"
import * as DigestText from "../src/DigestText.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))

const get = <State>(step: DigestMd5.Step<State>) => Result.getOrThrow(step)

const refusal = <State>(step: DigestMd5.Step<State>): DigestMd5.Refusal =>
  Result.isFailure(step) ? step.failure : assert.fail("accepted")

const NOTHING = new Uint8Array(0)

describe("the examples of RFC 2831, section 4", () => {
  it.each([
    [
      "imap",
      "OA6MG9tEQGm2hh",
      "OA6MHXh6VqTrRk",
      "d388dad90d4bbd760a152321f2143af7",
      "ea40f60335c427b5527b84dbabcdfffd"
    ],
    [
      "acap",
      "OA9BSXrbuRhWay",
      "OA9BSuZWMSpW8m",
      "6084c6db3fede7352c551284490fd0fc",
      "2f0b3d7c3c2e486600ef710726aa2eae"
    ]
  ])("%s", (service, nonce, cnonce, response, rspauth) => {
    const host = "elwood.innosoft.com"
    const options = { username: "chris", password: Redacted.make("secret"), authzid: null, service, host, cnonce }
    const challenge = utf8(`realm="${host}",nonce="${nonce}",qop="auth",algorithm=md5-sess,charset=utf-8`)
    const first = get(DigestMd5.learn(options, null, challenge))
    const said = new Map(Result.getOrThrow(DigestText.parse(first.token ?? NOTHING)))
    assert.deepStrictEqual(
      said,
      new Map([
        ["charset", "utf-8"],
        ["username", "chris"],
        ["realm", host],
        ["nonce", nonce],
        ["nc", "00000001"],
        ["cnonce", cnonce],
        ["digest-uri", `${service}/${host}`],
        ["maxbuf", "65536"],
        ["response", response],
        ["qop", "auth"]
      ])
    )
    assert.deepStrictEqual([first.state, first.complete], [{ rspauth }, false])
    const last = get(DigestMd5.learn(options, first.state, utf8(`rspauth=${rspauth}`)))
    assert.deepStrictEqual(last, { state: "Complete", token: null, complete: true })
  })
})

// The user and the password of the recordings, which existed for them only.
const recorded = { username: "zkquorum", password: "lab-secret" }

/** The tokens of every authentication in a recording: challenge, response, and the proof unless it was refused. */
const exchanges = (name: string): ReadonlyArray<ReadonlyArray<string>> =>
  Recording.load(name).connections.flatMap(({ accepted, opened }) => {
    const tokens = (messages: ReadonlyArray<Recording.Message>) =>
      messages.filter(({ told }) => told.startsWith("QuorumAuthPacket")).map(({ segments }) =>
        text(new Uint8Array(Buffer.concat(segments)).subarray(16)) ?? ""
      )
    const [challenge, proof] = tokens(accepted)
    const [, response] = tokens(opened)
    const complete = challenge !== undefined && response !== undefined && proof !== undefined
    return complete ? [[challenge, response, proof]] : []
  })

const valueOf = (message: string, name: string) =>
  new Map(Result.getOrThrow(DigestText.parse(utf8(message)))).get(name) ?? ""

const zookeeper = { service: "zookeeper-quorum", host: "zk-quorum-sasl-md5" }

describe("what real servers said to each other", () => {
  const good = exchanges("election-v1-sasl")
  const users = new Map([[recorded.username, Redacted.make(recorded.password)]])

  it("is there", () => {
    assert.strictEqual(good.length, 6)
    assert.isNotEmpty(exchanges("election-v1-sasl-bad").filter(([, , proof]) => proof === ""))
  })

  it("is what we would have said as the learner, byte for byte", () => {
    for (const [challenge = "", response = "", proof = ""] of good) {
      const options = {
        username: recorded.username,
        password: Redacted.make(recorded.password),
        authzid: recorded.username,
        ...zookeeper,
        cnonce: valueOf(response, "cnonce")
      }
      const first = get(DigestMd5.learn(options, null, utf8(challenge)))
      assert.strictEqual(text(first.token), response)
      assert.isTrue(get(DigestMd5.learn(options, first.state, utf8(proof))).complete)
    }
  })

  it("is what we would have said as the server, byte for byte", () => {
    for (const [challenge = "", response = "", proof = ""] of good) {
      const options = { users, ...zookeeper, nonce: valueOf(challenge, "nonce") }
      const first = get(DigestMd5.serve(options, "Start", NOTHING))
      assert.strictEqual(text(first.token), challenge)
      const last = get(DigestMd5.serve(options, first.state, utf8(response)))
      assert.deepStrictEqual([text(last.token), last.complete], [proof, true])
    }
  })

  it("with a wrong password would have been refused by us too, and nothing else", () => {
    for (const [challenge = "", response = "", proof = ""] of exchanges("election-v1-sasl-bad")) {
      const options = { users, ...zookeeper, nonce: valueOf(challenge, "nonce") }
      const last = DigestMd5.serve(options, "Challenged", utf8(response))
      if (proof === "") {
        assert.deepStrictEqual(refusal(last), {
          reason: "WrongCredentials",
          problem: "user \"zkquorum\" gave a wrong password"
        })
      } else assert.strictEqual(text(get(last).token), proof)
    }
  })
})

describe("names and passwords of every alphabet", () => {
  // Said by the classes of Java 17 to each other.
  it.each([
    [
      "alice",
      "p\u00e4ss",
      "draApb0Uh4U611K7tWASyJx7DFRNG91IhlpyBWzK",
      "tnCxj73qW85PooYsDkmg0GuES1sA1pcNXu4L7tXQ",
      "a3b94cc31d2021346ccc320311c2973d",
      "1b6c92a1910ff4d4e67f94cb9ac6a274"
    ],
    [
      "\u00fcser",
      "\u2713ok",
      "gHS24QIR8LjluAELIWsOrg3f8CE8wK7pqaAH4mS2",
      "+T8Cke7FPhdUQkRTgKvlk2hvzstF6VtVu4fIvJVQ",
      "0e1b1ad3312c68fff1c376546712636e",
      "b36042d4aba53b5d4540126dc04fd9f1"
    ],
    [
      "\u2713user",
      "p\u00e4ss",
      "O2+M4sNE4+hLOgmXynYb782sL0ED1mfOASla57A3",
      "ZUE1gWLHwqlzqelJW6vbMHvu4hSvia4u5/J6KujV",
      "bf636807b2258ead1529e9a379879959",
      "f9996a8fb402155c184032b39e020df5"
    ],
    [
      "we\"ird\\n",
      "x,y=\"z\"",
      "7dpfGEvR9qxI2aCQpAy2Ydlyyyh2Aux8mF+pLjWm",
      "TYc03bfTfvj8IRcL3B3G6htg5Xh/SExvI4uMq5N3",
      "7a8f1f07a7c2db8da7e83370ca614c66",
      "d11cd8443111129ad2cb7785fda25b98"
    ]
  ])("%s", (username, secret, nonce, cnonce, response, rspauth) => {
    const password = Redacted.make(secret)
    const challenge = get(DigestMd5.serve({ users: new Map(), ...zookeeper, nonce }, "Start", NOTHING)).token
    const learner = { username, password, authzid: username, ...zookeeper, cnonce }
    const said = get(DigestMd5.learn(learner, null, challenge ?? NOTHING)).token ?? NOTHING
    assert.strictEqual(valueOf(text(said) ?? "", "response"), response)
    assert.strictEqual(valueOf(text(said) ?? "", "username"), username)
    const server = { users: new Map([[username, password]]), ...zookeeper, nonce }
    assert.strictEqual(text(get(DigestMd5.serve(server, "Challenged", said)).token), `rspauth=${rspauth}`)
  })
})

// -----------------------------------------------------------------------------
// what is refused
// -----------------------------------------------------------------------------

const learner: DigestMd5.LearnerOptions = {
  username: "alice",
  password: Redacted.make("secret"),
  authzid: "alice",
  ...zookeeper,
  cnonce: "c"
}
const users = new Map([["alice", Redacted.make("secret")]])
const server: DigestMd5.ServerOptions = { users, ...zookeeper, nonce: "n" }

const CHALLENGE = "realm=\"zk-quorum-sasl-md5\",nonce=\"n\",charset=utf-8,algorithm=md5-sess"
const RESPONSE = text(get(DigestMd5.learn(learner, null, utf8(CHALLENGE))).token) ?? ""

/** The response, as it would be if the learner said something else. */
const said = (options: Partial<DigestMd5.LearnerOptions>) =>
  text(get(DigestMd5.learn({ ...learner, ...options }, null, utf8(CHALLENGE))).token) ?? ""

describe("a server", () => {
  it("accepts the right response, and proves itself", () => {
    const { complete, token } = get(DigestMd5.serve(server, "Challenged", utf8(RESPONSE)))
    assert.isTrue(complete)
    assert.match(text(token) ?? "", /^rspauth=[0-9a-f]{32}$/)
  })

  it.each<readonly [what: string, response: string, problem: RegExp, reason: DigestMd5.Refusal["reason"]]>([
    ["a wrong password", said({ password: Redacted.make("guess") }), /^user "alice" gave a wrong/, "WrongCredentials"],
    ["an unknown user", said({ username: "bob" }), /^no user "bob" here$/, "WrongCredentials"],
    ["nobody", said({ username: "bob", password: Redacted.make("") }), /^no user "bob" here$/, "WrongCredentials"],
    ["who would act as another", said({ authzid: "root" }), /^user "alice" wants to act as "root"/, "WrongCredentials"],
    ["another response", RESPONSE.replace(/response=./, "response=z"), /wrong password/, "WrongCredentials"],
    ["a short response", RESPONSE.replace(/response=\w+/, "response=a"), /wrong password/, "WrongCredentials"],
    ["no response", RESPONSE.replace(/response=\w+,/, ""), /response is missing/, "MalformedAuth"],
    ["another nonce", RESPONSE.replace(",nonce=\"n\"", ",nonce=\"m\""), /another nonce than n$/, "MalformedAuth"],
    ["a nonce used again", RESPONSE.replace("00000001", "00000002"), /another nc than 00000001/, "MalformedAuth"],
    ["another realm", RESPONSE.replace("realm=\"zk", "realm=\"zz"), /another realm than zk-/, "MalformedAuth"],
    ["no realm", RESPONSE.replace(/realm=[^,]+,/, ""), /another realm than zk-/, "MalformedAuth"],
    ["another service", said({ service: "imap" }), /another digest-uri than zookeeper-quorum/, "MalformedAuth"],
    ["another server", said({ host: "elsewhere" }), /another (realm|digest-uri) than/, "MalformedAuth"],
    ["a security layer", RESPONSE.replace("qop=auth", "qop=auth-conf"), /another qop than auth/, "MalformedAuth"],
    ["no charset", RESPONSE.replace("charset=utf-8,", ""), /another charset than utf-8/, "MalformedAuth"],
    ["two user names", `${RESPONSE},username="root"`, /username is there 2 times/, "MalformedAuth"],
    ["two responses", `${RESPONSE},response=00`, /response is there 2 times/, "MalformedAuth"],
    ["nothing", "", /nonce is missing|username is missing/, "MalformedAuth"],
    ["what is no text of directives", "GET / HTTP/1.1", /no name=value at byte/, "MalformedAuth"],
    ["more than 4096 bytes", RESPONSE.padEnd(4097, ","), /4097 bytes, more than 4096/, "MalformedAuth"]
  ])("refuses %s", (_, response, problem, reason) => {
    const refused = refusal(DigestMd5.serve(server, "Challenged", utf8(response)))
    assert.match(refused.problem, problem)
    assert.strictEqual(refused.reason, reason)
  })

  it("takes 4096 bytes", () => {
    assert.isTrue(get(DigestMd5.serve(server, "Challenged", utf8(RESPONSE.padEnd(4096, ",")))).complete)
  })

  it("takes who acts for itself without saying so", () => {
    assert.isTrue(get(DigestMd5.serve(server, "Challenged", utf8(said({ authzid: null })))).complete)
  })

  it("refuses a response before its challenge, and one more after the right one", () => {
    assert.match(refusal(DigestMd5.serve(server, "Start", utf8(RESPONSE))).problem, /before the challenge/)
    assert.match(refusal(DigestMd5.serve(server, "Complete", utf8(RESPONSE))).problem, /after the end/)
  })

  it("refuses what was said to the challenge of another connection", () => {
    const other = { ...server, nonce: "another" }
    assert.match(refusal(DigestMd5.serve(other, "Challenged", utf8(RESPONSE))).problem, /another nonce/)
  })

  it("puts a name into its log on one line and not at any length", () => {
    const username = `a\nb${"x".repeat(500)}`
    const { problem } = refusal(DigestMd5.serve(server, "Challenged", utf8(said({ username }))))
    assert.match(problem, /^no user "a\\nbx{61}\.\.\." here$/)
  })
})

describe("a learner", () => {
  const { state } = get(DigestMd5.learn(learner, null, utf8(CHALLENGE)))
  const proof = text(get(DigestMd5.serve(server, "Challenged", utf8(RESPONSE))).token) ?? ""

  it("takes the proof of who knows the password, and of nobody else", () => {
    assert.isTrue(get(DigestMd5.learn(learner, state, utf8(proof))).complete)
    const impostor = { ...server, users: new Map([["alice", Redacted.make("guess")]]) }
    assert.isTrue(Result.isFailure(DigestMd5.serve(impostor, "Challenged", utf8(RESPONSE))))
    const others = ["", proof.slice(0, -1), `rspauth=${"0".repeat(32)}`, proof.toUpperCase(), `${proof},${proof}`]
    for (const other of others) {
      assert.strictEqual(refusal(DigestMd5.learn(learner, state, utf8(other))).reason, "UnprovenServer", other)
    }
  })

  it("does not take its own response for a proof", () => {
    const mirrored = `rspauth=${valueOf(RESPONSE, "response")}`
    assert.strictEqual(refusal(DigestMd5.learn(learner, state, utf8(mirrored))).reason, "UnprovenServer")
  })

  it.each([
    ["another algorithm", CHALLENGE.replace("md5-sess", "md5"), /not of algorithm md5-sess/],
    ["no algorithm", CHALLENGE.replace(",algorithm=md5-sess", ""), /algorithm is missing/],
    ["two algorithms", `${CHALLENGE},algorithm=md5-sess`, /algorithm is there 2 times/],
    ["no nonce", CHALLENGE.replace("nonce=\"n\",", ""), /nonce is missing/],
    ["another charset", CHALLENGE.replace("utf-8", "utf-7"), /not of charset utf-8/],
    ["no charset", CHALLENGE.replace("charset=utf-8,", ""), /not of charset utf-8/],
    ["a security layer only", `${CHALLENGE},qop="auth-conf,auth-int"`, /insists on a security layer/],
    ["more than 2048 bytes", CHALLENGE.padEnd(2049, ","), /2049 bytes, more than 2048/]
  ])("refuses %s", (_, challenge, problem) => {
    const refused = refusal(DigestMd5.learn(learner, null, utf8(challenge)))
    assert.match(refused.problem, problem)
    assert.strictEqual(refused.reason, "MalformedAuth")
  })

  it.each([
    ["the realm of its server among several", "realm=\"a\",realm=\"zk-quorum-sasl-md5\"", "zk-quorum-sasl-md5"],
    ["the first realm otherwise", "realm=\"a\",realm=\"b\"", "a"],
    ["the name of the server for a realm", "", "zk-quorum-sasl-md5"]
  ])("takes %s", (_, realms, realm) => {
    const challenge = `${realms},nonce="n",charset=utf-8,algorithm=md5-sess,qop="auth-int, auth"`
    const { token } = get(DigestMd5.learn(learner, null, utf8(challenge)))
    assert.strictEqual(valueOf(text(token) ?? "", "realm"), realm)
  })

  it("never says its password", () => {
    assert.notInclude(RESPONSE, "secret")
  })
})

describe("the text of a message", () => {
  const read = (message: string) => DigestText.parse(utf8(message))

  it.each<readonly [message: string, directives: DigestText.Directives]>([
    ["", []],
    [" , ,", []],
    ["a=b", [["a", "b"]]],
    [" A = b , c=\"d e,f\" ", [["a", "b"], ["c", "d e,f"]]],
    ["a=\"\\\"\\\\\\x\"", [["a", "\"\\x"]]],
    ["a=\"\"", [["a", ""]]],
    ["a=1,a=2", [["a", "1"], ["a", "2"]]],
    ["charset=utf-8,a=\"\u00fc\u2713\"", [["charset", "utf-8"], ["a", "\u00fc\u2713"]]],
    ["a=\"\u00fc\"", [["a", "\u00c3\u00bc"]]]
  ])("%j", (message, directives) => {
    assert.deepStrictEqual(Result.getOrThrow(read(message)), directives)
  })

  const none = ["a", "a=", "=b", "a=b c=d", "a=\"b", "a=\"b\"c", "a=\"b\\", "a==b", "\"a\"=b", "a=b;c=d"]

  it.each(none)("%j is none", (message) => {
    assert.isTrue(Result.isFailure(read(message)))
  })

  it("in utf-8 with bytes that are none is none", () => {
    assert.isTrue(Result.isFailure(DigestText.parse(Uint8Array.of(...utf8("charset=utf-8,a=\""), 0xff, 0x22))))
  })

  it("takes no longer for what is nested badly", () => {
    const pieces = ["\"", "\\", "a=\"\\", ",", "a=b,", " "]
    for (const piece of pieces) assert.isBoolean(Result.isSuccess(read(piece.repeat(20_000))))
  })
})

describe("properties", () => {
  const bytes = Arbitrary.map(
    Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))),
    (values) => Uint8Array.from(values)
  )
  const piece = Schema.Literals(
    ["nonce=", "\"", ",", "=", "\\", "algorithm=md5-sess", "charset=utf-8", "realm", "a", "\u00ff"]
  )
  const pieces = Arbitrary.map(Arbitrary.array(Arbitrary.schema(piece)), (all) => utf8(all.join("")))

  const completes = <State>(step: DigestMd5.Step<State>) => Result.isSuccess(step) && step.success.complete
  const none = (token: Uint8Array) => {
    for (const state of [null, { rspauth: "x" }, "Complete"] as const) {
      assert.isFalse(completes(DigestMd5.learn(learner, state, token)))
    }
    for (const state of ["Start", "Challenged", "Complete"] as const) {
      assert.isFalse(completes(DigestMd5.serve(server, state, token)))
    }
  }

  it.prop("any bytes have a result, and prove nothing", [bytes], ([token]) => none(token))

  it.prop("so has any text of directives", [pieces], ([token]) => none(token))

  it.prop("who knows the password logs in, and nobody else", [Schema.String, Schema.String, Schema.String], ([
    username,
    password,
    other
  ]) => {
    if (!username.isWellFormed() || username.length > 200) return
    const challenge = get(DigestMd5.serve(server, "Start", NOTHING)).token ?? NOTHING
    const users = new Map([[username, Redacted.make(password)]])
    const attempt = (secret: string) => {
      const options = { ...learner, username, password: Redacted.make(secret), authzid: username }
      const response = get(DigestMd5.learn(options, null, challenge)).token ?? NOTHING
      return Result.isSuccess(DigestMd5.serve({ ...server, users }, "Challenged", response))
    }
    assert.isTrue(attempt(password))
    if (other.toWellFormed() !== password.toWellFormed()) assert.isFalse(attempt(other))
  })
})
