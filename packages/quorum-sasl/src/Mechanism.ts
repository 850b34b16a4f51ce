/**
 * What a SASL mechanism is here: one side of one authentication, told what the
 * other side says.
 */
import type { AuthError } from "@conclave/quorum/QuorumAuth"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** What to say next, `null` for nothing, and whether this side is content. */
export interface Evaluated {
  readonly token: Uint8Array | null
  readonly complete: boolean
}

/** One side of one authentication. Java: SaslClient, SaslServer. */
export interface Mechanism {
  readonly evaluate: (token: Uint8Array) => Effect.Effect<Evaluated, AuthError>
}

/** Makes both sides, a new one for each authentication, whose scope it lives in. */
export interface Mechanisms {
  /** The side that dials a server of this host name, and whether it speaks first. Java: hasInitialResponse. */
  readonly learner: (
    hostname: string
  ) => Effect.Effect<Mechanism & { readonly hasInitialResponse: boolean }, AuthError, Scope.Scope>
  readonly server: Effect.Effect<Mechanism, AuthError, Scope.Scope>
}
