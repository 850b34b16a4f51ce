/**
 * Connections within small bounds, explored to their ends; what looks true and is not; and that what is left out of an
 * exploration changes nothing.
 *
 * Larger bounds: `npm run explore`.
 */
import type * as Connections from "@conclave/core/Connections"
import type { Sid } from "@conclave/core/Sid"
import * as ConnectionsClaims from "@conclave/testkit/ConnectionsClaims"
import * as ConnectionsModel from "@conclave/testkit/ConnectionsModel"
import * as Explorer from "@conclave/testkit/Explorer"
import * as Reducers from "@conclave/testkit/Reducers"
import { assert, describe, it } from "@effect/vitest"

const { none, voters } = ConnectionsModel

const explore = (options: ConnectionsModel.Options): Explorer.Outcome =>
  Explorer.explore(ConnectionsModel.make(options), { statesMax: 400_000 })

const holds = (options: ConnectionsModel.Options): Explorer.Outcome => {
  const outcome = explore(options)
  assert.isNull(outcome.violation, outcome.violation?.path.join("\n"))
  assert.isTrue(outcome.complete)
  return outcome
}

const names = ["conclave", "zookeeper"] as const
const pairs = names.flatMap((smaller) => names.map((larger) => ({ smaller, larger })))

describe.each(pairs)("two, the smaller by the rules of $smaller, the larger of $larger", ({ larger, smaller }) => {
  const peers: ReadonlyArray<ConnectionsModel.Peer> = voters(2).map((peer) =>
    ({ ...peer, rules: peer.sid === 1n ? smaller : larger }))
  const askers = peers.map((peer) => ({ ...peer, wants: [] }))
  const wanting = (sid: Sid) => peers.map((peer) => (peer.sid === sid ? peer : { ...peer, wants: [] }))

  it("have one connection, dialled by the larger, however their calls cross", () => {
    holds({ peers: askers, bounds: { ...none, requests: 6 } })
    holds({ peers: askers, starts: "Separately", bounds: { ...none, requests: 4 } })
  })

  it("are connected once either asks, after connections broke and processes ended", { timeout: 30_000 }, () => {
    holds({ peers: askers, bounds: { ...none, requests: 4, breaks: 2 }, capacity: 2 })
    holds({ peers: askers, starts: "Separately", bounds: { ...none, requests: 3, crashes: 1 } })
  })

  it.each([1n, 2n])("are connected in the end if %d wants the other, whatever happens", { timeout: 30_000 }, (sid) => {
    holds({ peers: wanting(sid), starts: "Separately", bounds: { ...none, failures: 1, breaks: 1 } })
    holds({ peers: wanting(sid), bounds: { ...none, crashes: 1, outages: 1 }, capacity: 2 })
  })

  it("are connected in the end if both want each other, whatever happens", { timeout: 30_000 }, () => {
    holds({ peers, starts: "Separately", bounds: none })
    holds({ peers, timers: "Patient", bounds: { ...none, crashes: 1, outages: 1 } })
    holds({ peers, timers: "Patient", bounds: { ...none, breaks: 1, failures: 1 } })
    holds({ peers, timers: "Patient", bounds: { ...none, probes: 2 } })
  })

  it("leak nothing when they want each other for a while only", () => {
    holds({ peers, timers: "Patient", bounds: { ...none, changes: 2, breaks: 1 } })
  })

  it("are connected in the end, whoever else calls by whatever id", { timeout: 30_000 }, () => {
    holds({ peers, timers: "Patient", bounds: { ...none, strangers: 1 } })
  })

  it("are connected if the smaller looks for the other at its own address", () => {
    const lost = peers.map((peer) => (peer.sid === 1n ? { ...peer, misdirected: [2n] } : peer))
    holds({ peers: lost, timers: "Patient", bounds: none })
  })

  const isOriginal = larger === "zookeeper"
  it(`${isOriginal ? "need never" : "always"} come to rest if who is to ask again does so at once`, () => {
    const { violation } = explore({ peers, bounds: none, asks: "Chase" })
    assert.strictEqual(violation?.property, isOriginal ? "endless" : undefined)
  })
})

describe("three", () => {
  it("have one connection each, and what happens between two happens beside all that happens between others", () => {
    const [two, three] = [2, 3].map((count) => {
      const peers = voters(count).map((peer) => ({ ...peer, wants: peer.wants.filter((other) => other > peer.sid) }))
      return holds({ peers, timers: "Patient", bounds: none })
    })
    assert.isAbove(two!.states, 10)
    assert.strictEqual(three!.states, two!.states ** 3)
  })
})

describe("what looks true and is not", () => {
  const steps: Record<ConnectionsClaims.ClaimName, number> = {
    shared: 2,
    same: 6,
    one: 2,
    lasts: 7,
    original: 4,
    kept: 8,
    member: 5,
    rest: 1
  }

  it.each(Object.keys(steps) as Array<ConnectionsClaims.ClaimName>)("%s", (name) => {
    const claim: ConnectionsClaims.FalseClaim = ConnectionsClaims.claims[name]
    const { violation } = explore(ConnectionsClaims.optionsOf(claim))
    const property = claim.refutes === null ? "endless" : claim.says
    assert.deepStrictEqual([violation?.property, violation?.path.length], [property, steps[name]])
  })
})

type Step = typeof Connections.step

