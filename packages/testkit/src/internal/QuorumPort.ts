/**
 * Connections at the quorum port: whoever leads listens there, and learners dial it.
 *
 * Does what the shell's `LearnerListener` and `PacketLink` do. A connection keeps the order and loses nothing while it
 * is there.
 */
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import * as Result from "effect/Result"
import * as Following from "./Following.ts"
import * as Leading from "./Leading.ts"
import * as Wire from "./Wire.ts"
import type { Arrival, End, Node, World } from "./World.ts"

/** Packets that may wait for one far end; if there are more the connection ends. Shell: PacketLink, QUEUE_CAPACITY. */
const QUEUE_CAPACITY = 100

/** Sends a packet, or lets it wait. */
export const send = (world: World, end: End, packet: QuorumPacket): void => {
  if (!end.open) return
  world.stats.packets++
  if (packet.type !== "PING") world.stats.talk++
  if (end.unsent.length === 0 && !isClogged(world, end)) return Wire.deliver(world, end, transcribe(world, packet))
  if (end.unsent.length >= QUEUE_CAPACITY) return close(world, end)
  end.unsent.push(packet)
}

/** Sends what has waited for this node, if it can be written now. */
export const flush = (world: World, node: Node, to: Node): void => {
  for (const end of node.ends.values()) {
    if (end.port !== "Quorum" || end.other.node !== to || isClogged(world, end)) continue
    for (const packet of end.unsent.splice(0)) Wire.deliver(world, end, transcribe(world, packet))
  }
}

/** Something came over a connection; what is meant for nobody any more is closed. */
export const onArrival = (world: World, end: End, arrival: Arrival): void => {
  const { node } = end
  const role = node?.tenure.role ?? null
  if (node === null || role === null) return Wire.close(world, end)
  if (role._tag === "Leading" && !end.dialed) return Leading.onArrival(world, node, role, end, arrival)
  if (role._tag === "Following" && role.end === end) return Following.onArrival(world, node, role, arrival)
  Wire.close(world, end)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const close = (world: World, end: End): void => {
  const { node } = end
  Wire.close(world, end)
  if (node !== null) onArrival(world, end, "End")
}

const isClogged = (world: World, { node, other }: End): boolean =>
  node !== null && other.node !== null && world.clogs[node.index * world.nodes.length + other.node.index]! > 0

const transcribe = ({ reducers: { QuorumPacket }, scenario }: World, packet: QuorumPacket): QuorumPacket => {
  if (!scenario.bytes) return packet
  const { packets } = Result.getOrThrow(QuorumPacket.decode(QuorumPacket.empty, QuorumPacket.encode(packet)))
  return packets[0]!
}
