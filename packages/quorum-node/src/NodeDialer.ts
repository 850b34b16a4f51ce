/** Dials with Node sockets, and says why it cannot. */
import type { Address } from "@conclave/quorum/Transport"
import * as Attempts from "@conclave/quorum/Attempts"
import * as Transport from "@conclave/quorum/Transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as Lookup from "./Lookup.ts"
import * as NodeConnection from "./NodeConnection.ts"

/** How sockets are set up, dialled and accepted alike. */
export interface TcpOptions {
  /** Sends small messages at once. An election is made of them, and Java sets it too. Default true. */
  readonly noDelay: boolean
  /**
   * Lets the kernel probe silent connections. Default true. Java's default is off
   * (`zookeeper.tcpKeepAlive`): a peer whose host vanished without a word is then
   * connected for ever, because an election connection has no read timeout.
   */
  readonly keepAlive: boolean
  /** Resolves host names. Default: the system's resolver, asked anew for every dial. */
  readonly lookup: Net.LookupFunction | undefined
}

/** The settings where none are given. */
export const defaults: TcpOptions = { noDelay: true, keepAlive: true, lookup: undefined }

/**
 * A socket connected with an address, which is destroyed when the scope closes. A
 * name is resolved anew, and all that it resolves to is tried, IPv6 and IPv4 in
 * turn, the next beside one that is silent.
 */
export const connect = Effect.fnUntraced(function*(
  address: Address,
  options: TcpOptions
): Effect.fn.Return<Net.Socket, Transport.DialError, Scope.Scope> {
  const fail = (cause: unknown) =>
    new Transport.DialError({
      address: NodeConnection.format(address.host, address.port),
      reason: reasonOf(cause),
      cause
    })
  const hosts = yield* Effect.mapError(resolve(address.host, options.lookup), fail)
  return yield* Attempts.firstOf(hosts.map((host) => open({ ...address, host }, options, fail)))
})

const open = Effect.fnUntraced(function*(
  address: Address,
  { keepAlive, noDelay }: TcpOptions,
  fail: (cause: unknown) => Transport.DialError
): Effect.fn.Return<Net.Socket, Transport.DialError, Scope.Scope> {
  const connected = Deferred.makeUnsafe<void, Transport.DialError>()
  const begin = () => {
    const socket = Net.connect({ ...address, noDelay, keepAlive })
    socket.once("connect", () => Deferred.doneUnsafe(connected, Exit.void))
    // Stays for the life of the socket: an error nobody listens for ends the process.
    socket.on("error", (cause) => Deferred.doneUnsafe(connected, Exit.fail(fail(cause))))
    return socket
  }
  // A port out of range makes Node throw, and peers announce whatever they like.
  // The socket is ours from its first moment; after `NodeConnection` has closed it
  // there is nothing left to destroy.
  const socket = yield* Effect.acquireRelease(
    Effect.try({ try: begin, catch: fail }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  // The caller's scope may outlive an abandoned attempt by far.
  yield* Effect.onInterrupt(Deferred.await(connected), () => Effect.sync(() => socket.destroy()))
  return socket
})

// The families take turns, the resolver's first choice first.
const resolve = (host: string, lookup: Net.LookupFunction | undefined) =>
  Net.isIP(host) !== 0 ? Effect.succeed([host]) : Effect.map(Lookup.all(host, lookup), (addresses) => {
    const [first = [], second = []] = Map.groupBy(addresses, Net.isIP).values()
    return addresses.flatMap((_, turn) => [...first.slice(turn, turn + 1), ...second.slice(turn, turn + 1)])
  })

const reasons: Record<string, Transport.DialReason> = {
  ECONNREFUSED: "Refused",
  ETIMEDOUT: "TimedOut",
  ENOTFOUND: "Unresolved",
  EAI_AGAIN: "Unresolved"
}

const reasonOf = (cause: unknown): Transport.DialReason =>
  reasons[(cause as NodeJS.ErrnoException).code ?? ""] ?? "Failed"
