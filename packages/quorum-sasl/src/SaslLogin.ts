/**
 * The credentials of DIGEST-MD5: with which name and password we log in elsewhere,
 * and with which others may log in here. From a login configuration as ZooKeeper
 * has it, or from Effect's `Config`.
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Jaas from "./Jaas.ts"

/** A name and its password. */
export interface Login {
  readonly username: string
  readonly password: Redacted.Redacted
}

/** Who we are to others, and who others may be to us. */
export interface SaslLogin {
  readonly learner: Login
  /** The password of each user. */
  readonly users: ReadonlyMap<string, Redacted.Redacted>
}

/** Which sections of a login configuration hold what. */
export interface Contexts {
  /** Java: quorum.auth.learner.saslLoginContext. */
  readonly learner: string
  /** Java: quorum.auth.server.saslLoginContext. */
  readonly server: string
}

/** The sections' usual names. */
export const defaultContexts: Contexts = { learner: "QuorumLearner", server: "QuorumServer" }

/**
 * The credentials in the text of a login configuration. Both sections must be
 * there, whatever is required of whom, as in ZooKeeper.
 */
export const fromJaas = (text: string, file: string, contexts: Contexts): Result.Result<SaslLogin, Jaas.InvalidJaas> =>
  Result.gen(function*() {
    const jaas = yield* Jaas.parse(text, file)
    const server = yield* digestModule(jaas, file, contexts.server)
    const learner = yield* digestModule(jaas, file, contexts.learner)
    const users = Array.from(server.options).filter(([name]) => name.startsWith(USER)).map(
      ([name, password]) => [name.slice(USER.length), password] as const
    )
    if (users.length === 0) {
      return yield* refuse(file, server.at, "nobody may log in here", "add user_alice=\"her password\" for each user")
    }
    const empty = users.find(([name, password]) => name === "" || password === "")
    if (empty !== undefined) {
      return yield* refuse(file, server.at, "a user has no name or no password", "write user_alice=\"her password\"")
    }
    const username = learner.options.get("username") ?? ""
    const password = learner.options.get("password") ?? ""
    if (username === "" || password === "") {
      const missing = username === "" ? "username" : "password"
      return yield* refuse(file, learner.at, `${missing} is not set`, `add ${missing}="..." to ${contexts.learner}`)
    }
    return {
      learner: { username, password: Redacted.make(password) },
      users: new Map(users.map(([name, password]) => [name, Redacted.make(password)]))
    }
  })

/**
 * The credentials in `username`, `password` and `users`, a record of passwords by
 * name; without the last, all servers share the one login.
 */
export const config: Config.Config<SaslLogin> = Config.all({
  username: Config.NonEmptyString("username"),
  password: Config.Redacted("password"),
  users: Config.option(Config.Record(Schema.NonEmptyString, Schema.Redacted(Schema.NonEmptyString), "users"))
}).pipe(
  Config.map(({ password, username, users }) => ({
    learner: { username, password },
    users: new Map(Option.match(users, { onNone: () => [[username, password]], onSome: Object.entries }))
  }))
)

const { refuse } = Jaas

const USER = "user_"

const DIGEST = "org.apache.zookeeper.server.auth.DigestLoginModule"

const FAILED = "Failed to initialize authentication mechanism using SASL"

const digestModule = (
  jaas: Jaas.Jaas,
  file: string,
  name: string
): Result.Result<Jaas.LoginModule, Jaas.InvalidJaas> => {
  const modules = jaas.get(name)
  if (modules === undefined) {
    return refuse(file, null, `${FAILED}: there is no section ${name}`, `add ${name} { ${DIGEST} required ...; };`)
  }
  const digest = modules.find((module) => module.name === DIGEST)
  if (digest !== undefined) return Result.succeed(digest)
  const [other] = modules
  if (other === undefined) {
    return refuse(file, null, `${FAILED}: section ${name} is empty`, `write ${DIGEST} required ...; into it`)
  }
  return refuse(file, other.at, `${FAILED}: this login module is not known`, `use ${DIGEST}`)
}