/** The core as shipped, but for what becomes of a step of connections. */
const wrapped = (wrap: (step: Step) => Step): Reducers.Reducers => {
  const { Connections } = Reducers.shipped
  return { ...Reducers.shipped, Connections: { ...Connections, step: wrap(Connections.step) } }
}

describe("a core that does what it must not is found out", () => {
  const two = { peers: voters(2), bounds: none }

  it.each<[string, (step: Step) => Step, Partial<ConnectionsModel.Options>]>([
    ["total", (step) => (view, state, event) => {
      if (event._tag === "Accepted") throw new Error("too much")
      return step(view, state, event)
    }, {}],
    ["dead", (step) => (view, state, event) =>
      event._tag === "Closed" ? [state, []] : step(view, state, event), { bounds: { ...none, breaks: 1 } }],
    ["live", (step) => (view, state, event) =>
      event._tag === "ConnectRequested" ? [state, []] : step(view, state, event), {
      peers: two.peers.map((peer) => ({ ...peer, wants: [] })),
      bounds: { ...none, requests: 1 }
    }],
    ["endless", (step) => (view, state, event) => {
      const [next, outputs] = step(view, state, event)
      const isConnected = event._tag === "RedialDue" && state.links.has(event.sid)
      return [next, isConnected ? [{ _tag: "RedialLater", sid: event.sid, failures: 1 }] : outputs]
    }, {}]
  ])("%s", (property, wrap, options) => {
    const outcome = explore({ ...two, ...options, reducers: wrapped(wrap) })
    assert.strictEqual(outcome.violation?.property, property)
  })
})

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === "bigint" ? String(one) : one instanceof Map || one instanceof Set ? Array.from(one) : one)

/** What of a state is about one peer. */
const about = (state: Connections.State, sid: Sid): Connections.State => ({
  links: new Map(Array.from(state.links).filter(([other]) => other === sid)),
  dialing: new Set(Array.from(state.dialing).filter((other) => other === sid)),
  callers: new Map(Array.from(state.callers).filter(([other]) => other === sid)),
  wanted: new Map(Array.from(state.wanted).filter(([other]) => other === sid)),
  observerCounter: 0n
})

const eventAbout = (event: Connections.Event, sid: Sid): Connections.Event | null => {
  if (event._tag !== "Wanted") return event.sid === sid ? event : null
  return { ...event, sids: new Set(Array.from(event.sids).filter((other) => other === sid)) }
}

/** Each step that an exploration takes, once. */
const stepsOf = (options: ConnectionsModel.Options): ReadonlyArray<Parameters<Step>> => {
  const steps: Array<Parameters<Step>> = []
  const reducers = wrapped((step) => (...args) => {
    steps.push(args)
    return step(...args)
  })
  assert.isNull(explore({ ...options, reducers }).violation)
  return steps
}

describe("what is left out changes nothing", { timeout: 30_000 }, () => {
  const { step } = Reducers.shipped.Connections
  const bounds = { ...none, breaks: 1, crashes: 1, changes: 1, requests: 1 }

  it.each(names)("a step about one neither reads nor changes what is known of others, by the rules of %s", (rules) => {
    const all = [1n, 2n, 3n]
    let crowded = 0
    const model = ConnectionsModel.make({
      peers: voters(3, rules),
      timers: "Patient",
      bounds,
      reducers: wrapped((step) => (view, state, event) => {
        const [after, outputs] = step(view, state, event)
        for (const sid of all.filter((sid) => sid !== view.mySid)) {
          const own = eventAbout(event, sid)
          const [alone, said] = own === null ? [about(state, sid), []] : step(view, about(state, sid), own)
          assert.strictEqual(plain(about(after, sid)), plain(alone))
          assert.strictEqual(plain(outputs.filter((output) => output.sid === sid)), plain(said))
        }
        if (state.wanted.size > 1) crowded++
        return [after, outputs]
      })
    })
    assert.isNull(Explorer.explore(model, { statesMax: 40_000 }).violation)
    assert.isAbove(crowded, 100)
  })

  it("how often in a row nothing came of a dial decides nothing, but whether it was so at all does", () => {
    const steps = stepsOf({ peers: voters(2), timers: "Patient", bounds: { ...none, breaks: 1, changes: 1 } })
    const decided = (state: Connections.State, failures: number, [view, , event]: Parameters<Step>): string => {
      const wanted = new Map(Array.from(state.wanted.keys(), (sid) => [sid, failures]))
      const [after, outputs] = step(view, { ...state, wanted }, event)
      const atMost = new Map(Array.from(after.wanted, ([sid, failures]) => [sid, Math.min(failures, 1)]))
      const said = outputs.map((output) => (output._tag === "RedialLater" ? { ...output, failures: 0 } : output))
      return plain([{ ...after, wanted: atMost }, said])
    }
    assert.isAbove(steps.length, 100)
    for (const args of steps) assert.strictEqual(decided(args[1], 1, args), decided(args[1], 7, args))
    assert.isTrue(steps.some((args) => decided(args[1], 0, args) !== decided(args[1], 1, args)))
  })

  it("with room for one connection more there are more states, and nothing else is broken", () => {
    const states = [2, 3].map((capacity) => holds({ peers: voters(2), timers: "Any", bounds: none, capacity }).states)
    assert.isAbove(states[1]!, states[0]!)
    // Who dials while the other's connection is there needs room for both.
    const { violation } = explore({ peers: voters(2), bounds: none, capacity: 1 })
    assert.strictEqual(violation?.property, "rest")
  })
})
