/**
 * The connections of one peer, and what goes over them.
 *
 * Does what the shell's `QuorumCnxManager` and `LinkKeeper` do with the decisions of `Connections`.
 */
import type * as Connections from "@conclave/core/Connections"
import type * as ConnectionsOutput from "@conclave/core/ConnectionsOutput"
import type { LinkId } from "@conclave/core/ConnectionsOutput"
import type { Notification, ToSend } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import * as Result from "effect/Result"
import * as Checker from "./Checker.ts"
import * as Incumbency from "./Incumbency.ts"
import * as Line from "./Line.ts"
import * as Peer from "./Node.ts"
import * as Tracer from "./Tracer.ts"
import * as Watch from "./Watch.ts"
import * as Wire from "./Wire.ts"
import { type Arrival, after, type End, type Node, nodeOf, type Outbox, schedule, type World } from "./World.ts"

// -----------------------------------------------------------------------------
// messages
// -----------------------------------------------------------------------------

/** Queues a message in place of any that waits for the same peer. Shell: QuorumCnxManager.toSend. */
export const toSend = (world: World, node: Node, message: ToSend): void => {
  const { to } = message
  const notification = transcribe(world, node, message)
  if (to === node.sid) return loopBack(world, node, notification)
  const outbox = outboxOf(node, to)
  const link = outbox === undefined ? node.connections.links.get(to) : linkOf(node, outbox)
  // Only strangers are answered without a connection, and they are gone already.
  if (link === undefined && !isKnown(node, to)) return
  const filled = outbox ?? open(node, to)
  filled.queued = notification
  decide(world, node, filled.request)
  write(world, node, filled)
}

const loopBack = (world: World, node: Node, notification: Notification): void => {
  const { loopback } = world.scenario
  const delay = loopback === 0 ? 0 : world.random.below(loopback + 1)
  schedule(world, delay, node, () => Peer.receive(world, node, notification))
}

/** Writes what waits for a peer, if it can be written. */
export const flush = (world: World, node: Node, to: Sid): void => {
  const outbox = outboxOf(node, to)
  if (outbox !== undefined) write(world, node, outbox)
}

const write = (world: World, node: Node, outbox: Outbox): void => {
  if (outbox.queued === null) return
  const link = linkOf(node, outbox)
  const end = link === undefined ? undefined : node.ends.get(link)
  if (end === undefined || !end.adopted || isClogged(world, end)) return
  outbox.lastMessageSent = outbox.queued
  outbox.queued = null
  Wire.send(world, end, outbox.lastMessageSent)
}

// Shell: SendWorker.run. What was sent last may have been lost with the connection before.
const begin = (world: World, node: Node, end: End): void => {
  const outbox = outboxOf(node, end.sid) ?? open(node, end.sid)
  outbox.queued ??= outbox.lastMessageSent
  write(world, node, outbox)
}

// Peers are few: as with nodes.
const outboxOf = ({ outboxes }: Node, sid: Sid): Outbox | undefined => {
  for (const outbox of outboxes) if (outbox.sid === sid) return outbox
  return undefined
}

const open = (node: Node, sid: Sid): Outbox => {
  const request: Connections.Event = { _tag: "ConnectRequested", sid }
  const outbox: Outbox = { sid, request, queued: null, lastMessageSent: null, links: null, link: undefined }
  node.outboxes.push(outbox)
  return outbox
}

// Looked up again only when connections have changed: there are many messages to each of them.
const linkOf = ({ connections: { links } }: Node, outbox: Outbox): LinkId | undefined => {
  if (outbox.links === links) return outbox.link
  outbox.links = links
  outbox.link = links.get(outbox.sid)
  return outbox.link
}

const isClogged = (world: World, { node, other }: End): boolean =>
  node !== null && other.node !== null && world.clogs[node.index * world.nodes.length + other.node.index]! > 0

// What is said to several, one after the other, is one notification.
const transcribe = (world: World, node: Node, message: ToSend): Notification => {
  const { said } = node
  if (said !== null && saysTheSame(said.message, message)) return said.notification
  const notification = arrived(world, node.sid, message)
  node.said = { message, notification }
  return notification
}

const saysTheSame = (self: ToSend, that: ToSend): boolean =>
  self.state === that.state && self.electionEpoch === that.electionEpoch && self.leader === that.leader &&
  self.zxid === that.zxid && self.peerEpoch === that.peerEpoch && self.config === that.config

const arrived = ({ reducers: { NotificationCodec }, scenario }: World, from: Sid, message: ToSend): Notification => {
  if (scenario.bytes) return Result.getOrThrow(NotificationCodec.decode(from, NotificationCodec.encode(message)))
  const { config, electionEpoch, leader, peerEpoch, state, zxid } = message
  return { from, version: 2, state, leader, zxid, electionEpoch, peerEpoch, config }
}

const isKnown = ({ view: { membership: { committed, lastSeen } } }: Node, sid: Sid): boolean =>
  committed.servers.has(sid) || lastSeen.servers.has(sid)

