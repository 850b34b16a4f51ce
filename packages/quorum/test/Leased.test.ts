import * as Lease from "@conclave/core/Lease"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { MemoryNetwork } from "../src/MemoryNetwork.ts"
import type { Activation } from "../src/QuorumConfig.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { host, networked } = Cluster
const { activated, ledBy } = Leaders

const three = Effect.fnUntraced(function*(
  activation: Partial<Activation>,
  clocks: ReadonlyArray<Clock.Clock | undefined> = []
) {
  const members = yield* Effect.forEach(Cluster.sids(1, 3), (sid, index) => {
    const clock = clocks[index]
    return Cluster.start(3, sid, { ...activated(activation), ...(clock === undefined ? {} : { clock }) })
  })
  yield* Effect.addFinalizer(() => Leaders.stopAll(members))
  const ledger = yield* Leaders.ledger
  for (const member of members) yield* ledger.guard(member)
  const activating = yield* Leaders.timed(Leaders.until(members, ledBy(3n, 1n)))
  const [one, two, leader] = members
  return { activating, ledger, members, one: one!, two: two!, leader: leader! }
})

/** Longer than silence is tolerated, so that it is the lease that counts; and time enough to wait for its end. */
const LEASE = 2_000
const lease = Lease.make(LEASE)
const ticks = { ...Leaders.ticks, initLimit: 60 }

/** A ping may be under way for half a tick; and the clock moves in steps. */
const SLACK = 60

describe("a lease", () => {
  it.effect("needs not be waited for when its holder's process is gone", networked(Effect.fnUntraced(function*() {
    const { activating, leader, ledger, one, two } = yield* three({ lease, ticks })
    assert.isBelow(activating, 500, "nor by who never promised anything")
    yield* leader.crash
    yield* ledger.gone(leader)
    assert.isBelow(yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n))), 500)
    assert.deepStrictEqual(ledger.overlaps, [])
  })))

  it.effect("is waited for when refusals prove nothing", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, one, two } = yield* three({ lease, ticks, refusedIsEvidence: false })
    yield* leader.crash
    yield* ledger.gone(leader)
    const took = yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n), 10))
    assert.isAtLeast(took, LEASE - SLACK)
    assert.isAtMost(took, LEASE * 1.03 + SLACK)
  })))

  it.effect("is waited for when its holder is silent", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, one, two } = yield* three({ lease, ticks })
    yield* leader.vanish
    yield* ledger.gone(leader)
    const took = yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n), 10))
    assert.isAtLeast(took, LEASE - SLACK)
    assert.isAtMost(took, LEASE * 1.03 + SLACK)
  })))

  it.effect("is waited for until its holder's process is known to be gone", networked(Effect.fnUntraced(
    function*(network) {
      const options = activated({ lease, ticks })
      const [two, leader] = [yield* Cluster.start(3, 2n, options), yield* Cluster.start(3, 3n, options)]
      yield* Leaders.until([two, leader], ledBy(3n, 1n))
      yield* leader.vanish
      // Has promised nothing; so it is for the new leader alone to wait.
      const one = yield* Cluster.start(3, 1n, options)
      yield* Leaders.until([two], Leaders.allLook)
      const elected = Effect.map(two.peer.status, ({ _tag }) => _tag === "Settled")
      yield* Leaders.advance(elected, Effect.succeed("nobody is elected"))
      yield* Leaders.stays([one, two], 0.3, Leaders.allLook)
      yield* network.heal
      assert.isBelow(yield* Leaders.timed(Leaders.until([one, two], ledBy(2n, 2n))), 100)
    }
  )))

  it.effect("is released by who resigns", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, members } = yield* three({ lease, ticks })
    yield* Effect.forkChild(leader.leadership.resign)
    yield* Leaders.until([leader], Leaders.allLook)
    assert.isBelow(yield* Leaders.timed(Leaders.until(members, ledBy(2n, 2n))), 200)
    assert.deepStrictEqual(ledger.overlaps, [])
  })))

  it.effect("may have been promised by a process that starts again", networked(Effect.fnUntraced(function*() {
    const { leader, ledger, members, one, two } = yield* three({ lease, ticks })
    for (const member of members) {
      yield* member.crash
      yield* ledger.gone(member)
    }
    const again = (member: Cluster.Member) =>
      Cluster.start(3, member.sid, { ...activated({ lease, ticks }), history: member.history })
    const back = [yield* again(one), yield* again(two), yield* again(leader)]
    const took = yield* Leaders.timed(Leaders.until(back, Leaders.agree, 10))
    assert.isAtLeast(took, LEASE)
  })))
})

