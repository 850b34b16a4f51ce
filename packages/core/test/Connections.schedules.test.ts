import { assert, describe, it } from "@effect/vitest"
import * as Rules from "../src/Rules.ts"
import * as Pair from "./support/Pair.ts"

// How often the explorer may do what only it wants.
interface Budget {
  readonly requests: Readonly<Record<Pair.Name, number>>
  readonly resets: number
  /** How often each may want the other, and no longer want it. */
  readonly wants: Readonly<Record<Pair.Name, number>>
  readonly unwants: Readonly<Record<Pair.Name, number>>
  /** How many dials may fail though somebody listens. */
  readonly failures: number
  /** How often time may pass before the network has done what it can. Afterwards it passes anyway. */
  readonly delays: number
}

const nothing: Budget = {
  requests: { 1: 0, 2: 0 },
  resets: 0,
  wants: { 1: 0, 2: 0 },
  unwants: { 1: 0, 2: 0 },
  failures: 0,
  delays: Infinity
}

interface Visit {
  readonly world: Pair.World
  readonly budget: Budget
  readonly trace: ReadonlyArray<string>
}

// Several times as many as any test comes to. Two peers that chase each other without end come to more.
const WORLDS_MAX = 100_000

// Every world that can be reached, each once; `quiet` sees those in which nothing is left to happen, `each` all.
const explore = (
  rules: Pair.RulesOf,
  start: Visit,
  quiet: (visit: Visit) => void,
  each: (visit: Visit) => void = () => {}
): void => {
  const seen = new Set<string>()
  const waiting = [start]
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const key = keyOf(visit)
    if (seen.has(key)) continue
    seen.add(key)
    if (seen.size > WORLDS_MAX) assert.fail(["no end of it", ...visit.trace].join("\n"))
    const { budget, trace, world } = visit
    for (const name of [1, 2] as const) {
      // The invariant of liveness: a wanted peer is linked, or dialled, or will be.
      const forgotten = Pair.forgotten(world, name)
      if (forgotten.length > 0) assert.fail([`${name} has forgotten whom it wants`, ...trace].join("\n"))
    }
    each(visit)
    const choices = Pair.progress(rules)(world)
    const due = Pair.due(rules)(world)
    if (choices.length + due.length === 0) quiet(visit)
    if (choices.length === 0 || budget.delays > 0) {
      const left = choices.length === 0 ? budget : { ...budget, delays: budget.delays - 1 }
      for (const { next, what } of due) waiting.push({ world: next, budget: left, trace: [...trace, what] })
    }
    for (const { next, what } of choices) waiting.push({ world: next, budget, trace: [...trace, what] })
    for (const more of spend(rules, visit)) waiting.push(more)
  }
}

// What happens only because the explorer wants it. A peer that has not started yet starts when it likes.
const spend = (rules: Pair.RulesOf, { budget, trace, world }: Visit): Array<Visit> => {
  const visits: Array<Visit> = []
  const visit = (what: string, next: Pair.World, left: Budget) =>
    visits.push({ world: next, budget: left, trace: [...trace, what] })
  for (const name of [1, 2] as const) {
    if (!world.listening[name]) {
      visit(`${name} starts`, Pair.listen(world, name), budget)
      continue
    }
    const less = (what: "requests" | "wants" | "unwants"): Budget | null => {
      const left = budget[what][name]
      return left === 0 ? null : { ...budget, [what]: { ...budget[what], [name]: left - 1 } }
    }
    const [asked, wanted, unwanted] = [less("requests"), less("wants"), less("unwants")]
    if (asked !== null) visit(`${name} asks`, Pair.request(rules, world, name), asked)
    if (wanted !== null) visit(`${name} wants the other`, Pair.want(rules, world, name), wanted)
    if (unwanted !== null) visit(`${name} wants nobody`, Pair.wantNobody(rules, world, name), unwanted)
  }
  for (const [index, { broken, doomed, near }] of world.connections.entries()) {
    if (near.side === "None") {
      if (doomed || budget.failures === 0) continue
      visit(`attempt ${index} fails`, Pair.fail(rules, world, index), { ...budget, failures: budget.failures - 1 })
    } else if (!broken && budget.resets > 0) {
      visit(`connection ${index} breaks`, Pair.reset(world, index), { ...budget, resets: budget.resets - 1 })
    }
  }
  return visits
}

// What tells worlds apart. Connections closed on both sides are history; of two links of a peer it only matters which
// is newer, so that they are numbered anew.
const keyOf = ({ budget, world }: Visit): string => {
  const { connections, listening, peers, timers } = world
  const alive = connections.filter(({ far, near }) => near.side !== "Closed" || far.side !== "Closed")
  const ranks = ([1, 2] as const).map((name) => {
    const links = alive.map(({ dialer, far, near }) => (dialer === name ? near : far).link)
    return new Map(links.toSorted((a, b) => a - b).map((link, rank) => [link, rank]))
  })
  const rank = (name: Pair.Name, link: number | undefined) => (link === undefined ? null : ranks[name - 1]!.get(link))
  const ends = alive.map(({ broken, dialer, doomed, far, near }) => {
    const other = dialer === 1 ? 2 : 1
    return [dialer, doomed, broken, rank(dialer, near.link), near.side, rank(other, far.link), far.side]
  })
  const states = ([1, 2] as const).map((name) => {
    const { callers, dialing, links, wanted } = peers[name]
    // How often in a row a dial came to nothing makes no difference to what happens, only to when.
    const ranked = Array.from(links.values(), (link) => rank(name, link))
    return [wanted.size, timers[name], dialing.size, callers.size, ranked]
  })
  return JSON.stringify([budget, listening, states, ends])
}

