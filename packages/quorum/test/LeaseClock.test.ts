import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as LeaseClock from "../src/LeaseClock.ts"

/** Both clocks of a machine, moved by hand; the wall clock tells whole milliseconds. */
const machine = () => {
  const time = { monotonic: 0, wall: 0 }
  const clock: Clock.Clock = {
    ...Effect.runSync(Clock.Clock),
    monotonicTimeNanosUnsafe: () => BigInt(Math.round((5_000.3 + time.monotonic) * 1e6)),
    currentTimeMillisUnsafe: () => 1_700_000_000_000 + Math.floor(0.7 + time.wall)
  }
  const read = (which: typeof LeaseClock.leases) => Effect.runSync(Effect.provideService(which, Clock.Clock, clock))
  const move = (monotonic: number, wall = monotonic) => {
    time.monotonic += monotonic
    time.wall += wall
  }
  return { move, leases: read(LeaseClock.leases), pledges: read(LeaseClock.pledges) }
}

describe("the clocks of leases and pledges", () => {
  it("are the same while nothing happens, however often they are read", () => {
    const { leases, move, pledges } = machine()
    for (let index = 0; index < 50_000; index++) {
      move(0.1)
      assert.strictEqual(leases(), pledges())
    }
  })

  it.each<readonly [what: string, monotonic: number, wall: number, ahead: number]>([
    ["a machine that was suspended", 0, 10_000, 10_000],
    ["a wall clock set forward", 1, 3_001, 3_000],
    ["a wall clock set back", 1, -3_000, 0]
  ])("differ after %s: leases are older, pledges are not", (_, monotonic, wall, ahead) => {
    const { leases, move, pledges } = machine()
    const [lease, pledge] = [leases(), pledges()]
    move(monotonic, wall)
    assert.closeTo(pledges() - pledge, monotonic, 1e-6)
    assert.closeTo(leases() - lease, monotonic + ahead, 2)
    // And go on alike.
    const [later, since] = [leases(), pledges()]
    move(500)
    assert.closeTo(leases() - later, pledges() - since, 1e-6)
  })

  it("count a suspension after the wall clock was set back and forth", () => {
    const { leases, move } = machine()
    leases()
    move(0, 10_000)
    leases()
    move(0, -10_000)
    const before = leases()
    move(0, 10_000)
    assert.closeTo(leases() - before, 10_000, 2)
  })

  it("count a wall clock that is slowly getting ahead", () => {
    const { leases, move } = machine()
    const start = leases()
    for (let index = 0; index < 10_000; index++) {
      move(1, 1.1)
      leases()
    }
    assert.closeTo(leases() - start, 11_000, 3)
  })
})
