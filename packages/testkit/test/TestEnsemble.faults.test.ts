import { assert, describe, it } from "@effect/vitest"
import * as Leadership from "@conclave/quorum/Leadership"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestEnsemble from "../src/TestEnsemble.ts"
import { withEnsemble } from "./WithEnsemble.ts"

type Ensemble = TestEnsemble.TestEnsemble["Service"]

/** What guarded work has done, and where. */
interface Note {
  readonly sid: bigint
  readonly epoch: bigint
  readonly what: "begins" | "step" | "ends"
}

/** Guarded work that takes a step every second, and notes what it does. */
const noting = (notes: Array<Note>) =>
  Leadership.singleton(({ epoch }) =>
    Effect.flatMap(Leadership.Leadership, ({ sid }) => {
      const note = (what: Note["what"]) => Effect.sync(() => void notes.push({ sid, epoch, what }))
      const steps = Effect.forever(Effect.delay(note("step"), "1 second"))
      return Effect.andThen(note("begins"), Effect.ensuring(steps, note("ends")))
    }))

const millis = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const before = yield* Clock.currentTimeMillis
    yield* effect
    return (yield* Clock.currentTimeMillis) - before
  })

const connectionsOf = ({ network }: Ensemble, sid: bigint) =>
  Effect.map(network.connections, (all) =>
    all.filter(({ from, to }) => `${from} ${to}`.includes(`${TestEnsemble.host(sid)}:`)))

const of = (notes: ReadonlyArray<Note>, sid: bigint) => notes.filter((note) => note.sid === sid)

describe("a replica that ends", () => {
  it.effect("in good order ends its work, and another takes over at once", withEnsemble(
    {},
    Effect.fnUntraced(function*(e) {
      const notes: Array<Note> = []
      yield* e.deploy(noting(notes))
      const first = yield* e.awaitLeader()
      assert.isBelow(yield* millis(Effect.andThen(e.stop(3n), e.awaitLeader({ after: first }))), 100)
      assert.deepStrictEqual(notes.map(({ sid, what }) => `${sid} ${what}`), ["3 begins", "3 ends", "2 begins"])
    })
  ))

  it.effect("by a crash ends nothing, and another takes over soon", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const notes: Array<Note> = []
    yield* e.deploy(noting(notes))
    const first = yield* e.awaitLeader()
    assert.isBelow(yield* millis(Effect.andThen(e.crash(3n), e.awaitLeader({ after: first }))), 1_000)
    yield* e.advance("1 minute")
    assert.deepStrictEqual(of(notes, 3n).map(({ what }) => what), ["begins"])
    const left = (yield* connectionsOf(e, 3n)).filter(({ from }) => from.startsWith(TestEnsemble.host(3n)))
    assert.deepStrictEqual(left, [], "nothing is left of it")
    // Its epoch was on the disk, and so is that of the others.
    for (const sid of [1n, 2n]) yield* e.crash(sid)
    for (const sid of e.sids) yield* e.start(sid)
    assert.deepStrictEqual(yield* e.awaitLeader(), { sid: 2n, epoch: 3n })
  })))

  it.effect("with its machine is missed when it is silent for too long", withEnsemble(
    {},
    Effect.fnUntraced(function*(e) {
      const first = yield* e.awaitLeader()
      const gone = yield* millis(Effect.andThen(e.vanish(3n), e.awaitLeader({ after: first })))
      assert.isAbove(gone, 8_000)
      assert.isBelow(gone, 13_000)
      const half = yield* connectionsOf(e, 3n)
      assert.isNotEmpty(half, "nobody has told the others that it is gone")
      yield* e.heal
      yield* e.restart(3n)
      const old = new Set(half.map(({ from }) => from))
      assert.isFalse((yield* connectionsOf(e, 3n)).some(({ from }) => old.has(from)))
      yield* e.until(Effect.map(e.statuses, (statuses) => statuses.get(3n)?._tag === "FOLLOWING"))
    })
  ))

  it.effect.each([{ syncTime: 1, epoch: 2n }, { syncTime: 1_000, epoch: 1n }])(
    "has what was written by then ($syncTime ms)",
    ({ epoch, syncTime }) =>
      withEnsemble({ syncTime }, Effect.fnUntraced(function*(e) {
        // Elected at 200 ms; the epoch is on its way to the disks.
        yield* e.advance("700 millis")
        for (const sid of e.sids) yield* e.crash(sid)
        yield* e.advance("1 minute")
        for (const sid of e.sids) yield* e.start(sid)
        assert.strictEqual((yield* e.awaitLeader()).epoch, epoch)
      }))()
  )
})

