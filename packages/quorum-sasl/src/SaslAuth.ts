/**
 * SASL between servers, as a Layer of `QuorumAuth`.
 *
 *     learnerRequireSasl  serverRequireSasl   dials           accepts
 *     false               false               plain           both
 *     true                false               authenticates   both
 *     true                true                authenticates   authenticated only
 *
 * A running ensemble goes through these from top to bottom, one restart of each
 * server for each line. Who has to authenticate never goes on without.
 *
 * Java: `auth/QuorumAuth`, `SaslQuorumAuthLearner`, `SaslQuorumAuthServer`.
 */
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import type { Connection, ConnectionError } from "@conclave/quorum/Transport"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AuthStream from "./AuthStream.ts"
import * as DigestMechanism from "./DigestMechanism.ts"
import * as Exchange from "./Exchange.ts"
import type { Mechanisms } from "./Mechanism.ts"
import type { SaslLogin } from "./SaslLogin.ts"

/** What this server insists on. */
export interface Requirements {
  /** Does it authenticate when it dials? Java: quorum.auth.learnerRequireSasl. */
  readonly learnerRequireSasl: boolean
  /** Does it refuse who dials it and does not? Java: quorum.auth.serverRequireSasl. */
  readonly serverRequireSasl: boolean
}

/** Authenticates over any mechanism. */
export const make = (requirements: Requirements, mechanisms: Mechanisms): QuorumAuth.QuorumAuth => ({
  learner: (connection, hostname, millis) =>
    requirements.learnerRequireSasl
      ? mechanisms.learner(hostname).pipe(
        Effect.flatMap((mechanism) => Exchange.learn(connection, mechanism)),
        Effect.scoped,
        within(millis)
      )
      : QuorumAuth.none.learner(connection, hostname, millis),
  server: (connection, rest, millis) => accept(requirements, mechanisms, connection, rest, millis)
})

/** DIGEST-MD5 with these credentials. */
export const layer = (requirements: Requirements, login: SaslLogin): Layer.Layer<never> =>
  Layer.effect(
    QuorumAuth.QuorumAuth,
    Effect.map(DigestMechanism.make(login), (mechanisms) => make(requirements, mechanisms))
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const accept = Effect.fnUntraced(function*(
  { serverRequireSasl }: Requirements,
  mechanisms: Mechanisms,
  connection: Connection,
  come: Uint8Array,
  millis: number
): Effect.fn.Return<Uint8Array, QuorumAuth.AuthError | ConnectionError> {
  const start = yield* Clock.currentTimeMillis
  const stream = AuthStream.make(connection, come)
  const authenticates = yield* serverRequireSasl ? mustBegin(stream, millis) : begins(stream, millis)
  if (!authenticates) return stream.rest()
  const left = Math.max(millis - ((yield* Clock.currentTimeMillis) - start), 0)
  yield* mechanisms.server.pipe(
    Effect.flatMap((mechanism) => Exchange.serve(stream, mechanism)),
    Effect.scoped,
    Effect.tapErrorTag("AuthError", () => Exchange.refuse(stream)),
    within(left),
    Effect.catch((error) => serverRequireSasl ? Effect.fail(error) : forgive(connection, error))
  )
  return stream.rest()
})

// Nobody else gets in.
const mustBegin = (stream: AuthStream.AuthStream, millis: number) =>
  stream.isNext.pipe(
    within(millis),
    Effect.flatMap((isNext) => (isNext ? Effect.succeed(true) : Effect.fail(unauthenticated)))
  )

/**
 * How long, where nobody has to authenticate, a silent peer is waited for. Its packet comes with its handshake, or
 * after one lost segment (a first retransmission comes after 1 s, RFC 6298). Java waits as long as for the handshake,
 * and a plain peer with nothing to say is without a link for all that time. Should we have waited too little, its
 * packet is no frame, the link closes, and it dials again.
 */
const PLAIN_AFTER_MS = 2_000

// A peer of a smaller id says who it is and hangs up, one of a larger id may have nothing to say yet: both are let
// through, as the original does.
const begins = (stream: AuthStream.AuthStream, millis: number) =>
  stream.isNext.pipe(
    within(Math.min(millis, PLAIN_AFTER_MS)),
    Effect.catchTags({
      AuthError: (error) => stream.rest().length === 0 ? Effect.succeed(false) : Effect.fail(error),
      SocketError: () => Effect.succeed(false)
    })
  )

const UNFORGIVEN: ReadonlyArray<string> = ["AuthTimedOut", "AuthUnavailable"]

// Where nobody has to authenticate, who fails to may go on; it rarely wants to. Where nobody can, whoever tries must:
// it is going to hang up, and until then a link with it would take the place of one that works.
const forgive = (connection: Connection, error: QuorumAuth.AuthError | ConnectionError) => {
  if (error._tag === "SocketError") return Effect.void
  if (error._tag === "SecurityError" || UNFORGIVEN.includes(error.reason)) return Effect.fail(error)
  return Effect.logWarning(
    `${connection.remote} failed to authenticate, and may go on without: ${error.message}`
  )
}

const within = (millis: number) => <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | QuorumAuth.AuthError> =>
  Effect.timeoutOrElse(effect, {
    duration: Duration.millis(millis),
    orElse: () =>
      Effect.fail(
        new QuorumAuth.AuthError({
          reason: "AuthTimedOut",
          problem: `no end of the authentication within ${millis} ms`,
          remedy: `${Exchange.LOOK_THERE}; with Kerberos, see also whether the KDC answers`
        })
      )
  })

const unauthenticated = new QuorumAuth.AuthError({
  reason: "Unauthenticated",
  problem: "it did not authenticate, and quorum.auth.serverRequireSasl is on here",
  remedy: "turn on quorum.auth.learnerRequireSasl there, or leave the former off until every server has the latter"
})
