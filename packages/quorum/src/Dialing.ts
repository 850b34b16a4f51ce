/**
 * How a peer is dialled: which of its addresses, how long, and how soon again.
 */
import * as Address from "@conclave/core/Address"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type { AuthError } from "./QuorumAuth.ts"
import * as Transport from "./Transport.ts"

/**
 * How long one address may stay silent before the next is tried beside it: the
 * connection attempt delay that RFC 8305 recommends.
 */
const STAGGER_MS = 250

/** The first pause before a peer is dialled again; it doubles from there. A few round trips on a slow network. */
const REDIAL_MS_MIN = 50

/** The longest pause, so that a peer that comes back is found soon. Java has none: it waits for the next message. */
const REDIAL_MS_MAX = 2_000

/**
 * Dials the addresses in order, the next when one has failed or is silent, and
 * takes the first that answers; each has the same deadline. Fails as the last one
 * failed, but a refusal tells more than silence, and an insecure answer more than both.
 */
export const dialAny = Effect.fnUntraced(function*(
  transport: Transport.Transport["Service"],
  addresses: ReadonlyArray<Address.Address>,
  millis: number
): Effect.fn.Return<Transport.Connection, Transport.DialError, Scope.Scope> {
  const parent = yield* Effect.scope
  const attempts = yield* Effect.forEach(addresses, (address) =>
    Effect.map(Scope.fork(parent), (scope) => ({ address, scope, failed: Deferred.makeUnsafe<void>() })))
  const failures: Array<Transport.DialError> = []
  const winner = yield* Effect.raceAll(attempts.map(({ address, failed, scope }, index) =>
    Effect.andThen(
      turn(index, attempts[index - 1]?.failed),
      Scope.provide(dialOne(transport, address, millis), scope).pipe(
        Effect.map((connection) => ({ index, connection })),
        Effect.tapError((error) => {
          failures.push(error)
          return Deferred.succeed(failed, undefined)
        })
      )
    )
  )).pipe(Effect.mapError((error) =>
    failures.find(({ reason }) => reason === "Insecure") ?? failures.find(({ reason }) => reason === "Refused") ?? error
  ))
  for (const [index, { scope }] of attempts.entries()) {
    if (index !== winner.index) yield* Scope.close(scope, Exit.void)
  }
  return winner.connection
})

/** Why a peer that was dialled is not connected. */
export type DialFailure = Transport.DialError | Transport.ConnectionError | AuthError

/** What a failure comes to: a reason in one word, and the word it is counted by if somebody was turned away. */
export const whatFailed = (
  error: DialFailure
): { readonly reason: Transport.DialReason; readonly rejected: string | null } => {
  switch (error._tag) {
    case "DialError": {
      const { cause, reason } = error
      return { reason, rejected: cause instanceof Transport.SecurityError ? cause.reason : null }
    }
    case "SecurityError":
      return { reason: "Insecure", rejected: error.reason }
    case "AuthError":
      return { reason: "Failed", rejected: error.reason }
    case "SocketError":
      return { reason: "Failed", rejected: null }
  }
}

/** How long to wait after so many failures in a row: twice as long each time, and half of it by chance. */
export const redialDelay = (failures: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.next, (chance) => {
    const pause = Math.min(REDIAL_MS_MIN * 2 ** (failures - 1), REDIAL_MS_MAX)
    return Duration.millis(pause * (0.5 + chance / 2))
  })

/** The port of the echo service (RFC 862). Hardly anybody runs it; who refuses it is there. Java: isReachable. */
const ECHO_PORT = 7

/** Does anybody answer at this host, be it with a refusal? Java: MultipleAddresses, its reachability check. */
export const isReachable = (
  transport: Transport.Transport["Service"],
  host: string,
  millis: number
): Effect.Effect<boolean> =>
  Effect.scoped(dialOne(transport, { host, port: ECHO_PORT }, millis)).pipe(
    Effect.as(true),
    Effect.catch(({ reason }) => Effect.succeed(reason === "Refused" || reason === "Insecure"))
  )

// The first at once; another after the one before it has failed, or has had its time.
const turn = (index: number, previous: Deferred.Deferred<void> | undefined): Effect.Effect<void> =>
  previous === undefined
    ? Effect.void
    : Effect.raceFirst(Effect.sleep(Duration.millis(index * STAGGER_MS)), Deferred.await(previous))

const dialOne = (transport: Transport.Transport["Service"], address: Address.Address, millis: number) =>
  transport.dial(address).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(millis),
      orElse: () =>
        Effect.fail(
          new Transport.DialError({
            address: Address.format(address),
            reason: "TimedOut",
            cause: new Error(`no connection within ${millis} ms`)
          })
        )
    })
  )
