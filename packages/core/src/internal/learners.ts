/**
 * What every part of a leader does with its learners.
 */
import type { CloseReason, LearnerId, Output, StepDownReason } from "../LeaderOutput.ts"
import type { Learner, Options, State, Step } from "../Leader.ts"
import type { Sid } from "../Sid.ts"
import { withEntry, withoutEntry } from "./entries.ts"

/** Ticks are whole; two halves make one. */
export const tickOf = ({ halfTicks }: State): number => Math.floor(halfTicks / 2)

/** A change of one learner. */
export const update = (state: State, id: LearnerId, change: Partial<Learner>): State => {
  const learner = state.learners.get(id)
  if (learner === undefined) return state
  return { ...state, learners: withEntry(state.learners, id, { ...learner, ...change }) }
}

/** The learners at this stage. */
export const at = ({ learners }: State, stage: Learner["stage"]): ReadonlyArray<readonly [LearnerId, Learner]> =>
  Array.from(learners).filter(([, learner]) => learner.stage === stage)

/** Forgets a learner, and closes its connection. */
export const close = (state: State, id: LearnerId, reason: CloseReason): Step => [
  { ...state, learners: withoutEntry(state.learners, id) },
  [closing(state, id, reason)]
]

/** Does it have a vote in any configuration that must agree? */
export const votes = ({ membership }: Options, sid: Sid): boolean =>
  membership.verifiers.some(({ voters }) => voters.has(sid))

/** Leaves office. What depended on it ends first, then the connections do. */
export const stepDown = (state: State, reason: StepDownReason, successor: Sid | null = null): Step => [
  { ...state, zabState: "OVER", learners: new Map() },
  [
    { _tag: "SteppedDown", reason, successor },
    ...Array.from(state.learners.keys(), (id) => closing(state, id, "SteppedDown"))
  ]
]

const closing = ({ learners }: State, learner: LearnerId, reason: CloseReason): Output => ({
  _tag: "Close",
  learner,
  sid: learners.get(learner)?.info?.sid ?? null,
  reason
})

/** One step after another, the outputs in the same order. */
export const each = <A>(items: Iterable<A>, state: State, next: (state: State, item: A) => Step): Step => {
  const outputs: Array<Output> = []
  let last = state
  for (const item of items) {
    const [after, more] = next(last, item)
    last = after
    outputs.push(...more)
  }
  return [last, outputs]
}

/** One step, and what follows from it. */
export const andThen = ([state, outputs]: Step, next: (state: State) => Step): Step => {
  const [after, more] = next(state)
  return [after, [...outputs, ...more]]
}
