/**
 * Kerberos as a login configuration asks for it: the package `kerberos`, which is
 * loaded here and only then, and the environment in which it finds our key.
 *
 * The package is no dependency, because installing it may need a compiler and the
 * headers of MIT Kerberos. It is looked for as Node looks for any package, and then
 * in the folders of NODE_PATH.
 */
import { InvalidJaas, type Position } from "@conclave/quorum-sasl/Jaas"
import * as Gssapi from "@conclave/quorum-sasl/Gssapi"
import type { KerberosLogin } from "@conclave/quorum-sasl/KerberosLogin"
import type { Requirements } from "@conclave/quorum-sasl/SaslAuth"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { createRequire } from "node:module"

/** What `zoo.cfg` and the file of the login configuration say. */
export interface ZooKerberos extends Requirements {
  readonly servicePrincipal: Gssapi.ServicePrincipal
  /** The login configuration's file, for messages. */
  readonly file: string
}

/** Loads the package from where Node finds it; throws when it is not there or cannot run here. */
export const load = (): Gssapi.Kerberos => createRequire(import.meta.url)("kerberos")

/**
 * Authentication with Kerberos where we dial. Changes the environment of the whole
 * process: KRB5_CLIENT_KTNAME to the keytab that is configured, and KRB5CCNAME to
 * the memory unless a ticket cache is.
 */
export const layer = (
  { file, servicePrincipal, ...requirements }: ZooKerberos,
  { at, keyTab, principal, useTicketCache }: KerberosLogin,
  loadKerberos = load
): Layer.Layer<never, InvalidJaas, FileSystem.FileSystem> =>
  Layer.unwrap(Effect.gen(function*() {
    if (requirements.serverRequireSasl) return yield* invalid(file, at.server, NOBODY_COULD, USE_DIGEST)
    const fs = yield* FileSystem.FileSystem
    if (keyTab !== null) {
      yield* Effect.mapError(fs.access(keyTab, { readable: true }), ({ reason }) =>
        invalid(file, at.learner, `the keytab ${keyTab} cannot be read (${reason._tag})`, "make it: ktadd of kadmin"))
    }
    yield* Effect.sync(() => {
      if (keyTab !== null) process.env["KRB5_CLIENT_KTNAME"] = keyTab
      if (!useTicketCache) process.env["KRB5CCNAME"] = TICKETS
    })
    const kerberos = yield* Effect.try({
      try: loadKerberos,
      catch: (cause) => invalid(file, at.learner, `${MISSING} (${firstLine(cause)})`, INSTALL)
    })
    return Gssapi.layer(requirements, kerberos, { principal, servicePrincipal })
  }))

// Java leaves the user's ticket cache alone too, unless it is told to use it.
const TICKETS = "MEMORY:conclave"

const NOBODY_COULD = "quorum.auth.serverRequireSasl=true, but nobody can log in here with Kerberos: the package " +
  "kerberos cannot wrap what a server has to say"

const USE_DIGEST = "leave quorum.auth.serverRequireSasl off on this server, or use DIGEST-MD5 on every server"

const MISSING = "the login is one of Kerberos, but the npm package kerberos cannot be loaded"

const INSTALL = "npm install --prefix DIR kerberos@7.0.0, and start with NODE_PATH=DIR/node_modules; where it has to " +
  "be built that takes g++, make, python3 and libkrb5-dev"

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? ""

const invalid = (file: string, at: Position, problem: string, remedy: string) =>
  new InvalidJaas({ file, ...at, problem, remedy })
