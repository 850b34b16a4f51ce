/**
 * What must hold of leases and of the pledges behind them, by true time, which no node knows.
 */
import type { Output } from "@conclave/core/LeaderOutput"
import type { Pledge } from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import * as Judge from "./Judge.ts"
import * as Leading from "./Leading.ts"
import { broken } from "./Properties.ts"
import type { Following, Leading as Role } from "./Tenure.ts"
import { clockOf, type Node, nodeOf, schedule, timeOf, type World } from "./World.ts"

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

/** Its epoch is durable: it counts as a supporter as soon as no pledge forbids it. */
export const onStored = (world: World, node: Node, role: Following | Role): void => {
  if (!isWaiting(role)) return
  const { pledge } = node.book.promises
  const leader = role._tag === "Following" ? role.options.leader : node.sid
  const until = pledge === null || pledge.leader === leader ? world.now : timeOf(node, pledge.until)
  schedule(world, Math.max(0, Math.ceil(until - world.now)) + DELAY_MAX, node, () => {
    if (node.tenure.role !== role || !isWaiting(role)) return
    broken(world, node, "prompt", `waits for the end of a pledge that was over at ${until.toFixed(1)}`)
  })
}

/** The lease of a leader lasts longer than before: it had not run out, and a timer runs. */
export const onExtended = (world: World, node: Node, role: Role, outputs: ReadonlyArray<Output>): void => {
  const { entered, leaseUntil } = role
  if (entered && leaseUntil <= leaseNow(world, node)) {
    broken(world, node, "lapse", `takes up a lease again that ran out at ${timeOf(node, leaseUntil - node.ahead)}`)
  }
  const isTimed = outputs.some((output) => output._tag === "SetTimer" && output.timer === "Lease")
  if (!isTimed) broken(world, node, "grace", "has a lease, and no timer that ends what depends on it")
}

/** The timer of a lease fires after so long: guarded work has its grace then. */
export const onLeaseTimer = (
  world: World,
  node: Node,
  { leaseUntil, options: { lease } }: Role,
  after: number,
  outputs: ReadonlyArray<Output>
): void => {
  const until = outputs.reduce((until, output) => output._tag === "LeaseExtended" ? output.until : until, leaseUntil)
  const left = until - leaseNow(world, node) - after
  if (lease === null || left + PRECISION >= lease.grace) return
  broken(world, node, "grace", `leaves guarded work ${left.toFixed(1)} ms to end, and not ${lease.grace}`)
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

/** How late a timer may be, in milliseconds: times are whole, so it may fire early first, and be set for the rest. */
const DELAY_MAX = 2

// Nothing else keeps it from counting once its epoch is durable.
const isWaiting = (role: Following | Role): boolean =>
  role._tag === "Following"
    ? role.state.stage === "Acknowledging"
    : role.state.zabState === "SYNCHRONIZATION" && !role.state.acked.has(role.options.mySid)

// Shell: LeaseClock, leases.
const leaseNow = (world: World, node: Node): number => clockOf(world, node) + node.ahead

const isStranger = ({ member }: Node): boolean => member.role === "Stranger"

// Who is down is bound from when it starts anew.
const isBound = (node: Node | undefined, leader: Sid, until: number): boolean => {
  if (node === undefined || !node.up) return true
  const { pledge } = node.tenure
  return pledge !== null && (pledge.leader === leader || pledge.leader === null) &&
    timeOf(node, pledge.until) + PRECISION >= until
}
