/**
 * Two peers that dial each other, and everything that can happen next: for conversations. Every order in which it can
 * happen is explored by `ConnectionsModel` of the test kit.
 *
 * What a network promises is modelled, and no more: connections are accepted in
 * the order in which they were made; a handshake may be read late, and in any
 * order among connections; an end is learnt after what was written before it.
 */
import * as Connections from "../../src/Connections.ts"
import type { Output } from "../../src/ConnectionsOutput.ts"
import type { Membership } from "../../src/Ensemble.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import type * as Rules from "../../src/Rules.ts"
import { majority } from "./Peer.ts"

/** The peer with the smaller id, and the one with the larger. */
export type Name = 1 | 2

/** By which rules each decides. */
export type RulesOf = Readonly<Record<Name, Rules.Rules>>

/** What one side holds. `Unread`: the handshake is on its way. `Lingering`: the other side is to close. */
export type Side = "None" | "Unread" | "Open" | "Lingering" | "Closed"

/** A connection, or an attempt at one. */
export interface Connection {
  readonly dialer: Name
  /** An attempt that began before the other side listened. */
  readonly doomed: boolean
  /** Broken on the way: each side learns it, and bytes may be lost. */
  readonly broken: boolean
  readonly near: { readonly link: number; readonly side: Side }
  readonly far: { readonly link: number; readonly side: Side }
}

/** Both peers and all that is between them. */
export interface World {
  readonly peers: Readonly<Record<Name, Connections.State>>
  readonly listening: Readonly<Record<Name, boolean>>
  readonly links: Readonly<Record<Name, number>>
  readonly connections: ReadonlyArray<Connection>
  /** Who has been told to ask again later, and has not yet. */
  readonly timers: Readonly<Record<Name, boolean>>
  /** What happened until now, for who wants to tell it; `null` if nobody does. */
  readonly story: ReadonlyArray<Decision> | null
}

/** What happened to a peer, and what it decided. */
export interface Decision {
  readonly name: Name
  readonly event: Connections.Event
  readonly outputs: ReadonlyArray<Output>
}

/** Something that can happen next. */
export interface Choice {
  readonly what: string
  readonly next: World
}

/** No connections. `listening` are those that have started. */
export const make = (listening: ReadonlyArray<Name> = [1, 2], isTold = false): World => ({
  peers: { 1: Connections.empty, 2: Connections.empty },
  listening: { 1: listening.includes(1), 2: listening.includes(2) },
  links: { 1: 0, 2: 0 },
  connections: [],
  timers: { 1: false, 2: false },
  story: isTold ? [] : null
})

const membership: Membership = Ensemble.membership({ mySid: 1n, committed: majority([1, 2]) })

const other = (name: Name): Name => (name === 1 ? 2 : 1)

/** What happens because time passes: connections have lingered, and who was told to asks again. */
export const due = (rules: RulesOf) => (world: World): ReadonlyArray<Choice> => {
  const ends = world.connections.flatMap(({ dialer, far, near }, index) =>
    ([["near", near], ["far", far]] as const).filter(([, { side }]) => side === "Lingering").flatMap(([end]) =>
      [true, false].map((useful) => ({
        what: `connection ${near.link} of ${dialer}: ${end} has lingered${useful ? "" : ", of no use"}`,
        next: gone(rules, world, index, end, useful)
      }))))
  const again = ([1, 2] as const).filter((name) => world.timers[name]).map((name) => ({
    what: `${name} asks again`,
    next: redial(rules, world, name)
  }))
  return [...ends, ...again]
}

/** Everything else that the network and the peers may do next, of themselves. */
export const progress = (rules: RulesOf) => (world: World): ReadonlyArray<Choice> =>
  world.connections.flatMap((connection, index) => {
    const { broken, dialer, far, near } = connection
    const id = `connection ${near.link || "?"} of ${dialer}`
    const choices: Array<Choice> = []
    const choose = (what: string, next: World) => choices.push({ what: `${id}: ${what}`, next })
    if (near.side === "None") {
      if (connection.doomed) choose("fails", dialFailed(rules, world, index))
      else choose("is made", dialed(rules, world, index))
    }
    if (far.side === "Unread") choose("handshake read", accepted(rules, world, index))
    if (far.side === "Unread" && broken) choose("handshake lost", setSide(world, index, "far", "Closed"))
    for (const end of ["near", "far"] as const) {
      const [mine, theirs] = end === "near" ? [near, far] : [far, near]
      if ((mine.side === "Open" || mine.side === "Lingering") && (theirs.side === "Closed" || broken)) {
        // Whether a frame ever came over it, nobody can know here.
        choose(`${end} learns the end`, gone(rules, world, index, end, true))
        choose(`${end} learns the end, of no use`, gone(rules, world, index, end, false))
      }
    }
    return choices
  })

