import * as ServerState from "@conclave/core/ServerState"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as LeadershipMetrics from "../src/LeadershipMetrics.ts"
import * as LeadershipStatus from "../src/LeadershipStatus.ts"
import type { TransferRefused } from "../src/Tenure.ts"
import { activation, collect, election, make, settle, until } from "./ScriptedPeer.ts"

describe("leadership", () => {
  it.effect("tells where the peer stands", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const { isLeader, status } = peer.leadership
    const now = Effect.map(Effect.all([status, isLeader]), ([status, leads]) => [status._tag, leads])
    assert.deepStrictEqual(yield* now, ["LOOKING", false])
    yield* peer.elect
    assert.deepStrictEqual(yield* now, ["LOOKING", false], "elected, and not activated")
    yield* peer.lead()
    assert.deepStrictEqual(yield* now, ["LEADING", true])
    yield* peer.lose()
    assert.deepStrictEqual(yield* now, ["LOOKING", false])
    yield* peer.follow(2n, 2n)
    assert.deepStrictEqual(yield* now, ["FOLLOWING", false])
  }))

  it.effect("does not call a leader whose lease ran out a leader, whatever its status", Effect.fnUntraced(function*() {
    const peer = yield* make()
    yield* peer.lead(100)
    yield* TestClock.adjust(99)
    assert.isTrue(yield* peer.leadership.isLeader)
    yield* TestClock.adjust(1)
    assert.isFalse(yield* peer.leadership.isLeader)
    assert.strictEqual((yield* peer.leadership.status)._tag, "LEADING")
  }))

  it.effect("tells each subscriber the present and every change after it, however slow", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const quick = yield* collect(peer)
    const slow: Array<string> = []
    yield* Effect.forkScoped(Stream.runForEach(
      peer.leadership.changes,
      ({ _tag }) => Effect.andThen(Effect.sync(() => slow.push(_tag)), Effect.sleep(1_000))
    ))
    yield* settle
    // So many at once that any bound one would think of is passed.
    for (let turn = 0; turn < 500; turn++) {
      yield* peer.lead()
      yield* peer.lose()
      yield* peer.follow(2n, 7n)
    }
    const late = yield* collect(peer)
    const rounds = Array.from({ length: 500 }, () => ["LEADING", "LOOKING", "FOLLOWING"]).flat()
    yield* until(() => quick.length > 1_500)
    yield* settle
    assert.deepStrictEqual(quick, ["LOOKING", ...rounds])
    assert.deepStrictEqual(late, ["FOLLOWING"])
    yield* TestClock.adjust(1_501_000)
    assert.deepStrictEqual(slow, ["LOOKING", ...rounds])
  }))

  it.effect("is waited for: whoever leads, once it is activated", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const waiting = yield* Effect.forkChild(peer.leadership.awaitLeader)
    yield* peer.elect
    yield* settle
    assert.isUndefined(waiting.pollUnsafe())
    yield* peer.follow(3n, 5n)
    const found: LeadershipStatus.Settled = { _tag: "FOLLOWING", leader: 3n, epoch: 5n, reason: election }
    assert.deepStrictEqual(yield* Fiber.join(waiting), found)
    assert.deepStrictEqual(yield* peer.leadership.awaitLeader, found)
  }))

  it.effect.each(["resign", "transferTo"])("can be given up by guarded work, which ends first (%s)", (how) =>
    Effect.gen(function*() {
      const peer = yield* make()
      const { resign, transferTo, whileLeader } = peer.leadership
      const notes: Array<string> = []
      yield* Effect.forkChild(whileLeader(() =>
        Effect.ensuring(
          Effect.andThen(how === "resign" ? resign : transferTo(2n), Effect.sync(() => notes.push("ran on"))),
          Effect.sync(() => notes.push("ended"))
        )))
      yield* peer.lead()
      yield* until(() => notes.length > 0)
      yield* settle
      assert.deepStrictEqual(notes, ["ended"])
      assert.strictEqual((yield* peer.leadership.status)._tag, "LOOKING")
    }))

  it.effect("is resigned once, and by nobody who does not lead", Effect.fnUntraced(function*() {
    const peer = yield* make()
    yield* peer.leadership.resign
    yield* peer.lead()
    yield* peer.leadership.resign
    yield* peer.leadership.resign
    assert.strictEqual(peer.resigned(), 1)
  }))

  it.effect("is transferred by who leads, after guarded work has ended", Effect.fnUntraced(function*() {
    const peer = yield* make()
    const refused: TransferRefused = yield* Effect.flip(peer.leadership.transferTo(2n))
    assert.strictEqual(
      refused.message,
      "leadership cannot be handed to server 2: this peer does not lead; ask the one that does"
    )
    let ended = false
    yield* Effect.forkChild(peer.leadership.whileLeader(() =>
      Effect.ensuring(Effect.never, Effect.sync(() => void (ended = true)))))
    yield* peer.lead()
    yield* settle
    yield* peer.leadership.transferTo(2n)
    assert.isTrue(ended)
  }))

  it.effect("is measured", Effect.fnUntraced(function*() {
    const peer = yield* make(1_000)
    const read = <Input, State>(metric: Metric.Metric<Input, State>) => Metric.value(LeadershipMetrics.of(metric, 1n))
    const before = yield* Effect.all([
      read(LeadershipMetrics.terms),
      read(LeadershipMetrics.workStarted),
      read(LeadershipMetrics.workEnded),
      read(LeadershipMetrics.workOverrun)
    ])
    const since = Effect.map(
      Effect.all([
        read(LeadershipMetrics.terms),
        read(LeadershipMetrics.workStarted),
        read(LeadershipMetrics.workEnded),
        read(LeadershipMetrics.workOverrun)
      ]),
      (now) => now.map(({ count }, index) => count - before[index]!.count)
    )
    yield* Effect.forkChild(peer.leadership.whileLeader(() => Effect.ensuring(Effect.never, Effect.sleep(2_000))))
    yield* peer.lead()
    yield* settle
    assert.deepStrictEqual(yield* since, [1, 1, 0, 0])
    assert.strictEqual((yield* read(LeadershipMetrics.state)).value, ServerState.toCode("LEADING"))
    yield* Effect.forkChild(peer.lose())
    yield* TestClock.adjust(1_000)
    assert.deepStrictEqual(yield* since, [1, 1, 0, 1])
    yield* TestClock.adjust(1_000)
    assert.deepStrictEqual(yield* since, [1, 1, 1, 1])
    yield* peer.follow(2n, 2n)
    yield* settle
    assert.strictEqual((yield* read(LeadershipMetrics.state)).value, ServerState.toCode("FOLLOWING"))
  }))
})

