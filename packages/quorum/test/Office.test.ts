import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"
import * as Term from "../src/Term.ts"
import { activation, logs, make, settle, until } from "./ScriptedPeer.ts"

/** Work that notes when it starts and when it has ended. */
const noting = (notes: Array<string>, name = "") => ({ epoch }: Term.Term) =>
  Effect.andThen(
    Effect.acquireRelease(
      Effect.sync(() => notes.push(`start${name} ${epoch}`)),
      () => Effect.sync(() => notes.push(`end${name} ${epoch}`))
    ),
    Effect.never
  )

class Broken extends Data.TaggedError("Broken")<{ readonly epoch: bigint }> {}

describe("guarded work", () => {
  it.effect("runs in each term and is interrupted at its end, in a scope of its own", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const notes: Array<string> = []
    yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes)))
    yield* peer.elect
    yield* settle
    assert.deepStrictEqual(notes, [], "an elected leader is not an activated one")
    for (const epoch of [1, 2, 3]) {
      yield* peer.lead()
      yield* until(() => notes.at(-1) === `start ${epoch}`)
      yield* peer.lose()
      assert.strictEqual(notes.at(-1), `end ${epoch}`, "the office is left after guarded work has ended")
    }
    yield* settle
    assert.deepStrictEqual(notes, ["start 1", "end 1", "start 2", "end 2", "start 3", "end 3"])
  }))

  it.effect("gets the term: token, leader, since when, why, and whether it holds", Effect.fnUntraced(function*() {
    const peer = yield* make()
    yield* TestClock.adjust(7)
    const given: Array<Term.Term> = []
    yield* Effect.forkChild(peer.leadership.whileLeader((term) => Effect.sync(() => given.push(term))))
    yield* settle
    const term = yield* peer.lead()
    yield* until(() => given.length === 1)
    assert.strictEqual(given[0], term)
    assert.deepStrictEqual(
      [term.epoch, term.leader, term.since, term.contract, term.isValid()],
      [1n, 1n, 7, "Fenced", true]
    )
    yield* term.check
    yield* peer.lose()
    assert.isFalse(term.isValid())
    const error = yield* Effect.flip(term.check)
    assert.strictEqual(error.message, "the leadership of epoch 1 is over; do nothing more in its name")
  }))

  it("gets a term that does not hold again once it did not", () => {
    let holds = true
    const term = Term.make({ epoch: 1n, leader: 1n, since: 0, reason: activation, contract: "Leased" }, () => holds)
    assert.isTrue(term.isValid())
    holds = false
    assert.isFalse(term.isValid())
    holds = true
    assert.isFalse(term.isValid())
  })

  it.effect("begins at once if the term has begun before", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const notes: Array<string> = []
    yield* peer.lead()
    yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes)))
    yield* until(() => notes.length === 1)
  }))

  it.effect("that completes waits for the next term", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const ran: Array<bigint> = []
    yield* Effect.forkChild(peer.leadership.whileLeader(({ epoch }) => Effect.sync(() => ran.push(epoch))))
    yield* peer.lead()
    yield* until(() => ran.length === 1)
    yield* settle
    yield* peer.lose()
    yield* peer.lead()
    yield* until(() => ran.length === 2)
    yield* settle
    assert.deepStrictEqual(ran, [1n, 2n])
  }))

  it.effect.each<readonly [what: string, fails: (term: Term.Term) => Effect.Effect<void, Broken>]>([
    ["fails", ({ epoch }) => Effect.fail(new Broken({ epoch }))],
    ["dies", ({ epoch }) => Effect.die(new Broken({ epoch }))],
    ["throws instead of returning an effect", ({ epoch }) => {
      throw new Broken({ epoch })
    }]
  ])("that %s ends whileLeader with the same cause, and nothing else", ([, fails]) =>
    Effect.gen(function*() {
      const peer = yield* make()
      const notes: Array<string> = []
      yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes)))
      const failing = yield* Effect.forkChild(peer.leadership.whileLeader(fails))
      yield* peer.lead()
      const exit = yield* Fiber.await(failing)
      assert.deepStrictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), new Broken({ epoch: 1n }))
      assert.deepStrictEqual(notes, ["start 1"])
      yield* peer.lose()
      assert.deepStrictEqual(notes, ["start 1", "end 1"])
    }))

  it.effect("that fails as its term ends fails whileLeader too", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const started: Array<bigint> = []
    const fiber = yield* Effect.forkChild(peer.leadership.whileLeader(({ epoch }) =>
      Effect.onInterrupt(
        Effect.andThen(Effect.sync(() => started.push(epoch)), Effect.never),
        () => Effect.die(new Broken({ epoch }))
      )))
    yield* peer.lead()
    yield* until(() => started.length === 1)
    yield* peer.lose()
    const exit = yield* Fiber.await(fiber)
    assert.deepStrictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), new Broken({ epoch: 1n }))
  }))

  it.effect("that finds its term over has just ended", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const ran: Array<bigint> = []
    // The error does not show in the type: this compiles only if the failure is `never`.
    const guarded: Effect.Effect<never> = peer.leadership.whileLeader((term) =>
      Effect.suspend(() => {
        ran.push(term.epoch)
        return Effect.fail(new Term.TermOver({ epoch: term.epoch }))
      }))
    yield* Effect.forkChild(guarded)
    yield* peer.lead()
    yield* until(() => ran.length === 1)
    yield* peer.lose()
    yield* peer.lead()
    yield* until(() => ran.length === 2)
  }))

  it.effect("that finds another term over fails", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const fiber = yield* Effect.forkChild(
      peer.leadership.whileLeader(() => Effect.fail(new Term.TermOver({ epoch: 77n })))
    )
    yield* peer.lead()
    const exit = yield* Fiber.await(fiber)
    assert.deepStrictEqual(Exit.isFailure(exit) && Cause.squash(exit.cause), new Term.TermOver({ epoch: 77n }))
  }))

  it.effect("that interrupts itself interrupts whileLeader", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const fiber = yield* Effect.forkChild(peer.leadership.whileLeader(() => Effect.interrupt))
    yield* peer.lead()
    const exit = yield* Fiber.await(fiber)
    assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
  }))

  it.effect("ends when whileLeader is interrupted, and is not started again", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const notes: Array<string> = []
    const fiber = yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes)))
    yield* peer.lead()
    yield* until(() => notes.length === 1)
    yield* Fiber.interrupt(fiber)
    assert.deepStrictEqual(notes, ["start 1", "end 1"])
    yield* peer.lose()
    yield* peer.lead()
    yield* settle
    assert.deepStrictEqual(notes, ["start 1", "end 1"])
  }))

  it.effect("runs beside other guarded work, and all of it ends", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const notes: Array<string> = []
    yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes, " a")))
    yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes, " b")))
    for (const epoch of [1, 2]) {
      yield* peer.lead()
      yield* until(() => notes.length === 2)
      yield* peer.lose()
      assert.sameMembers(notes.splice(0), ["start a", "start b", "end a", "end b"].map((note) => `${note} ${epoch}`))
    }
  }))
})

