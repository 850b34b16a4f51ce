import { assert, describe, it } from "@effect/vitest"
import * as Ensemble from "../src/Ensemble.ts"
import * as Lease from "../src/Lease.ts"
import type { QuorumVerifier } from "../src/QuorumVerifier.ts"
import type { Mutation } from "./leadership/Mutation.ts"
import * as Simulation from "./leadership/Simulation.ts"
import * as Chaos from "./support/Chaos.ts"
import * as Random from "./support/Random.ts"
import { majority, oracle } from "./support/Peer.ts"

const lease: Lease.Lease = { duration: 50, grace: 10, clockDrift: 0.01 }

const membership = (committed: QuorumVerifier, lastSeen?: QuorumVerifier) =>
  Ensemble.membership({ mySid: 1n, committed, lastSeen })

describe("a pledge", () => {
  it.each<readonly [duration: number, clockDrift: number, lasts: number]>([
    [50, 0, 50],
    // A slow leader counts 50 in 62.5; a fast learner needs 75 on its clock to be sure of those.
    [50, 0.2, 75],
    [1000, 0.01, 1000 * 1.01 / 0.99]
  ])("of %d ms with clocks that differ by %d lasts %d ms on its own clock", (duration, clockDrift, lasts) => {
    const { leader, until } = Lease.pledge(3n, 700, duration, clockDrift)
    assert.strictEqual(leader, 3n)
    assert.closeTo(until - 700, lasts, 1e-9)
  })

  it("lasts longer in true time than the lease, however fast one clock and slow the other", () => {
    for (const clockDrift of [0, 0.001, 0.05, 0.3, 0.9]) {
      for (const [learner, leader] of [[1, -1], [1, 1], [-1, -1], [-1, 1]] as const) {
        const pledged = Lease.pledge(3n, 0, 50, clockDrift).until / (1 + learner * clockDrift)
        const leased = 50 / (1 + leader * clockDrift)
        assert.isAtLeast(pledged, leased - 1e-9, `${clockDrift} ${learner} ${leader}`)
      }
    }
  })

  it.each<readonly [what: string, pledge: Lease.Pledge | null, leader: bigint, now: number, remains: number]>([
    ["none", null, 3n, 0, 0],
    ["to another", { leader: 2n, until: 80 }, 3n, 30, 50],
    ["to the same", { leader: 3n, until: 80 }, 3n, 30, 0],
    ["to nobody knows whom", { leader: null, until: 80 }, 3n, 30, 50],
    ["that ends now", { leader: 2n, until: 80 }, 3n, 80, 0],
    ["that has ended", { leader: 2n, until: 80 }, 3n, 90, 0]
  ])("%s forbids as long as it lasts", (_, pledge, leader, now, remains) => {
    assert.strictEqual(Lease.remaining(pledge, leader, now), remains)
  })

  it("ends when the process it was given to is gone, but not if nobody knows which that is", () => {
    const unknown = { leader: null, until: 80 }
    assert.isNull(Lease.release({ leader: 2n, until: 80 }))
    assert.strictEqual(Lease.release(unknown), unknown)
    assert.isNull(Lease.release(null))
  })
})

describe("a lease", () => {
  it.each<readonly [duration: number, grace: number, clockDrift: number, fits: boolean]>([
    [121, 20, 0, true],
    [120, 20, 0, false],
    [1000, 20, 0, true],
    [1001, 20, 0, false],
    [960, 20, 0.01, true],
    [961, 20, 0.01, false],
    [200, 100, 0.01, false]
  ])("of %d ms, a grace of %d, a drift of %d, at ticks of 100 ms, is of use: %s", (duration, grace, drift, fits) => {
    const ticks = { tickTime: 100, initLimit: 10, syncLimit: 5 }
    assert.strictEqual(Lease.fits(Lease.make(duration, { clockDrift: drift, grace }), ticks), fits)
  })

  it("is of use only if a pledge that a slow clock times ends before a fast clock has told initLimit ticks", () => {
    const ticks = { tickTime: 100, initLimit: 10, syncLimit: 5 }
    for (const clockDrift of [0, 0.01, 0.2, 0.5]) {
      const { longest } = Lease.bounds(ticks, { clockDrift, grace: 20 })
      const trueTime = (duration: number) => Lease.pledge(1n, 0, duration, clockDrift).until / (1 - clockDrift)
      const waits = ticks.initLimit * ticks.tickTime / (1 + clockDrift)
      assert.isAtMost(trueTime(longest), waits + 1e-6)
      assert.isAbove(trueTime(longest + 1), waits)
    }
  })

  it("has a fifth of its length as grace, and a hundredth for clocks, unless told otherwise", () => {
    assert.deepStrictEqual(Lease.make(1_004), { duration: 1_004, grace: 200, clockDrift: 0.01 })
    assert.deepStrictEqual(Lease.make(1, { grace: 2, clockDrift: 3 }), { duration: 1, grace: 2, clockDrift: 3 })
  })
})

