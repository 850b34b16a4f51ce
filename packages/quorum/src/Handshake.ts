/**
 * The first bytes of a connection: ours when we dial, theirs when we are dialled,
 * and the authentication that may follow them.
 *
 * Java: `QuorumCnxManager.startConnection`, `handleConnection`.
 */
import type { MalformedInitialMessage } from "@conclave/core/CodecError"
import * as InitialMessage from "@conclave/core/InitialMessage"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TooManyHandshakes } from "./HandshakeGate.ts"
import { AuthError, type QuorumAuth } from "./QuorumAuth.ts"
import type { Connection, ConnectionError } from "./Transport.ts"

/**
 * A handshake that did not come to its end in time. The connection is closed; a
 * silent client holds nothing for long.
 */
export class HandshakeTimedOut extends Schema.TaggedError<HandshakeTimedOut>()("HandshakeTimedOut", {
  millis: Schema.Finite
}) {
  override get message(): string {
    return `no handshake within ${this.millis} ms`
  }
}

/** What somebody who dialled us said, and the bytes that came after it. */
export interface Received {
  readonly message: InitialMessage.InitialMessage
  readonly rest: Uint8Array
}

/** Why a handshake came to nothing. */
export type HandshakeError = MalformedInitialMessage | HandshakeTimedOut | AuthError | ConnectionError

/**
 * Reads the handshake of who dialled us, however many pieces it comes in, has it
 * prove that it is at one of the hosts where such a peer may be, and lets it
 * authenticate.
 */
export const receive = Effect.fnUntraced(function*(
  connection: Connection,
  auth: QuorumAuth,
  hostsOf: (message: InitialMessage.InitialMessage) => ReadonlyArray<string>,
  millis: number
): Effect.fn.Return<Received, HandshakeError> {
  const start = yield* Clock.currentTimeMillis
  const { message, rest } = yield* read(connection).pipe(
    Effect.tap(({ message }) => connection.identify(hostsOf(message))),
    Effect.timeoutOrElse({
      duration: Duration.millis(millis),
      orElse: () => Effect.fail(new HandshakeTimedOut({ millis }))
    })
  )
  const left = Math.max(millis - ((yield* Clock.currentTimeMillis) - start), 0)
  const after = yield* auth.server(connection, rest, left).pipe(
    // Who it says it is helps to find it, true or not.
    Effect.catchTag("AuthError", (error) =>
      Effect.fail(new AuthError({ ...error, problem: `as server ${message.sid}: ${error.problem}` })))
  )
  return { message, rest: after }
})

/**
 * Says who we are to whom we have dialled, and authenticates if it is a member,
 * which then has a host name; gives the bytes that came after that.
 */
export const send = (
  connection: Connection,
  hello: Uint8Array,
  auth: QuorumAuth,
  hostname: string | undefined,
  millis: number
): Effect.Effect<Uint8Array, AuthError | ConnectionError> =>
  Effect.andThen(
    connection.write(hello),
    hostname === undefined ? Effect.succeed(new Uint8Array(0)) : auth.learner(connection, hostname, millis)
  )

/** What went wrong with a handshake, in one word, to be counted by. */
export const reasonOf = (error: HandshakeError | TooManyHandshakes): string => {
  switch (error._tag) {
    case "MalformedInitialMessage":
    case "SecurityError":
    case "AuthError":
      return error.reason
    case "SocketError":
      return "ClosedEarly"
    default:
      return error._tag
  }
}

const read = Effect.fnUntraced(function*(
  connection: Connection
): Effect.fn.Return<Received, MalformedInitialMessage | ConnectionError> {
  let bytes = new Uint8Array(0)
  while (true) {
    bytes = join(bytes, yield* connection.pull)
    const decoded = yield* Effect.fromResult(InitialMessage.decode(bytes))
    if (decoded !== null) return { message: decoded.message, rest: bytes.subarray(decoded.size) }
  }
})

// One batch of the transport may hold more than a handshake; a handshake alone is at most InitialMessage.MAX_SIZE.
const join = (head: Uint8Array, chunks: ReadonlyArray<Uint8Array>) => {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, head.length))
  whole.set(head)
  let offset = head.length
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
