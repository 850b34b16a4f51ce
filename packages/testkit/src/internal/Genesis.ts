/**
 * A world in the beginning: nobody has started, and nothing has happened.
 */
import * as Random from "../Random.ts"
import type { Reducers } from "../Reducers.ts"
import * as Scenario from "../Scenario.ts"
import * as EventQueue from "./EventQueue.ts"
import * as Links from "./Links.ts"
import * as Nodes from "./Nodes.ts"
import * as QuorumPort from "./QuorumPort.ts"
import * as Stats from "./Stats.ts"
import * as Wire from "./Wire.ts"
import type { Handlers, World } from "./World.ts"

/** A world with the members of a scenario, all of them down. */
export const make = (
  scenario: Scenario.Scenario,
  reducers: Reducers,
  witnesses: Pick<World, "log" | "observe" | "observeLeadership" | "trace">
): World => {
  const size = scenario.members.length
  const world: World = {
    scenario,
    reducers,
    handlers: { land: Wire.land, receive },
    random: Random.make(scenario.seed),
    queue: EventQueue.make(),
    soon: [],
    now: 0,
    turns: 0,
    nodes: [],
    cuts: new Int32Array(size * size),
    clogs: new Int32Array(size * size),
    holding: new Set(),
    ambushes: { store: [], ping: [] },
    reign: null,
    leaderlessSince: 0,
    activated: new Map(),
    token: -1n,
    violation: null,
    stats: Stats.none(),
    faulty: true,
    honest: Scenario.isHonest(scenario),
    static: Scenario.isStatic(scenario),
    proposals: [],
    ...witnesses
  }
  for (const [index, member] of scenario.members.entries()) {
    world.nodes.push(Nodes.make(world, member, index))
  }
  return world
}

const receive: Handlers["receive"] = (world, end, arrival) =>
  end.port === "Election" ? Links.onArrival(world, end, arrival) : QuorumPort.onArrival(world, end, arrival)
