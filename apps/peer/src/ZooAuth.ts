/**
 * SASL between servers, as a `zoo.cfg` turns it on and a login configuration beside
 * it holds the passwords, or says where the key for Kerberos is.
 *
 * The login configuration is looked for as `--jaas` says, or else where a JVM would
 * be told: in an environment variable `java.security.auth.login.config` (`env` and
 * containers can set one of that name), in `-Djava.security.auth.login.config=` within
 * JVMFLAGS, or within SERVER_JVMFLAGS.
 *
 * Java: `auth/QuorumAuth`, `QuorumPeerConfig`, `QuorumPeer.initialize`.
 */
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import type { QuorumConfig } from "@conclave/quorum/QuorumConfig"
import type { ServicePrincipal } from "@conclave/quorum-sasl/Gssapi"
import { InvalidJaas } from "@conclave/quorum-sasl/Jaas"
import * as KerberosLogin from "@conclave/quorum-sasl/KerberosLogin"
import * as SaslAuth from "@conclave/quorum-sasl/SaslAuth"
import * as SaslLogin from "@conclave/quorum-sasl/SaslLogin"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import type { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooKerberos from "./ZooKerberos.ts"
import * as ZooSettings from "./ZooSettings.ts"

/** What `zoo.cfg` says of SASL where it is on. */
export interface ZooAuth extends SaslAuth.Requirements {
  readonly contexts: SaslLogin.Contexts
  /** Of the servers we dial, with Kerberos. Java: quorum.auth.kerberos.servicePrincipal. */
  readonly servicePrincipal: ServicePrincipal
}

const ENABLE = "quorum.auth.enableSasl"
const LEARNER = "quorum.auth.learnerRequireSasl"
const SERVER = "quorum.auth.serverRequireSasl"
const PRINCIPAL = "quorum.auth.kerberos.servicePrincipal"

/** The keys `quorum.auth.*`; `null` where SASL is off. */
export const parse = (settings: ZooSettings.Settings): Result.Result<ZooAuth | null, ZooConfigError> =>
  Result.gen(function*() {
    const enabled = yield* ZooSettings.boolean(settings, ENABLE, false)
    const learnerRequireSasl = yield* ZooSettings.boolean(settings, LEARNER, false)
    const serverRequireSasl = yield* ZooSettings.boolean(settings, SERVER, false)
    if (!enabled && serverRequireSasl) return yield* needs(settings, SERVER, ENABLE)
    if (!enabled && learnerRequireSasl) return yield* needs(settings, LEARNER, ENABLE)
    // Nobody would let us in who insists as we do.
    if (serverRequireSasl && !learnerRequireSasl) return yield* needs(settings, SERVER, LEARNER)
    const { learner, server } = SaslLogin.defaultContexts
    const contexts = {
      learner: yield* section(settings, "quorum.auth.learner.saslLoginContext", learner),
      server: yield* section(settings, "quorum.auth.server.saslLoginContext", server)
    }
    const principal = yield* servicePrincipal(settings)
    return enabled ? { learnerRequireSasl, serverRequireSasl, contexts, servicePrincipal: principal } : null
  })

/** Authentication as it is configured; none at all where SASL is off. `jaas` is the file that `--jaas` names. */
export const layer = (
  auth: ZooAuth | null,
  jaas: Option.Option<string>
): Layer.Layer<never, InvalidJaas | Config.ConfigError, FileSystem.FileSystem | QuorumConfig> =>
  auth === null
    ? Layer.succeed(QuorumAuth.QuorumAuth, QuorumAuth.none)
    : Layer.unwrap(Effect.gen(function*() {
      const { file, text } = yield* load(jaas)
      const kerberos = yield* Effect.fromResult(KerberosLogin.fromJaas(text, file, auth.contexts))
      if (kerberos !== null) return ZooKerberos.layer({ ...auth, file }, kerberos)
      return SaslAuth.layer(auth, yield* Effect.fromResult(SaslLogin.fromJaas(text, file, auth.contexts)))
    }))

const needs = (settings: ZooSettings.Settings, key: string, missing: string) =>
  ZooSettings.failAt(
    settings,
    key,
    `${missing} is disabled, so cannot enable ${key}`,
    `write ${missing}=true too, or leave out ${key}`
  )

const section = (settings: ZooSettings.Settings, key: string, fallback: string) =>
  settings.byKey.has(key) ? ZooSettings.required(settings, key, fallback) : Result.succeed(fallback)

// Without a realm: it is that of the host, as the Kerberos of this machine knows it.
const servicePrincipal = (settings: ZooSettings.Settings): Result.Result<ServicePrincipal, ZooConfigError> =>
  Result.flatMap(section(settings, PRINCIPAL, "zkquorum/localhost"), (text) => {
    const [, service, host] = /^([^/@\s]+)\/([^/@\s]+)$/.exec(text) ?? []
    return service === undefined || host === undefined
      ? ZooSettings.failAt(
        settings,
        PRINCIPAL,
        `${text} is no service and host`,
        `write ${PRINCIPAL}=zkquorum/_HOST; _HOST is the host name of whoever is dialled`
      )
      : Result.succeed({ service, host })
  })

const load = Effect.fnUntraced(function*(jaas: Option.Option<string>) {
  const fs = yield* FileSystem.FileSystem
  const file = Option.getOrElse(jaas, () => undefined) ?? (yield* fileInEnvironment)
  if (file === undefined) {
    return yield* invalid(
      "zoo.cfg",
      `${ENABLE}=true, but no login configuration is named`,
      "add --jaas FILE, or -Djava.security.auth.login.config=FILE to JVMFLAGS in the environment"
    )
  }
  const text = yield* Effect.mapError(fs.readFileString(file), ({ reason }: PlatformError) =>
    invalid(
      file,
      reason._tag === "NotFound" ? "there is no such file" : `the file cannot be read (${reason._tag})`,
      "name the login configuration with --jaas FILE, or correct java.security.auth.login.config"
    ))
  return { file, text }
})

const variable = (name: string) => Config.map(Config.option(Config.String(name)), Option.getOrUndefined)

const fileInEnvironment = Effect.gen(function*() {
  const named = yield* variable("java.security.auth.login.config")
  // As zkServer.sh puts them together: the last one counts.
  const flags = [yield* variable("SERVER_JVMFLAGS"), yield* variable("JVMFLAGS")].join(" ")
  const given = Array.from(flags.matchAll(DEFINITION)).at(-1)
  const file = named ?? given?.[1] ?? given?.[2]
  return file?.replace(/^file:(\/\/)?/, "")
})

// A second = means that no other file is read beside it, which none is here.
const DEFINITION = /(?<!\S)-Djava\.security\.auth\.login\.config==?(?:"([^"]*)"|(\S+))/g

const invalid = (file: string, problem: string, remedy: string) =>
  new InvalidJaas({ file, line: null, column: null, problem, remedy })
