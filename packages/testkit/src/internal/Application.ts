/**
 * What a leader is for: while it is in office its history grows, and with it that of those who follow it. Who may not
 * be proposed logs nothing: if it knew more than all who may, it would vote for none of them, and nobody could lead.
 *
 * As the actions LeaderAdvanceZxid and FollowerUpdateZxid of FastLeaderElection.tla. Conclave replicates nothing; it
 * asks how far a history goes.
 */
import * as Zxid from "@conclave/core/Zxid"
import * as Disk from "./Disk.ts"
import type { Leading } from "./Tenure.ts"
import { after, isCut, type Node, type World } from "./World.ts"

/** How often something is written while there are faults, in milliseconds. */
const COMMIT_PERIOD = 700

/** Writes now and then as long as the role lasts. */
export const begin = (world: World, node: Node, role: Leading, epoch: bigint): void =>
  write(world, node, role, epoch, 1n)

const write = (world: World, node: Node, role: Leading, epoch: bigint, counter: bigint): void =>
  after(world, node, COMMIT_PERIOD, () => {
    if (node.tenure.role !== role || !world.faulty) return
    write(world, node, role, epoch, counter + 1n)
    const lastLoggedZxid = Zxid.make(epoch, counter)
    Disk.write(world, node, { lastLoggedZxid }, (isStored) => {
      if (!isStored || node.tenure.role !== role) return
      for (const other of world.nodes) {
        if (other !== node && isServed(world, node, other, epoch)) Disk.write(world, other, { lastLoggedZxid })
      }
    })
  })

const isServed = (world: World, leader: Node, node: Node, epoch: bigint): boolean => {
  const { member: { electable }, tenure: { established }, up } = node
  const follows = up && established?.leader === leader.sid && established.epoch === epoch
  return follows && electable && !isCut(world, leader, node)
}