describe("an office", () => {
  // With the fewest steps at a time that there can be, the office is left between any two of them.
  it.effect.each([3, 4, 5, 2048])("left while work starts has none running (%i steps at a time)", (steps) =>
    Effect.gen(function*() {
      const peer = yield* make()
      const notes: Array<string> = []
      yield* Effect.forkChild(peer.leadership.whileLeader(noting(notes)).pipe(
        Effect.provideService(Scheduler.MaxOpsBeforeYield, steps)
      ))
      let starts = 0
      for (let turns = 0; turns < 40; turns++) {
        yield* settle
        const before = notes.length
        yield* peer.lead(1_000)
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* peer.lose({ _tag: "LeaseExpiring" })
        assert.deepStrictEqual(yield* peer.office.work, [])
        const noted = notes.length - before
        assert.include([0, 2], noted)
        starts += noted / 2
        yield* settle
        assert.strictEqual(notes.length - before, noted, "and none starts afterwards")
      }
      assert.isTrue(starts > 0 && starts < 40, `${starts} starts`)
    }))

  it.effect("entered again at once runs work in the new term, never two at a time", Effect.fnUntraced(function*() {
    const peer = yield* make()
    let running = 0
    const ran: Array<bigint> = []
    yield* Effect.forkChild(peer.leadership.whileLeader(({ epoch }) =>
      Effect.acquireUseRelease(
        Effect.sync(() => ran.push(epoch + BigInt(running++) * 1_000n)),
        () => Effect.never,
        () => Effect.andThen(Effect.yieldNow, Effect.sync(() => running--))
      )))
    yield* settle
    for (let turn = 0; turn < 20; turn++) {
      yield* peer.lead()
      yield* peer.lose()
    }
    const last = yield* peer.lead()
    yield* until(() => ran.at(-1) === last.epoch)
    assert.isTrue(ran.every((epoch, index) => epoch > (ran[index - 1] ?? 0n) && epoch <= last.epoch))
  }))

  it.effect("is left when guarded work has ended, and not before", Effect.fnUntraced(function*() {
    const peer = yield* make()
    yield* Effect.forkChild(peer.leadership.whileLeader(() =>
      Effect.andThen(Effect.addFinalizer(() => Effect.sleep(4_000)), Effect.never), { name: "slow" }))
    yield* peer.lead()
    yield* settle
    const first = yield* Effect.forkChild(peer.lose())
    const second = yield* Effect.forkChild(peer.office.leave({ _tag: "Stopped" }))
    yield* TestClock.adjust(3_999)
    assert.deepStrictEqual([first.pollUnsafe(), second.pollUnsafe()], [undefined, undefined])
    assert.deepStrictEqual(yield* peer.office.work, [{ name: "slow", epoch: 1n, state: "Ending" }])
    yield* TestClock.adjust(1)
    yield* Fiber.join(first)
    yield* Fiber.join(second)
    assert.deepStrictEqual(yield* peer.office.work, [])
  }))

  it.effect("is left in time by work that does not end, which does not run twice", Effect.fnUntraced(function*() {
    const { layer, lines } = logs()
    yield* Effect.gen(function*() {
      const peer = yield* make(3_000)
      const started: Array<bigint> = []
      yield* Effect.forkChild(peer.leadership.whileLeader(({ epoch }) =>
        Effect.andThen(
          Effect.addFinalizer(() => (epoch === 1n ? Effect.sleep(10_000) : Effect.void)),
          Effect.andThen(Effect.sync(() => started.push(epoch)), Effect.never)
        ), { name: "stubborn" }))
      yield* peer.lead()
      yield* until(() => started.length === 1)
      const leaving = yield* Effect.forkChild(peer.lose())
      yield* TestClock.adjust(2_999)
      assert.isUndefined(leaving.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(leaving)
      assert.deepStrictEqual(yield* peer.leadership.work, [{ name: "stubborn", epoch: 1n, state: "Overrun" }])
      yield* peer.lead()
      yield* TestClock.adjust(6_999)
      assert.deepStrictEqual(started, [1n], "the old one still runs")
      yield* TestClock.adjust(1)
      yield* until(() => started.length === 2)
      assert.deepStrictEqual(yield* peer.leadership.work, [{ name: "stubborn", epoch: 2n, state: "Running" }])
    }).pipe(Effect.provide(layer))
    assert.deepStrictEqual(lines, [
      "Info: leadership of epoch 1 ends: a quorum does not answer any more",
      "Warn: stubborn of epoch 1 has not ended within 3000 ms and may still act; it is not started again before it " +
      "ends; look for finalizers and uninterruptible steps that take long",
      "Info: stubborn of epoch 1 has ended at last"
    ])
  }))

  it.effect("cannot be entered twice, and may be left without being entered", Effect.fnUntraced(function*() {
    const peer = yield* make()
    yield* peer.office.leave({ _tag: "Stopped" })
    yield* peer.lead()
    const exit = yield* Effect.exit(peer.lead())
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
  }))
})
