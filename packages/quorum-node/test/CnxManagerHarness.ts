/** Connection managers to be tested over any transport, and a client that says what no manager would. */
import * as Ensemble from "../../core/src/Ensemble.ts"
import { majority } from "../../core/src/QuorumVerifier.ts"
import type { PeerStory } from "@conclave/quorum/LinkBook"
import type { LinkChange, QuorumCnxManager as Manager } from "@conclave/quorum/QuorumCnxManager"
import * as QuorumCnxManager from "@conclave/quorum/QuorumCnxManager"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import { type Address, type Connection, Transport } from "@conclave/quorum/Transport"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { accept, text, utf8 } from "./TransportHarness.ts"

/** Where the peers of one test live, each at a host of its own. */
export interface Place {
  readonly host: (sid: bigint) => string
  /** The transport of who lives at a host, and perhaps at others too. */
  readonly transport: (host: string, ...others: ReadonlyArray<string>) => Effect.Effect<Transport["Service"]>
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
  /** The addresses of those voters that live elsewhere than others expect. */
  readonly addresses?: Readonly<Record<string, ReadonlyArray<Address>>>
}

const voters = [1n, 2n, 3n, 4n, 5n]

/** Starts the manager of one of five voters. It lives as long as the test, unless it is stopped. */
export const start = Effect.fnUntraced(function*(place: Place, sid: bigint, options: Options = {}) {
  const { addresses = {}, transport, ...settings } = options
  const servers = voters.map((voter) => {
    const own = addresses[`${voter}`] ?? [address(place, voter)]
    const list = own.map(({ host, port }) => ({ host, quorumPort: 0, electionPort: port }))
    return { sid: voter, role: "participant", addresses: list, clientAddress: null } as const
  })
  const scope = yield* Scope.fork(yield* Effect.scope)
  const membership = Ensemble.membership({ mySid: sid, committed: majority({ servers }) })
  const ensemble = Ensemble.make({ ...settings, mySid: sid })
  const manager = yield* QuorumCnxManager.make(membership).pipe(
    Effect.provide(QuorumConfig.layer({ ...settings, ensemble, membership })),
    Effect.provideService(Transport, transport ?? (yield* place.transport(place.host(sid)))),
    Scope.provide(scope)
  )
  const member: Member = { sid, manager, stop: Scope.close(scope, Exit.void) }
  return member
})

/** The dials of some managers that have led to a connection which is still held, as `dialler to dialled`. */
export type Dials = SubscriptionRef.SubscriptionRef<ReadonlyArray<string>>

/** Starts a manager whose dials are counted. */
export const startCounted = Effect.fnUntraced(function*(place: Place, sid: bigint, open: Dials) {
  const transport = yield* place.transport(place.host(sid))
  const dial: typeof transport.dial = (to) => {
    const name = `${sid} to ${voters.find((one) => place.host(one) === to.host)}`
    const add = SubscriptionRef.update(open, (now) => [...now, name])
    const remove = SubscriptionRef.update(open, (now) => now.toSpliced(now.indexOf(name), 1))
    return Effect.tap(transport.dial(to), () => Effect.acquireRelease(add, () => remove))
  }
  return yield* start(place, sid, { transport: { ...transport, dial } })
})

/** Waits until there is one connection of each pair of these, dialled by the larger id, and no other. */
export const onePerPair = (open: Dials, ...sids: ReadonlyArray<bigint>) => {
  const wanted = sids.flatMap((sid) => sids.filter((other) => other < sid).map((other) => `${sid} to ${other}`))
  return SubscriptionRef.changes(open).pipe(
    Stream.filter((now) => now.length === wanted.length && wanted.every((pair) => now.includes(pair))),
    Stream.runHead
  )
}

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

/** What a manager tells of its connections with a peer. */
export const storyOf = ({ manager }: Member, sid: bigint) =>
  Effect.map(manager.stories, (stories) => stories.find((story) => story.sid === sid))

// How often to look at what nobody is told of when it changes.
const LOOK_AGAIN = "2 millis"

/** Waits until what a manager tells of a peer is as wanted. */
export const storyWhen = Effect.fnUntraced(function*(
  member: Member,
  sid: bigint,
  holds: (story: PeerStory) => boolean
) {
  while (true) {
    const story = yield* storyOf(member, sid)
    if (story !== undefined && holds(story)) return story
    yield* Effect.sleep(LOOK_AGAIN)
  }
})

/** Waits until so many connections have been turned away, and says why. */
export const rejected = Effect.fnUntraced(function*({ manager }: Member, count: number) {
  while (true) {
    const rejections = Object.fromEntries(yield* manager.rejections)
    if (Object.values(rejections).reduce((sum, one) => sum + one, 0) >= count) return rejections
    yield* Effect.sleep(LOOK_AGAIN)
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

/** Listens where a peer would, and gives who calls there. */
export const listen = Effect.fnUntraced(function*(place: Place, sid: bigint) {
  const transport = yield* place.transport(place.host(sid))
  return yield* accept(yield* transport.listen(address(place, sid)))
})

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
