import { assert, describe, it, layer } from "@effect/vitest"
import * as Leadership from "@conclave/quorum/Leadership"
import { TransferRefused } from "@conclave/quorum/Tenure"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import * as VirtualTime from "../src/internal/ensemble/VirtualTime.ts"
import { NotReached } from "../src/NotReached.ts"
import * as TestEnsemble from "../src/TestEnsemble.ts"
import { withEnsemble } from "./WithEnsemble.ts"

type Ensemble = TestEnsemble.TestEnsemble["Service"]

/** What a defect says; a test that asks for nonsense is told so. */
const defectOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.exit(effect), (exit) =>
    exit._tag === "Failure" && exit.cause.reasons[0]?._tag === "Die" ? String(exit.cause.reasons[0].defect) : "none")

const states = (ensemble: Ensemble) =>
  Effect.map(ensemble.statuses, (statuses) => Array.from(statuses, ([sid, { _tag }]) => `${sid} ${_tag}`))

describe("an ensemble", () => {
  it.effect("has a leader, whom the others follow", withEnsemble({ observers: 1 }, Effect.fnUntraced(function*(e) {
    assert.deepStrictEqual(e.sids, [1n, 2n, 3n, 4n])
    assert.isNull(yield* e.leader)
    const leader = yield* e.awaitLeader()
    assert.deepStrictEqual(leader, { sid: 3n, epoch: 1n })
    assert.deepStrictEqual(yield* e.leader, leader)
    yield* e.advance("1 second")
    assert.deepStrictEqual(yield* states(e), ["1 FOLLOWING", "2 FOLLOWING", "3 LEADING", "4 OBSERVING"])
  })))

  it.effect("may start with some of its replicas", withEnsemble({ started: [1n, 2n] }, Effect.fnUntraced(function*(e) {
    assert.strictEqual((yield* e.awaitLeader()).sid, 2n)
    assert.deepStrictEqual(yield* states(e), ["1 FOLLOWING", "2 LEADING"])
    yield* e.start(3n)
    yield* e.until(Effect.map(states(e), (all) => all.includes("3 FOLLOWING")))
    assert.match(yield* defectOf(e.start(3n)), /replica 3 runs; stop or crash it first/)
  })))

  it.effect("prefers whose log goes furthest", withEnsemble(
    { position: (sid) => Effect.succeed(sid === 1n ? 7n : 6n) },
    Effect.fnUntraced(function*(e) {
      assert.strictEqual((yield* e.awaitLeader()).sid, 1n)
    })
  ))

  it.effect("does not come up with a configuration that is of no use", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(TestEnsemble.layer({ lease: { duration: 1 } }))))
      assert.strictEqual(error._tag, "UselessLease")
      assert.match(yield* defectOf(Effect.scoped(Layer.build(TestEnsemble.layer({ voters: 0 })))), /at least one voter/)
    }))

  it.effect("elects anew, and hands over, when asked to", withEnsemble(
    { observers: 1 },
    Effect.fnUntraced(function*(e) {
      yield* e.awaitLeader()
      assert.deepStrictEqual(yield* e.elect, { sid: 3n, epoch: 2n })
      assert.deepStrictEqual(yield* e.transferTo(1n), { sid: 1n, epoch: 3n })
      const refused = yield* Effect.flip(e.transferTo(4n))
      assert.deepStrictEqual(refused, new TransferRefused({ to: 4n, problem: "NotElectable" }))
    })
  ))

  it.effect("tells what it waited for in vain", withEnsemble({ started: [1n] }, Effect.fnUntraced(function*(e) {
    const error = yield* Effect.flip(e.awaitLeader({ within: "3 seconds" }))
    assert.instanceOf(error, NotReached)
    assert.strictEqual(yield* Clock.currentTimeMillis, 3_000)
    const lines = error.message.split("\n")
    assert.deepStrictEqual(lines.slice(0, 5), [
      "not reached within 3 s: a leader",
      "  replica 1: LOOKING: just started",
      "  replica 2 is down",
      "  replica 3 is down",
      "before that:"
    ])
    assert.include(lines, "  00:00:00.000 server 1 looked, and decided for nobody")
    assert.include(lines, "      0.000 s  replica 1: starts")
  })))

  it.effect("says what is wrong with a question", withEnsemble({ started: [1n, 2n] }, Effect.fnUntraced(function*(e) {
    assert.match(yield* defectOf(e.crash(9n)), /there is no replica 9; there are 1, 2, 3/)
    assert.match(yield* defectOf(e.stop(3n)), /replica 3 is down; start it first/)
    assert.match(yield* defectOf(e.skewClock(1n, 0)), /cannot run at a rate of 0/)
    assert.match(yield* defectOf(e.partition([1n], [1n, 2n])), /in two groups/)
    yield* e.pause(1n)
    assert.match(yield* defectOf(e.stop(1n)), /replica 1 is paused and cannot stop; resume it first/)
  })))
})

layer(TestEnsemble.layer())("an ensemble of several tests", (it) => {
  it.effect("lives in them", () => TestEnsemble.TestEnsemble.use((e) => Effect.asVoid(e.awaitLeader())))

  it.effect("and between them", () =>
    TestEnsemble.TestEnsemble.use(Effect.fnUntraced(function*(e) {
      assert.deepStrictEqual(yield* e.leader, { sid: 3n, epoch: 1n })
      yield* TestClock.adjust("1 second")
      assert.isAbove(yield* Clock.currentTimeMillis, 1_000)
    })))
})

