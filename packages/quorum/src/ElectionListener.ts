/**
 * Opens the listeners of the election port.
 *
 * Java: `QuorumCnxManager.Listener`, `ListenerHandler`.
 */
import type * as Address from "@conclave/core/Address"
import * as Connections from "@conclave/core/Connections"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { QuorumConfig } from "./QuorumConfig.ts"
import * as Transport from "./Transport.ts"

/** How long to wait before an address is tried again. Java: ListenerHandler.run, 1,000 ms. */
const RETRY_DELAY = "1 second"

/**
 * Listens on every address of our own entry, or on all interfaces at its ports.
 * An address that cannot be bound is tried again as often as the configuration
 * says; one that still cannot fails the whole, because a deaf peer is worse than
 * none.
 */
export const open = Effect.fnUntraced(function*(
  view: Connections.View
): Effect.fn.Return<
  ReadonlyArray<Transport.Listener>,
  Transport.ListenError,
  Scope.Scope | QuorumConfig | Transport.Transport
> {
  const { electionPortBindRetry, listenOnAllIPs } = yield* QuorumConfig
  const transport = yield* Transport.Transport
  const own = Connections.addressesOf(view.membership, view.mySid)
  const addresses = listenOnAllIPs ? wildcards(own) : own
  const schedule = Schedule.spaced(RETRY_DELAY)
  const retry = electionPortBindRetry === 0 ? { schedule } : { schedule, times: electionPortBindRetry - 1 }
  return yield* Effect.forEach(addresses, (address) =>
    transport.listen(address).pipe(
      Effect.tapError((error) => Effect.logWarning(error.message)),
      Effect.retry(retry)
    ))
})

// All interfaces, IPv6 and IPv4, once for each distinct port. Java: getWildcardAddresses.
const wildcards = (own: ReadonlyArray<Address.Address>): ReadonlyArray<Address.Address> =>
  Array.from(new Set(own.map(({ port }) => port)), (port) => ({ host: "::", port }))
