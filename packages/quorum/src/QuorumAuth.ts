/**
 * Who is at the other end of a connection between servers: proving who we are, and
 * making others prove who they are. Without a Layer nobody proves anything.
 *
 * What is proved is that the other side knows a secret, not that it is the server
 * it says it is: whoever can log in may use any sid.
 *
 * Java: `auth/QuorumAuthLearner`, `auth/QuorumAuthServer`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Connection, ConnectionError } from "./Transport.ts"

/** Two servers did not come to trust each other. The connection between them is closed. */
export class AuthError extends Schema.TaggedError<AuthError>()("AuthError", {
  reason: Schema.Literals([
    /** The other side did not authenticate, and has to. */
    "Unauthenticated",
    /** The other side is no user we know, or gave a wrong password. */
    "WrongCredentials",
    /** The other side did not accept us. */
    "AuthRefused",
    /** The other side did not prove that it knows our password. */
    "UnprovenServer",
    /** What the other side sent does not belong into an authentication. */
    "MalformedAuth",
    /** It did not come to its end in time. */
    "AuthTimedOut",
    /** The other side wants to authenticate, and we have no means to check who it is. */
    "AuthUnavailable",
    /** It did not come to its end: the connection closed, there was no end to it, or we had nothing to go on with. */
    "AuthFailed"
  ]),
  /** Who, and what was wrong. */
  problem: Schema.String,
  /** What to change. */
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}

/**
 * Both sides of an authentication, which must come to its end within so many
 * milliseconds. Each gives the bytes that came after it: they belong to somebody
 * else.
 */
export interface QuorumAuth {
  /** Proves who we are to a server that we have dialled, known by this host name. */
  readonly learner: (
    connection: Connection,
    hostname: string,
    millis: number
  ) => Effect.Effect<Uint8Array, AuthError | ConnectionError>
  /**
   * Finds out who has dialled us; `rest` has come already. Where nobody has to
   * authenticate, who says nothing is let through after a while.
   */
  readonly server: (
    connection: Connection,
    rest: Uint8Array,
    millis: number
  ) => Effect.Effect<Uint8Array, AuthError | ConnectionError>
}

/** Nobody proves anything. Java: NullQuorumAuthLearner, NullQuorumAuthServer. */
export const none: QuorumAuth = {
  learner: () => Effect.succeed(new Uint8Array(0)),
  server: (_, rest) => Effect.succeed(rest)
}

/** How servers authenticate; not at all unless a Layer provides it. */
export const QuorumAuth = Context.Reference<QuorumAuth>("@conclave/quorum/QuorumAuth", { defaultValue: () => none })
