/**
 * A connection at the quorum port: packets in, packets out.
 *
 * Java: the threads of `LearnerHandler`, and `Learner.readPacket`, `writePacket`.
 */
import type { MalformedPacket } from "@conclave/core/CodecError"
import * as QuorumPacket from "@conclave/core/QuorumPacket"
import * as Snapshot from "@conclave/core/Snapshot"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Connection, ConnectionError } from "./Transport.ts"

/** Packets that may wait for one far end. Who lets more pile up is not there: pings alone would take minutes. */
export const QUEUE_CAPACITY = 100

/** How long a closed link may take to send what was queued: as long as a replaced election connection lingers. */
const LINGER = "1 second"

/** Takes what has come; the link ends if that fails. */
export interface Handler {
  readonly packet: (packet: QuorumPacket.QuorumPacket) => Effect.Effect<unknown, ConnectionError>
  /** A part of a snapshot has come. Nothing of it is kept. */
  readonly progress: Effect.Effect<unknown>
}

/** What can end a link. */
export type LinkError = ConnectionError | MalformedPacket | Snapshot.MalformedSnapshot

/** The sending side of a link. */
export interface PacketLink {
  /** Queues a packet. If too many wait already, the link ends. */
  readonly send: (packet: QuorumPacket.QuorumPacket) => Effect.Effect<void>
  /** Sends what is queued, and ends. */
  readonly close: Effect.Effect<void>
  /**
   * Sends and receives until either side ends it. `rest` has come already. Ends without a failure only when it was
   * closed here.
   */
  readonly run: (
    connection: Connection,
    rest: Uint8Array,
    handler: Handler
  ) => Effect.Effect<void, LinkError>
}

/** A link that is not connected yet. */
export const make: Effect.Effect<PacketLink> = Effect.gen(function*() {
  const outbox = yield* Queue.dropping<QuorumPacket.QuorumPacket, Cause.Done>(QUEUE_CAPACITY)
  const closed = Deferred.makeUnsafe<void>()
  const close = Effect.andThen(Queue.end(outbox), Deferred.succeed(closed, undefined))
  return {
    send: (packet) =>
      Effect.flatMap(Queue.offer(outbox, packet), (taken) => (taken ? Effect.void : Effect.asVoid(close))),
    close: Effect.asVoid(close),
    run: (connection, rest, handler) =>
      Effect.raceFirst(
        Effect.raceFirst(write(connection, outbox), read(connection, rest, handler)),
        Effect.andThen(Deferred.await(closed), Effect.sleep(LINGER))
      )
  }
})

const write = Effect.fnUntraced(function*(
  connection: Connection,
  outbox: Queue.Dequeue<QuorumPacket.QuorumPacket, Cause.Done>
) {
  while (true) {
    const packet = yield* Effect.option(Queue.take(outbox))
    if (packet._tag === "None") return
    yield* connection.write(QuorumPacket.encode(packet.value))
  }
})

// A snapshot comes between packets, after a SNAP, and has no length: it is read to find its end.
const read = Effect.fnUntraced(function*(
  connection: Connection,
  rest: Uint8Array,
  handler: Handler
): Effect.fn.Return<never, LinkError> {
  let left = QuorumPacket.empty
  let snapshot: Snapshot.Reading | null = null
  const receive = (chunk: Uint8Array): Effect.Effect<void, LinkError> =>
    snapshot === null ? takePackets(chunk) : passOver(snapshot, chunk)
  const takePackets = Effect.fnUntraced(function*(chunk: Uint8Array): Effect.fn.Return<void, LinkError> {
    const decoded = yield* Effect.fromResult(QuorumPacket.decode(left, chunk))
    left = decoded.rest
    for (const packet of decoded.packets) yield* handler.packet(packet)
    if (decoded.packets.at(-1)?.type !== "SNAP") return
    const begun = QuorumPacket.join(left)
    left = QuorumPacket.empty
    snapshot = Snapshot.start("Wire")
    yield* receive(begun)
  })
  const passOver = Effect.fnUntraced(function*(
    reading: Snapshot.Reading,
    chunk: Uint8Array
  ): Effect.fn.Return<void, LinkError> {
    const progress = yield* Effect.fromResult(Snapshot.decode(reading, chunk))
    yield* handler.progress
    snapshot = progress._tag === "Done" ? null : progress.reading
    if (progress._tag === "Done") yield* receive(progress.rest)
  })
  yield* receive(rest)
  while (true) {
    for (const chunk of yield* connection.pull) yield* receive(chunk)
  }
})