/** Followers that want another leader, while theirs hears nothing of it. */
const mutiny = Effect.fnUntraced(function*(lease: Lease.Lease | null, rates: ReadonlyArray<number> = [1, 1, 1]) {
  const network = yield* MemoryNetwork
  const clock = yield* Clock.Clock
  // Silence is tolerated for longer than any lease.
  const patient = { tickTime: 1_000, initLimit: 10, syncLimit: 5 }
  const { ledger, one, two } = yield* three({ lease, ticks: patient }, rates.map((rate) => running(clock, rate)))
  yield* network.partition(host(3n), [host(1n), host(2n)])
  yield* one.peer.lookForLeader
  yield* two.peer.lookForLeader
  yield* Leaders.until([one, two], ledBy(2n, 2n), 20)
  yield* Leaders.stays([], 0.2, () => true)
  return ledger
})

/** A clock that runs so many times as fast as another. */
const running = (clock: Clock.Clock, rate: number): Clock.Clock => ({
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() * rate,
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis * rate),
  currentTimeNanosUnsafe: () => nanos(clock.currentTimeMillisUnsafe() * rate),
  currentTimeNanos: Effect.map(clock.currentTimeMillis, (millis) => nanos(millis * rate)),
  monotonicTimeNanosUnsafe: () => nanos(Number(clock.monotonicTimeNanosUnsafe()) / 1e6 * rate),
  monotonicTimeNanos: Effect.sync(() => nanos(Number(clock.monotonicTimeNanosUnsafe()) / 1e6 * rate)),
  sleep: (duration) => clock.sleep(Duration.millis(Math.ceil(Duration.toMillis(duration) / rate)))
})

const nanos = (millis: number) => BigInt(Math.round(millis * 1e6))

describe("leased work", () => {
  it.effect("has ended before another's begins, whatever followers want", networked(Effect.fnUntraced(function*() {
    const { overlaps, spans } = yield* mutiny(lease)
    assert.deepStrictEqual(overlaps, [])
    assert.deepStrictEqual(spans.map(({ epoch }) => epoch), [1n, 2n])
  })))

  it.effect("as it need not without a lease, where tokens tell", networked(Effect.fnUntraced(function*() {
    const { overlaps, spans } = yield* mutiny(null)
    assert.lengthOf(overlaps, 1)
    assert.deepStrictEqual(spans.map(({ epoch }) => epoch), [1n, 2n])
  })))

  const sharp = Lease.make(LEASE, { grace: 1 })

  it.effect("also by clocks that are as wrong as is allowed for", networked(Effect.fnUntraced(function*() {
    assert.deepStrictEqual((yield* mutiny(sharp, [1.01, 1.01, 0.99])).overlaps, [])
  })))

  it.effect("but not by clocks that are worse", networked(Effect.fnUntraced(function*() {
    assert.lengthOf((yield* mutiny(sharp, [1.2, 1.2, 0.8])).overlaps, 1)
  })))

  it.effect("ends for good once the lease has run out by the wall clock", networked(Effect.fnUntraced(function*() {
    const clock = yield* Clock.Clock
    let jump = 0
    const jumping: Clock.Clock = {
      ...running(clock, 1),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + jump
    }
    const { leader, ledger, members } = yield* three({ lease, ticks }, [undefined, undefined, jumping])
    const term = yield* leader.tenure.office.term
    assert.isTrue(term?.isValid())
    jump = LEASE
    assert.isFalse(term?.isValid())
    yield* Leaders.advance(
      Effect.sync(() => ledger.spans.length === 2 && ledger.running().length === 1),
      Effect.succeed("no work runs again"),
      10
    )
    assert.isFalse(term?.isValid(), "once false it stays so")
    const { epoch } = yield* Leaders.led(members)
    assert.strictEqual(epoch, 2n)
    assert.deepStrictEqual(ledger.overlaps, [])
  })))
})
