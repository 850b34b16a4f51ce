/**
 * Runs a scenario: an ensemble of the core's own reducers under a virtual clock, over a network with faults.
 *
 * Two phases. While the faults last, what must hold is checked after every step. Then everything is healed, and within
 * `LIVENESS_BOUND` all members must have one leader that says it leads, and keep it; connections must come to rest, and
 * silence must follow.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import type { Ensemble } from "@conclave/core/Ensemble"
import type * as Leader from "@conclave/core/Leader"
import type { Output as LeaderOutput } from "@conclave/core/LeaderOutput"
import type * as Learner from "@conclave/core/Learner"
import type { Output as LearnerOutput } from "@conclave/core/LearnerOutput"
import type { Pledge } from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import type * as Trace from "@conclave/core/Trace"
import * as Reducers from "./Reducers.ts"
import type * as Scenario from "./Scenario.ts"
import * as Agreement from "./internal/Agreement.ts"
import * as Faults from "./internal/Faults.ts"
import * as Genesis from "./internal/Genesis.ts"
import * as Line from "./internal/Line.ts"
import * as Nodes from "./internal/Nodes.ts"
import * as Properties from "./internal/Properties.ts"
import type { Stats as Counted } from "./internal/Stats.ts"
import * as Tracer from "./internal/Tracer.ts"
import * as World from "./internal/World.ts"

/** What was broken, and when. */
export type Violation = World.Violation

/** What happened, in numbers. */
export type Stats = Counted

/** How a simulation ended. */
export interface Outcome {
  /** The first thing that must not be, or `null`. */
  readonly violation: Violation | null
  readonly stats: Stats
  /** From the end of the faults until all had one leader, in milliseconds; `null` if that never came. */
  readonly healed: number | null
}

/** One step of one election, and all elections after it. */
export interface Moment {
  /** In milliseconds from the start. */
  readonly at: number
  readonly sid: Sid
  /** Who it is at this moment: who has stepped aside is not electable for a while. */
  readonly ensemble: Ensemble
  readonly before: Election.State
  readonly event: Election.Event
  readonly outputs: ReadonlyArray<Output>
  /** Of every process that is there. */
  readonly states: () => ReadonlyMap<Sid, Election.State>
}

/** One step of one leader or learner. */
export type LeadershipMoment =
  & {
    /** In milliseconds from the start. */
    readonly at: number
    readonly sid: Sid
    /** The roles of a process are counted from 1. */
    readonly instance: number
    /** What the role began with. */
    readonly history: Learner.History
    readonly pledge: Pledge | null
  }
  & (
    | {
      readonly reducer: "leader"
      readonly options: Leader.Options
      readonly before: Leader.State
      readonly event: Leader.Event
      readonly outputs: ReadonlyArray<LeaderOutput>
    }
    | {
      readonly reducer: "learner"
      readonly options: Learner.Options
      readonly before: Learner.State
      readonly event: Learner.Event
      readonly outputs: ReadonlyArray<LearnerOutput>
    }
  )

/** What else may be wanted of a run. */
export interface RunOptions {
  /** What to put to the test; the core as shipped by default. */
  readonly reducers?: Reducers.Reducers
  /** Told every event, a line each, and whether it is a turning point: a fault, a leader found or lost. */
  readonly log?: World.Log | undefined
  /** Shown every step of an election. */
  readonly observe?: (moment: Moment) => void
  /** Shown every step of a leader and of a learner. */
  readonly observeLeadership?: (moment: LeadershipMoment) => void
  /** Told every step of every reducer, as the lines of a trace, the header first; times are the world's. */
  readonly trace?: ((line: Trace.Line) => void) | undefined
}

/** Within this time after the last fault there must be a leader, in milliseconds. */
export const LIVENESS_BOUND = 60_000

/** For how long the same leader must stay then, in milliseconds: until silence is noticed by the slowest clock. */
export const calm = ({ members, ticks: { syncLimit, tickTime } }: Scenario.Scenario): number =>
  (syncLimit + 1) * tickTime * members.reduce((most, { clock }) => Math.max(most, clock), 100) / 100

/** For how long it is listened then whether somebody speaks without need, in milliseconds. */
export const REST = 3_000

/** Runs a scenario to its end, or to the first violation. */
export const run = (scenario: Scenario.Scenario, options: RunOptions = {}): Outcome => {
  const { log = null, observe = null, observeLeadership = null, reducers = Reducers.shipped, trace } = options
  const tracer = trace === undefined ? null : Tracer.make(trace)
  const world = Genesis.make(scenario, reducers, { log, observe, observeLeadership, trace: tracer })
  let healed: number | null = null
  try {
    populate(world)
    World.run(world, scenario.faultsUntil)
    heal(world)
    healed = Agreement.reach(world, LIVENESS_BOUND, calm(scenario))
    if (healed !== null) Agreement.rest(world, REST)
  } catch (error) {
    World.fail(world, "total", error instanceof Error ? error.stack ?? error.message : String(error))
  }
  return { violation: world.violation, stats: world.stats, healed }
}

/** What a property says, by the name that a violation has. */
export const explain = (property: string): string => descriptions[property] ?? property

const descriptions: Record<string, string> = {
  ...Properties.properties,
  ...Agreement.properties,
  total: "1. nothing makes a step throw",
  endless: "nobody talks to itself or to others without end"
}

const populate = (world: World.World): void => {
  for (const node of world.nodes) World.schedule(world, node.member.starts, null, () => Nodes.start(world, node))
  Faults.plan(world)
}

// What has not ended by itself is over.
const heal = (world: World.World): void => {
  if (world.log !== null) world.log(Line.fact(world, "all faults are over"), true)
  world.faulty = false
  for (const node of world.nodes) if (!node.up) Nodes.start(world, node)
}
