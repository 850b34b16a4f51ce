/**
 * How peers reach each other: dial an address, listen on an address.
 *
 * A transport moves bytes and nothing else. The handshake, the rule that leaves
 * one connection per pair, frames, queues and the election are the same code
 * above every transport, the in-memory one included.
 *
 * Names are resolved by the transport, anew for every dial and every listen.
 */
import type { Address } from "@conclave/core/Address"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"

/** Where to dial or listen, for transports, which see nothing else of the core. */
export type { Address }

/**
 * One end of an open connection. Bytes come from `pull`, in non-empty batches
 * and in order, with back-pressure down to the sender; every end of the
 * stream, a clean one too, fails `pull` with a `SocketError`. `write` sends the bytes
 * in one piece where the transport can. Where a transport has to make a connection
 * secure first, both wait for that, and fail with a `SecurityError` if it cannot be.
 */
export interface Connection {
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array>, ConnectionError>
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, ConnectionError>
  /**
   * Fails unless the far end has proved to be at one of these hosts. Succeeds where
   * nothing is to be proved: a plain connection, names that are not checked, a
   * client that did not have to show a certificate.
   */
  readonly identify: (hosts: ReadonlyArray<string>) => Effect.Effect<void, SecurityError>
  /** The far end as the transport knows it, `host:port`, for people to read. */
  readonly remote: string
}

/** How a connection can end. */
export type ConnectionError = Socket.SocketError | SecurityError

/** Why a connection is not secure. */
export type SecurityReason = typeof securityReasons[number]

const securityReasons = [
  /** Plain bytes where only TLS is allowed. */
  "Plaintext",
  /** Nothing at all, or not all of a handshake, where only TLS is allowed. */
  "Silent",
  /** Somebody was dialled who does not speak TLS, or broke off. */
  "NotTls",
  /** A client without a certificate. */
  "NoCertificate",
  "Expired",
  "NotYetValid",
  "SelfSigned",
  "UnknownIssuer",
  "Revoked",
  /** Whether it is revoked cannot be told: the list of its issuer is missing or out of date. */
  "RevocationUnknown",
  /** A certificate of somebody else. */
  "WrongName",
  /** A certificate that was issued for something else. */
  "WrongPurpose",
  "NoCommonProtocol",
  "NoCommonCipher",
  /** The far end did not like what it was shown. */
  "RefusedByPeer",
  "Failed"
] as const

/**
 * A connection that is not as secure as the configuration demands, and that is
 * therefore closed. Whose fault it is `problem` says, what to change `remedy`.
 */
export class SecurityError extends Schema.TaggedError<SecurityError>()("SecurityError", {
  reason: Schema.Literals(securityReasons),
  problem: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.problem}; ${this.remedy}`
  }
}

/** Why an address could not be dialled. */
export type DialReason =
  /** Somebody answered that nobody listens there. */
  | "Refused"
  /** Nobody answered in time. */
  | "TimedOut"
  /** The name has no address now. */
  | "Unresolved"
  /** Somebody answered, but not securely, or not in time; the cause is a `SecurityError`. */
  | "Insecure"
  /** Anything else: no route, no permission, no file descriptors. */
  | "Failed"

/** A dial that did not lead to a connection. */
export class DialError extends Schema.TaggedError<DialError>()("DialError", {
  address: Schema.String,
  reason: Schema.Literals(["Refused", "TimedOut", "Unresolved", "Insecure", "Failed"]),
  cause: Schema.Defect()
}) {
  override get message(): string {
    const cause = this.reason === "Failed" && this.cause instanceof Error ? `: ${this.cause.message}` : ""
    const why = this.cause instanceof SecurityError ? this.cause.message : `${dialProblems[this.reason]}${cause}`
    return `cannot reach ${this.address}: ${why}`
  }
}

const dialProblems: Record<DialReason, string> = {
  Refused: "connection refused (nothing listens there)",
  TimedOut: "no answer in time (host down, or a firewall drops packets)",
  Unresolved: "the name does not resolve",
  Insecure: "the connection is not secure",
  Failed: "the connection failed"
}

/** An address on which one cannot listen: taken, not ours, or not permitted. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const cause = this.cause instanceof Error ? `: ${this.cause.message}` : ""
    return `cannot listen on ${this.address}${cause}; nobody can dial this server there: ` +
      "free the address, or change the server's entry in the configuration"
  }
}

/** An address that accepts connections for as long as its scope is open. */
export interface Listener {
  /** The address in use: where port 0 was asked for, the port that was given. */
  readonly address: Address
  /**
   * Runs the handler for every accepted connection, each in a fiber of its own
   * and with a scope of its own; the connection closes when the handler ends. Never returns. A
   * connection accepted before `run` waits for it. When `run` is interrupted all
   * its handlers are, and their connections close.
   */
  readonly run: <R>(
    handler: (connection: Connection) => Effect.Effect<void, never, R>
  ) => Effect.Effect<never, never, Exclude<R, Scope.Scope>>
}

/** Opens connections. Each Layer of this service is a transport. */
export class Transport extends Context.Service<Transport, {
  /**
   * Opens a connection that lives as long as the scope. Interrupting it, or a
   * deadline around it, abandons the attempt and leaves nothing behind. Where a
   * connection has to be made secure, `onAnswered` is told, once somebody has
   * answered, what is wrong if that takes too long.
   */
  readonly dial: (
    address: Address,
    onAnswered?: (overdue: SecurityError) => void
  ) => Effect.Effect<Connection, DialError, Scope.Scope>
  /** Listens until the scope closes; then the address is free again and every accepted connection is closed. */
  readonly listen: (address: Address) => Effect.Effect<Listener, ListenError, Scope.Scope>
}>()("@conclave/quorum/Transport") {}