/** A peer asks for a connection. */
export const request = (rules: RulesOf, world: World, name: Name): World =>
  decide(rules, world, name, { _tag: "ConnectRequested", sid: BigInt(other(name)) })

/** A peer wants the other from now on. */
export const want = (rules: RulesOf, world: World, name: Name): World =>
  decide(rules, world, name, { _tag: "Wanted", sids: new Set([BigInt(other(name))]) })

/** A connection breaks. */
export const reset = (world: World, index: number): World => replace(world, index, { broken: true })

/** A peer starts to listen. */
export const listen = (world: World, name: Name): World => ({
  ...world,
  listening: { ...world.listening, [name]: true }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const replace = (world: World, index: number, change: Partial<Connection>): World => ({
  ...world,
  connections: world.connections.with(index, { ...world.connections[index]!, ...change })
})

const setSide = (world: World, index: number, end: "near" | "far", side: Side): World =>
  replace(world, index, { [end]: { ...world.connections[index]![end], side } })

const take = (world: World, name: Name): readonly [World, number] => {
  const link = world.links[name] + 1
  return [{ ...world, links: { ...world.links, [name]: link } }, link]
}

const dialed = (rules: RulesOf, world: World, index: number): World => {
  const { dialer } = world.connections[index]!
  const [one, near] = take(world, dialer)
  const [both, far] = take(one, other(dialer))
  const made = replace(both, index, { near: { link: near, side: "Open" }, far: { link: far, side: "Unread" } })
  return decide(rules, made, dialer, { _tag: "Dialed", link: near, sid: BigInt(other(dialer)) })
}

const dialFailed = (rules: RulesOf, world: World, index: number): World => {
  const { dialer } = world.connections[index]!
  const failed = { ...world, connections: world.connections.toSpliced(index, 1) }
  return decide(rules, failed, dialer, { _tag: "DialFailed", sid: BigInt(other(dialer)) })
}

const accepted = (rules: RulesOf, world: World, index: number): World => {
  const { dialer, far } = world.connections[index]!
  return decide(rules, setSide(world, index, "far", "Open"), other(dialer), {
    _tag: "Accepted",
    link: far.link,
    sid: BigInt(dialer),
    announced: []
  })
}

const redial = (rules: RulesOf, world: World, name: Name): World =>
  decide(rules, { ...world, timers: { ...world.timers, [name]: false } }, name, {
    _tag: "RedialDue",
    sid: BigInt(other(name))
  })

const gone = (rules: RulesOf, world: World, index: number, end: "near" | "far", useful: boolean): World => {
  const connection = world.connections[index]!
  const name = end === "near" ? connection.dialer : other(connection.dialer)
  return decide(rules, setSide(world, index, end, "Closed"), name, {
    _tag: "Closed",
    link: connection[end].link,
    sid: BigInt(other(name)),
    useful
  })
}

const decide = (rules: RulesOf, world: World, name: Name, event: Connections.Event): World => {
  const view = { mySid: BigInt(name), membership, rules: rules[name], probeAddresses: false }
  const [state, outputs] = Connections.step(view, world.peers[name], event)
  const story = world.story === null ? null : [...world.story, { name, event, outputs }]
  const decided: World = { ...world, peers: { ...world.peers, [name]: state }, story }
  return outputs.reduce((next, output) => perform(next, name, output), decided)
}

const perform = (world: World, name: Name, output: Output): World => {
  switch (output._tag) {
    case "Dial": {
      const nothing = { link: 0, side: "None" } as const
      const doomed = !world.listening[other(name)]
      const attempt: Connection = { dialer: name, doomed, broken: false, near: nothing, far: nothing }
      return { ...world, connections: [...world.connections, attempt] }
    }
    case "Close": {
      const side = output.linger ? "Lingering" : "Closed"
      return world.connections.reduce((next, { dialer, far, near }, index) => {
        if (dialer === name && near.link === output.link) return setSide(next, index, "near", side)
        if (dialer !== name && far.link === output.link) return setSide(next, index, "far", side)
        return next
      }, world)
    }
    case "Adopt":
      return world
    case "RedialLater":
      // One per peer: a later one takes the place of the one before it.
      return { ...world, timers: { ...world.timers, [name]: true } }
    case "Probe":
      throw new Error("nobody has several addresses here")
    case "NoAddress":
      throw new Error("both peers have an address")
  }
}
