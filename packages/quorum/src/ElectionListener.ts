/**
 * Opens the listeners of the election port and serves those who dial.
 *
 * Java: `QuorumCnxManager.Listener`, `ListenerHandler`.
 */
import * as Address from "@conclave/core/Address"
import * as Connections from "@conclave/core/Connections"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { QuorumConfig } from "./QuorumConfig.ts"
import * as Transport from "./Transport.ts"

/** How long to wait before an address is tried again. Java: ListenerHandler.run, 1,000 ms. */
const RETRY_DELAY = "1 second"

/**
 * Listens on every address of our own entry, or on all interfaces at its ports, and
 * gives those in use once each was tried. An address that cannot be bound is
 * tried again as often as the configuration says, meanwhile and afterwards the
 * others serve. Fails when none is left: who cannot be dialled takes no part in
 * elections.
 */
export const open = Effect.fnUntraced(function*(
  view: Connections.View,
  serve: (connection: Transport.Connection) => Effect.Effect<void>
): Effect.fn.Return<
  ReadonlyArray<Address.Address>,
  Transport.ListenError,
  Scope.Scope | QuorumConfig | Transport.Transport
> {
  const { electionPortBindRetry, listenOnAllIPs } = yield* QuorumConfig
  const transport = yield* Transport.Transport
  const own = Connections.addressesOf(view.membership, view.mySid)
  const addresses = listenOnAllIPs ? wildcards(own) : own
  const schedule = Schedule.spaced(RETRY_DELAY)
  const retry = electionPortBindRetry === 0 ? { schedule } : { schedule, times: electionPortBindRetry - 1 }

  const opened = Deferred.makeUnsafe<void, Transport.ListenError>()
  const listening: Array<Address.Address> = []
  const tried = new Set<Address.Address>()
  let left = addresses.length
  const attempt = Effect.fnUntraced(function*(address: Address.Address) {
    const result = yield* Effect.exit(transport.listen(address))
    tried.add(address)
    if (result._tag === "Success") listening.push(result.value.address)
    if (listening.length > 0 && tried.size === addresses.length) yield* Deferred.succeed(opened, undefined)
    return yield* result
  })
  const keep = (address: Address.Address) =>
    attempt(address).pipe(
      Effect.tapError(({ message }) => Effect.logWarning(message)),
      Effect.retry(retry),
      Effect.flatMap((listener) => listener.run(serve)),
      Effect.catch((error) =>
        --left === 0
          ? Effect.andThen(Effect.logError(consequence), Deferred.fail(opened, error))
          : Effect.logError(`gave up listening on ${Address.format(address)}; the other addresses still serve`)
      )
    )
  for (const address of addresses) yield* Effect.forkScoped(keep(address), { startImmediately: true })
  yield* Deferred.await(opened)
  return listening
})

const consequence = "no election address can be bound: this server cannot be dialled and takes no part in elections"

// All interfaces, IPv6 and IPv4, once for each distinct port. Java: getWildcardAddresses.
const wildcards = (own: ReadonlyArray<Address.Address>): ReadonlyArray<Address.Address> =>
  Array.from(new Set(own.map(({ port }) => port)), (port) => ({ host: "::", port }))
