/**
 * Where the steps of a peer's reducers are told; nowhere, unless a Layer says so.
 *
 * Whoever runs a reducer opens a tracer for it and calls that after each step,
 * before anything is performed, so that the lines stand in the order of the steps.
 */
import type { Ensemble, Membership } from "@conclave/core/Ensemble"
import type * as Connections from "@conclave/core/Connections"
import type * as Leader from "@conclave/core/Leader"
import type * as Learner from "@conclave/core/Learner"
import type { Pledge } from "@conclave/core/Lease"
import * as Trace from "@conclave/core/Trace"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Takes lines. Must not wait, nor throw. */
export interface TraceSink {
  readonly write: (line: Trace.Line) => void
  /** The number of the next instance of this reducer at this peer, from 1. */
  readonly number: (sid: bigint, reducer: Trace.Reducer) => number
}

/** The sink of everything that runs in its context; `null`, which is the default, for none. */
export const TraceSink = Context.Reference<TraceSink | null>("@conclave/quorum/TraceSink", { defaultValue: () => null })

/** A sink of the lines of one process. */
export const make = (write: (line: Trace.Line) => void): TraceSink => {
  const numbers = new Map<string, number>()
  return {
    write,
    number: (sid, reducer) => {
      const key = `${sid} ${reducer}`
      const number = (numbers.get(key) ?? 0) + 1
      numbers.set(key, number)
      return number
    }
  }
}

/** Tells one step of one reducer. */
export type Tracer<R extends Trace.Reducer> = (
  event: Trace.Events[R],
  outputs: ReadonlyArray<Trace.Outputs[R]>,
  facts?: Pick<Trace.StepOf<R>, "electable">
) => void

/** Tells one step of an election, with who we are in it: who has resigned abstains for a while. */
export type ElectionTracer = (self: Ensemble, ...step: Parameters<Tracer<"election">>) => void

/** Tells of an election from its beginning on. */
export const election = (ensemble: Ensemble, membership: Membership, history: Leader.Summary) =>
  Effect.map(
    open("election", ensemble.mySid, () => ({ ensemble, members: Trace.members(membership), history })),
    (trace): ElectionTracer => ({ electable }, event, outputs) =>
      trace(event, outputs, electable === ensemble.electable ? undefined : { electable })
  )

/** Tells of connections from the first on. */
export const connections = ({ membership, ...view }: Connections.View) =>
  open("connections", view.mySid, () => ({ view, members: Trace.members(membership) }))

/** Tells of a leader from its beginning on. */
export const leader = (
  { membership, ...options }: Leader.Options,
  history: Learner.History,
  pledge: Pledge | null
) => open("leader", options.mySid, () => ({ options, members: Trace.members(membership), history, pledge }))

/** Tells of a learner from its beginning on. */
export const learner = (
  { membership, ...options }: Learner.Options,
  history: Learner.History,
  pledge: Pledge | null
) => open("learner", options.mySid, () => ({ options, members: Trace.members(membership), history, pledge }))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const none = () => {}

const open = Effect.fnUntraced(function*<R extends Trace.Reducer>(
  reducer: R,
  sid: bigint,
  made: () => Trace.Made[R]
): Effect.fn.Return<Tracer<R>> {
  const sink = yield* TraceSink
  if (sink === null) return none
  const clock = yield* Clock.Clock
  const instance = sink.number(sid, reducer)
  const place = () => ({
    ms: Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    wall: clock.currentTimeMillisUnsafe(),
    sid,
    reducer,
    instance
  })
  sink.write({ _tag: "Start", ...place(), made: made() } as Trace.Start)
  return (event, outputs, facts) => sink.write({ _tag: "Step", ...place(), ...facts, event, outputs } as Trace.Step)
})
