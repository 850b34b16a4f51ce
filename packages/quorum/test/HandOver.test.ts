import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Office from "../src/Office.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { networked } = Cluster
const { activated, ledBy } = Leaders

/** Three peers, of which the third leads in epoch 1, and what runs on them. */
const three = Effect.fnUntraced(function*(ending?: Effect.Effect<void>) {
  const members = yield* Cluster.startAll(3, activated())
  yield* Effect.addFinalizer(() => Leaders.stopAll(members))
  const ledger = yield* Leaders.ledger
  for (const member of members) yield* ledger.guard(member, ending)
  yield* Leaders.until(members, ledBy(3n, 1n))
  const [one, two, leader] = members
  return { ledger, members, one: one!, two: two!, leader: leader! }
})

/** Did it look for a leader, other than at the start? */
const searched = (seen: Effect.Success<ReturnType<typeof Leaders.watch>>) =>
  seen.some((status) => status._tag === "LOOKING" && status.reason._tag === "Searching")

const work = ({ spans }: Leaders.Ledger) => spans.map(({ epoch, sid }) => [sid, epoch])

describe("a leader that stops in good order", () => {
  it.effect("names who leads next, without an election, after its work has ended", networked(Effect.fnUntraced(
    function*() {
      const { leader, ledger, one, two } = yield* three()
      const seen = [yield* Leaders.watch(one), yield* Leaders.watch(two)]
      yield* leader.stop
      assert.deepStrictEqual(ledger.running(), [])
      const took = yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n)))
      assert.isAtMost(took, 100, "the finalize wait of an election alone is 200 ms")
      assert.deepStrictEqual(seen.map(searched), [false, false])
      assert.deepStrictEqual(work(ledger), [[3n, 1n], [2n, 2n]])
      assert.deepStrictEqual(ledger.overlaps, [])
    }
  )))

  it.effect("leaves what is left to elect, when the named one goes too", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, one, two } = yield* three()
    yield* two.crash
    yield* ledger.gone(two)
    // The leader has not noticed yet, or has; whoever it names, one peer of three is no quorum.
    yield* leader.stop
    yield* Leaders.until([one], Leaders.allLook)
    yield* Leaders.stays([one], 5, Leaders.allLook)
    const back = yield* Cluster.start(3, 2n, { ...activated(), history: two.history })
    yield* Leaders.until([one, back], ledBy(2n, 2n))
    assert.deepStrictEqual(ledger.overlaps, [])
  })))
})

describe("a leader that resigns", () => {
  it.effect("has left when that returns, follows, and is not elected again for a while", networked(Effect.fnUntraced(
    function*() {
      const { leader, ledger, members, one, two } = yield* three()
      const resigning = yield* Effect.forkChild(leader.leadership.resign)
      yield* Leaders.advance(Effect.sync(() => resigning.pollUnsafe() !== undefined), Effect.succeed("resigning"))
      assert.isFalse(ledger.running().some(({ sid }) => sid === 3n))
      yield* Leaders.until(members, ledBy(2n, 2n))
      yield* two.crash
      yield* ledger.gone(two)
      yield* Leaders.until([one, leader], ledBy(1n, 3n))
      // Longer than it may abstain: five seconds, and by chance up to half as long again.
      yield* Leaders.stays([one, leader], 8, ledBy(1n, 3n))
      const back = yield* Cluster.start(3, 2n, { ...activated(), history: two.history })
      yield* Leaders.until([one, back, leader], ledBy(1n, 3n))
      yield* one.crash
      yield* ledger.gone(one)
      yield* Leaders.until([back, leader], ledBy(3n, 4n))
      assert.deepStrictEqual(ledger.overlaps, [])
    }
  )))

  it.effect("is not named by the next one that resigns, as long as it abstains", networked(Effect.fnUntraced(
    function*() {
      const { leader, members, one, two } = yield* three()
      yield* Effect.forkChild(leader.leadership.resign)
      yield* Leaders.until(members, ledBy(2n, 2n))
      yield* Effect.forkChild(two.leadership.resign)
      yield* Leaders.until([two], Leaders.allLook)
      const { epoch, leader: next } = yield* Leaders.led(members)
      assert.strictEqual(next.sid, one.sid)
      assert.isAtLeast(Number(epoch), 3)
    }
  )))

  it.effect("abstains from when it has left, however long its work took to end", networked(Effect.fnUntraced(
    function*() {
      const { leader, ledger, members, one, two } = yield* three(Effect.sleep(8_000))
      yield* Effect.forkChild(leader.leadership.resign)
      yield* Leaders.until([leader], Leaders.allLook)
      yield* Leaders.stays([leader], Office.END_TIMEOUT / 1_000 - 0.1, ([status]) =>
        status?._tag === "LOOKING" && status.reason._tag === "Leaving" && status.reason.reason._tag === "Resigned")
      yield* Leaders.stays([one, two], 0, ledBy(3n, 1n))
      yield* Leaders.until(members, ledBy(2n, 2n))
      assert.deepStrictEqual((yield* leader.leadership.work).map(({ state }) => state), ["Overrun"])
      yield* Leaders.advance(
        Effect.map(leader.leadership.work, (work) => work.length === 0),
        Effect.succeed("the work runs on")
      )
      yield* Leaders.stays(members, 5, ledBy(2n, 2n))
      assert.deepStrictEqual(work(ledger), [[3n, 1n], [2n, 2n]])
      assert.lengthOf(ledger.overlaps, 1, "the price of work that does not end in time")
    }
  )))

  it.effect("alone in its ensemble leads again after a while", networked(Effect.fnUntraced(function*() {
    const [only] = yield* Cluster.startAll(1, activated())
    yield* Leaders.until([only!], ledBy(1n, 1n))
    yield* Effect.forkChild(only!.leadership.resign)
    yield* Leaders.until([only!], Leaders.allLook)
    yield* Leaders.stays([only!], 4.5, Leaders.allLook)
    yield* Leaders.until([only!], ledBy(1n, 2n), 3.5)
  })))

  it.effect("has an answer also when its peer stops meanwhile, and after that", networked(Effect.fnUntraced(
    function*() {
      const { leader } = yield* three(Effect.sleep(1_000))
      const resigning = yield* Effect.forkChild(leader.leadership.resign)
      yield* Leaders.until([leader], Leaders.allLook)
      const stopping = yield* Effect.forkChild(leader.stop)
      yield* TestClock.adjust(1_000)
      yield* Cluster.tick
      yield* Fiber.join(stopping)
      yield* Fiber.join(resigning)
      yield* leader.leadership.resign
      assert.strictEqual((yield* Effect.flip(leader.leadership.transferTo(1n))).problem, "NotLeading")
    }
  )))
})

