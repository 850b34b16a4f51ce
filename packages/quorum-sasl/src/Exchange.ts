/**
 * An authentication on a connection: packets to and fro until both sides are
 * content, whatever the mechanism says in them.
 *
 *     learner                          server
 *     IN_PROGRESS, empty or a token ▶
 *                                    ◀ IN_PROGRESS, challenge
 *     IN_PROGRESS, response         ▶
 *                                    ◀ SUCCESS, proof; or ERROR, empty
 *
 * Java: `SaslQuorumAuthLearner.authenticate`, `SaslQuorumAuthServer.authenticate`.
 */
import type { MalformedAuthPacket } from "@conclave/core/CodecError"
import { AuthError } from "@conclave/quorum/QuorumAuth"
import type { Connection, ConnectionError } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import * as AuthStream from "./AuthStream.ts"
import type { Mechanism } from "./Mechanism.ts"

/** Challenges that a server sends before it gives up. Java: SaslQuorumAuthServer.MAX_RETRIES. */
export const MAX_RETRIES = 5

const EMPTY = new Uint8Array(0)

/** The learner's side. Gives what came after it. */
export const learn = (
  connection: Connection,
  mechanism: Mechanism & { readonly hasInitialResponse: boolean }
): Effect.Effect<Uint8Array, AuthError | ConnectionError> =>
  Effect.gen(function*() {
    const stream = AuthStream.make(connection, EMPTY)
    let said = mechanism.hasInitialResponse
      ? yield* mechanism.evaluate(EMPTY)
      : { token: EMPTY, complete: false }
    yield* stream.send({ status: "InProgress", token: said.token })
    let { status, token } = yield* stream.receive
    while (!said.complete && status !== "Error") {
      if (token === null) return yield* malformed("it sent no token")
      said = yield* mechanism.evaluate(token)
      // Who says that all is well must have said all that we wanted to hear.
      if (status === "Success" && (said.token !== null || !said.complete)) {
        return yield* malformed("it was content before we were")
      }
      if (status === "Success") return stream.rest()
      yield* stream.send({ status: "InProgress", token: said.token })
      ;({ status, token } = yield* stream.receive)
    }
    return status === "Success" ? stream.rest() : yield* refused
  }).pipe(Effect.catchTags({
    MalformedAuthPacket: ({ message }) => malformed(message),
    SocketError: () => hungUp
  }))

/** The server's side, once it is known that the learner's first packet is next. */
export const serve = Effect.fnUntraced(function*(
  stream: AuthStream.AuthStream,
  mechanism: Mechanism
): Effect.fn.Return<void, AuthError | ConnectionError> {
  for (let challenges = 0; challenges <= MAX_RETRIES; challenges++) {
    const { token } = yield* stream.receive.pipe(
      Effect.catchTag("MalformedAuthPacket", ({ message }: MalformedAuthPacket) => malformed(message))
    )
    if (token === null) return yield* malformed("it sent no token")
    const said = yield* mechanism.evaluate(token)
    if (said.complete) return yield* stream.send({ status: "Success", token: said.token })
    if (challenges < MAX_RETRIES) yield* stream.send({ status: "InProgress", token: said.token })
  }
  return yield* new AuthError({
    reason: "AuthFailed",
    problem: `it was not done after ${MAX_RETRIES} challenges`,
    remedy: "use the same mechanism on both sides"
  })
})

/** Tells the learner that it was refused, if it still listens. */
export const refuse = (stream: AuthStream.AuthStream): Effect.Effect<void> =>
  Effect.ignore(stream.send({ status: "Error", token: EMPTY }))

/** What to look at when another server does not answer as it should. */
export const LOOK_THERE = "look at its log, and whether it has quorum.auth.enableSasl=true; " +
  "quorum.auth.learnerRequireSasl may be turned on once every server has that"

const malformed = (problem: string) =>
  Effect.fail(new AuthError({ reason: "MalformedAuth", problem, remedy: "use the same mechanism on both sides" }))

const refused = Effect.fail(
  new AuthError({
    reason: "AuthRefused",
    problem: "it did not accept our login",
    remedy: "the login with which we dial, username and password or Kerberos principal, must be one that that server " +
      "lets in; its log says more"
  })
)

const hungUp = Effect.fail(
  new AuthError({
    reason: "AuthFailed",
    problem: "it closed the connection instead of authenticating us",
    remedy: LOOK_THERE
  })
)
