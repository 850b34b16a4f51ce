/** Dials with TLS. */
import type { Address, Connection } from "@conclave/quorum/Transport"
import { DialError, type SecurityError } from "@conclave/quorum/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as Tls from "node:tls"
import * as NodeConnection from "./NodeConnection.ts"
import * as NodeDialer from "./NodeDialer.ts"
import * as TlsConnection from "./TlsConnection.ts"
import * as TlsMaterial from "./TlsMaterial.ts"
import type { TlsOptions } from "./TlsOptions.ts"
import * as TlsProblem from "./TlsProblem.ts"

/** What is dialled with. */
export interface Options {
  readonly tcp: NodeDialer.TcpOptions
  readonly tls: TlsOptions
  readonly material: () => TlsMaterial.Material
}

/**
 * Dials, shakes hands, and makes sure that the certificate is trusted. Whose it is
 * can be told only by who knows which server was to be reached: see `identify`.
 */
export const dial = Effect.fnUntraced(function*(
  address: Address,
  { material, tcp, tls }: Options,
  onAnswered?: (overdue: SecurityError) => void
): Effect.fn.Return<Connection, DialError, Scope.Scope> {
  const remote = NodeConnection.format(address.host, address.port)
  const side: TlsProblem.Side = { dialedBy: "Us", remote }
  const raw = yield* NodeDialer.connect(address, tcp)
  onAnswered?.(TlsProblem.unfinished(side))
  const verified = yield* shakeHands(raw, address.host, side, tls, material()).pipe(
    Effect.mapError((cause) => new DialError({ address: remote, reason: "Insecure", cause })),
    // The caller's scope may outlive an abandoned attempt by far.
    Effect.onError(() => Effect.sync(() => raw.destroy()))
  )
  const settled = settle(verified.socket)
  const options = { side, verifyNames: tls.hostnameVerification, lookup: tcp.lookup }
  const connection = yield* TlsConnection.make(verified, options)
  yield* Effect.addFinalizer(() => settled)
  return connection
})

/** How long a connection that is closed waits for the server's last word of the handshake: a slow round trip. */
const SETTLE_TIMEOUT = "1 second"

// With TLS 1.3 the server ends the handshake with tickets for resumption, which arrive some time later. Closed before
// that, the kernel would answer them with a reset, and the far end would lose what we wrote last.
const settle = (socket: Tls.TLSSocket): Effect.Effect<void> => {
  if (socket.getProtocol() !== "TLSv1.3") return Effect.void
  const settled = Deferred.makeUnsafe<void>()
  const settle = () => Deferred.doneUnsafe(settled, Exit.void)
  for (const event of ["session", "end", "close"]) socket.once(event, settle)
  return Effect.asVoid(Effect.timeoutOption(Deferred.await(settled), SETTLE_TIMEOUT))
}

// Node would verify by itself, but then no longer say which certificate it was.
const shakeHands = (
  raw: Net.Socket,
  host: string,
  side: TlsProblem.Side,
  { ciphers, protocols }: TlsOptions,
  material: TlsMaterial.Material
) =>
  Effect.callback<TlsConnection.Verified, SecurityError>((resume) => {
    const socket = Tls.connect({
      ...TlsMaterial.contextOf(material),
      ...TlsMaterial.limitsOf(protocols, ciphers),
      socket: raw,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(Net.isIP(host) === 0 ? { servername: host } : {})
    })
    // Stays for the life of the socket: an error nobody listens for ends the process.
    socket.on("error", (error) =>
      resume(Effect.fail(TlsProblem.ofCode(side, TlsConnection.codeOf(error), protocols))))
    socket.once("close", () => resume(Effect.fail(TlsProblem.ofCode(side, "it hung up", protocols))))
    socket.once("secureConnect", () => resume(TlsConnection.verify(socket, side, true)))
  })
