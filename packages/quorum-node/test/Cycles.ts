/** Connections that come and go by the thousand, through one manager, and what is left of them. */
import { Transport } from "@conclave/quorum/Transport"
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as NodeTransport from "../src/NodeTransport.ts"
import { dialAndSay, listen, provoke } from "./Attackers.ts"
import { address, frame, hello, type Member, type Place, PORT, start } from "./CnxManagerHarness.ts"
import * as Footprint from "./Footprint.ts"
import { randomNet } from "./TcpEnsemble.ts"
import { utf8 } from "./TransportHarness.ts"

/** What one manager holds between two cycles. */
export interface Held extends Footprint.Footprint {
  /** In bytes, after all was collected that can be. */
  readonly heap: number
  readonly connected: number
  readonly stories: number
  /** Has it an outbox, empty or not? */
  readonly outboxes: boolean
}

/** What was held before and after, and how often the manager turned somebody away, by reason. */
export interface Figures {
  readonly cycles: number
  readonly before: Held
  readonly after: Held
  readonly rejections: ReadonlyMap<string, number>
}

/** Cycles under way at a time: fewer than the 20 unknown servers that a manager is connected with. */
const WORKERS = 8

/** The manager under test. Who dials it has another id every time, and is known to nobody. */
const MY_SID = 2n

/** At whose host nobody listens. */
const NOWHERE = 99n

/** Goes through so many cycles until all is warm, then through so many more. */
export const run = Effect.fnUntraced(function*(warmUp: number, cycles: number) {
  const transport = yield* Layer.build(NodeTransport.layerTcp())
  const net = randomNet()
  const place: Place = {
    host: (sid) => `${net}.${sid}`,
    transport: () => Effect.succeed(Context.get(transport, Transport))
  }
  const footprint = yield* Footprint.make
  const member = yield* footprint.count(start(place, MY_SID))
  yield* Effect.forkScoped(Effect.forever(answer(member)))
  const workers = yield* Effect.forEach(Array.from({ length: WORKERS }), (_, n) => makeWorker(place, n))
  let begun = 0
  const cycleUntil = (count: number) =>
    Effect.forEach(workers, (cycle) =>
      Effect.gen(function*() {
        while (begun < count) yield* cycle(begun++)
      }), { concurrency: "unbounded", discard: true })
  yield* cycleUntil(warmUp)
  const before = yield* held(member, footprint)
  yield* cycleUntil(warmUp + cycles)
  const after = yield* held(member, footprint)
  const figures: Figures = { cycles: begun, before, after, rejections: yield* member.manager.rejections }
  return figures
})

/** Everything must be as before; the heap may have grown by so many bytes. */
export const check = ({ after, before, cycles, rejections }: Figures, growthMax: number): void => {
  assert.deepStrictEqual({ ...after, heap: 0 }, { ...before, heap: 0 })
  assert.deepInclude(after, { sleepers: 0, connected: 0, stories: 0, outboxes: false })
  // One in ten ends within its handshake, and nobody else is turned away.
  assert.deepStrictEqual(rejections, new Map([["ClosedEarly", cycles / 10]]))
  assert.isAtMost(after.heap - before.heap, growthMax)
}

/** The figures in one line. */
export const show = ({ after, before, cycles }: Figures): string =>
  `${cycles} cycles; heap ${kib(before.heap)} before, ${kib(after.heap)} after; ` +
  `sockets ${before.sockets} and ${after.sockets}, fibers ${before.fibers} and ${after.fibers}`

const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const answer = ({ manager }: Member) =>
  Effect.flatMap(Queue.take(manager.recvQueue), ({ sid }) => manager.toSend(sid, utf8("answer")))

// One cycle after another: a handshake, a frame each way, and an end in good order or by a reset. In turn, somebody
// with a larger id comes and goes, or is replaced by itself; somebody with a smaller one is dialled back and answers,
// or refuses; and somebody does not even get through its handshake.
const makeWorker = Effect.fnUntraced(function*(place: Place, worker: number) {
  const at = address(place, MY_SID)
  const own = { host: place.host(BigInt(100 + worker)), port: PORT }
  const { nextCall } = yield* listen(own)
  const converse = Effect.fnUntraced(function*(sid: bigint, inOrder: boolean) {
    const line = yield* dialAndSay(at, Buffer.concat([hello({ sid }), frame(utf8("question"))]))
    yield* line.answered
    if (inOrder) line.hangUp()
    else line.reset()
    yield* line.gone
  })
  return (n: number): Effect.Effect<void> => {
    const sid = BigInt(1_000 + n)
    switch (n % 5) {
      case 0:
        return Effect.scoped(converse(sid, true))
      case 1:
        return Effect.scoped(converse(sid, false))
      case 2:
        return Effect.scoped(Effect.gen(function*() {
          const older = yield* dialAndSay(at, Buffer.concat([hello({ sid }), frame(utf8("question"))]))
          yield* older.answered
          yield* converse(sid, true)
          yield* older.gone
        }))
      case 3:
        return Effect.scoped(Effect.gen(function*() {
          yield* provoke(at, hello({ sid: -sid, text: `${own.host}:${own.port}` }))
          const line = yield* nextCall
          yield* line.answered
          line.say(frame(utf8("question")))
          yield* line.answered
          if (n % 2 === 0) line.hangUp()
          else line.reset()
          yield* line.gone
        }))
      default:
        if (n % 2 === 0) return provoke(at, hello({ sid: -sid, text: `${place.host(NOWHERE)}:${PORT}` }))
        return Effect.scoped(Effect.gen(function*() {
          const line = yield* dialAndSay(at, hello({ sid }).subarray(0, 19))
          yield* line.connected
          line.reset()
          yield* line.gone
        }))
    }
  }
})

const held = Effect.fnUntraced(function*({ manager }: Member, footprint: Footprint.Counter) {
  yield* Footprint.until("all gone", manager.connected, ({ size }) => size === 0)
  const now = yield* Footprint.until("quiet", footprint.now, ({ sleepers }) => sleepers === 0)
  const figures: Held = {
    ...now,
    connected: (yield* manager.connected).size,
    stories: (yield* manager.stories).length,
    outboxes: (yield* manager.haveDelivered) || (yield* manager.undelivered).size > 0,
    heap: yield* Footprint.heapUsed
  }
  return figures
})
