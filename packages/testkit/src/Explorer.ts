/**
 * Explores everything that can happen, breadth first: from each state every step that is possible, each state once.
 *
 * A `Model` puts shipped reducers together and bounds what is to happen (how many crashes, losses, rounds); within that
 * nothing is left to chance and nothing is left out. What is found is found by as few steps as can be, and told as the
 * path that leads to it. In the way of TLC; here what is explored is the code.
 *
 * A state is a few words of 32 bits: a model numbers the parts of its states (`internal/explorer/Interner`), and what a
 * reducer makes of a part it has met before need not be computed again, because it is pure.
 */
import * as StateTable from "./internal/explorer/StateTable.ts"

/** What is explored. */
export interface Model {
  /** How many words a state has. */
  readonly words: number
  /** Where it begins. */
  readonly initial: ReadonlyArray<Uint32Array>
  /** Tells every step that is possible in a state. */
  readonly expand: (state: Uint32Array, emit: Emit) => void
  /** A step, for people. */
  readonly describe: (before: Uint32Array, action: number, after: Uint32Array) => string
}

/**
 * Takes one step: what was done, in a number of the model's own, what comes of it, and what that breaks. The words are
 * copied, so that the model may use them again.
 */
export type Emit = (action: number, next: Uint32Array, broken?: Broken | null) => void

/** What must not be. */
export interface Broken {
  readonly property: string
  readonly detail: string
}

/** What must not be, and how it comes about. */
export interface Violation extends Broken {
  /** The steps that lead there, the last one included; none leads there in fewer. */
  readonly path: ReadonlyArray<string>
}

/** What an exploration came to. */
export interface Outcome {
  /** Different states reached. */
  readonly states: number
  /** Steps taken. */
  readonly transitions: number
  /** How many steps the farthest state is away. */
  readonly depth: number
  /** Was every step of every state taken? Not if something was broken, or `statesMax` reached. */
  readonly complete: boolean
  readonly violation: Violation | null
}

/** What else may be wanted of an exploration. */
export interface ExploreOptions {
  /** Stops at so many states; `STATES_MAX` by default. */
  readonly statesMax?: number
  /** Told each depth before it is explored, and how many states are known by then. */
  readonly progress?: (depth: number, states: number) => void
}

/** The most states unless told otherwise: what fits in some two gigabytes. */
export const STATES_MAX = 20_000_000

/** Explores a model to its end, to the first thing that must not be, or to the most states allowed. */
export const explore = (model: Model, options: ExploreOptions = {}): Outcome => {
  const exploration = begin(model, options)
  while (exploration.next(Infinity));
  return exploration.outcome()
}

/** An exploration that is under way, for whoever has something else to do now and then. */
export interface Exploration {
  /** Takes every step of so many more states; `false` when it is over. */
  readonly next: (states: number) => boolean
  /** What it has come to so far. */
  readonly outcome: () => Outcome
}

/** Begins to explore a model. */
export const begin = (model: Model, { progress, statesMax = STATES_MAX }: ExploreOptions = {}): Exploration => {
  const table = StateTable.make(model.words)
  const state = new Uint32Array(model.words)
  let transitions = 0
  let current = 0
  let depth = 0
  let violation: Violation | null = null
  const emit: Emit = (action, next, broken = null) => {
    if (violation !== null) return
    transitions++
    if (broken === null) table.add(next, current, action)
    else violation = { ...broken, path: [...pathTo(model, table, current), model.describe(state, action, next)] }
  }
  for (const start of model.initial) table.add(start, NONE, 0)
  // Those of this depth end here.
  let end = table.size()
  progress?.(depth, end)
  const isOver = (): boolean => violation !== null || table.size() > statesMax || current === table.size()
  return {
    next: (states) => {
      for (let left = states; left > 0 && !isOver(); left--) {
        table.read(current, state)
        model.expand(state, emit)
        if (++current < end || table.size() === end) continue
        end = table.size()
        depth++
        progress?.(depth, end)
      }
      return !isOver()
    },
    outcome: () => {
      const complete = violation === null && current === table.size()
      return { states: table.size(), transitions, depth, complete, violation }
    }
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** The parent of a state that nothing led to. */
const NONE = 0xffffffff

const pathTo = (model: Model, table: StateTable.StateTable, index: number): ReadonlyArray<string> => {
  const path: Array<string> = []
  const before = new Uint32Array(model.words)
  const after = new Uint32Array(model.words)
  for (let at = index; table.parent(at) !== NONE; at = table.parent(at)) {
    table.read(table.parent(at), before)
    table.read(at, after)
    path.push(model.describe(before, table.action(at), after))
  }
  return path.reverse()
}
