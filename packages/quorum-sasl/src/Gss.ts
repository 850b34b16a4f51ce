/**
 * What the mechanism GSSAPI needs of GSS-API: contexts of Kerberos 5, on either
 * side. `GssLibrary` has them from the library of MIT Kerberos.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Acceptor, Initiator } from "./KerberosLogin.ts"

/** GSS-API did not do what it was asked for. */
export class GssError extends Schema.TaggedError<GssError>()("GssError", {
  reason: Schema.Literals([
    /** The library is not there, or it lacks something. */
    "Unavailable",
    /** What the other side sent is no token of Kerberos. */
    "DefectiveToken",
    /** The keytab has no key for this. */
    "NoKey",
    /** Anything else: the KDC, the clocks, a ticket. */
    "Failed"
  ]),
  /** Why, in the words of Kerberos. */
  said: Schema.String
}) {
  override get message(): string {
    return this.said
  }
}

/** What is to be said next, of no length for nothing, and whether the context is complete. */
export interface Stepped {
  readonly token: Uint8Array
  readonly complete: boolean
}

/** One side of one context. */
export interface GssContext {
  /** Takes what the other side says; of no length where this side begins. */
  readonly step: (token: Uint8Array) => Effect.Effect<Stepped, GssError>
  /** Who began, with the realm, `learner/zk1@REALM`. Of a complete context. */
  readonly initiator: Effect.Effect<string, GssError>
  /** Protects a message against changes; it stays legible. Of a complete context. */
  readonly wrap: (message: Uint8Array) => Effect.Effect<Uint8Array, GssError>
  /** The message that was wrapped. Of a complete context. */
  readonly unwrap: (token: Uint8Array) => Effect.Effect<Uint8Array, GssError>
}

/** Contexts with others, each for as long as its scope is open. */
export interface Gss {
  /** With a server known as this service, `zkquorum@host`. */
  readonly initiate: (login: Initiator, service: string) => Effect.Effect<GssContext, GssError, Scope.Scope>
  /** With whoever dials us. */
  readonly accept: (login: Acceptor) => Effect.Effect<GssContext, GssError, Scope.Scope>
}
