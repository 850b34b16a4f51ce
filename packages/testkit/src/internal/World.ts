/**
 * A simulated world: its clock, what is due, the network's condition, and the nodes in it.
 *
 * Mutable, and only this side of the seam: what decides are the reducers, which see nothing of it.
 */
import type * as Connections from "@conclave/core/Connections"
import type { LinkId } from "@conclave/core/ConnectionsOutput"
import type * as Election from "@conclave/core/Election"
import type { Confirmation } from "@conclave/core/Confirmation"
import type { Ensemble, Membership } from "@conclave/core/Ensemble"
import type { Notification, ToSend } from "@conclave/core/Notification"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import type { Sid } from "@conclave/core/Sid"
import type { Proposal } from "@conclave/core/Vote"
import type { Random } from "../Random.ts"
import type { Reducers } from "../Reducers.ts"
import type { Member, Scenario } from "../Scenario.ts"
import type { LeadershipMoment, Moment } from "../Simulator.ts"
import type { Disk } from "./Disk.ts"
import * as EventQueue from "./EventQueue.ts"
import type { Promises } from "./LeadershipChecks.ts"
import type { Stats } from "./Stats.ts"
import type { Tenure } from "./Tenure.ts"
import type { Tracer } from "./Tracer.ts"

/** What waits for one peer, and what was handed to a connection last. As `Outboxes` in the shell. */
export interface Outbox {
  readonly sid: Sid
  /** What the connections are asked before each message. */
  readonly request: Connections.Event
  queued: Notification | null
  lastMessageSent: Notification | null
  /** Which connection it goes over, by these connections. */
  links: Connections.State["links"] | null
  link: LinkId | undefined
}

/** One end of a connection. */
export interface End {
  /** Whose it is; `null` for somebody who is no node at all. */
  readonly node: Node | null
  readonly incarnation: number
  readonly id: number
  readonly port: Port
  /** Who is at the other end, as far as this one knows: the acceptor learns it from the handshake. */
  sid: Sid
  readonly dialed: boolean
  other: End
  /** Neither closed here nor known to be gone. */
  open: boolean
  /** Nothing arrives any more. */
  broken: boolean
  /** Sent and received on; `lingering` if only received any more. */
  adopted: boolean
  lingering: boolean
  /** Has any message come over it? */
  useful: boolean
  /** Nothing arrives here before this time: a connection keeps the order. */
  arrivals: number
  /** What cannot arrive because the way is cut, in order. */
  readonly held: Array<Arrival>
  /** What cannot be written yet, in order; at the quorum port only. */
  readonly unsent: Array<QuorumPacket>
  /** At a leader: the half tick since which patience counts; and whether it was said that all is in sync. */
  heardAt: number
  synced: boolean
}

/** Where a host is dialled. */
export type Port = "Election" | "Quorum"

/** What comes over a connection: a message, the handshake before all of them, and the end after. */
export type Arrival = Notification | QuorumPacket | "Hello" | "End"

/** The leader that is watched. As `LeaderWatch` in the shell. */
export interface Watch {
  readonly recovering: Set<Sid>
  readonly astray: Set<Sid>
  confirmation: Confirmation | null
  /** Nobody is watched over: something else tells. */
  stopped: boolean
  /** The number of the latest timer of each name, counted by `started`; one that is not there has no effect. */
  readonly timers: Map<string, number>
  started: number
}

/** A process and the host it runs on. */
export interface Node {
  readonly member: Member
  readonly index: number
  readonly sid: Sid
  /** Who it is, and who it is in elections now: while it abstains it is not electable. */
  readonly self: Ensemble
  ensemble: Ensemble
  /** Who votes by the scenario, as long as that stays as it is: for the checks. */
  readonly voters: { readonly committed: ReadonlyArray<Sid>; readonly pending: ReadonlyArray<Sid> | null }
  /** On its disk. */
  membership: Membership
  readonly disk: Disk
  /** Is the process there? */
  up: boolean
  /** Does the host answer? */
  powered: boolean
  paused: boolean
  /** Counts starts, so that what was meant for an earlier process is known. */
  incarnation: number
  /** What happens while it stands still. */
  readonly waiting: Array<() => void>
  election: Election.State
  connections: Connections.State
  view: Connections.View
  links: number
  readonly ends: Map<number, End>
  readonly outboxes: Array<Outbox>
  readonly redials: Map<Sid, number>
  /** What it said last, and as what that arrives. */
  said: { readonly message: ToSend; readonly notification: Notification } | null
  readonly watch: Watch
  /** What followed the last election. */
  tenure: Tenure
  /** By how much its wall clock has jumped ahead. */
  ahead: number
  /** When the election's timer fires, and whether anything is due then already. */
  timerAt: number
  timerDue: number
  readonly book: Book
}

/** What the checker knows of a node, from its outputs alone. */
export interface Book {
  timer: "Notification" | "Finalize" | null
  /** Our own proposal in the round we are in, or were in last. */
  initial: Proposal | null
  /** Its own history when its search began. */
  own: Pick<Proposal, "peerEpoch" | "zxid"> | null
  /** The rounds that we were ever in: the least that we knew as we entered each, or that we joined a leader of it. */
  readonly rounds: Map<bigint, Proposal | "Joined">
  readonly promises: Promises
}

/** What a safety property was and how it was broken. */
export interface Violation {
  readonly property: string
  readonly detail: string
  /** In milliseconds from the start. */
  readonly at: number
}

/** Told what happens, a line an event, and whether that is a turning point. */
export type Log = (line: string, isTurn: boolean) => void

