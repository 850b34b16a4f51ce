/**
 * Kerberos as a login configuration asks for it: the library of MIT Kerberos, and
 * the package `koffi`, with which it is called. Both are loaded here, and only then.
 */
import { InvalidJaas, type Position } from "@conclave/quorum-sasl/Jaas"
import { type Gss, GssError } from "@conclave/quorum-sasl/Gss"
import * as Gssapi from "@conclave/quorum-sasl/Gssapi"
import * as GssLibrary from "@conclave/quorum-sasl/GssLibrary"
import type { KerberosLogin } from "@conclave/quorum-sasl/KerberosLogin"
import type { Requirements } from "@conclave/quorum-sasl/SaslAuth"
import type { QuorumConfig } from "@conclave/quorum/QuorumConfig"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** What `zoo.cfg` and the file of the login configuration say. */
export interface ZooKerberos extends Requirements {
  readonly servicePrincipal: Gssapi.ServicePrincipal
  /** The login configuration's file, for messages. */
  readonly file: string
}

/** The library of MIT Kerberos. */
export const load: Effect.Effect<Gss, GssError, Scope.Scope> = Effect.tryPromise({
  try: () => import("koffi"),
  catch: (cause) => new GssError({ reason: "Unavailable", said: String(cause) })
}).pipe(Effect.flatMap(GssLibrary.make))

/** Authentication with Kerberos, once it is sure that there are keys to log in with and to be logged in to. */
export const layer = (
  { file, servicePrincipal, ...requirements }: ZooKerberos,
  { at, learner, server }: KerberosLogin,
  loadGss = load
): Layer.Layer<never, InvalidJaas, FileSystem.FileSystem | QuorumConfig> =>
  Layer.unwrap(Effect.gen(function*() {
    yield* readable(file, at.learner, learner.keyTab)
    yield* readable(file, at.server, server.keyTab)
    const gss = yield* Effect.mapError(loadGss, ({ said }) =>
      invalid(file, at.learner, `${MISSING} (${firstLine(said)})`, INSTALL))
    // The learner's needs the KDC, which may come later.
    yield* Effect.mapError(Effect.scoped(gss.accept(server)), ({ said }) =>
      invalid(file, at.server, `there is no key of ${server.principal} in ${server.keyTab} (${said})`, KTADD))
    return Gssapi.layer(requirements, gss, { learner, server, servicePrincipal })
  }))

const KTADD = "write it there: ktadd of kadmin"

const MISSING = "the login is one of Kerberos, but MIT Kerberos cannot be used"

const INSTALL = "install its library (apt-get install libgssapi-krb5-2); the package koffi, which calls it, is an " +
  "optional dependency of this program"

const readable = Effect.fnUntraced(function*(file: string, at: Position, keyTab: string | null) {
  if (keyTab === null) return
  const fs = yield* FileSystem.FileSystem
  yield* Effect.mapError(fs.access(keyTab, { readable: true }), ({ reason }) =>
    invalid(file, at, `the keytab ${keyTab} cannot be read (${reason._tag})`, KTADD))
})

const firstLine = (text: string): string => text.split("\n")[0] ?? ""

const invalid = (file: string, at: Position, problem: string, remedy: string) =>
  new InvalidJaas({ file, ...at, problem, remedy })
