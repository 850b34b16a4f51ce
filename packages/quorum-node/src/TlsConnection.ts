/**
 * A TLS socket as a `Connection`: what is true of every one, whoever dialled.
 */
import type { Connection, ConnectionError, SecurityError } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { X509Certificate } from "node:crypto"
import * as Crypto from "node:crypto"
import * as Net from "node:net"
import type * as Tls from "node:tls"
import * as Identity from "./Identity.ts"
import * as Lookup from "./Lookup.ts"
import * as NodeConnection from "./NodeConnection.ts"
import * as TlsProblem from "./TlsProblem.ts"

/** How long a name may take to resolve whose address is compared with one in a certificate. */
const LOOKUP_TIMEOUT = "2 seconds"

/** What a connection must be told about its far end. */
export interface Options {
  readonly side: TlsProblem.Side
  /** Does the certificate have to fit the server? */
  readonly verifyNames: boolean
  readonly lookup: Net.LookupFunction | undefined
}

/**
 * Adopts a socket whose handshake is over and whose certificate is trusted, until the
 * scope closes. `identify` compares the hosts with the certificate by name; and by
 * address if it has addresses, those of names resolved. Java: ZKTrustManager, which
 * resolves backwards what was dialled.
 */
export const make = (
  { certificate, socket }: Verified,
  { lookup, side, verifyNames }: Options
): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.map(NodeConnection.make(socket), (connection) => ({
    pull: Effect.mapError(connection.pull, explain(side)),
    write: (bytes: Uint8Array) => Effect.mapError(connection.write(bytes), explain(side)),
    identify: (hosts: ReadonlyArray<string>) =>
      certificate === undefined || !verifyNames ? Effect.void : identify(side, certificate, hosts, lookup),
    remote: connection.remote
  }))

/** A socket whose handshake is over, and the certificate that was trusted; none where none was demanded. */
export interface Verified {
  readonly socket: Tls.TLSSocket
  readonly certificate: X509Certificate | undefined
}

/** What Node found of the certificate; `required`: there must be one. */
export const verify = (
  socket: Tls.TLSSocket,
  side: TlsProblem.Side,
  required: boolean
): Effect.Effect<Verified, SecurityError> => {
  // Not `getPeerX509Certificate`: at who dialled it gives the certificate once and then none any more.
  const { raw } = socket.getPeerCertificate() as Partial<Tls.PeerCertificate>
  const certificate = raw === undefined ? undefined : new Crypto.X509Certificate(raw)
  if (certificate === undefined && required) return Effect.fail(TlsProblem.noCertificate(side))
  if (certificate === undefined || socket.authorized) return Effect.succeed({ socket, certificate })
  return Effect.fail(TlsProblem.ofCertificate(side, certificate, codeOf(socket.authorizationError)))
}

/** Node's code for an error. */
export const codeOf = (error: unknown): string => {
  const { code, message } = typeof error === "object" && error !== null ? error as NodeJS.ErrnoException : {}
  return code ?? message ?? String(error)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// With TLS 1.3 a client learns only from its first bytes that it was refused.
const explain = (side: TlsProblem.Side) => (error: ConnectionError): ConnectionError => {
  if (error._tag !== "SocketError" || error.reason._tag !== "SocketReadError") return error
  const code = codeOf(error.reason.cause)
  return TlsProblem.isAlert(code) ? TlsProblem.ofCode(side, code, []) : error
}

const identify = Effect.fnUntraced(function*(
  side: TlsProblem.Side,
  certificate: X509Certificate,
  hosts: ReadonlyArray<string>,
  lookup: Net.LookupFunction | undefined
): Effect.fn.Return<void, SecurityError> {
  const names = Identity.namesOf(certificate)
  if (hosts.some((host) => Identity.fits(names, host))) return
  if (names.ips.length > 0) {
    const addresses = yield* Effect.forEach(hosts.filter((host) => Net.isIP(host) === 0), resolve(lookup), {
      concurrency: "unbounded"
    })
    if (addresses.flat().some((address) => Identity.fits(names, address))) return
  }
  return yield* TlsProblem.ofName(side, certificate, hosts)
})

// A name that does not resolve, or not in time, has no address.
const resolve = (lookup: Net.LookupFunction | undefined) => (host: string): Effect.Effect<ReadonlyArray<string>> =>
  Lookup.all(host, lookup).pipe(
    Effect.timeout(LOOKUP_TIMEOUT),
    Effect.orElseSucceed(() => [])
  )
