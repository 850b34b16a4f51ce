import { assert, describe, it } from "@effect/vitest"
import * as Rules from "../src/Rules.ts"
import * as Pair from "./support/Pair.ts"

// How often the explorer may do what only it wants.
interface Budget {
  readonly requests: Readonly<Record<Pair.Name, number>>
  readonly resets: number
}

interface Visit {
  readonly world: Pair.World
  readonly budget: Budget
  readonly trace: ReadonlyArray<string>
}

// Every world that can be reached, each once; `quiet` sees those in which nothing is left to happen.
const explore = (
  rules: Rules.Rules,
  start: Visit,
  quiet: (visit: Visit) => void
): void => {
  const seen = new Set<string>()
  const waiting = [start]
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const key = keyOf(visit)
    if (seen.has(key)) continue
    seen.add(key)
    const { budget, trace, world } = visit
    const choices = Pair.progress(rules)(world)
    if (choices.length === 0) quiet(visit)
    for (const { next, what } of choices) waiting.push({ world: next, budget, trace: [...trace, what] })
    for (const more of spend(rules, visit)) waiting.push(more)
  }
}

// What happens only because the explorer wants it. A peer that has not started yet starts when it likes.
const spend = (rules: Rules.Rules, { budget, trace, world }: Visit): Array<Visit> => {
  const visits: Array<Visit> = []
  for (const name of [1, 2] as const) {
    if (!world.listening[name]) {
      visits.push({ world: Pair.listen(world, name), budget, trace: [...trace, `${name} starts`] })
    } else if (budget.requests[name] > 0) {
      const requests = { ...budget.requests, [name]: budget.requests[name] - 1 }
      const next = Pair.request(rules, world, name)
      visits.push({ world: next, budget: { ...budget, requests }, trace: [...trace, `${name} asks`] })
    }
  }
  if (budget.resets > 0) {
    world.connections.forEach(({ broken, near }, index) => {
      if (broken || near.side === "None") return
      const left = { ...budget, resets: budget.resets - 1 }
      visits.push({ world: Pair.reset(world, index), budget: left, trace: [...trace, `connection ${index} breaks`] })
    })
  }
  return visits
}

// What tells worlds apart. Connections closed on both sides are history; of two links of a peer it only matters which
// is newer, so that they are numbered anew.
const keyOf = ({ budget, world }: Visit): string => {
  const { connections, listening, peers } = world
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
    const { callers, dialing, links } = peers[name]
    return [dialing.size, callers.size, Array.from(links.values(), (link) => rank(name, link))]
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

// As the network is fastest: everything in order, nothing else meanwhile.
const settle = (rules: Rules.Rules, visit: Visit): Visit => {
  let { world } = visit
  const trace = [...visit.trace]
  for (let [choice] = Pair.progress(rules)(world); choice !== undefined; [choice] = Pair.progress(rules)(world)) {
    world = choice.next
    trace.push(choice.what)
  }
  return { ...visit, world, trace }
}

const oneLink = (visit: Visit): void => {
  if (held(visit) === null) assert.fail(["no connection", ...visit.trace].join("\n"))
}

describe.each(["conclave", "zookeeper"] as const)("two peers under the rules of %s", (name) => {
  const rules = Rules.named[name]

  it("have exactly one connection, dialled by the larger id, whatever the order of crossing dials", () => {
    const budget = { requests: { 1: 3, 2: 3 }, resets: 0 }
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
    const budget = { requests: { 1: 3, 2: 3 }, resets: 0 }
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
    const budget = { requests: { 1: 2, 2: 2 }, resets: 2 }
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
})