describe("leadership handed over", () => {
  it.effect("goes to the server asked for, though another would win", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, members } = yield* three()
    const transfer = yield* Effect.forkChild(leader.leadership.transferTo(1n))
    yield* Leaders.until(members, ledBy(1n, 2n))
    yield* Fiber.join(transfer)
    yield* Leaders.stays(members, 6, ledBy(1n, 2n))
    assert.deepStrictEqual(ledger.overlaps, [])
  })))

  it.effect("is refused, and nothing changes, when that server could not lead", networked(Effect.fnUntraced(
    function*() {
      const { leader, one, two } = yield* three()
      const problem = (member: Cluster.Member, to: bigint) =>
        Effect.map(Effect.flip(member.leadership.transferTo(to)), ({ problem }) => problem)
      assert.strictEqual(yield* problem(one, 2n), "NotLeading")
      assert.strictEqual(yield* problem(leader, 9n), "NotElectable")
      assert.strictEqual(yield* problem(leader, 3n), "NotFollowing")
      yield* two.crash
      yield* Leaders.stays([one, leader], 0.1, ledBy(3n, 1n))
      assert.strictEqual(yield* problem(leader, 2n), "NotFollowing")
      yield* Leaders.stays([one, leader], 1, ledBy(3n, 1n))
    }
  )))

  it.effect("is not handed over twice", networked(Effect.fnUntraced(function*() {
    const { leader, members } = yield* three(Effect.sleep(100))
    const first = yield* Effect.forkChild(leader.leadership.transferTo(1n))
    yield* Leaders.until([leader], Leaders.allLook)
    assert.strictEqual((yield* Effect.flip(leader.leadership.transferTo(2n))).problem, "NotLeading")
    const second = yield* Effect.forkChild(leader.leadership.resign)
    yield* Leaders.until(members, ledBy(1n, 2n))
    yield* Fiber.join(first)
    yield* Fiber.join(second)
  })))
})

describe("a leader that is asked to look", () => {
  it.effect("votes for nobody before its work has ended, however often it is asked", networked(Effect.fnUntraced(
    function*() {
      const { leader, ledger, members } = yield* three(Effect.sleep(2_000))
      const rounds: Array<number> = []
      yield* Effect.forkScoped(
        Stream.runForEach(leader.peer.outputs, ({ _tag }) =>
          Effect.sync(() => void (_tag === "RoundStarted" && rounds.push(ledger.running().length)))),
        { startImmediately: true }
      )
      yield* leader.peer.lookForLeader
      yield* leader.peer.lookForLeader
      yield* Leaders.until([leader], Leaders.allLook)
      yield* leader.peer.lookForLeader
      yield* Leaders.stays([leader], 1.9, Leaders.allLook)
      assert.lengthOf(ledger.running(), 1)
      const { epoch } = yield* Leaders.led(members)
      assert.strictEqual(epoch, 2n)
      assert.deepStrictEqual(rounds, [0], "one search, begun while no work ran")
      assert.deepStrictEqual(ledger.overlaps, [])
    }
  )))
})
