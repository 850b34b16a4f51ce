/**
 * What must hold of leases and of the pledges behind them, by true time, which no node knows.
 */
import type { Pledge } from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import * as Judge from "./Judge.ts"
import * as Leading from "./Leading.ts"
import { broken } from "./Properties.ts"
import type { Leading as Role } from "./Tenure.ts"
import { clockOf, type Node, nodeOf, timeOf, type World } from "./World.ts"

/** What an answer to a ping promises, and what a process must suppose that starts anew; `null` without leases. */
export const pledge = (world: World, node: Node, leader: Sid | null): Pledge | null => {
  const { lease } = world.scenario
  if (lease === null) return null
  const { clockDrift, duration } = lease
  return { leader, until: clockOf(world, node) + duration * (1 + clockDrift) / (1 - clockDrift) }
}

/** This node counts as a supporter of that leader from now on. */
export const onSupport = (world: World, node: Node, leader: Sid): void => {
  const { pledge } = node.book.promises
  if (pledge === null || pledge.leader === leader || pledge.until <= clockOf(world, node)) return
  broken(world, node, "pledge", `supports server ${leader}, and ${pledge.leader ?? "somebody else"} ` +
    `for ${(pledge.until - clockOf(world, node)).toFixed(1)} ms more`)
}

/** A leader may act: from now on, or longer than before. */
export const onActing = (world: World, node: Node, role: Role): void => {
  const { epoch } = role.state
  // A stranger may be a quorum of its own, in a configuration that nobody shares.
  if (!role.entered || role.options.lease === null || isStranger(node)) return
  for (const other of world.nodes) {
    if (other !== node && !isStranger(other) && Leading.acts(world, other)) {
      broken(world, node, "overlap", `may act in epoch ${epoch}, and so may server ${other.sid}`)
    }
  }
  if (epoch < world.token) broken(world, node, "token", `acts in epoch ${epoch} after one in ${world.token}`)
  world.token = epoch
  const until = timeOf(node, role.leaseUntil - node.ahead)
  const supports = (sid: Sid) => sid === node.sid || isBound(nodeOf(world, sid), node.sid, until)
  if (!Judge.isQuorum(world, node, supports, false)) {
    broken(world, node, "granted", `may act until ${until.toFixed(1)}, and no quorum is bound as long`)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Instants are not whole; parts of a millisecond that come of reckoning are no fault. */
const PRECISION = 1e-6

const isStranger = ({ member }: Node): boolean => member.role === "Stranger"

// Who is down is bound from when it starts anew.
const isBound = (node: Node | undefined, leader: Sid, until: number): boolean => {
  if (node === undefined || !node.up) return true
  const { pledge } = node.tenure
  return pledge !== null && (pledge.leader === leader || pledge.leader === null) &&
    timeOf(node, pledge.until) + PRECISION >= until
}
