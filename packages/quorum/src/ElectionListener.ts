/**
 * Opens the listeners of the election port and serves those who dial.
 *
 * Java: `QuorumCnxManager.Listener`, `ListenerHandler`.
 */
import * as Address from "@conclave/core/Address"
import * as Connections from "@conclave/core/Connections"
import type { Sid } from "@conclave/core/Sid"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
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
  const addresses = listenOnAllIPs ? Address.onAllInterfaces(own) : own
  if (addresses.length === 0) return yield* noAddress(view.mySid)
  const schedule = Schedule.spaced(RETRY_DELAY)
  const retry = electionPortBindRetry === 0 ? { schedule } : { schedule, times: electionPortBindRetry - 1 }

  const opened = Deferred.makeUnsafe<void, Transport.ListenError>()
  const listening: Array<Address.Address> = []
  const tried = new Set<Address.Address>()
  let left = addresses.length
  const attempt = Effect.fnUntraced(function*(address: Address.Address) {
    const result = yield* Effect.exit(listen(transport, address))
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
  // Begun before the listeners and so ended after them: while those who serve are stopped nobody is accepted any more.
  const serving = yield* Scope.fork(yield* Effect.scope)
  for (const address of addresses) yield* Effect.forkIn(keep(address), serving, { startImmediately: true })
  yield* Deferred.await(opened)
  return listening
})

// A transport that throws has a bug, but whoever waits for an address must not wait for ever.
const listen = (transport: Transport.Transport["Service"], address: Address.Address) =>
  Effect.catchDefect(
    Effect.suspend(() => transport.listen(address)),
    (cause) => Effect.fail(new Transport.ListenError({ address: Address.format(address), cause }))
  )

const noAddress = (mySid: Sid) =>
  new Transport.ListenError({
    address: "no address",
    cause: new Error(`no configuration has an entry for server ${mySid}`)
  })

const consequence = "no election address can be bound: this server cannot be dialled and takes no part in elections"
