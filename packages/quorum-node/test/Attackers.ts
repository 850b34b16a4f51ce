/** Who dials election ports to do harm: plain sockets that say what no peer would, or nothing. */
import type { Address } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

/** What an attacker keeps for a peer that is slow to read, in bytes: more than any peer reads at once. */
const UNREAD_MAX = 1_048_576

/** One connection of an attacker. What comes in is counted and thrown away. */
export interface Line {
  /** Says this, whether or not anybody listens any more; nothing while too much waits to be read. */
  readonly say: (bytes: Uint8Array) => void
  /** Closes in good order, after everything said. */
  readonly hangUp: () => void
  /** Closes with a reset. */
  readonly reset: () => void
  /** Waits until there is a connection, or will be none. */
  readonly connected: Effect.Effect<void>
  /** Waits until something is said that was not waited for before, or the connection is gone. */
  readonly answered: Effect.Effect<void>
  /** Waits until the connection is gone, whoever ended it. */
  readonly gone: Effect.Effect<void>
  /** Is it gone? */
  readonly isGone: () => boolean
}

/** Dials, from this host if one is given, and goes on without waiting. The line is cut when the scope closes. */
export const dial = ({ host, port }: Address, from?: string): Effect.Effect<Line, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => open({ host, port, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) })),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    toLine
  )

/** Listens until the scope closes; `nextCall` gives the next connection that nobody has taken yet. */
export const listen = Effect.fnUntraced(function*(address: Address) {
  const calls = yield* Queue.unbounded<Net.Socket>()
  yield* Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer({ noDelay: true }, (socket) => Queue.offerUnsafe(calls, harmless(socket)))
      server.listen(address, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
  const call = Effect.acquireRelease(Queue.take(calls), (socket) => Effect.sync(() => socket.destroy()))
  return { nextCall: Effect.map(call, toLine) }
})

const toLine = (socket: Net.Socket): Line => {
  let waitedFor = 0
  const isNews = () => socket.bytesRead > waitedFor
  return {
    say: (bytes) => {
      if (socket.writable && socket.writableLength < UNREAD_MAX) socket.write(bytes)
    },
    hangUp: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    connected: Effect.suspend(() => (socket.connecting ? happens(socket, "connect") : Effect.void)),
    answered: Effect.suspend(() => (isNews() ? Effect.void : happens(socket, "data"))).pipe(
      Effect.andThen(Effect.sync(() => waitedFor = socket.bytesRead)),
      Effect.asVoid
    ),
    gone: happens(socket, "close"),
    isGone: () => socket.closed
  }
}

const open = (options: Net.TcpNetConnectOpts & { readonly localAddress?: string }): Net.Socket =>
  harmless(Net.connect(options))

// Whatever becomes of it, "close" comes last; and somebody must read, or that never comes.
const harmless = (socket: Net.Socket): Net.Socket => socket.on("error", () => undefined).resume()

// Resumes at the event, or when it can come no more.
const happens = (socket: Net.Socket, event: "connect" | "data" | "close") =>
  Effect.callback<void>((resume) => {
    if (socket.closed) return resume(Effect.void)
    const done = () => resume(Effect.void)
    socket.once(event, done).once("close", done)
    return Effect.sync(() => socket.off(event, done).off("close", done))
  })

/** Dials and says this; the line stays. */
export const dialAndSay = (to: Address, bytes: Uint8Array, from?: string) =>
  Effect.tap(dial(to, from), ({ say }) => Effect.sync(() => say(bytes)))

/** Dials, says this, and waits until the other side has had enough. */
export const provoke = (to: Address, bytes: Uint8Array, from?: string): Effect.Effect<void> =>
  Effect.scoped(Effect.flatMap(dialAndSay(to, bytes, from), ({ gone }) => gone))

/** Dials, says this one byte a second, and waits until the other side has had enough. */
export const drip = (to: Address, bytes: Uint8Array): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const { gone, say } = yield* dial(to)
    const talk = Effect.gen(function*() {
      for (const byte of bytes) {
        say(Uint8Array.of(byte))
        yield* Effect.sleep("1 second")
      }
    })
    yield* Effect.raceFirst(gone, talk)
  }))
