/**
 * Makes accepted connections secure, each in a fiber of its own from the moment it
 * is accepted: who is slow or silent delays nobody.
 *
 * Java: `UnifiedServerSocket`.
 */
import type { Connection, ConnectionError, SecurityError } from "@conclave/quorum/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import * as Detect from "./Detect.ts"
import * as NodeConnection from "./NodeConnection.ts"
import type { Accept } from "./NodeListener.ts"
import * as TlsConnection from "./TlsConnection.ts"
import * as TlsMaterial from "./TlsMaterial.ts"
import type { TlsOptions } from "./TlsOptions.ts"
import * as TlsProblem from "./TlsProblem.ts"

/** What connections are accepted with. */
export interface Options {
  readonly tls: TlsOptions
  readonly material: () => TlsMaterial.Material
  readonly lookup: Net.LookupFunction | undefined
}

/** Takes over accepted sockets. */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Accept, never, Scope.Scope> {
  const fork = yield* FiberSet.runtime(yield* FiberSet.make<boolean>())<never>()
  return (socket) => {
    const scope = Scope.makeUnsafe()
    const secured = Deferred.makeUnsafe<Connection, ConnectionError>()
    const fiber = fork(Deferred.into(Scope.provide(secure(socket, options), scope), secured))
    const connection: Connection = {
      pull: Effect.flatMap(Deferred.await(secured), ({ pull }) => pull),
      write: (bytes) => Effect.flatMap(Deferred.await(secured), ({ write }) => write(bytes)),
      identify: (hosts) =>
        Effect.matchEffect(Deferred.await(secured), {
          // What is not secure has failed already with what is wrong.
          onFailure: (error) => (error._tag === "SecurityError" ? Effect.fail(error) : Effect.void),
          onSuccess: ({ identify }) => identify(hosts)
        }),
      remote: remoteOf(socket)
    }
    return Effect.acquireRelease(Effect.succeed(connection), (_, exit) =>
      Fiber.interrupt(fiber).pipe(
        Effect.andThen(Scope.close(scope, exit)),
        Effect.ensuring(Effect.sync(() => socket.destroy()))
      ))
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const remoteOf = ({ remoteAddress, remotePort }: Net.Socket): string =>
  NodeConnection.format(remoteAddress ?? "?", remotePort ?? 0)

const secure = Effect.fnUntraced(function*(
  socket: Net.Socket,
  { lookup, material, tls }: Options
): Effect.fn.Return<Connection, ConnectionError, Scope.Scope> {
  const side: TlsProblem.Side = { dialedBy: "Them", remote: remoteOf(socket) }
  const { clientHostnameVerification, handshakeDetectionTimeout, hostnameVerification, portUnification } = tls
  const detected = yield* detect(socket, handshakeDetectionTimeout)
  if (detected !== "Tls") {
    if (portUnification) return yield* NodeConnection.make(socket)
    return yield* detected === "Plain"
      ? TlsProblem.plaintext(side)
      : TlsProblem.silent(side, handshakeDetectionTimeout)
  }
  const secured = yield* shakeHands(socket, side, tls, material())
  const verifyNames = hostnameVerification && clientHostnameVerification
  return yield* TlsConnection.make(secured, { side, verifyNames, lookup })
})

// Reads until it is clear what this is, and gives the bytes back.
const detect = (socket: Net.Socket, millis: number): Effect.Effect<"Tls" | "Plain" | "Silent", Socket.SocketError> =>
  Effect.suspend(() => {
    let head = Buffer.alloc(0)
    let forget = () => {}
    return Effect.callback<"Tls" | "Plain", Socket.SocketError>((resume) => {
      const look = () => {
        for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
          head = Buffer.concat([head, chunk])
        }
        const detected = Detect.detect(head)
        if (detected !== "Undecided") resume(Effect.succeed(detected))
      }
      const end = () => resume(Effect.fail(ended))
      socket.on("readable", look).on("end", end).on("close", end)
      forget = () => void socket.off("readable", look).off("end", end).off("close", end)
      if (socket.destroyed) end()
      else look()
    }).pipe(
      Effect.timeoutOrElse({ duration: millis, orElse: () => Effect.succeed("Silent" as const) }),
      Effect.ensuring(Effect.sync(() => {
        forget()
        // Nothing comes after the end, not even what came before it.
        if (head.length > 0 && !socket.readableEnded && !socket.destroyed) socket.unshift(head)
      }))
    )
  })

const ended = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })

// A server of its own for each connection, which never listens: only a server tells whether Node found a client's
// certificate good. So no session is resumed either, and a revoked certificate does not live on in one.
const shakeHands = (
  raw: Net.Socket,
  side: TlsProblem.Side,
  { ciphers, clientAuth, protocols }: TlsOptions,
  material: TlsMaterial.Material
) =>
  Effect.callback<TlsConnection.Verified, SecurityError>((resume) => {
    const context = { ...TlsMaterial.contextOf(material), ...TlsMaterial.limitsOf(protocols, ciphers) }
    const server = Tls.createServer({
      ...context,
      requestCert: clientAuth !== "none",
      // It would hang up by itself, and not say any more which certificate it was.
      rejectUnauthorized: false
    })
    // A server of Node does not pass `allowPartialTrustChain` on to the context it makes. Were its context called
    // otherwise one day, an issuer that is trusted without its own issuer would be refused again, and no more.
    Object.assign(server, { _sharedCreds: Tls.createSecureContext({ ...context, honorCipherOrder: true }) })
    server.once("tlsClientError", (error, socket) => {
      socket.destroy()
      resume(Effect.fail(TlsProblem.ofCode(side, TlsConnection.codeOf(error), protocols)))
    })
    server.once("secureConnection", (socket) => {
      // Stays for the life of the socket: an error nobody listens for ends the process.
      socket.on("error", () => {})
      socket.disableRenegotiation()
      resume(TlsConnection.verify(socket, side, clientAuth === "need"))
    })
    server.emit("connection", raw)
    return Effect.sync(() => raw.destroy())
  })
