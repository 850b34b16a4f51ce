/** Small verbs for tests over connections. */
import type { Address, Connection, Listener } from "@conclave/quorum/Transport"
import { Transport } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { networkInterfaces } from "node:os"

/** Registers a promise of the contract as a test. */
export type Register = (promise: string, test: Effect.Effect<void, unknown, Transport | Scope.Scope>) => void

/** Dials with the transport under test. */
export const dial = (address: Address) => Transport.use((transport) => transport.dial(address))

/** Listens with the transport under test. */
export const listen = (address: Address) => Transport.use((transport) => transport.listen(address))

/** Text as bytes. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Bytes as text. */
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Runs a listener whose connections stay open until the test ends, and gives them in the order of arrival. */
export const accept = Effect.fnUntraced(function*(listener: Listener) {
  const accepted = yield* Queue.unbounded<Connection>()
  yield* Effect.forkScoped(
    listener.run((connection) => Effect.andThen(Queue.offer(accepted, connection), Effect.never)),
    { startImmediately: true }
  )
  return accepted
})

/** Pulls until so many bytes are there; more is a failed test. */
export const receive = Effect.fnUntraced(function*(connection: Connection, length: number) {
  const chunks: Array<Uint8Array> = []
  let missing = length
  while (missing > 0) {
    for (const chunk of yield* connection.pull) {
      chunks.push(chunk)
      missing -= chunk.length
    }
  }
  if (missing < 0) return yield* Effect.die(new Error(`${-missing} bytes too many`))
  return Buffer.concat(chunks)
})

/** Pulls until the end: every chunk, and the error that ended it. */
export const receiveAll = Effect.fnUntraced(function*(connection: Connection) {
  const chunks: Array<Uint8Array> = []
  const error = yield* Effect.flip(Effect.forever(
    Effect.map(connection.pull, (pulled) => void chunks.push(...pulled))
  ))
  if (error._tag !== "SocketError") return yield* Effect.die(error)
  return { chunks, error }
})

/** Has this machine an IPv6 loopback address? If not, what needs one is left out, and this says so. */
export const hasIPv6 = (): boolean => {
  const has = Object.values(networkInterfaces()).flat().some((one) => one?.address === "::1")
  if (!has) console.log("left out, because this machine has no ::1: what needs IPv6")
  return has
}
