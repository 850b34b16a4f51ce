/**
 * What a `zoo.cfg` says about TLS between the servers: `sslQuorum`,
 * `portUnification`, `sslQuorumReloadCertFiles` and the keys of `ssl.quorum.`.
 *
 * Differences from ZooKeeper: without stores the peer does not start; revocation is
 * looked up in a file, and asked for without one it is an error; names are compared with
 * the configured addresses and never with what an address resolves back to.
 *
 * Java: `QuorumX509Util`, `X509Util`.
 */
import * as Ciphers from "@conclave/quorum-node/Ciphers"
import * as KeyStore from "@conclave/quorum-node/KeyStore"
import * as TlsOptions from "@conclave/quorum-node/TlsOptions"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooSettings from "./ZooSettings.ts"

/** TLS as configured; nothing if both dialling and accepting are plain. */
export interface ZooTls {
  readonly tls: TlsOptions.TlsOptions | null
  readonly warnings: ReadonlyArray<ZooSettings.Warning>
}

/** What the settings say about TLS. The other keys are looked at only if one of the two switches is on. */
export const parse = (settings: ZooSettings.Settings): Result.Result<ZooTls, ZooConfigError> =>
  Result.gen(function*() {
    const sslQuorum = yield* ZooSettings.boolean(settings, "sslQuorum", false)
    const portUnification = yield* ZooSettings.boolean(settings, "portUnification", false)
    const reloadCertFiles = yield* ZooSettings.boolean(settings, "sslQuorumReloadCertFiles", false)
    if (!sslQuorum && !portUnification) return { tls: null, warnings: [] }
    const { crlFile, warnings } = yield* parseRevocation(settings)
    const timeout = yield* ZooSettings.integer(settings, `${PREFIX}handshakeDetectionTimeoutMillis`, {
      unit: "milliseconds",
      example: TlsOptions.defaults.handshakeDetectionTimeout,
      fallback: TlsOptions.defaults.handshakeDetectionTimeout,
      minimum: -ZooSettings.INTEGER_MAX - 1
    })
    const tls: TlsOptions.TlsOptions = {
      sslQuorum,
      portUnification,
      reloadCertFiles,
      keyStore: yield* parseStore(settings, "keyStore", "/etc/zookeeper/key.p12"),
      trustStore: yield* parseStore(settings, "trustStore", "/etc/zookeeper/trust.p12"),
      crlFile,
      protocols: yield* parseProtocols(settings),
      ciphers: yield* parseCiphers(settings),
      clientAuth: yield* parseClientAuth(settings),
      hostnameVerification: yield* ZooSettings.boolean(settings, `${PREFIX}hostnameVerification`, true),
      clientHostnameVerification: yield* ZooSettings.boolean(settings, `${PREFIX}clientHostnameVerification`, true),
      // Java replaces it likewise.
      handshakeDetectionTimeout: timeout < 1 ? TlsOptions.defaults.handshakeDetectionTimeout : timeout
    }
    return { tls, warnings: [...warnings, ...adviceOn(settings)] }
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const PREFIX = "ssl.quorum."

/** The file with the revocation lists, ours alone: ZooKeeper fetches them from where certificates say. */
const CRL_FILE = "conclave.ssl.quorum.crlFile"

const valueOf = (settings: ZooSettings.Settings, key: string): string | undefined =>
  settings.byKey.get(key)?.value || undefined

const listOf = (text: string): ReadonlyArray<string> => text.split(",").map((one) => one.trim()).filter(Boolean)

// Whatever is wrong with a password is told of the store, so that no line with one is ever shown.
const parseStore = (
  settings: ZooSettings.Settings,
  name: "keyStore" | "trustStore",
  example: string
): Result.Result<KeyStore.Store, ZooConfigError> =>
  Result.gen(function*() {
    const key = (part: string) => `${PREFIX}${name}.${part}`
    return {
      location: yield* ZooSettings.required(settings, key("location"), example),
      type: yield* parseType(settings, key("type")),
      password: Redacted.make(valueOf(settings, key("password")) ?? ""),
      passwordPath: valueOf(settings, key("passwordPath"))
    }
  })

const parseType = (settings: ZooSettings.Settings, key: string) => {
  const text = valueOf(settings, key)
  const type = KeyStore.types.find((type) => type === text?.toUpperCase())
  return text === undefined || type !== undefined
    ? Result.succeed(type)
    : ZooSettings.failAt(settings, key, `${text} is no type of store`, `write ${key}=PEM or ${key}=PKCS12`)
}

const parseProtocols = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    const found: Array<Ciphers.Protocol> = []
    const key = settings.byKey.has(`${PREFIX}enabledProtocols`) ? `${PREFIX}enabledProtocols` : `${PREFIX}protocol`
    for (const name of listOf(valueOf(settings, key) ?? TlsOptions.defaults.protocols.join(","))) {
      if (Ciphers.isProtocol(name)) found.push(name)
      else {
        const known = Ciphers.protocols.join(" or ")
        return yield* ZooSettings.failAt(settings, key, `${name} is not spoken here`, `write ${key}=${known}`)
      }
    }
    return found
  })