// The connection both peers hold, or null if both hold none; whatever else there is at rest is a fault.
const held = ({ trace, world }: Visit): Pair.Connection | null => {
  const { connections, peers } = world
  const fail = (problem: string): never => assert.fail([problem, ...trace, JSON.stringify(connections)].join("\n"))
  for (const { callers, dialing } of [peers[1], peers[2]]) {
    if (dialing.size + callers.size > 0) return fail("a dial is remembered that is over")
  }
  const open = connections.filter(({ far, near }) => near.side !== "Closed" || far.side !== "Closed")
  if (open.length > 1) return fail("more than one connection")
  const [smaller, larger] = [peers[1].links.get(2n), peers[2].links.get(1n)]
  if (open.length === 0) return smaller === undefined && larger === undefined ? null : fail("a dead link")
  const { dialer, far, near } = open[0]!
  if (dialer !== 2) return fail("dialled by the smaller id")
  if (smaller !== far.link || larger !== near.link) return fail("not the link that both have")
  return open[0]!
}

// As the network is fastest: everything in order, nothing else meanwhile, and no time passes before it is done.
const settle = (rules: Pair.RulesOf, visit: Visit): Visit => {
  const trace = [...visit.trace]
  const next = (world: Pair.World) => Pair.progress(rules)(world)[0] ?? Pair.due(rules)(world)[0]
  let { world } = visit
  for (let choice = next(world); choice !== undefined; choice = next(world)) {
    world = choice.next
    trace.push(choice.what)
    if (trace.length > visit.trace.length + STEPS_MAX) assert.fail(["never at rest", ...trace].join("\n"))
  }
  return { ...visit, world, trace }
}

// Much more than it takes: a dial each, one dialled back, one replaced, and their ends.
const STEPS_MAX = 50

const oneLink = (visit: Visit): void => {
  if (held(visit) === null) assert.fail(["no connection", ...visit.trace].join("\n"))
}

describe.each([
  ["conclave", "conclave"],
  ["zookeeper", "zookeeper"],
  ["conclave", "zookeeper"],
  ["zookeeper", "conclave"]
] as const)("two peers, the smaller id under the rules of %s, the larger of %s", (smaller, larger) => {
  const rules = { 1: Rules.named[smaller], 2: Rules.named[larger] }

  it("have exactly one connection, dialled by the larger id, whatever the order of crossing dials", () => {
    const budget = { ...nothing, requests: { 1: 3, 2: 3 } }
    let rests = 0
    explore(rules, { world: Pair.make(), budget, trace: [] }, (visit) => {
      const { requests } = visit.budget
      if (requests[1] === budget.requests[1] && requests[2] === budget.requests[2]) return
      rests++
      oneLink(visit)
    })
    assert.isAtLeast(rests, 5)
  })

  it.each([1, 2] as const)("are connected once %s asks that started late, whatever became of earlier dials", (late) => {
    const budget = { ...nothing, requests: { 1: 3, 2: 3 } }
    let rests = 0
    explore(rules, { world: Pair.make([late === 1 ? 2 : 1]), budget, trace: [] }, (visit) => {
      held(visit)
      if (visit.budget.requests[late] === budget.requests[late]) return
      rests++
      oneLink(visit)
    })
    assert.isAtLeast(rests, 5)
  })

  it("leak nothing when connections break, and are connected once either asks again", () => {
    const budget = { ...nothing, requests: { 1: 2, 2: 2 }, resets: 2 }
    let broken = 0
    explore(rules, { world: Pair.make(), budget, trace: [] }, (visit) => {
      if (held(visit) !== null) return
      broken++
      for (const peer of [1, 2] as const) {
        oneLink(settle(rules, { ...visit, world: Pair.request(rules, visit.world, peer) }))
      }
    })
    assert.isAtLeast(broken, 5)
  })

  const wants: ReadonlyArray<readonly [who: string, wants: Budget["wants"]]> = [
    ["the smaller id wants the larger", { 1: 1, 2: 0 }],
    ["the larger id wants the smaller", { 1: 0, 2: 1 }],
    ["both want each other", { 1: 1, 2: 1 }]
  ]
  for (const [who, wanting] of wants) {
    const isWanted = ({ peers }: Pair.World) => peers[1].wanted.size + peers[2].wanted.size > 0

    it(`are connected in the end when ${who}, whatever fails and breaks meanwhile`, () => {
      const budget = { ...nothing, wants: wanting, failures: 1, resets: 1, delays: 1 }
      let rests = 0
      explore(rules, { world: Pair.make([]), budget, trace: [] }, (visit) => {
        if (!isWanted(visit.world)) return
        rests++
        oneLink(visit)
      }, (visit) => {
        // From wherever they are, once both are there and nothing fails any more.
        const { listening } = visit.world
        if (isWanted(visit.world) && listening[1] && listening[2]) oneLink(settle(rules, visit))
      })
      assert.isAtLeast(rests, 5)
    })
  }

  it("leak nothing when they want each other for a while only", () => {
    const budget = {
      ...nothing,
      wants: { 1: 1, 2: 1 },
      unwants: { 1: 1, 2: 1 },
      resets: 1,
      delays: 1
    }
    let rests = 0
    explore(rules, { world: Pair.make(), budget, trace: [] }, (visit) => {
      rests++
      held(visit)
    })
    assert.isAtLeast(rests, 5)
  })
})