// -----------------------------------------------------------------------------
// connections
// -----------------------------------------------------------------------------

/** One step of the connections, and what it leads to. Shell: LinkKeeper.decide. */
export const decide = (world: World, node: Node, event: Connections.Event): void => {
  const [state, outputs] = world.reducers.Connections.step(node.view, node.connections, event)
  node.connections = state
  world.stats.decisions++
  Tracer.stepped(world, node, "connections", event, outputs)
  if (outputs.length === 0) return
  if (world.log !== null) world.log(Line.connections(world, node, event, outputs), false)
  for (const output of outputs) carryOut(world, node, output)
}

const carryOut = (world: World, node: Node, output: ConnectionsOutput.Output): void => {
  switch (output._tag) {
    case "Dial":
      return Wire.dial(world, node, nodeOf(world, output.sid), Wire.electionPort, (result) =>
        onDialed(world, node, output.sid, result))
    case "Adopt":
      return adopt(world, node, output)
    case "Close":
      return close(world, node, output)
    case "RedialLater":
      return redialLater(world, node, output)
    case "Probe":
    case "NoAddress":
      return
  }
}

const onDialed = (world: World, node: Node, sid: Sid, result: End | Wire.DialFailure): void => {
  if (typeof result !== "string") return decide(world, node, { _tag: "Dialed", link: result.id, sid })
  decide(world, node, { _tag: "DialFailed", sid })
  if (node.connections.dialing.has(sid)) return
  Peer.decide(world, node, { _tag: result === "Refused" ? "PeerRefused" : "PeerUnreachable", sid })
  if (result === "Refused") Incumbency.onRefused(world, node, sid)
  Watch.linkChanged(world, node, "DialFailed", sid)
}

/** Something came over a connection: its handshake, a message, which counts if the connection does, or its end. */
export const onArrival = (world: World, end: End, arrival: Arrival): void => {
  const { node } = end
  if (node === null) return
  if (arrival === "End") return onEnd(world, node, end)
  if (arrival === "Hello") return decide(world, node, { _tag: "Accepted", link: end.id, sid: end.sid, announced: [] })
  if ("type" in arrival) return
  end.useful = true
  if (end.adopted || end.lingering) Peer.receive(world, node, arrival)
}

// Shell: LinkKeeper.onLinkEnded.
const onEnd = (world: World, node: Node, { adopted, id, lingering, sid, useful }: End): void => {
  if (!adopted && !lingering) return
  const isCurrent = node.connections.links.get(sid) === id
  decide(world, node, { _tag: "Closed", link: id, sid, useful })
  if (!isCurrent) return
  schedule(world, 0, node, () => {
    Peer.decide(world, node, { _tag: "PeerUnreachable", sid })
    Watch.linkChanged(world, node, "Down", sid)
  })
}

const adopt = (
  world: World,
  node: Node,
  { link, sid }: ConnectionsOutput.Output & { readonly _tag: "Adopt" }
): void => {
  const end = node.ends.get(link)
  Checker.onAdopted(world, node, end, sid)
  // It ended between the decision and now; the news is on its way.
  if (end === undefined) return
  end.sid = sid
  end.adopted = true
  schedule(world, 0, node, () => {
    Peer.decide(world, node, { _tag: "PeerConnected", sid })
    Watch.linkChanged(world, node, "Up", sid)
  })
  begin(world, node, end)
}

/** How long a replaced connection is left to the other side to close. Shell: LinkKeeper, LINGER. */
const LINGER = 1_000

const close = (
  world: World,
  node: Node,
  { link, linger }: ConnectionsOutput.Output & { readonly _tag: "Close" }
): void => {
  const end = node.ends.get(link)
  if (end === undefined) return
  const { adopted, sid, useful } = end
  end.adopted = false
  if (linger && adopted) {
    end.lingering = true
    return after(world, node, LINGER, () => closeNow(world, node, end))
  }
  closeNow(world, node, end)
  if (adopted) decide(world, node, { _tag: "Closed", link, sid, useful })
}

const closeNow = (world: World, node: Node, end: End): void => {
  if (!end.open) return
  Wire.close(world, end)
  if (end.lingering) decide(world, node, { _tag: "Closed", link: end.id, sid: end.sid, useful: end.useful })
}

/** The pauses before a peer is dialled again. Shell: Dialing.redialDelay. */
const REDIAL_MIN = 50
const REDIAL_MAX = 2_000

const redialLater = (
  world: World,
  node: Node,
  { failures, sid }: ConnectionsOutput.Output & { readonly _tag: "RedialLater" }
): void => {
  const pause = Math.min(REDIAL_MIN * 2 ** (failures - 1), REDIAL_MAX)
  const token = (node.redials.get(sid) ?? 0) + 1
  node.redials.set(sid, token)
  after(world, node, pause / 2 + world.random.below(pause / 2 + 1), () => {
    if (node.redials.get(sid) === token) decide(world, node, { _tag: "RedialDue", sid })
  })
}