/** What writes are kept by, when those with an older token than the newest seen are refused. */
const makeResource = () => {
  const accepted: Array<string> = []
  const rejected: Array<string> = []
  let newest = 0n
  return {
    accepted,
    rejected,
    write: (token: bigint, value: string) =>
      Effect.sync(() => {
        if (token < newest) return void rejected.push(value)
        newest = token
        accepted.push(value)
      })
  }
}

describe("a resource that checks tokens", () => {
  it.effect("rejects what a leader of before still writes", Effect.fnUntraced(function*() {
    const resource = makeResource()
    // The old leader does not know yet that it was replaced, which fenced mode allows.
    const old = yield* make()
    const successor = yield* make()
    const worker = (name: string) => ({ epoch }: { readonly epoch: bigint }) =>
      Effect.forever(Effect.andThen(Effect.sleep(100), Effect.suspend(() => resource.write(epoch, `${name} ${epoch}`))))
    yield* Effect.forkChild(old.leadership.whileLeader(worker("old")))
    yield* Effect.forkChild(successor.leadership.whileLeader(worker("successor")))
    yield* old.lead()
    yield* settle
    yield* TestClock.adjust(150)
    yield* successor.lead()
    yield* successor.lose()
    yield* successor.lead()
    yield* settle
    yield* TestClock.adjust(400)
    assert.strictEqual(resource.accepted[0], "old 1")
    const first = resource.accepted.indexOf("successor 2")
    assert.isAbove(first, 0)
    assert.isTrue(resource.accepted.slice(first).every((value) => value === "successor 2"))
    assert.isNotEmpty(resource.rejected)
    assert.isTrue(resource.rejected.every((value) => value === "old 1"))
  }))
})

describe("a status in words", () => {
  const supporters = "server 1 won: no other proposal was heard; 1, 2 agreed"

  it.each<readonly [LeadershipStatus.LeadershipStatus, string]>([
    [{ _tag: "LOOKING", reason: { _tag: "Searching", cause: { _tag: "Started" } } }, "LOOKING: just started"],
    [
      { _tag: "LOOKING", reason: { _tag: "Activating", election } },
      `LOOKING: elected, but a quorum has yet to accept its epoch; ${supporters}`
    ],
    [
      { _tag: "LOOKING", reason: { _tag: "Joining", leader: 1n, election } },
      `LOOKING: not in sync with server 1 yet; ${supporters}`
    ],
    [
      { _tag: "LOOKING", reason: { _tag: "Leaving", epoch: 4n, reason: { _tag: "Resigned" } } },
      "LOOKING: led in epoch 4 and ends guarded work: it was asked to resign"
    ],
    [{ _tag: "FOLLOWING", leader: 1n, epoch: 4n, reason: election }, `FOLLOWING server 1 in epoch 4: ${supporters}`],
    [{ _tag: "OBSERVING", leader: 1n, epoch: 4n, reason: election }, `OBSERVING server 1 in epoch 4: ${supporters}`],
    [
      { _tag: "LEADING", epoch: 4n, since: 0, reason: activation },
      `LEADING in epoch 4: ${supporters}; 1, 2 accepted the epoch`
    ]
  ])("%o", (status, expected) => {
    assert.strictEqual(LeadershipStatus.describe(status), expected)
  })

  it.each<LeadershipStatus.LeaveReason>([
    { _tag: "QuorumLost" },
    { _tag: "LeaseExpiring" },
    { _tag: "LeaseExpired" },
    { _tag: "Resigned" },
    { _tag: "Transferred", to: 2n },
    { _tag: "ConfigChanged" },
    { _tag: "Stopped" },
    { _tag: "Failed", problem: "the disk is full" }
  ])("why a leadership ended, $_tag", (reason) => {
    assert.match(LeadershipStatus.describeLeave(reason), /^[a-z][a-z0-9 ,:]+$/)
  })
})