const parseCiphers = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    const key = `${PREFIX}ciphersuites`
    const text = valueOf(settings, key)
    if (text === undefined) return TlsOptions.defaults.ciphers
    const found: Array<string> = []
    for (const name of listOf(text)) {
      const cipher = Ciphers.toOpenSsl(name)
      if (cipher !== undefined) found.push(cipher)
      else {
        const example = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        const remedy = `write names as Java or OpenSSL has them, for example ${key}=${example}`
        return yield* ZooSettings.failAt(settings, key, `no cipher suite ${name} is known here`, remedy)
      }
    }
    return found
  })

const parseClientAuth = (settings: ZooSettings.Settings): Result.Result<TlsOptions.ClientAuth, ZooConfigError> => {
  const key = `${PREFIX}clientAuth`
  const text = valueOf(settings, key)?.toLowerCase()
  return text === undefined || text === "need" || text === "want" || text === "none"
    ? Result.succeed(text ?? "need")
    : ZooSettings.failAt(settings, key, `${text} is none of need, want and none`, `write ${key}=need`)
}

// As in 3.8.0, either of the switches asks for revocation to be looked up.
const parseRevocation = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    const crl = yield* ZooSettings.boolean(settings, `${PREFIX}crl`, false)
    const ocsp = yield* ZooSettings.boolean(settings, `${PREFIX}ocsp`, false)
    const crlFile = valueOf(settings, CRL_FILE)
    if (!crl && !ocsp) {
      const message = `the revocation lists count only with ${PREFIX}crl=true`
      return { crlFile: undefined, warnings: crlFile === undefined ? [] : warn(settings, CRL_FILE, message) }
    }
    if (crlFile === undefined) {
      return yield* ZooSettings.failAt(
        settings,
        crl ? `${PREFIX}crl` : `${PREFIX}ocsp`,
        "revocation lists are not fetched from where certificates say, and no file has them",
        `write ${CRL_FILE}=file, with the current list of every issuer in PEM, or leave the line out`
      )
    }
    const asked = ocsp ? warn(settings, `${PREFIX}ocsp`, `nobody is asked by OCSP; the lists in ${crlFile} count`) : []
    return { crlFile, warnings: asked }
  })

/** What would be otherwise with ZooKeeper, by key. */
const unsupported: Readonly<Record<string, string>> = {
  "context.supplier.class": "classes cannot be loaded; the stores count",
  allowReverseDnsLookup: "addresses are not looked up backwards; a certificate must fit the configured addresses"
}

const adviceOn = (settings: ZooSettings.Settings): ReadonlyArray<ZooSettings.Warning> =>
  Object.entries(unsupported).flatMap(([name, message]) => {
    const key = `${PREFIX}${name}`
    const value = valueOf(settings, key)
    return value === undefined || value === "false" ? [] : warn(settings, key, `${key} is not supported: ${message}`)
  })

const warn = (settings: ZooSettings.Settings, key: string, message: string): ReadonlyArray<ZooSettings.Warning> => [
  { key, line: settings.byKey.get(key)?.line ?? null, message }
]
