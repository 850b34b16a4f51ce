/**
 * DIGEST-MD5 (RFC 2831): both sides prove that they know a password without
 * saying it. Two state machines of a few lines each; what is random is handed in.
 *
 *     server      realm, nonce
 *     learner     user name, nonce, its own cnonce, a digest of these and the password
 *     server      a digest of the same, made another way
 *
 * The digest is MD5, and the password is kept as it is on both sides: this keeps
 * out who does not belong to the ensemble, not who listens and has a dictionary.
 *
 * Java: `com.sun.security.sasl.digest.DigestMD5Client`, `DigestMD5Server`.
 */
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as DigestText from "./DigestText.ts"

/** Why an exchange came to nothing; `problem` is for people and holds no secret. */
export interface Refusal {
  readonly reason: "WrongCredentials" | "UnprovenServer" | "MalformedAuth"
  readonly problem: string
}

/** The next state, what to say, and whether that was all. */
export type Step<State> = Result.Result<
  { readonly state: State; readonly token: Uint8Array | null; readonly complete: boolean },
  Refusal
>

/** The longest challenge in bytes. RFC 2831, 2.1.1. */
export const CHALLENGE_MAX = 2048

/** The longest response in bytes. RFC 2831, 2.1.2. */
export const RESPONSE_MAX = 4096

/** How often a nonce is used: once. A learner that counts on is refused, as by Java. */
const NONCE_COUNT = "00000001"

// -----------------------------------------------------------------------------
// the digest
// -----------------------------------------------------------------------------

/** What both sides make the digests of. */
export interface Session {
  readonly username: string
  readonly realm: string
  readonly password: Redacted.Redacted
  readonly nonce: string
  readonly cnonce: string
  /** On whose behalf, if that is said. */
  readonly authzid: string | null
  /** `service/host`. */
  readonly digestUri: string
}

/** The 32 hexadecimal digits that a learner proves itself with, and those of the server. RFC 2831, 2.1.2.1, 2.1.3. */
export const digests = (session: Session): { readonly response: string; readonly rspauth: string } => {
  const { authzid, cnonce, digestUri, nonce, password, realm, username } = session
  const secret = md5(join(":", narrow(username), narrow(realm), narrow(Redacted.value(password))))
  const a1 = join(":", secret, ...[nonce, cnonce, ...(authzid === null ? [] : [authzid])].map(utf8))
  const ha1 = Hex.encode(md5(a1))
  const digest = (method: string) => {
    const ha2 = Hex.encode(md5(utf8(`${method}:${digestUri}`)))
    return Hex.encode(md5(utf8([ha1, nonce, NONCE_COUNT, cnonce, "auth", ha2].join(":"))))
  }
  return { response: digest("AUTHENTICATE"), rspauth: digest("") }
}

// WebCrypto has no MD5, so that Effect always brings its own.
const md5 = Digest.md5.implementation!

const encoder = new TextEncoder()

const utf8 = (text: string): Uint8Array => encoder.encode(text)

// RFC 2831, 2.1.2.1: what ISO 8859-1 can say is digested in it, whatever the charset of the message.
const narrow = (text: string): Uint8Array =>
  Array.from(text).every((char) => char <= "\xff") ? Uint8Array.from(text, (char) => char.charCodeAt(0)) : utf8(text)

