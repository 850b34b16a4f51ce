/**
 * Connections between hosts: they are made, carry messages in order, and end.
 *
 * As TCP does it: what a cut holds up arrives late and not never; an end is learnt after what was written before it;
 * a process that is gone refuses, and a host that is gone is silent. Beyond TCP, single messages may be lost or come
 * twice while the faults last, as through a relay.
 */
import type { Notification } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import type { Arrival, End, Node, World } from "./World.ts"
import { isCurrent, isCut, latency, schedule } from "./World.ts"

/** Why nobody could be dialled. */
export type DialFailure = "Refused" | "Unreachable"

/** How long a dial may take. Java: zookeeper.cnxTimeout. */
export const DIAL_TIMEOUT = 5_000

/** How long what is sent may be held up before the connection breaks. TCP takes minutes, longer than a scenario. */
const PATIENCE = 15_000

/** Dials a node, and tells whoever dialled; a connection comes with its handshake on the way to the other side. */
export const dial = (
  world: World,
  node: Node,
  to: Node | undefined,
  done: (result: End | DialFailure) => void
): void => {
  const failSilently = () =>
    schedule(world, Math.round(DIAL_TIMEOUT * node.member.clock / 100), node, () => done("Unreachable"))
  if (to === undefined) return failSilently()
  schedule(world, 2 * latency(world), node, () => {
    if (!to.powered || isCut(world, node, to) || isCut(world, to, node)) return failSilently()
    done(to.up ? connect(world, node, node.sid, to) : "Refused")
  })
}

/** A connection from a node, or from somebody who is none, that calls itself by this id. */
export const connect = (world: World, node: Node | null, as: Sid, to: Node): End => {
  const near = makeEnd(node, to.sid, true)
  const far = makeEnd(to, as, false)
  near.other = far
  far.other = near
  arrive(world, far, "Hello")
  return near
}

/** Sends one message to the other end. */
export const send = (world: World, end: End, notification: Notification): void => {
  const { random, scenario } = world
  world.stats.messages++
  if (world.faulty && random.percent(scenario.loss)) return
  const far = end.other
  arrive(world, far, notification)
  if (world.faulty && random.percent(scenario.duplication)) arrive(world, far, notification)
}

/** Closes an end; the other side learns it after what was sent before. */
export const close = (world: World, end: End): void => {
  if (!end.open) return
  shut(end)
  end.node?.ends.delete(end.id)
  arrive(world, end.other, "End")
}

/** Breaks a connection: both sides learn it, and what is on its way is lost. */
export const reset = (world: World, end: End): void => {
  for (const side of [end, end.other]) {
    side.broken = true
    side.held.length = 0
    schedule(world, latency(world), side.node, () => lose(world, side))
  }
}

/** The process of a node is gone: its connections end, unless its host is gone too and nobody tells. */
export const crash = (world: World, node: Node, power: boolean): void => {
  for (const end of node.ends.values()) {
    shut(end)
    if (!power) arrive(world, end.other, "End")
  }
  node.ends.clear()
}

/** What was held up goes on, where the way is free again. */
export const release = (world: World): void => {
  for (const end of world.holding) {
    if (isCut(world, end.other.node, end.node)) continue
    world.holding.delete(end)
    // At once, before what is on its way already.
    for (const arrival of end.held.splice(0)) schedule(world, 0, null, () => land(world, end, arrival))
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const makeEnd = (node: Node | null, sid: Sid, dialed: boolean): End => {
  const end: End = {
    node,
    incarnation: node === null ? 0 : node.incarnation,
    id: node === null ? 0 : ++node.links,
    sid,
    dialed,
    other: undefined as unknown as End,
    open: true,
    broken: false,
    adopted: false,
    lingering: false,
    useful: false,
    arrivals: 0,
    held: []
  }
  node?.ends.set(end.id, end)
  return end
}

const arrive = (world: World, end: End, arrival: Arrival): void => {
  if (end.held.length > 0 || isCut(world, end.other.node, end.node)) return hold(world, end, arrival)
  // In order: what was sent earlier has at least as early a time, and among the same times comes first.
  const at = Math.max(end.arrivals, world.now + latency(world))
  end.arrivals = at
  world.queue.push(at, { node: null, incarnation: 0, run: null, end, arrival })
}

const hold = (world: World, end: End, arrival: Arrival): void => {
  if (end.held.push(arrival) > 1) return
  world.holding.add(end)
  schedule(world, PATIENCE, null, () => {
    if (end.held[0] === arrival) reset(world, end)
  })
}

/** Something would arrive at an end now: it does if the way is free and somebody is there. */
export const land = (world: World, end: End, arrival: Arrival): void => {
  const { node, other } = end
  if (end.broken) return
  if (end.held.length > 0 || isCut(world, other.node, node)) return hold(world, end, arrival)
  if (node !== null && !isCurrent(node, end.incarnation)) {
    // The host knows nothing of this connection any more, and says so; a host that is gone says nothing.
    if (node.powered) reset(world, end)
  } else if (node === null || !node.paused) take(world, end, arrival)
  else takeLater(world, node, end, arrival)
}

const takeLater = (world: World, node: Node, end: End, arrival: Arrival): void =>
  void node.waiting.push(() => take(world, end, arrival))

const take = (world: World, end: End, arrival: Arrival): void => {
  if (!end.open) return
  if (arrival === "End") lose(world, end)
  else world.handlers.receive(world, end, arrival)
}

const lose = (world: World, end: End): void => {
  if (!end.open) return
  shut(end)
  end.node?.ends.delete(end.id)
  world.handlers.receive(world, end, "End")
}

const shut = (end: End): void => {
  end.open = false
  end.held.length = 0
}