describe("a replica that is paused", () => {
  const lease = { duration: 8_000 }

  it.effect.each([{ lease: null, steps: 2 }, { lease, steps: 0 }])(
    "does nothing, and finds out when it goes on (lease $lease)",
    ({ lease, steps }) =>
      withEnsemble({ lease }, Effect.fnUntraced(function*(e) {
        const notes: Array<Note> = []
        yield* e.deploy(noting(notes))
        const first = yield* e.awaitLeader()
        yield* e.advance("3500 millis")
        const before = of(notes, 3n).length
        assert.strictEqual(before, 4)
        yield* e.pause(3n)
        const second = yield* e.awaitLeader({ after: first })
        yield* e.advance("1 minute")
        assert.strictEqual(of(notes, 3n).length, before)
        assert.deepStrictEqual(yield* e.leader, second)
        yield* e.resume(3n)
        yield* e.until(Effect.map(e.statuses, (statuses) => statuses.get(3n)?._tag === "FOLLOWING"))
        // The step that was due is taken late, and more until the peer hears of others; unless a lease has run out.
        const after = of(notes, 3n).slice(before).map(({ what }) => what)
        assert.deepStrictEqual(after, [...Array(steps).fill("step"), "ends"])
      }))()
  )

  it.effect("may be so by its own service, between two steps", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const done: Array<string> = []
    const step = (what: string) => Effect.sync(() => void done.push(what))
    const job = Effect.gen(function*() {
      yield* step("before")
      yield* Effect.andThen(e.pause(1n), Effect.yieldNow)
      yield* step("after")
    })
    yield* e.fork(1n, job)
    yield* e.advance("1 minute")
    assert.deepStrictEqual(done, ["before"])
    yield* e.resume(1n)
    yield* e.until(() => done.length === 2)
  })))

  it.effect("is not woken by what comes from outside", withEnsemble({}, Effect.fnUntraced(function*(e) {
    let answer = () => {}
    let answered = false
    const call = Effect.callback<void>((resume) => {
      answer = () => resume(Effect.void)
    })
    const calling = yield* e.fork(1n, Effect.map(call, () => void (answered = true)))
    yield* e.pause(1n)
    answer()
    yield* e.advance("1 minute")
    assert.isFalse(answered)
    yield* e.crash(1n)
    yield* e.advance("1 minute")
    assert.isUndefined(calling.pollUnsafe(), "who is dead does not even end")
  })))
})

describe("guarded work that is answered while its process is paused", () => {
  it.effect("does not learn of its lease", withEnsemble({ lease: { duration: 8_000 } }, Effect.fnUntraced(
    function*(e) {
      let answer = () => {}
      const ends: Array<string> = []
      const work = Effect.callback<void>((resume) => {
        answer = () => resume(Effect.void)
      })
      const wait = Effect.onExit(work, ({ _tag }) => Effect.sync(() => void ends.push(_tag)))
      yield* e.deploy(Leadership.singleton(wait))
      yield* e.awaitLeader()
      yield* e.pause(3n)
      const late = answer
      yield* e.advance("1 minute")
      late()
      yield* e.advance("1 minute")
      assert.deepStrictEqual(ends, [])
      yield* e.resume(3n)
      yield* e.until(() => ends.length > 0)
      assert.deepStrictEqual(ends, ["Failure"])
    }
  )))
})