/**
 * Something due: to be run, without effect on a node that has started anew since; or to arrive at the end of a
 * connection. One shape for both, as there are millions of them.
 */
export interface Due {
  readonly node: Node | null
  readonly incarnation: number
  readonly run: (() => void) | null
  readonly end: End | null
  readonly arrival: Arrival
}

/** A fault that waits for its moment. */
export type Ambush = (node: Node) => void

/** The world. */
export interface World {
  readonly scenario: Scenario
  readonly reducers: Reducers
  readonly handlers: Handlers
  readonly random: Random
  readonly queue: EventQueue.EventQueue<Due>
  /** What happens now, one after another. */
  readonly soon: Array<Due>
  now: number
  /** How many things have happened. */
  turns: number
  readonly nodes: Array<Node>
  /** How many cuts lie on the way from one node to another, and how many clogs. */
  readonly cuts: Int32Array
  readonly clogs: Int32Array
  /** Ends at which something is held. */
  readonly holding: Set<End>
  /** What happens to whoever stores an epoch next, or pings under a lease; then to the one after that, and so on. */
  readonly ambushes: { readonly store: Array<Ambush>; readonly ping: Array<Ambush> }
  /** Who was activated last, while it leads, and since when nobody does. */
  reign: Node | null
  leaderlessSince: number
  /** Who was activated in each epoch, and the highest epoch in which anybody began to act. */
  readonly activated: Map<bigint, Sid>
  token: bigint
  violation: Violation | null
  readonly stats: Stats
  /** Whether what is lost, and doubled, is so still. */
  faulty: boolean
  readonly honest: boolean
  readonly static: boolean
  /** Every proposal that anybody ever began a round with. */
  readonly proposals: Array<Proposal>
  readonly log: Log | null
  readonly observe: ((moment: Moment) => void) | null
  readonly observeLeadership: ((moment: LeadershipMoment) => void) | null
  readonly trace: Tracer | null
}

/** What becomes of arrivals. */
export interface Handlers {
  /** Something would arrive now, if the way is free. */
  readonly land: (world: World, end: End, arrival: Arrival) => void
  /** It has arrived. */
  readonly receive: (world: World, end: End, arrival: Arrival) => void
}

/** Does something to a node after so many milliseconds, unless it has started anew by then. */
export const schedule = (world: World, delay: number, node: Node | null, run: () => void): void => {
  const due: Due = { node, incarnation: node === null ? 0 : node.incarnation, run, end: null, arrival: "End" }
  if (delay === 0) world.soon.push(due)
  else world.queue.push(world.now + delay, due)
}

/** The same, after so many milliseconds of the node's own clock. */
export const after = (world: World, node: Node, millis: number, run: () => void): void =>
  schedule(world, ticks(node, millis), node, run)

/** What so many milliseconds of a node's clock are in the world's. */
export const ticks = (node: Node, millis: number): number => Math.max(1, Math.round(millis * node.member.clock / 100))

/** What a node's clock shows, in milliseconds that need not be whole. */
export const clockOf = ({ now }: World, { member: { clock } }: Node): number => now * 100 / clock

/** When a node's clock shows that. */
export const timeOf = ({ member: { clock } }: Node, instant: number): number => instant * clock / 100

/**
 * The node of this id. There are few, and to compare ids takes a fifth of the time of looking one up in a table of
 * 64-bit keys.
 */
export const nodeOf = ({ nodes }: World, sid: Sid): Node | undefined => {
  for (const node of nodes) if (node.sid === sid) return node
  return undefined
}

/** How long a message takes this time. */
export const latency = ({ random, scenario: { latency: [least, most] } }: World): number =>
  random.between(least, most)

/** Can nothing get from here to there now? Somebody who is no node can get everywhere. */
export const isCut = (world: World, from: Node | null, to: Node | null): boolean =>
  from !== null && to !== null && world.cuts[from.index * world.nodes.length + to.index]! > 0

/** Is it this node's own process, the one that this was meant for? */
export const isCurrent = (node: Node, incarnation: number): boolean => node.up && node.incarnation === incarnation

/** Now is the moment for the next of these faults, as long as there are any. It waits for the end of this step. */
export const spring = (world: World, node: Node, ambushes: Array<Ambush>): void => {
  const ambush = world.faulty ? ambushes.shift() : undefined
  if (ambush !== undefined) schedule(world, 0, node, () => ambush(node))
}

/** Notes the first thing that must not be; the simulation ends with it. */
export const fail = (world: World, property: string, detail: string): void => {
  world.violation ??= { property, detail, at: world.now }
}

/** Things that happen in a simulation at most; ten times what happens in any that comes to an end. */
const TURNS_MAX = 100_000

/** Lets time pass until then, or until something must not be. */
export const run = (world: World, until: number): void => {
  const { queue, soon } = world
  let next = 0
  while (world.violation === null) {
    if (world.turns++ > TURNS_MAX) fail(world, "endless", `${TURNS_MAX} things happened, and there is no end of it`)
    if (next < soon.length) perform(world, soon[next++]!)
    else {
      // An array that is cut gives its room back, and this is done before each thing that is due later.
      if (next > 0) soon.length = next = 0
      const at = queue.nextAt()
      if (at > until) break
      world.now = at
      perform(world, queue.pop())
    }
  }
  world.now = Math.max(world.now, Math.min(until, EventQueue.TIME_MAX))
}

const perform = (world: World, { arrival, end, incarnation, node, run }: Due): void => {
  if (end !== null) return world.handlers.land(world, end, arrival)
  if (run === null || (node !== null && node.incarnation !== incarnation)) return
  if (node === null || !node.paused) run()
  else node.waiting.push(run)
}
