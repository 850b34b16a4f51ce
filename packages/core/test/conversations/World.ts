/**
 * The peers of a conversation and what is on its way between them.
 *
 * Nothing happens by itself: time does not pass, no timer fires, and what is sent
 * arrives when the story says so, in order between any two. Of votes that cannot get
 * through the last is kept, and sent when there is a way, as by the connection
 * manager; packets that cannot are lost. What decides is the core; what is here only keeps what
 * it needs to know.
 */
import * as Election from "../../src/Election.ts"
import type { Ensemble, Membership } from "../../src/Ensemble.ts"
import type * as Leader from "../../src/Leader.ts"
import type * as Learner from "../../src/Learner.ts"
import * as Lease from "../../src/Lease.ts"
import type { Notification } from "../../src/Notification.ts"
import type { QuorumPacket } from "../../src/QuorumPacket.ts"

/** What an election has given: an office, or somebody to follow. */
export type Role =
  | { readonly _tag: "Leader"; readonly options: Leader.Options; state: Leader.State }
  | {
    readonly _tag: "Learner"
    readonly options: Learner.Options
    readonly link: number
    state: Learner.State
    /** The configuration that the leader told. */
    config: string
  }

/** A server; `ensemble`, `membership`, `history` and `pledge` outlive its process. */
export interface Peer {
  readonly sid: bigint
  readonly ensemble: Ensemble
  membership: Membership
  history: Learner.History
  pledge: Lease.Pledge | null
  up: boolean
  election: Election.State
  role: Role | null
  /** The timers that run, with what they were set to; that of the election is `notification` or `finalize`. */
  readonly timers: Map<string, number>
}

/** Something on its way, or on its way to a disk. */
export type Item = { readonly from: bigint; readonly to: bigint } & (
  | { readonly _tag: "Notification"; readonly notification: Notification }
  | { readonly _tag: "Packet"; readonly link: number; readonly packet: QuorumPacket }
  /** The connection at the quorum port is gone. */
  | { readonly _tag: "End"; readonly link: number }
  | { readonly _tag: "Stored"; readonly what: "acceptedEpoch" | "currentEpoch"; readonly epoch: bigint }
)

/** All of it; mutable. */
export interface World {
  readonly peers: Map<bigint, Peer>
  readonly lease: Lease.Lease | null
  items: Array<Item>
  /** Who reaches each other; `null` if all do. */
  groups: ReadonlyArray<ReadonlyArray<bigint>> | null
  /** What was voted last, by sender and receiver. */
  readonly voted: Map<string, Item>
  /** By all clocks, in milliseconds. */
  now: number
  /** The connections at quorum ports, by number. */
  readonly links: Map<number, Link>
  linksMade: number
}

/** A connection at a quorum port. */
export interface Link {
  readonly leader: bigint
  readonly learner: bigint
}

/** The peer with this id. */
export const peerOf = ({ peers }: World, sid: bigint): Peer => {
  const peer = peers.get(sid)
  if (peer === undefined) throw new Error(`there is no server ${sid}`)
  return peer
}

/** Does what is sent get there? */
export const reaches = ({ groups, peers }: World, from: bigint, to: bigint): boolean =>
  peers.get(to)?.up === true && peers.get(from)?.up === true &&
  (from === to || groups === null || groups.some((group) => group.includes(from) && group.includes(to)))

/** Sends something, and says whether it is under way. */
export const send = (world: World, item: Item): boolean => {
  if (item._tag === "Notification") world.voted.set(`${item.from} ${item.to}`, item)
  if (!reaches(world, item.from, item.to)) return false
  world.items.push(item)
  return true
}

/** Takes out what has been under way for the longest time, of all that the test accepts; `null` if there is nothing. */
export const take = (world: World, accept: (item: Item) => boolean): Item | null => {
  const index = world.items.findIndex(accept)
  return index === -1 ? null : world.items.splice(index, 1)[0]!
}

/** Takes out what cannot arrive any more. */
export const loseWhatCannotArrive = (world: World): void => {
  world.items = world.items.filter(({ _tag, from, to }) => _tag === "End" || reaches(world, from, to))
}

/** Makes the connections of a peer anew; what was under way on those of before is lost. */
export const connectAnew = (world: World, { sid }: Peer): void => {
  world.items = world.items.filter(({ _tag, from, to }) => _tag !== "Notification" || (from !== sid && to !== sid))
  for (const other of world.peers.keys()) {
    world.voted.delete(`${sid} ${other}`)
    reconnect(world, other, sid)
  }
}

/** Sends what the one has said last to the other: it may not have arrived. */
export const reconnect = (world: World, from: bigint, to: bigint): void => {
  const item = world.voted.get(`${from} ${to}`)
  if (item !== undefined && from !== to && reaches(world, from, to)) world.items.push(item)
}

/** A process that has just begun. It may have pledged itself before, and does not know to whom. */
export const boot = (world: World, peer: Peer): void => {
  const { lease, now } = world
  const mayBePledged = lease !== null && peer.history.acceptedEpoch > 0n
  peer.pledge = mayBePledged ? Lease.pledge(null, now, lease.duration, lease.clockDrift) : null
  peer.up = true
  peer.election = Election.make(peer.ensemble, peer.membership, peer.history)
  peer.role = null
  peer.timers.clear()
  connectAnew(world, peer)
}
