/**
 * No step of guarded work after its term: whatever it waits for, and whoever wakes
 * it first when the process runs on.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Term from "../src/Term.ts"
import { activation, make, settle, until } from "./ScriptedPeer.ts"

/** A peer whose lease runs out when the test says so, and nobody notices by itself. */
const start = Effect.fnUntraced(function*(work: (term: Term.Term) => Effect.Effect<unknown>) {
  const peer = yield* make()
  let holds = true
  const facts = { epoch: 1n, leader: 1n, since: 0, reason: activation, contract: "Leased" } as const
  const fiber = yield* Effect.forkChild(peer.leadership.whileLeader(work))
  yield* peer.office.enter(Term.make(facts, () => holds))
  yield* settle
  return { ...peer, fiber, ranOut: () => void (holds = false) }
})

/** A wait that is ended by a plain call, as the callbacks of sockets and timers end theirs. */
const gate = () => {
  const waiting: Array<() => void> = []
  return {
    wait: Effect.callback<void>((resume) => void waiting.push(() => resume(Effect.void))),
    open: () => waiting.splice(0).forEach((open) => open())
  }
}

interface Wait {
  /** What the work does until it is woken, then `after`. */
  readonly work: (after: Effect.Effect<void>) => Effect.Effect<unknown>
  readonly wake: () => void
}

const waits: Record<string, () => Wait> = {
  "a callback": () => {
    const { open, wait } = gate()
    return { work: (after) => Effect.andThen(wait, after), wake: open }
  },
  "a callback, as a value that is used at once": () => {
    let wake = () => {}
    const wait = Effect.callback<number>((resume) => void (wake = () => resume(Effect.succeed(1))))
    return { work: (after) => Effect.flatMap(wait, () => after), wake: () => wake() }
  },
  "a callback, as an effect to go on with": () => {
    let wake = () => {}
    return {
      work: (after) => Effect.callback<void>((resume) => void (wake = () => resume(after))),
      wake: () => wake()
    }
  },
  "a failure that is handled": () => {
    let wake = () => {}
    const wait = Effect.callback<void, "late">((resume) => void (wake = () => resume(Effect.fail("late"))))
    return { work: (after) => Effect.catch(wait, () => after), wake: () => wake() }
  },
  "a promise": () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    return { work: (after) => Effect.andThen(Effect.promise(() => promise), after), wake: resolve }
  },
  "a deferred": () => {
    const deferred = Deferred.makeUnsafe<void>()
    return {
      work: (after) => Effect.andThen(Deferred.await(deferred), after),
      wake: () => Deferred.doneUnsafe(deferred, Effect.void)
    }
  },
  "a fiber of its own": () => {
    const { open, wait } = gate()
    return {
      work: (after) => Effect.flatMap(Effect.forkChild(Effect.andThen(wait, after)), Fiber.join),
      wake: open
    }
  },
  "a fiber that nobody waits for": () => {
    const { open, wait } = gate()
    return {
      work: (after) => Effect.andThen(Effect.forkDetach(Effect.andThen(wait, after)), Effect.never),
      wake: open
    }
  },
  "a fiber in the scope of the term": () => {
    const { open, wait } = gate()
    return {
      work: (after) => Effect.scoped(Effect.andThen(Effect.forkScoped(Effect.andThen(wait, after)), Effect.never)),
      wake: open
    }
  },
  "one of many at once": () => {
    const { open, wait } = gate()
    return {
      work: (after) => Effect.forEach([1, 2, 3], () => Effect.andThen(wait, after), { concurrency: "unbounded" }),
      wake: open
    }
  },
  "a race": () => {
    const { open, wait } = gate()
    return { work: (after) => Effect.andThen(Effect.raceFirst(wait, Effect.never), after), wake: open }
  },
  "a timeout": () => {
    const { open, wait } = gate()
    return { work: (after) => Effect.andThen(Effect.timeoutOption(wait, 1_000), after), wake: open }
  }
}

describe("work that its wait ends for after the lease ran out takes no step:", () => {
  it.effect.each(Object.keys(waits))("%s", (name) =>
    Effect.gen(function*() {
      const { wake, work } = waits[name]!()
      let steps = 0
      let ended = 0
      const peer = yield* start(() => Effect.ensuring(work(Effect.sync(() => steps++)), Effect.sync(() => ended++)))
      peer.ranOut()
      wake()
      yield* until(() => ended === 1)
      yield* settle
      assert.strictEqual(steps, 0)
      assert.deepStrictEqual(yield* peer.office.work, [])
      assert.isUndefined(peer.fiber.pollUnsafe(), "it waits for the next term")
    }))

  // The same waits with a lease that holds, so that it is the lease that makes the difference above.
  it.effect.each(Object.keys(waits))("(%s: with a lease that holds it goes on)", (name) =>
    Effect.gen(function*() {
      const { wake, work } = waits[name]!()
      let steps = 0
      yield* start(() => work(Effect.sync(() => steps++)))
      wake()
      yield* until(() => steps > 0)
    }))

  it.effect("a queue", Effect.fnUntraced(function*() {
    const queue = yield* Queue.unbounded<number>()
    const seen: Array<number> = []
    const peer = yield* start(() =>
      Stream.runForEach(Stream.fromQueue(queue), (value) => Effect.sync(() => seen.push(value))))
    Queue.offerUnsafe(queue, 1)
    yield* until(() => seen.length === 1)
    peer.ranOut()
    Queue.offerUnsafe(queue, 2)
    yield* settle
    assert.deepStrictEqual(seen, [1])
    assert.deepStrictEqual(yield* peer.office.work, [])
  }))

  it.effect("a permit, which stays for others", Effect.fnUntraced(function*() {
    const semaphore = yield* Semaphore.make(1)
    const taken = yield* Deferred.make<void>()
    const { open, wait } = gate()
    let steps = 0
    yield* Effect.forkChild(semaphore.withPermit(Effect.andThen(Deferred.succeed(taken, undefined), wait)))
    yield* Deferred.await(taken)
    const peer = yield* start(() => semaphore.withPermit(Effect.sync(() => steps++)))
    peer.ranOut()
    open()
    yield* settle
    assert.strictEqual(steps, 0)
    yield* semaphore.withPermit(Effect.void)
  }))

  it.effect("a step that was itself too long", Effect.fnUntraced(function*() {
    let steps = 0
    const { open, wait } = gate()
    let tooLong = () => {}
    const peer = yield* start(() =>
      Effect.andThen(wait, Effect.andThen(Effect.sync(() => tooLong()), Effect.sync(() => steps++))))
    tooLong = peer.ranOut
    open()
    yield* settle
    assert.strictEqual(steps, 0)
  }))

  it.effect("its first step", Effect.fnUntraced(function*() {
    const peer = yield* make()
    let holds = true
    let steps = 0
    yield* Effect.forkChild(peer.leadership.whileLeader(() => Effect.sync(() => steps++)))
    yield* settle
    yield* peer.office.enter(
      Term.make({ epoch: 1n, leader: 1n, since: 0, reason: activation, contract: "Leased" }, () => holds)
    )
    holds = false
    yield* settle
    assert.strictEqual(steps, 0)
  }))
})

