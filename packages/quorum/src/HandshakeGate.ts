/**
 * Bounds the handshakes in progress, so that those who connect and say nothing
 * cannot keep out those who have something to say.
 *
 * Nobody waits: when there are too many, the one that has lasted longest is given
 * up, of the host that has most of them. An honest handshake comes with the
 * connection and is over at once; a flood pushes out itself.
 *
 * Java: quorumCnxnThreadsSize, where newcomers are refused.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A handshake given up for newer ones, because there were too many at once. */
export class TooManyHandshakes extends Schema.TaggedError<TooManyHandshakes>()("TooManyHandshakes", {
  limit: Schema.Int
}) {
  override get message(): string {
    return `more than ${this.limit} handshakes at a time, and this one was the slowest of its host`
  }
}

/** Lets a bounded number of handshakes through at a time. */
export interface HandshakeGate {
  /** Runs the handshake of somebody at this address, `host:port`. */
  readonly run: <A, E, R>(
    remote: string,
    handshake: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | TooManyHandshakes, R>
}

/** A gate for so many handshakes at a time. */
export const make = (limit: number): HandshakeGate => {
  // In order of arrival.
  const running = new Set<Running>()
  return {
    run: (remote, handshake) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          if (running.size >= limit) giveUp(running, new TooManyHandshakes({ limit }))
          const self: Running = { host: remote.replace(/:\d+$/, ""), givenUp: Deferred.makeUnsafe() }
          running.add(self)
          return self
        }),
        ({ givenUp }) => Effect.raceFirst(handshake, Deferred.await(givenUp)),
        (self) => Effect.sync(() => running.delete(self))
      )
  }
}

interface Running {
  readonly host: string
  readonly givenUp: Deferred.Deferred<never, TooManyHandshakes>
}

const giveUp = (running: Set<Running>, error: TooManyHandshakes): void => {
  const byHost = Map.groupBy(running, ({ host }) => host)
  const busiest = Array.from(byHost.values()).reduce((most, some) => (some.length > most.length ? some : most), [])
  const [oldest] = busiest
  if (oldest === undefined) return
  running.delete(oldest)
  Deferred.doneUnsafe(oldest.givenUp, Effect.fail(error))
}
