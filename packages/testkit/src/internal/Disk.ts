/**
 * What a node keeps on its disk of its own past.
 *
 * A write takes a while, and is told of when it is durable. A crash before that loses it, or does not: nobody was told.
 * Now and then a write fails, as long as there are faults.
 */
import { type Node, schedule, spring, type World } from "./World.ts"

/** What is written. Shell: History, Facts. */
export interface Facts {
  readonly lastLoggedZxid: bigint
  readonly currentEpoch: bigint
  readonly acceptedEpoch: bigint
}

/** One disk. */
export interface Disk {
  /** What is durable. */
  synced: Facts
  /** What is being written. */
  readonly pending: Set<Partial<Facts>>
}

/** A disk that holds this. */
export const make = (synced: Facts): Disk => ({ synced, pending: new Set() })

/** Writes some of it, and tells whether it is durable; nothing is ever lowered. Shell: History, its setters. */
export const write = (
  world: World,
  node: Node,
  change: Partial<Facts>,
  done: (isStored: boolean) => void = () => {}
): void => {
  const { random, scenario: { storing, storingFails } } = world
  const { disk } = node
  const fails = world.faulty && random.percent(storingFails)
  if (!fails) disk.pending.add(change)
  if (change.lastLoggedZxid === undefined) spring(world, node, world.ambushes.store)
  schedule(world, random.between(1, storing), node, () => {
    if (!fails) {
      disk.pending.delete(change)
      store(disk, change)
    }
    done(!fails)
  })
}

/** The process is gone, with what was being written or without it. */
export const crash = ({ random }: World, { disk }: Node): void => {
  for (const change of disk.pending) if (random.percent(50)) store(disk, change)
  disk.pending.clear()
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// Who is in sync with a leader has accepted it.
const store = (disk: Disk, change: Partial<Facts>): void => {
  const { synced } = disk
  const currentEpoch = max(synced.currentEpoch, change.currentEpoch)
  disk.synced = {
    lastLoggedZxid: max(synced.lastLoggedZxid, change.lastLoggedZxid),
    currentEpoch,
    acceptedEpoch: max(max(synced.acceptedEpoch, change.acceptedEpoch), currentEpoch)
  }
}

const max = (self: bigint, that: bigint | undefined): bigint => (that !== undefined && that > self ? that : self)
