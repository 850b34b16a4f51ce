/**
 * Leaders and learners that no election protects from each other: a peer that
 * looks takes office or follows as chance has it, so that there are several
 * candidates most of the time. True time is virtual, and every peer has a clock
 * of its own.
 *
 * Chance delays messages, breaks connections at one end before the other, lets
 * links fall silent in either direction, stops processes and lets them go on,
 * and crashes them together with what was not durable yet.
 */
import * as Faults from "./Faults.ts"
import type { Outcome } from "./Ledger.ts"
import { look } from "./Roles.ts"
import * as World from "./World.ts"

/** How long a simulation lasts, in milliseconds of true time. */
const HORIZON = 900

/** Runs one simulation; the same seed, the same outcome. */
export const run = (options: World.Options): Outcome => {
  const world = World.make(options)
  for (const peer of world.peers) look(world, peer, world.random.below(20))
  world.agenda.at(30, () => Faults.happen(world))
  world.agenda.run(HORIZON)
  return world.ledger.outcome()
}