describe("time", () => {
  it.effect("moves when the test says so, and then for everybody", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const slept = yield* Effect.forkChild(Effect.andThen(Effect.sleep("90 seconds"), Clock.currentTimeMillis))
    yield* e.advance("1 minute")
    assert.strictEqual(yield* Clock.currentTimeMillis, 60_000)
    assert.strictEqual(yield* e.run(1n, Clock.currentTimeMillis), 60_000)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* Clock.currentTimeMillis, 120_000)
    assert.strictEqual(yield* Fiber.join(slept), 90_000)
    yield* TestClock.setTime(125_000)
    assert.strictEqual(yield* Clock.currentTimeMillis, 125_000)
    assert.isAbove(yield* TestClock.withLive(Clock.currentTimeMillis), 1_600_000_000_000)
  })))

  it.effect("stands still once what was waited for holds", withEnsemble({}, Effect.fnUntraced(function*(e) {
    let due = false
    yield* e.fork(2n, Effect.map(Effect.sleep("7123 millis"), () => void (due = true)))
    yield* e.until(() => due)
    assert.strictEqual(yield* Clock.currentTimeMillis, 7_123)
    yield* e.until(() => due)
    assert.strictEqual(yield* Clock.currentTimeMillis, 7_123)
    // Work that is under way is no reason to let time pass.
    let done = false
    yield* e.fork(2n, Effect.andThen(Effect.yieldNow, Effect.sync(() => void (done = true))))
    yield* e.until(() => done)
    assert.strictEqual(yield* Clock.currentTimeMillis, 7_123)
  })))

  it.effect("wakes who began to sleep first, first", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const woken: Array<bigint> = []
    for (const sid of [2n, 3n, 1n]) {
      yield* e.fork(sid, Effect.andThen(Effect.sleep("5 seconds"), Effect.sync(() => void woken.push(sid))))
    }
    yield* e.advance("5 seconds")
    assert.deepStrictEqual(woken, [2n, 3n, 1n])
  })))

  it.effect("waits for promises, and for all work that is left", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const steps = Effect.gen(function*() {
      yield* Effect.sleep("1 second")
      for (let i = 0; i < 5; i++) yield* Effect.promise(() => Promise.resolve())
      for (let i = 0; i < 5; i++) yield* Effect.yieldNow
      return yield* Clock.currentTimeMillis
    })
    assert.strictEqual(yield* e.run(1n, steps), 1_000)
  })))

  it.effect("does not pass while somebody loops, and that is told", () =>
    Effect.gen(function*() {
      const time = VirtualTime.make()
      yield* Effect.forkChild(Effect.forever(Effect.yieldNow)).pipe(
        Effect.provideService(Scheduler.Scheduler, time.scheduler)
      )
      assert.match(yield* defectOf(time.step(1)), /at 0 s the work of one instant does not end/)
    }))
})

describe("a service", () => {
  class Shared extends Context.Service<Shared, { readonly built: Array<string> }>()("Shared") {}
  class Own extends Context.Service<Own, { readonly sid: bigint; readonly draw: number }>()("Own") {}
  const own = Layer.effect(Own, Effect.gen(function*() {
    const { sid } = yield* Leadership.Leadership
    const { built } = yield* Shared
    built.push(`${sid} up`)
    yield* Effect.addFinalizer(() => Effect.delay(Effect.sync(() => built.push(`${sid} down`)), "3 seconds"))
    return { sid, draw: yield* Random.nextIntBetween(0, 1_000_000) }
  }))
  const deployed = Effect.fnUntraced(function*(e: Ensemble, built: Array<string>) {
    return yield* Effect.provideService(e.deploy(own), Shared, { built })
  })
  const draws = (seed: string) =>
    Effect.gen(function*() {
      const e = yield* TestEnsemble.TestEnsemble
      const { run } = yield* deployed(e, [])
      return yield* Effect.forEach(e.sids, (sid) => run(sid, Own.use(({ draw }) => Effect.succeed(draw))))
    }).pipe(Effect.provide(TestEnsemble.layer({ seed })))

  it.effect("runs on every replica as it is, and again on one that is started again", withEnsemble(
    {},
    Effect.fnUntraced(function*(e) {
      const built: Array<string> = []
      yield* e.stop(3n)
      const { run } = yield* deployed(e, built)
      assert.deepStrictEqual(built, ["1 up", "2 up"])
      yield* e.start(3n)
      yield* e.crash(1n)
      yield* e.stop(2n)
      yield* e.start(2n)
      assert.deepStrictEqual(built, ["1 up", "2 up", "3 up", "2 down", "2 up"])
      assert.strictEqual(yield* run(3n, Own.use(({ sid }) => Effect.succeed(sid))), 3n)
    })
  ))

  it.effect("that does not start fails the test with its error", withEnsemble({}, Effect.fnUntraced(function*(e) {
    const error = yield* Effect.flip(e.deploy(Layer.effectDiscard(Effect.fail("no luck" as const))))
    assert.strictEqual(error, "no luck")
  })))

  it.effect("draws what the seed decides, each replica something else", () =>
    Effect.gen(function*() {
      const first = yield* draws("a")
      assert.deepStrictEqual(yield* draws("a"), first)
      assert.strictEqual(new Set([...first, ...(yield* draws("b"))]).size, 6)
    }))

  it.effect("ends in good order with the test", () =>
    Effect.gen(function*() {
      const built: Array<string> = []
      yield* Effect.gen(function*() {
        const e = yield* TestEnsemble.TestEnsemble
        yield* deployed(e, built)
        yield* e.awaitLeader()
        yield* e.pause(1n)
        yield* e.partition([2n])
      }).pipe(Effect.provide(TestEnsemble.layer()))
      assert.deepStrictEqual(built.slice(3).toSorted(), ["1 down", "2 down", "3 down"])
    }))
})
