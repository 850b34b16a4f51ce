/**
 * What the reducers of a simulation begin with and decide, as the lines of a trace.
 *
 * Does what `TraceSink` does in the shell. Whatever runs a reducer calls `began` when it has made its first state, and
 * `stepped` after each step, before anything is performed, so that the lines stand in the order of the steps.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Trace from "@conclave/core/Trace"
import type { Node, World } from "./World.ts"

/** Where the lines of one simulation go. */
export interface Tracer {
  readonly write: (line: Trace.Line) => void
  /** The latest instance of each reducer at each node, counted from 1. */
  readonly instances: Map<string, number>
}

/** Begins a trace. */
export const make = (write: (line: Trace.Line) => void): Tracer => {
  write(Trace.header)
  return { write, instances: new Map() }
}

/** A reducer begins at a node, in place of any of that name before it. */
export const began = <R extends Trace.Reducer>(
  world: World,
  { sid }: Node,
  reducer: R,
  made: () => Trace.Made[R]
): void => {
  const { trace } = world
  if (trace === null) return
  const key = keyOf(sid, reducer)
  trace.instances.set(key, (trace.instances.get(key) ?? 0) + 1)
  trace.write({ _tag: "Start", ...place(world, trace, sid, reducer), made: made() } as Trace.Start)
}

/** One step of the reducer that began last under this name at a node; `facts` as a trace has them beside the event. */
export const stepped = <R extends Trace.Reducer>(
  world: World,
  { sid }: Node,
  reducer: R,
  event: Trace.Events[R],
  outputs: ReadonlyArray<Trace.Outputs[R]>,
  facts?: Pick<Trace.StepOf<R>, "electable">
): void => {
  const { trace } = world
  if (trace === null) return
  trace.write({ _tag: "Step", ...place(world, trace, sid, reducer), ...facts, event, outputs } as Trace.Step)
}

/** The election and the connections of a node begin, with its process. */
export const started = (world: World, node: Node): void => {
  const { disk: { synced }, ensemble, membership } = node
  began(world, node, "election", () => ({ ensemble, members: Trace.members(membership), history: synced }))
  connected(world, node)
}

/** The connections of a node begin anew. */
export const connected = (world: World, node: Node): void => {
  const { membership, ...view } = node.view
  began(world, node, "connections", () => ({ view, members: Trace.members(membership) }))
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const keyOf = (sid: Sid, reducer: Trace.Reducer): string => `${sid} ${reducer}`

// The world's clock is both clocks: the order of its lines is that of time, however wrong the clocks of nodes are.
const place = ({ now }: World, { instances }: Tracer, sid: Sid, reducer: Trace.Reducer) => ({
  ms: now,
  wall: now,
  sid,
  reducer,
  instance: instances.get(keyOf(sid, reducer)) ?? 1
})