describe("a clock", () => {
  it.effect.each([1, 2, 0.5, 1.01, 0.3])("may run at a rate of %s", (rate) =>
    withEnsemble({}, Effect.fnUntraced(function*(e) {
      let beats = 0
      yield* e.skewClock(1n, rate)
      yield* e.fork(1n, Effect.forever(Effect.delay(Effect.sync(() => void beats++), "1 second")))
      yield* e.advance("100 seconds")
      assert.strictEqual(yield* e.run(1n, Clock.currentTimeMillis), 100_000 * rate)
      assert.strictEqual(yield* e.run(2n, Clock.currentTimeMillis), 100_000)
      // Who sleeps is woken within a microsecond after the time, each time anew.
      yield* e.advance("1 milli")
      assert.strictEqual(beats, 100 * rate)
    }))())

  it.effect("may change its mind while somebody sleeps by it", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const woken: Array<number> = []
    const sleep = (sid: bigint, seconds: number) =>
      e.fork(sid, Effect.andThen(Effect.sleep(`${seconds} seconds`), Effect.sync(() => void woken.push(seconds))))
    yield* sleep(1n, 30)
    yield* sleep(2n, 20)
    yield* e.advance("10 seconds")
    yield* e.skewClock(1n, 4)
    yield* e.advance("5 seconds")
    assert.deepStrictEqual(woken, [30])
    yield* e.skewClock(2n, 0.1)
    yield* e.advance("49 seconds")
    assert.deepStrictEqual(woken, [30])
    yield* e.advance("1 second")
    assert.deepStrictEqual(woken, [30, 20])
  })))

  it.effect("outlives the process", withEnsemble({}, Effect.fnUntraced(function*(e) {
    yield* e.skewClock(1n, 2)
    yield* e.advance("10 seconds")
    yield* e.restart(1n)
    yield* e.advance("10 seconds")
    assert.strictEqual(yield* e.run(1n, Clock.currentTimeMillis), 40_000)
  })))
})

describe("the network", () => {
  it.effect("falls apart into groups, one of them of the rest", withEnsemble({ voters: 5 }, Effect.fnUntraced(
    function*(e) {
      const first = yield* e.awaitLeader()
      assert.strictEqual(first.sid, 5n)
      yield* e.partition([5n], [1n])
      const second = yield* e.awaitLeader({ after: first })
      assert.strictEqual(second.sid, 4n)
      // What is said last holds: whoever was cut off before can talk again.
      yield* e.partition([4n, 3n])
      const third = yield* e.awaitLeader({ after: second })
      assert.include([1n, 2n, 5n], third.sid)
      yield* e.heal
      const together = (tag: string) => Effect.map(e.statuses, (all) =>
        Array.from(all.values()).filter(({ _tag }) => _tag === tag).length === 4)
      yield* e.until(together("FOLLOWING"))
      assert.deepStrictEqual(yield* e.leader, third)
    }
  )))

  it.effect("may be broken in one direction", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const first = yield* e.awaitLeader()
    yield* e.partitionOneWay([3n], [1n, 2n])
    const second = yield* e.awaitLeader({ after: first })
    assert.strictEqual(second.sid, 2n)
    const lines = (yield* e.log).filter((line) => !line.includes("replica"))
    assert.deepStrictEqual(lines, ["    0.004 s  nothing gets from {3} to {1, 2} any more"])
  })))
})

describe("a course of events", () => {
  const script = (seed: string) =>
    Effect.gen(function*() {
      const e = yield* TestEnsemble.TestEnsemble
      const notes: Array<Note> = []
      yield* e.deploy(noting(notes))
      const first = yield* e.awaitLeader()
      yield* e.partition([first.sid], [1n])
      const second = yield* e.awaitLeader({ after: first })
      yield* e.pause(1n)
      yield* e.skewClock(2n, 1.1)
      yield* e.advance("20 seconds")
      yield* e.crash(second.sid)
      yield* e.heal
      yield* e.resume(1n)
      yield* e.advance("20 seconds")
      yield* e.restart(second.sid)
      yield* e.elect
      yield* e.advance("20 seconds")
      return { log: yield* e.log, notes }
    }).pipe(Effect.provide(TestEnsemble.layer({ voters: 5, seed })))

  it.effect("is the same each time", () =>
    Effect.gen(function*() {
      const { log, notes } = yield* script("a")
      assert.isAbove(log.length, 80)
      assert.isAbove(notes.length, 50)
      for (let run = 0; run < 3; run++) assert.deepStrictEqual(yield* script("a"), { log, notes })
    }))
})
