/**
 * How a peer is dialled: which of its addresses, how long, and how soon again.
 */
import * as Address from "@conclave/core/Address"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Attempts from "./Attempts.ts"
import type { AuthError } from "./QuorumAuth.ts"
import * as Transport from "./Transport.ts"

/** The first pause before a peer is dialled again; it doubles from there. A few round trips on a slow network. */
const REDIAL_MS_MIN = 50

/** The longest pause, so that a peer that comes back is found soon. Java has none: it waits for the next message. */
const REDIAL_MS_MAX = 2_000

/**
 * Dials the addresses in order, the next beside one that is silent, and takes the
 * first that answers; each has the same deadline.
 */
export const dialAny = (
  transport: Transport.Transport["Service"],
  addresses: ReadonlyArray<Address.Address>,
  millis: number
): Effect.Effect<Transport.Connection, Transport.DialError, Scope.Scope> =>
  Attempts.firstOf(addresses.map((address) => dialOne(transport, address, millis)))

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

const dialOne = (transport: Transport.Transport["Service"], address: Address.Address, millis: number) =>
  Effect.suspend(() => {
    let overdue: Transport.SecurityError | undefined
    const dial = transport.dial(address, (error) => {
      overdue = error
    })
    const silence = new Error(`no connection within ${millis} ms`)
    return Effect.timeoutOrElse(dial, {
      duration: Duration.millis(millis),
      orElse: () =>
        Effect.fail(
          new Transport.DialError({
            address: Address.format(address),
            ...(overdue === undefined ? { reason: "TimedOut", cause: silence } : { reason: "Insecure", cause: overdue })
          })
        )
    })
  })
