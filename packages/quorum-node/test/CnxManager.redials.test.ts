import { DialError } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import {
  call,
  change,
  connected,
  hello,
  type Member,
  next,
  type Options,
  type Place,
  send,
  start
} from "./CnxManagerHarness.ts"
import { memory } from "./CnxManagerPlaces.ts"

// So much virtual time passes at a time; what happens is seen that much too late at most.
const TICK_MS = 5

const pass = Effect.fnUntraced(function*(millis: number) {
  for (let passed = 0; passed < millis; passed += TICK_MS) {
    yield* TestClock.adjust(TICK_MS)
    yield* Effect.yieldNow
  }
})

// Server 2, and when it dialled whom.
const startTimed = Effect.fnUntraced(function*(place: Place, options: Options = {}) {
  const transport = options.transport ?? (yield* place.transport(place.host(2n)))
  const dials: Array<{ readonly host: string; readonly at: number }> = []
  const two = yield* start(place, 2n, {
    ...options,
    transport: {
      ...transport,
      dial: (to) =>
        Effect.andThen(
          Effect.map(Clock.currentTimeMillis, (at) => void dials.push({ host: to.host, at })),
          transport.dial(to)
        )
    }
  })
  const pauses = (host: string) => {
    const times = dials.filter((dial) => dial.host === host).map(({ at }) => at)
    return times.slice(1).map((time, index) => time - times[index]!)
  }
  return { two, dials, pauses }
})

const want = ({ manager }: Member, ...sids: ReadonlyArray<bigint>) => manager.want(new Set(sids))

// The longest pauses in order; half of each is by chance.
const LONGEST = [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000]

const assertGrowing = (pauses: ReadonlyArray<number>) => {
  assert.isAtLeast(pauses.length, LONGEST.length)
  for (const [index, longest] of LONGEST.entries()) {
    assert.isAtLeast(pauses[index]!, longest / 2, `pause ${index} of ${pauses}`)
    assert.isAtMost(pauses[index]!, longest + TICK_MS, `pause ${index} of ${pauses}`)
  }
}

const test = (promise: string, body: (place: Place) => Effect.Effect<void, unknown, Effect.Services<typeof memory>>) =>
  it.effect(promise, () => Effect.flatMap(memory, body))

describe("whom a peer wants and cannot reach", () => {
  test("it dials with growing pauses, up to two seconds", Effect.fnUntraced(function*(place) {
    yield* place.transport(place.host(1n))
    const { pauses, two } = yield* startTimed(place)
    yield* want(two, 1n)
    yield* pass(25_000)
    assertGrowing(pauses(place.host(1n)))
  }))

  test("it dials each at its own pace, and one that is silent when the dial is over", Effect.fnUntraced(
    function*(place) {
      const transport = yield* place.transport(place.host(2n))
      const { pauses, two } = yield* startTimed(place, {
        transport: {
          ...transport,
          dial: (to) =>
            to.host === place.host(3n)
              ? Effect.never
              : Effect.fail(new DialError({ address: to.host, reason: "Refused", cause: new Error("refused") }))
        }
      })
      yield* want(two, 1n, 3n)
      yield* pass(22_000)
      assertGrowing(pauses(place.host(1n)))
      const silent = pauses(place.host(3n))
      assert.strictEqual(silent.length, 4)
      for (const [index, pause] of silent.slice(0, 3).entries()) {
        assert.isAtLeast(pause, 5_000 + LONGEST[index]! / 2)
        assert.isAtMost(pause, 5_000 + LONGEST[index]! + TICK_MS)
      }
    }
  ))

  test("it dials no longer when it wants them no longer", Effect.fnUntraced(function*(place) {
    const { dials, two } = yield* startTimed(place)
    yield* want(two, 1n, 3n)
    yield* pass(1_000)
    yield* want(two, 3n)
    const { length } = dials
    yield* pass(30_000)
    const later = dials.slice(length).map(({ host }) => host)
    assert.isAtLeast(later.length, 10)
    assert.notInclude(later, place.host(1n))
    yield* want(two)
    dials.length = 0
    yield* pass(60_000)
    assert.deepStrictEqual(dials, [])
  }))

  test("it dials at once when it wants them anew, and with short pauses again", Effect.fnUntraced(function*(place) {
    const { dials, pauses, two } = yield* startTimed(place)
    yield* want(two, 1n)
    yield* pass(20_000)
    dials.length = 0
    const now = yield* Clock.currentTimeMillis
    yield* want(two, 1n)
    assert.deepStrictEqual(dials, [{ host: place.host(1n), at: now }])
    yield* pass(25_000)
    assertGrowing(pauses(place.host(1n)))
  }))

  test("it does not dial after its end", Effect.fnUntraced(function*(place) {
    const { dials, two } = yield* startTimed(place)
    yield* want(two, 1n, 3n)
    yield* pass(1_000)
    yield* two.stop
    dials.length = 0
    yield* pass(60_000)
    assert.deepStrictEqual(dials, [])
  }))
})

describe("whom a peer wants and has lost", () => {
  test("it dials at once when the connection was of use, and with short pauses", Effect.fnUntraced(function*(place) {
    yield* place.transport(place.host(1n))
    const { dials, pauses, two } = yield* startTimed(place)
    yield* want(two, 1n)
    yield* pass(20_000)
    const one = yield* start(place, 1n)
    yield* pass(2_500)
    yield* connected(two, 1n)
    yield* send(one, 2n, "of use")
    assert.strictEqual(yield* next(two), "1: of use")
    dials.length = 0
    const now = yield* Clock.currentTimeMillis
    const changes = yield* two.manager.linkChanges
    yield* one.stop
    yield* change(changes, "DialFailed", 1n)
    assert.deepStrictEqual(dials, [{ host: place.host(1n), at: now }])
    yield* pass(25_000)
    assertGrowing(pauses(place.host(1n)))
  }))

  test("it dials later, and later still, when no message ever came", Effect.fnUntraced(function*(place) {
    yield* place.transport(place.host(3n))
    const { dials, two } = yield* startTimed(place)
    yield* want(two, 3n)
    // Whoever calls itself 3 hangs up at once, every time.
    const waits: Array<number> = []
    for (let time = 0; time < 8; time++) {
      const caller = yield* call(place, 2n)
      yield* caller.write(hello({ sid: 3n }))
      yield* connected(two, 3n)
      dials.length = 0
      const hungUp = yield* Clock.currentTimeMillis
      yield* caller.hangUp
      yield* connected(two)
      assert.deepStrictEqual(dials, [])
      while (dials.length === 0) yield* pass(TICK_MS)
      waits.push(dials[0]!.at - hungUp)
    }
    // Each time a dial fails and then a connection is of no use: the fourth pause is the longest already.
    for (const wait of waits.slice(4)) assert.isAtLeast(wait, 1_000)
  }))

  test("it calls again when it has yielded and is not dialled back", Effect.fnUntraced(function*(place) {
    const { pauses, two } = yield* startTimed(place)
    const transport = yield* place.transport(place.host(3n))
    const listener = yield* transport.listen({ host: place.host(3n), port: 3888 })
    let calls = 0
    yield* Effect.forkScoped(
      listener.run((connection) => Effect.map(Effect.ignore(closed(connection)), () => void calls++)),
      { startImmediately: true }
    )
    yield* want(two, 3n)
    yield* pass(25_000)
    assertGrowing(pauses(place.host(3n)))
    assert.isAtLeast(calls, LONGEST.length)
  }))
})

const closed = ({ pull }: { readonly pull: Effect.Effect<unknown, unknown> }) => Effect.forever(pull)
