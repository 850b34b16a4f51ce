/**
 * A resource that checks fencing tokens: it refuses whoever comes with a lower one than it has seen.
 *
 * It listens at a socket in the file system, which networks and their faults do not touch. A request is a line
 * `TOKEN SID`, the answer `accepted` or `rejected`.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { createInterface } from "node:readline"

/** What was asked for, and what became of it. */
export interface Write {
  readonly token: bigint
  readonly from: bigint
}

/** A write that came, in the order in which they came. */
export interface Decided extends Write {
  readonly accepted: boolean
}

/** A resource that serves. */
export interface Resource {
  readonly decided: ReadonlyArray<Decided>
  readonly close: () => Promise<void>
}

/** Serves at that path. */
export const serve = (path: string): Promise<Resource> => {
  const decided: Array<Decided> = []
  const sockets = new Set<Net.Socket>()
  let highest = -1n
  const server = Net.createServer((socket) => {
    sockets.add(socket)
    // Whoever is killed in the middle of something just goes.
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket))
    createInterface({ input: socket }).on("line", (line) => {
      const [token = 0n, from = 0n] = line.split(" ").map(BigInt)
      const accepted = token >= highest
      if (accepted) highest = token
      decided.push({ token, from, accepted })
      socket.write(accepted ? "accepted\n" : "rejected\n")
    }).on("error", () => undefined)
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      sockets.forEach((socket) => socket.destroy())
    })
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(path, () => resolve({ decided, close }))
  })
}

/** A client, which lives as long as the scope; `write` waits for the answer. */
export const connect = (
  path: string
): Effect.Effect<{ readonly write: (write: Write) => Effect.Effect<boolean> }, never, Scope.Scope> =>
  Effect.gen(function*() {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => Net.connect(path)),
      (socket) => Effect.sync(() => socket.destroy())
    )
    let waiting: Deferred.Deferred<boolean> | null = null
    socket.on("error", () => undefined)
    createInterface({ input: socket }).on("line", (line) => {
      if (waiting !== null) Deferred.doneUnsafe(waiting, Effect.succeed(line === "accepted"))
    }).on("error", () => undefined)
    return {
      write: ({ from, token }) =>
        Effect.suspend(() => {
          waiting = Deferred.makeUnsafe()
          socket.write(`${token} ${from}\n`)
          return Deferred.await(waiting)
        })
    }
  })
