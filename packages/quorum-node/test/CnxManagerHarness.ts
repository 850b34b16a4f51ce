/** Connection managers to be tested over any transport, and a client that says what no manager would. */
import type { LinkChange, QuorumCnxManager as Manager } from "@conclave/quorum/QuorumCnxManager"
import * as QuorumCnxManager from "@conclave/quorum/QuorumCnxManager"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import { type Connection, Transport } from "@conclave/quorum/Transport"
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { text, utf8 } from "./TransportHarness.ts"

/** Where the peers of one test live, each at a host of its own. */
export interface Place {
  readonly host: (sid: bigint) => string
  /** The transport of who lives at a host. */
  readonly transport: (host: string) => Effect.Effect<Transport["Service"]>
}

/** Makes a place for one test, on the transport under test. */
export type MakePlace = Effect.Effect<Place, never, Scope.Scope>

/** A promise of the contract; `logged` is what people were told meanwhile, at level Info and above. */
export type Test = (place: Place, logged: ReadonlyArray<string>) => Effect.Effect<void, unknown, Scope.Scope>

/** Registers a promise of the contract as a test. */
export type Register = (promise: string, test: Test) => void

/** Runs a promise at a place of its own. */
export const run = (makePlace: MakePlace, test: Test) => {
  const logged: Array<string> = []
  const logger = Logger.make(({ message }) => void logged.push(String(message)))
  return Effect.flatMap(makePlace, (place) => test(place, logged)).pipe(Effect.provide(Logger.layer([logger])))
}

/** The election port of every peer; each has a host of its own. */
export const PORT = 3888

/** Peers of a test know each other as voters 1 to 5. */
export const address = ({ host }: Place, sid: bigint) => ({ host: host(sid), port: PORT })

/** A running manager. */
export interface Member {
  readonly sid: bigint
  readonly manager: Manager
  readonly stop: Effect.Effect<void>
}

/** What a manager may be given beyond its id. */
export type Options = NonNullable<Parameters<typeof QuorumConfig.layerVoters>[2]> & {
  readonly transport?: Transport["Service"]
}

/** Starts the manager of one of five voters. It lives as long as the test, unless it is stopped. */
export const start = Effect.fnUntraced(function*(place: Place, sid: bigint, options: Options = {}) {
  const { transport, ...settings } = options
  const voters = Object.fromEntries([1n, 2n, 3n, 4n, 5n].map((voter) => [`${voter}`, address(place, voter)]))
  const scope = yield* Scope.fork(yield* Effect.scope)
  const config = yield* Layer.build(QuorumConfig.layerVoters(sid, voters, settings))
  const manager = yield* QuorumCnxManager.make(Context.get(config, QuorumConfig.QuorumConfig).membership).pipe(
    Effect.provide(config),
    Effect.provideService(Transport, transport ?? (yield* place.transport(place.host(sid)))),
    Scope.provide(scope)
  )
  const member: Member = { sid, manager, stop: Scope.close(scope, Exit.void) }
  return member
})

/** Starts several managers. */
export const startAll = (place: Place, ...sids: ReadonlyArray<bigint>) =>
  Effect.forEach(sids, (sid) => start(place, sid))

/** Waits until a manager is connected with exactly these peers. */
export const connected = ({ manager }: Member, ...sids: ReadonlyArray<bigint>) =>
  Effect.scoped(Effect.gen(function*() {
    const changes = yield* manager.linkChanges
    const wanted = new Set(sids)
    while (wanted.symmetricDifference(yield* manager.connected).size > 0) yield* PubSub.take(changes)
  }))

/** Waits for the next change of this kind with this peer. */
export const change = Effect.fnUntraced(function*(
  changes: PubSub.Subscription<LinkChange>,
  tag: LinkChange["_tag"],
  sid: bigint
) {
  while (true) {
    const next = yield* PubSub.take(changes)
    if (next._tag === tag && next.sid === sid) return next
  }
})

/** Queues a message. */
export const send = ({ manager }: Member, to: bigint, message: string) => manager.toSend(to, utf8(message))

/** The next message, with its sender: `sid: text`. */
export const next = ({ manager }: Member) =>
  Effect.map(Queue.take(manager.recvQueue), ({ payload, sid }) => `${sid}: ${text(payload)}`)

/** Both can send to each other. The words must not have been said before. */
export const converse = Effect.fnUntraced(function*(one: Member, other: Member, words: string) {
  yield* send(one, other.sid, words)
  yield* until(other, `${one.sid}: ${words}`)
  yield* send(other, one.sid, words)
  yield* until(one, `${other.sid}: ${words}`)
})

/** Receives up to this message; what comes before it may be a last message that was sent again. */
export const until = Effect.fnUntraced(function*(member: Member, message: string) {
  while ((yield* next(member)) !== message);
})

// -----------------------------------------------------------------------------
// a client
// -----------------------------------------------------------------------------

/** Somebody who has dialled a manager. */
export interface Client extends Connection {
  readonly hangUp: Effect.Effect<void>
}

/** Dials a peer from a host where no peer lives. */
export const call = Effect.fnUntraced(function*(place: Place, sid: bigint) {
  const transport = yield* place.transport(place.host(99n))
  const scope = yield* Scope.fork(yield* Effect.scope)
  const connection = yield* Scope.provide(transport.dial(address(place, sid)), scope)
  const client: Client = { ...connection, hangUp: Scope.close(scope, Exit.void) }
  return client
})

/** A handshake, written here once more so that a mistake in the code is not repeated by its test. */
export const hello = (options: {
  readonly sid: bigint
  readonly text?: string
  readonly version?: bigint
  readonly length?: number
}): Uint8Array => {
  const { sid, text = "client:3888", version = -65536n } = options
  const bytes = Buffer.alloc(20 + text.length)
  bytes.writeBigInt64BE(version, 0)
  bytes.writeBigInt64BE(sid, 8)
  bytes.writeInt32BE(options.length ?? text.length, 16)
  bytes.write(text, 20)
  return bytes
}

/** The handshake of a 3.4 server. */
export const legacyHello = (sid: bigint): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(sid)
  return bytes
}

/** A frame, or the beginning of one that announces another length. */
export const frame = (payload: Uint8Array, length = payload.length): Uint8Array => {
  const bytes = Buffer.alloc(4 + payload.length)
  bytes.writeInt32BE(length)
  bytes.set(payload, 4)
  return bytes
}

/** The text of the next frame. */
export const nextFrame = Effect.fnUntraced(function*(connection: Connection) {
  const stream = reader(connection)
  return text(yield* stream((yield* stream(4)).readInt32BE()))
})

/** Takes exactly so many bytes at a time. Bytes it has pulled and not given belong to it. */
export const reader = (connection: Connection) => {
  let buffered: Buffer = Buffer.alloc(0)
  return Effect.fnUntraced(function*(length: number) {
    while (buffered.length < length) buffered = Buffer.concat([buffered, ...yield* connection.pull])
    const taken = buffered.subarray(0, length)
    buffered = buffered.subarray(length)
    return taken
  })
}

/** Waits for the end of a connection on which nothing was said. */
export const closedSilently = Effect.fnUntraced(function*(connection: Connection) {
  const said: Array<Uint8Array> = []
  yield* Effect.flip(Effect.forever(Effect.map(connection.pull, (chunks) => void said.push(...chunks))))
  assert.strictEqual(Buffer.concat(said).length, 0)
})
