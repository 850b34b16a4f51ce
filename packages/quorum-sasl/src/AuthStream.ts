/**
 * Authentication packets on a connection, and the bytes after them.
 */
import type { MalformedAuthPacket } from "@conclave/core/CodecError"
import * as QuorumAuthPacket from "@conclave/core/QuorumAuthPacket"
import type { Connection, ConnectionError } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"

/** Reads and writes packets, and no byte more than that. */
export interface AuthStream {
  /** Waits until it is known whether a packet is next, which it is not if the first byte differs. Takes nothing. */
  readonly isNext: Effect.Effect<boolean, ConnectionError>
  readonly receive: Effect.Effect<QuorumAuthPacket.QuorumAuthPacket, MalformedAuthPacket | ConnectionError>
  readonly send: (packet: QuorumAuthPacket.QuorumAuthPacket) => Effect.Effect<void, ConnectionError>
  /** What has come and belongs to no packet that was received. */
  readonly rest: () => Uint8Array
}

/** The packets on a connection of which these bytes have come already. */
export const make = (connection: Connection, come: Uint8Array): AuthStream => {
  // What has come and was not taken stands from `start` to `end`. There is twice the room that was needed last, so that
  // a long token in many small pieces costs no more than one in few.
  let room = come
  let start = 0
  let end = come.length
  const append = (chunk: Uint8Array) => {
    if (end + chunk.length > room.length) {
      const larger = new Uint8Array(2 * (end - start + chunk.length))
      larger.set(room.subarray(start, end))
      room = larger
      end -= start
      start = 0
    }
    room.set(chunk, end)
    end += chunk.length
  }
  const bytes = () => room.subarray(start, end)
  // Bytes are kept the moment they come: an interruption, by a deadline, loses none.
  const pull = Effect.map(connection.pull, (chunks) => chunks.forEach(append))
  const until = Effect.fnUntraced(function*<A, E>(read: () => Effect.Effect<A | null, E>) {
    while (true) {
      const found = yield* read()
      if (found !== null) return found
      yield* pull
    }
  })
  return {
    isNext: until(() => Effect.succeed(QuorumAuthPacket.isNext(bytes()))),
    receive: Effect.map(until(() => Effect.fromResult(QuorumAuthPacket.decode(bytes()))), ({ packet, size }) => {
      start += size
      return packet
    }),
    send: (packet) => connection.write(QuorumAuthPacket.encode(packet)),
    rest: bytes
  }
}
