/** What arrives, what is lost on the way, and what becomes of the ways themselves. */
import * as Roles from "./Roles.ts"
import * as World from "./World.ts"

type Lines = ReadonlyArray<string>

/** Things that arrive one after another at most; a conversation that does not end is a fault of ours. */
const DELIVERIES_MAX = 2_000

/** The next thing on this way, `1->2`, arrives. */
export const deliver = (world: World.World, way: string): Lines => arrive(world, takeOn(world, way))

/** The next thing on this way does not arrive. */
export const lose = (world: World.World, way: string): string => `${told(takeOn(world, way))} is lost`

/** Everything arrives in the order in which it was sent, and so does what is sent because of it. */
export const stabilize = (world: World.World): Lines => {
  const lines: Array<string> = []
  for (let count = 0; ; count++) {
    const item = World.take(world, () => true)
    if (item === null) return lines
    if (count === DELIVERIES_MAX) throw new Error(`${count} things have arrived, and there is no end of it`)
    lines.push(...arrive(world, item))
  }
}

/** The process of a server is gone, and with it what was on its way there. */
export const crash = (world: World.World, peer: World.Peer): Lines => {
  Roles.end(world, peer)
  peer.up = false
  peer.timers.clear()
  World.loseWhatCannotArrive(world)
  return [`${peer.sid} is gone`]
}

/** From now on only those in the same group reach each other. */
export const cut = (world: World.World, groups: ReadonlyArray<ReadonlyArray<bigint>>): Lines => {
  world.groups = groups
  World.loseWhatCannotArrive(world)
  return [`the network falls apart: ${groups.map((group) => `{${group.join(", ")}}`).join(" ")}`]
}

/** All reach each other again. */
export const heal = (world: World.World): Lines => {
  const sids = Array.from(world.peers.keys())
  const pairs = sids.flatMap((from) => sids.map((to) => [from, to] as const))
  const parted = pairs.filter(([from, to]) => !World.reaches(world, from, to))
  world.groups = null
  for (const [from, to] of parted) World.reconnect(world, from, to)
  return ["the network heals, and what was said last to whom could not be reached is on its way"]
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const takeOn = (world: World.World, way: string): World.Item => {
  const [from, to] = way.split("->").map(BigInt)
  const item = World.take(world, (item) => item.from === from && item.to === to)
  if (item !== null) return item
  throw new Error(`nothing is on its way ${way}; what is: ${world.items.map(told).join("; ") || "nothing"}`)
}

const told = ({ _tag, from, to }: World.Item): string => `a ${_tag} from ${from} to ${to}`

const arrive = (world: World.World, item: World.Item): Lines => Roles.arrive(world, World.peerOf(world, item.to), item)
