/**
 * DIGEST-MD5 as quorum links use it: the names ZooKeeper gave things, and nonces
 * that are random.
 */
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import * as Base64 from "effect/encoding/Base64"
import * as Effect from "effect/Effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DigestMd5 from "./DigestMd5.ts"
import type { Mechanism, Mechanisms } from "./Mechanism.ts"
import type { SaslLogin } from "./SaslLogin.ts"

/** The service and the server name that all servers have in common. Java: QuorumAuth.QUORUM_SERVER_PROTOCOL_NAME. */
const ZOOKEEPER = { service: "zookeeper-quorum", host: "zk-quorum-sasl-md5" }

/** Random bytes in a nonce, written as 40 characters. Java: DigestMD5Base.RAW_NONCE_SIZE. */
const NONCE_SIZE = 30

/** Both sides, with these credentials. A learner without a login cannot be had. */
export const make = Effect.fnUntraced(function*(
  { learner, users }: SaslLogin
): Effect.fn.Return<Mechanisms, never, SecureRandom.SecureRandom> {
  const random = yield* SecureRandom.SecureRandom
  const nonce = Effect.map(random.randomBytes(NONCE_SIZE), Base64.encode)
  const { username } = learner
  return {
    learner: () =>
      Effect.map(nonce, (cnonce) => ({
        hasInitialResponse: false,
        ...run<DigestMd5.LearnerState>(null, (state, token) =>
          DigestMd5.learn({ ...learner, authzid: username, ...ZOOKEEPER, cnonce }, state, token))
      })),
    server: Effect.map(nonce, (nonce) =>
      run<DigestMd5.ServerState>("Start", (state, token) =>
        DigestMd5.serve({ users, ...ZOOKEEPER, nonce }, state, token)))
  }
})

const run = <State>(start: State, step: (state: State, token: Uint8Array) => DigestMd5.Step<State>): Mechanism => {
  let state = start
  return {
    evaluate: (token) =>
      Effect.suspend(() => Effect.fromResult(step(state, token))).pipe(
        Effect.map(({ state: next, ...evaluated }) => {
          state = next
          return evaluated
        }),
        Effect.mapError(({ problem, reason }) =>
          new QuorumAuth.AuthError({ reason, problem, remedy: remedies[reason] }))
      )
  }
}

const remedies: Record<DigestMd5.Refusal["reason"], string> = {
  WrongCredentials: "the login of the server that dials (username and password) must be among the users of the one " +
    "that is dialled (user_name=password)",
  UnprovenServer: "the users of that server (user_name=password) must have the password of our login; if they do, " +
    "somebody else listens there",
  MalformedAuth: "use DIGEST-MD5 on both sides"
}
