/**
 * What every part of a leader does with its learners.
 */
import type { CloseReason, LearnerId, Output, StepDownReason } from "../LeaderOutput.ts"
import type { Learner, Options, State, Step } from "../Leader.ts"
import type { Sid } from "../Sid.ts"

/** Ticks are whole; two halves make one. */
export const tickOf = ({ halfTicks }: State): number => Math.floor(halfTicks / 2)

/** The state with this learner, new or in place of the one with the same number. */
export const add = (state: State, id: LearnerId, learner: Learner): State => {
  const learners = copy(state.learners)
  learners.set(id, learner)
  return { ...state, learners }
}

/** The state without it; the same state if it is not there. */
export const remove = (state: State, id: LearnerId): State => {
  if (!state.learners.has(id)) return state
  const learners = copy(state.learners)
  learners.delete(id)
  return { ...state, learners }
}

/** A change of one learner. */
export const update = (state: State, id: LearnerId, change: Partial<Learner>): State => {
  const learner = state.learners.get(id)
  if (learner === undefined) return state
  return add(state, id, { ...learner, ...change })
}

/** The learners at this stage. */
export const at = ({ learners }: State, stage: Learner["stage"]): ReadonlyArray<readonly [LearnerId, Learner]> =>
  Array.from(learners).filter(([, learner]) => learner.stage === stage)

/** Forgets a learner, and closes its connection. */
export const close = (state: State, id: LearnerId, reason: CloseReason): Step => [
  remove(state, id),
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

// Entry by entry: `new Map(map)` first makes a pair of each and takes twice the time, and nearly every step makes one.
const copy = (learners: State["learners"]): Map<LearnerId, Learner> => {
  const next = new Map<LearnerId, Learner>()
  for (const [id, learner] of learners) next.set(id, learner)
  return next
}

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