const join = (separator: string, ...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  Uint8Array.from(parts.flatMap((part, index) => [...(index === 0 ? [] : utf8(separator)), ...part]))

const equal = (one: string, other: string): boolean => Mac.timingSafeEqual(utf8(one), utf8(other))

// -----------------------------------------------------------------------------
// the learner
// -----------------------------------------------------------------------------

/** What a learner must be told. */
export interface LearnerOptions {
  readonly username: string
  readonly password: Redacted.Redacted
  /** On whose behalf; Java's learner says its own user name here. */
  readonly authzid: string | null
  /** What is talked, `zookeeper-quorum`. */
  readonly service: string
  /** The name of the server; its realm too, if it names none. */
  readonly host: string
  /** Random, and never used before. */
  readonly cnonce: string
}

/** Where a learner stands. It begins at `null`, with nothing to say. */
export type LearnerState = null | { readonly rspauth: string } | "Complete"

/** Takes what the server says. Complete is only who has seen that the server knows the password too. */
export const learn = (options: LearnerOptions, state: LearnerState, token: Uint8Array): Step<LearnerState> => {
  if (state === null) return respond(options, token)
  if (state === "Complete") return malformed("something after the end of the exchange")
  return Result.flatMap(parse("the server's proof", token, CHALLENGE_MAX), (directives) => {
    const rspauth = DigestText.single(directives, "rspauth")
    return Result.isSuccess(rspauth) && equal(rspauth.success ?? "", state.rspauth)
      ? Result.succeed({ state: "Complete", token: null, complete: true })
      : refuse("UnprovenServer", "it did not prove that it knows our password")
  })
}

const respond = (options: LearnerOptions, token: Uint8Array): Step<LearnerState> =>
  Result.gen(function*() {
    const what = "the challenge"
    const directives = yield* parse(what, token, CHALLENGE_MAX)
    const read = (name: string) => explain(what, DigestText.single(directives, name))
    const nonce = yield* explain(what, DigestText.required(directives, "nonce"))
    const algorithm = yield* explain(what, DigestText.required(directives, "algorithm"))
    const charset = yield* read("charset")
    const qops = ((yield* read("qop")) ?? "auth").split(",").map((qop) => qop.trim())
    if (algorithm !== "md5-sess") return yield* malformed(`${what} is not of algorithm md5-sess`)
    if (charset?.toLowerCase() !== "utf-8") return yield* malformed(`${what} is not of charset utf-8`)
    if (!qops.includes("auth")) return yield* malformed(`${what} insists on a security layer; quorum links have none`)
    const realms = directives.filter(([name]) => name === "realm").map(([, realm]) => realm)
    const realm = realms.includes(options.host) ? options.host : realms[0] ?? options.host
    const { authzid, cnonce, host, password, service, username } = options
    const digestUri = `${service}/${host}`
    const { response, rspauth } = digests({ username, realm, password, nonce, cnonce, authzid, digestUri })
    // In the order in which Java writes them. Nobody will send us more than its default of 65,536 bytes at a time.
    const text = DigestText.format([
      ["charset", { token: "utf-8" }],
      ["username", username],
      ["realm", realm],
      ["nonce", nonce],
      ["nc", { token: NONCE_COUNT }],
      ["cnonce", cnonce],
      ["digest-uri", digestUri],
      ["maxbuf", { token: "65536" }],
      ["response", { token: response }],
      ["qop", { token: "auth" }],
      ...(authzid === null ? [] : [["authzid", authzid] as const])
    ])
    return { state: { rspauth }, token: text, complete: false }
  })

// -----------------------------------------------------------------------------
// the server
// -----------------------------------------------------------------------------

/** What a server must be told. */
export interface ServerOptions {
  /** The password of each user. */
  readonly users: ReadonlyMap<string, Redacted.Redacted>
  readonly service: string
  /** The name that learners know it by, and the realm of its users. */
  readonly host: string
  /** Random, and never used before. */
  readonly nonce: string
}

/** Where a server stands. */
export type ServerState = "Start" | "Challenged" | "Complete"

/** Takes what the learner says, at the start nothing. A second response to the same challenge is refused. */
export const serve = (options: ServerOptions, state: ServerState, token: Uint8Array): Step<ServerState> => {
  switch (state) {
    case "Start":
      return token.length > 0
        ? malformed("a response came before the challenge")
        : Result.succeed({ state: "Challenged", token: challenge(options), complete: false })
    case "Challenged":
      return Result.map(verify(options, token), (token) => ({ state: "Complete", token, complete: true }))
    case "Complete":
      return malformed("something after the end of the exchange")
  }
}

const challenge = ({ host, nonce }: ServerOptions): Uint8Array =>
  DigestText.format([
    ["realm", host],
    ["nonce", nonce],
    ["charset", { token: "utf-8" }],
    ["algorithm", { token: "md5-sess" }]
  ])

const verify = (options: ServerOptions, token: Uint8Array): Result.Result<Uint8Array, Refusal> =>
  Result.gen(function*() {
    const what = "the response"
    const directives = yield* parse(what, token, RESPONSE_MAX)
    const need = (name: string) => explain(what, DigestText.required(directives, name))
    const read = (name: string) => explain(what, DigestText.single(directives, name))
    const { host, nonce, service, users } = options
    const digestUri = `${service}/${host}`
    const username = yield* need("username")
    const cnonce = yield* need("cnonce")
    const response = yield* need("response")
    const authzid = (yield* read("authzid")) ?? null
    const same: ReadonlyArray<readonly [name: string, value: string | undefined, wanted: string]> = [
      ["nonce", yield* need("nonce"), nonce],
      ["nc", yield* need("nc"), NONCE_COUNT],
      ["realm", yield* read("realm"), host],
      ["digest-uri", yield* need("digest-uri"), digestUri],
      ["qop", (yield* read("qop")) ?? "auth", "auth"],
      ["charset", (yield* read("charset"))?.toLowerCase(), "utf-8"]
    ]
    const other = same.find(([, value, wanted]) => value !== wanted)
    if (other !== undefined) return yield* malformed(`${what} has another ${other[0]} than ${other[2]}`)
    // Nobody's password is compared too, so that a guess at names takes as long as one at passwords.
    const password = users.get(username) ?? NOBODY
    const session: Session = { username, realm: host, password, nonce, cnonce, authzid, digestUri }
    const proof = digests(session)
    if (!equal(response, proof.response) || password === NOBODY) {
      const user = `user ${quote(username)}`
      const problem = users.has(username) ? `${user} gave a wrong password` : `no ${user} here`
      return yield* refuse("WrongCredentials", problem)
    }
    if (authzid !== null && authzid !== "" && authzid !== username) {
      return yield* refuse("WrongCredentials", `user ${quote(username)} wants to act as ${quote(authzid)}`)
    }
    return DigestText.format([["rspauth", { token: proof.rspauth }]])
  })

const NOBODY = Redacted.make("")

// Whoever dials us chooses the name that stands in our log.
const quote = (name: string): string => JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name)

const parse = (what: string, token: Uint8Array, max: number): Result.Result<DigestText.Directives, Refusal> =>
  token.length > max
    ? malformed(`${what} has ${token.length} bytes, more than ${max}`)
    : explain(what, DigestText.parse(token))

const explain = <A>(what: string, result: Result.Result<A, string>): Result.Result<A, Refusal> =>
  Result.mapError(result, (problem): Refusal => ({
    reason: "MalformedAuth",
    problem: `${what} cannot be read: ${problem}`
  }))

const malformed = (problem: string) => refuse("MalformedAuth", problem)

const refuse = (reason: Refusal["reason"], problem: string): Result.Result<never, Refusal> =>
  Result.fail({ reason, problem })
