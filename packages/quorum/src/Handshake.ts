/**
 * The first bytes of a connection: ours when we dial, theirs when we are dialled.
 *
 * Java: `QuorumCnxManager.startConnection`, `handleConnection`.
 */
import type { MalformedInitialMessage } from "@conclave/core/CodecError"
import * as InitialMessage from "@conclave/core/InitialMessage"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TooManyHandshakes } from "./HandshakeGate.ts"
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

/**
 * Reads the handshake of who dialled us, however many pieces it comes in, and has it
 * prove that it is at one of the hosts where such a peer may be.
 */
export const receive = (
  connection: Connection,
  millis: number,
  hostsOf: (message: InitialMessage.InitialMessage) => ReadonlyArray<string>
): Effect.Effect<Received, MalformedInitialMessage | HandshakeTimedOut | ConnectionError> =>
  read(connection).pipe(
    Effect.tap(({ message }) => connection.identify(hostsOf(message))),
    Effect.timeoutOrElse({
      duration: Duration.millis(millis),
      orElse: () => Effect.fail(new HandshakeTimedOut({ millis }))
    })
  )

/** What went wrong with a handshake, in one word, to be counted by. */
export const reasonOf = (
  error: MalformedInitialMessage | HandshakeTimedOut | TooManyHandshakes | ConnectionError
): string => {
  switch (error._tag) {
    case "MalformedInitialMessage":
    case "SecurityError":
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