describe("the expiry of a lease", () => {
  type Answers = ReadonlyArray<readonly [sid: number, sent: number]>
  type Row = readonly [what: string, membership: Ensemble.Membership, answered: Answers, until: number | null]
  const five = majority([1, 2, 3, 4, 5])
  it.each<Row>([
    ["one voter grants it to itself at any time", membership(majority([1])), [], 1050],
    ["nobody has answered", membership(majority([1, 2, 3])), [], null],
    ["one of two others", membership(majority([1, 2, 3])), [[2, 600]], 650],
    ["the newer of two", membership(majority([1, 2, 3])), [[2, 600], [3, 640]], 690],
    ["one of four is no quorum", membership(five), [[2, 600]], null],
    ["the second newest of four", membership(five), [[2, 600], [3, 640], [4, 630], [5, 100]], 680],
    ["our own answer counts once", membership(five), [[1, 999], [2, 600]], null],
    ["who is no voter", membership(majority([1, 2, 3], { observers: [4] })), [[4, 600]], null],
    ["an oracle cannot keep its word", membership(oracle([1, 2])), [], null],
    ["both configurations", membership(majority([1, 2, 3]), majority([1, 4, 5], { version: 1 })),
      [[2, 640], [3, 630], [4, 600]], 650],
    ["only one of both", membership(majority([1, 2, 3]), majority([1, 4, 5], { version: 1 })), [[2, 640], [3, 630]],
      null]
  ])("%s", (_, membership, answered, until) => {
    const map = new Map(answered.map(([sid, sent]) => [BigInt(sid), sent]))
    assert.strictEqual(Lease.expiry(lease, 1n, membership, map, 1000), until)
  })

  // A dumb one: the latest moment at which those whose lease lasts so long are a quorum.
  it("is the latest until which a quorum has granted it, whatever the verifier", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = Random.make(seed)
      const committed = random.percent(50) ? Chaos.hierarchical(random, [1, 2, 3, 4, 5]) : majority([1, 2, 3, 4, 5])
      const answered = new Map([2n, 3n, 4n, 5n].filter(() => random.percent(80)).map((sid) => [sid, random.below(9)]))
      const times = Array.from(answered.values()).toSorted((a, b) => b - a)
      const alone = Lease.expiry(lease, 1n, membership(committed), new Map(), 1000)
      const found = times.find((time) => {
        const since = new Map(Array.from(answered).filter(([, sent]) => sent >= time).map(([sid]) => [sid, 0]))
        return Lease.expiry(lease, 1n, membership(committed), since, 1000) !== null
      })
      const expected = alone ?? (found === undefined ? null : found + 50)
      assert.strictEqual(Lease.expiry(lease, 1n, membership(committed), answered, 1000), expected, `seed ${seed}`)
    }
  })
})

describe("simulated leaders and learners", () => {
  const SEEDS = 250

  /** What happened in all simulations of a block; fails at the first in which something was wrong. */
  const sum = (block: number, leased: boolean) => {
    const total = { activations: 0, reigns: 0, changes: 0 }
    for (let seed = block * SEEDS + 1; seed <= (block + 1) * SEEDS; seed++) {
      const { activations, changes, reigns, violations } = Simulation.run({ seed, mutation: null, leased })
      assert.deepStrictEqual(Array.from(violations), [], `seed ${seed}`)
      total.activations += activations
      total.reigns += reigns
      total.changes += changes
    }
    return total
  }

  it.each([0, 1, 2, 3, 4, 5, 6, 7])("never act two at a time, and later ones with higher tokens: block %d", (block) => {
    const { activations, changes, reigns } = sum(block, true)
    // Enough happens: in each run some come into office one after another.
    assert.isAbove(activations, 2 * SEEDS)
    assert.isAbove(reigns, 2 * SEEDS)
    assert.isAbove(changes, SEEDS)
  })

  it.each([0, 1, 2, 3])("activate no epoch twice, without leases too: block %d", (block) => {
    const { activations, reigns } = sum(block, false)
    assert.isAbove(activations, 2 * SEEDS)
    assert.strictEqual(reigns, 0)
  })

  const caught = (mutation: Mutation, leased: boolean): ReadonlySet<string> => {
    for (let seed = 1; seed <= 5_000; seed++) {
      const { violations } = Simulation.run({ seed, mutation, leased })
      if (violations.size > 0) return violations
    }
    return new Set()
  }

  it.each<Mutation>([
    "LeaseFromAnswer",
    "PledgeNotRenewed",
    "NoPledge",
    "DriftIgnored",
    "NoPledgeAtStart",
    "AckedInSpiteOfPledge",
    "LeaderForgetsPledge",
    "PledgeByLeaseClock",
    "ReleasedByClose",
    "LooksBeforeEnd"
  ])("do act two at a time if something is wrong: %s", (mutation) => {
    assert.isTrue(caught(mutation, true).has("Overlap"))
  })

  it("promise an epoch twice, and activate it twice, if it is told before it is durable", () => {
    const found = new Set<string>()
    for (let seed = 1; seed <= 300; seed++) {
      for (const one of Simulation.run({ seed, mutation: "ToldBeforeStored", leased: false }).violations) found.add(one)
    }
    assert.deepStrictEqual(found, new Set(["EpochPromisedTwice", "EpochActivatedTwice"]))
  })
})