describe("what must run after the lease ran out, runs:", () => {
  it.effect("finalizers, whatever they wait for", Effect.fnUntraced(function*() {
    const { open, wait } = gate()
    const ran: Array<string> = []
    const note = (name: string) => Effect.sync(() => void ran.push(name))
    const peer = yield* start(() =>
      Effect.scoped(Effect.gen(function*() {
        yield* Effect.addFinalizer(() => note("plain"))
        yield* Effect.addFinalizer(() => Effect.andThen(Effect.sleep(10), note("slept")))
        yield* Effect.addFinalizer(() => Effect.andThen(Effect.promise(async () => 1), note("promised")))
        yield* Effect.addFinalizer(() => Effect.timeoutOption(Effect.andThen(Effect.sleep(10), note("in time")), 20))
        yield* Effect.addFinalizer(() =>
          Effect.forEach([1, 2], (n) => Effect.andThen(Effect.yieldNow, note(`part ${n}`)), { concurrency: 2 }))
        yield* Effect.addFinalizer(() => Effect.flatMap(Effect.forkChild(note("forked")), Fiber.join))
        yield* wait
      })))
    peer.ranOut()
    open()
    yield* until(() => ran.includes("part 2"))
    yield* TestClock.adjust(10)
    yield* until(() => ran.includes("promised"))
    yield* TestClock.adjust(10)
    yield* until(() => ran.includes("plain"))
    assert.deepStrictEqual(ran, ["forked", "part 1", "part 2", "in time", "promised", "slept", "plain"])
    assert.deepStrictEqual(yield* peer.office.work, [])
  }))

  it.effect("an uninterruptible region, to its end and no further", Effect.fnUntraced(function*() {
    const { open, wait } = gate()
    const ran: Array<string> = []
    const note = (name: string) => Effect.sync(() => void ran.push(name))
    const peer = yield* start(() =>
      Effect.andThen(
        Effect.uninterruptible(Effect.andThen(wait, Effect.andThen(Effect.andThen(note("one"), wait), note("two")))),
        note("three")
      ))
    peer.ranOut()
    open()
    yield* until(() => ran.length === 1)
    open()
    yield* until(() => ran.length === 2)
    yield* settle
    assert.deepStrictEqual(ran, ["one", "two"])
  }))

  it.effect("but not the other fibers of work that is in such a region", Effect.fnUntraced(function*() {
    const [root, child] = [gate(), gate()]
    const ran: Array<string> = []
    const note = (name: string) => Effect.sync(() => void ran.push(name))
    const peer = yield* start(() =>
      Effect.andThen(
        Effect.forkChild(Effect.andThen(child.wait, note("child"))),
        Effect.uninterruptible(Effect.andThen(root.wait, note("root")))
      ))
    peer.ranOut()
    root.open()
    child.open()
    yield* until(() => ran.length === 1)
    yield* settle
    assert.deepStrictEqual(ran, ["root"])
  }))

  it.effect("finalizers of work that was told to end before", Effect.fnUntraced(function*() {
    const ran: Array<string> = []
    const peer = yield* start(() =>
      Effect.ensuring(Effect.never, Effect.andThen(
        Effect.timeoutOption(Effect.sleep(10), 20),
        Effect.forEach([1, 2], (n) => Effect.andThen(Effect.sleep(10), Effect.sync(() => ran.push(`part ${n}`))), {
          concurrency: 2
        })
      )))
    const leaving = yield* Effect.forkChild(peer.office.leave({ _tag: "LeaseExpiring" }))
    yield* settle
    peer.ranOut()
    yield* TestClock.adjust(10)
    yield* TestClock.adjust(10)
    yield* Fiber.join(leaving)
    assert.deepStrictEqual(ran, ["part 1", "part 2"])
  }))

  it.effect("what was left behind when the work ended in good order", Effect.fnUntraced(function*() {
    const { open, wait } = gate()
    let steps = 0
    const peer = yield* start(() => Effect.forkDetach(Effect.andThen(wait, Effect.sync(() => steps++))))
    yield* peer.office.leave({ _tag: "LeaseExpiring" })
    peer.ranOut()
    open()
    yield* until(() => steps === 1)
  }))
})
