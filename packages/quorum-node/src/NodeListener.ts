/** A Node server as a `Listener`. */
import * as Acceptor from "@conclave/quorum/Acceptor"
import type { Address } from "@conclave/quorum/Transport"
import * as Transport from "@conclave/quorum/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type * as Net from "node:net"
import * as NodeConnection from "./NodeConnection.ts"

/** All addresses of this machine. */
const ALL = "::"

/** Takes over a socket the moment it is accepted; what it returns makes the connection, once somebody handles it. */
export type Accept = (socket: Net.Socket) => Effect.Effect<Transport.Connection, never, Scope.Scope>

interface Accepted {
  readonly socket: Net.Socket
  readonly adopt: ReturnType<Accept>
}

/**
 * Listens with a server of the given kind until the scope closes. A name that
 * resolves to several addresses takes the first; `::` takes all addresses of this
 * machine, IPv6 and IPv4. The server must leave accepted sockets paused, so that
 * bytes wait in the kernel until a handler pulls them.
 *
 * The address can be taken again at once, whatever connections it had (libuv sets
 * SO_REUSEADDR); it cannot be taken twice.
 */
export const make = Effect.fnUntraced(function*(
  address: Address,
  createServer: () => Net.Server,
  accept: Accept
): Effect.fn.Return<Transport.Listener, Transport.ListenError, Scope.Scope> {
  const server = createServer()
  const closed = Deferred.makeUnsafe<void>()
  const listening = Deferred.makeUnsafe<void, Transport.ListenError>()
  const fail = (cause: unknown) =>
    new Transport.ListenError({ address: NodeConnection.format(address.host, address.port), cause })

  // Finalizers run from the last to the first: accept no more and free the port,
  // close the connections, and return when the last is gone.
  yield* Effect.addFinalizer(() => Deferred.await(closed))
  const acceptor = yield* Acceptor.make<Accepted>({
    adopt: ({ adopt }) => adopt,
    discard: ({ socket }) => socket.destroy()
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))

  const report = Effect.runForkWith(yield* Effect.context<never>())
  server.once("close", () => Deferred.doneUnsafe(closed, Exit.void))
  server.once("listening", () => Deferred.doneUnsafe(listening, Exit.void))
  server.on("error", (cause) => {
    if (Deferred.doneUnsafe(listening, Exit.fail(fail(cause)))) return
    // Once listening, it failed to accept one connection, and goes on.
    report(Effect.logWarning(`cannot accept on ${NodeConnection.format(address.host, address.port)}`, cause))
  })
  server.on("connection", (socket) => {
    // An error nobody listens for ends the process, and it may come before any handler.
    socket.on("error", () => {})
    acceptor.offer({ socket, adopt: accept(socket) })
  })
  // A port out of range makes Node throw.
  const { host, port } = address
  // Told no host, Node takes all of both families, or of IPv4 alone where the kernel has no IPv6.
  const where = host === ALL ? { port } : { host, port }
  yield* Effect.try({ try: () => server.listen({ ...where, backlog: Acceptor.BACKLOG }), catch: fail })
  yield* Deferred.await(listening)
  const bound = server.address() as Net.AddressInfo
  return { address: { host: host === ALL ? bound.address : host, port: bound.port }, run: acceptor.run }
})
