/**
 * Takes every step of a trace again, and finds the first that the core would not have
 * taken.
 *
 * Each reducer is started with what its `Start` says and given its events in order;
 * what it answers must be what the trace says, outputs and reasons alike. Nothing
 * else is compared: whatever else a peer knew would show in a later answer.
 */
import * as Result from "effect/Result"
import * as Connections from "./Connections.ts"
import * as Election from "./Election.ts"
import * as Json from "./Json.ts"
import * as Leader from "./Leader.ts"
import * as Learner from "./Learner.ts"
import * as Trace from "./Trace.ts"

/** What is wrong, and in which line, counted from 1. */
export type Fault =
  /** The core would have answered otherwise. */
  | {
    readonly _tag: "Differs"
    readonly line: number
    readonly step: Trace.Step
    /** What the core answers. */
    readonly expected: ReadonlyArray<unknown>
  }
  /** A step of a reducer that nothing says the beginning of. */
  | { readonly _tag: "NotStarted"; readonly line: number; readonly step: Trace.Step }
  /** The core does not survive the step. Ours to mend: `step` is total. */
  | { readonly _tag: "Threw"; readonly line: number; readonly step: Trace.Step; readonly problem: string }
  /** No line of a trace of this version. */
  | { readonly _tag: "Malformed"; readonly line: number; readonly problem: string }

/** What came of it. */
export interface Report {
  /** Steps taken again, with the same answers. */
  readonly steps: number
  /** Reducers that were started. */
  readonly started: number
  /** Steps that could not be taken, because lines before them are lost. */
  readonly unchecked: number
  /** Lines that are missing, as far as the trace says. */
  readonly lost: number
  /** The first fault, after which nothing was looked at. */
  readonly fault: Fault | null
}

/** Checks the lines of one file. */
export const check = (lines: Iterable<string>): Report => {
  const replay: Replay = { running: new Map(), hasGap: false, torn: null, begun: false, counts: { ...nothing } }
  let line = 0
  for (const text of lines) {
    line++
    const fault = text === "" ? null : take(replay, line, text)
    if (fault !== null) return { ...replay.counts, fault }
  }
  return { ...replay.counts, fault: null }
}

/** What was checked, in words. */
export const summary = ({ lost, started, steps, unchecked }: Omit<Report, "fault">): string => {
  const gaps = lost === 0 ? "" : `; ${lost} lines are missing, so ${unchecked} steps could not be checked`
  return `${steps} steps of ${started} reducers, all as the rules say${gaps}`
}

/** A fault in words, with what differs as JSON. */
export const describe = (fault: Fault): string => {
  const where = `line ${fault.line}`
  switch (fault._tag) {
    case "Malformed":
      return `${where}: ${fault.problem}`
    case "NotStarted":
      return `${where}: ${nameOf(fault.step)} does a step, and nothing says how it began`
    case "Threw":
      return `${where}: ${nameOf(fault.step)}: the core fails at ${Json.stringify(fault.step.event)}: ${fault.problem}`
    case "Differs":
      return [
        `${where}: ${nameOf(fault.step)} would not have decided this`,
        `  event    ${Json.stringify(fault.step.event)}`,
        ...difference(fault.expected, fault.step.outputs)
      ].join("\n")
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const nothing = { steps: 0, started: 0, unchecked: 0, lost: 0 }

type Running = (step: Trace.Step) => ReadonlyArray<unknown>

interface Replay {
  readonly running: Map<string, Running>
  /** Are lines of this process missing? */
  hasGap: boolean
  /** A line that broke off. It may be the last, or the last before a gap or another process. */
  torn: Fault | null
  begun: boolean
  readonly counts: { -readonly [K in keyof typeof nothing]: number }
}

const take = (replay: Replay, line: number, text: string): Fault | null => {
  const decoded = Trace.decode(text)
  const known = Result.isSuccess(decoded) ? decoded.success._tag : null
  if (replay.torn !== null && known !== "Trace" && known !== "Lost") return replay.torn
  replay.torn = null
  if (Result.isFailure(decoded)) {
    const fault: Fault = { _tag: "Malformed", line, problem: decoded.failure.message }
    if (!decoded.failure.isTorn || !replay.begun) return fault
    replay.torn = fault
    return null
  }
  if (!replay.begun && known !== "Trace") {
    return { _tag: "Malformed", line, problem: `the trace does not begin with ${Trace.encode(Trace.header)}` }
  }
  return onLine(replay, line, decoded.success)
}

const onLine = (replay: Replay, line: number, said: Trace.Line): Fault | null => {
  switch (said._tag) {
    case "Trace":
      replay.begun = true
      replay.running.clear()
      replay.hasGap = false
      return null
    case "Lost":
      replay.running.clear()
      replay.hasGap = true
      replay.counts.lost += said.lines
      return null
    case "Start":
      replay.counts.started++
      replay.running.set(keyOf(said), run(said))
      return null
    case "Step":
      return onStep(replay, line, said)
  }
}

const onStep = (replay: Replay, line: number, step: Trace.Step): Fault | null => {
  const running = replay.running.get(keyOf(step))
  if (running === undefined) {
    if (!replay.hasGap) return { _tag: "NotStarted", line, step }
    replay.counts.unchecked++
    return null
  }
  try {
    const expected = running(step)
    if (Json.canonical(expected) !== Json.canonical(step.outputs)) return { _tag: "Differs", line, step, expected }
  } catch (cause) {
    return { _tag: "Threw", line, step, problem: `${cause}` }
  }
  replay.counts.steps++
  return null
}

const keyOf = ({ instance, reducer, sid }: Trace.Start | Trace.Step): string => `${sid} ${reducer} ${instance}`

const nameOf = ({ instance, reducer, sid }: Trace.Step): string => `${reducer} ${instance} of server ${sid}`

const run = (start: Trace.Start): Running => {
  const membership = Trace.membership(start.made.members)
  switch (start.reducer) {
    case "election": {
      const { ensemble, history } = start.made
      const now = ({ electable = ensemble.electable }: Trace.Step) =>
        electable === ensemble.electable ? ensemble : { ...ensemble, electable }
      return stepper(Election.step, now, Election.make(ensemble, membership, history))
    }
    case "connections": {
      const view = { ...start.made.view, membership }
      return stepper(Connections.step, () => view, Connections.empty)
    }
    case "leader": {
      const { history, options, pledge } = start.made
      const leader = { ...options, membership }
      return stepper(Leader.step, () => leader, Leader.make(leader, history, pledge))
    }
    case "learner": {
      const { history, options, pledge } = start.made
      const learner = { ...options, membership }
      return stepper(Learner.step, () => learner, Learner.make(history, pledge))
    }
  }
}

// Which reducer it is decides the kind of event that `keyOf` finds it for.
const stepper = <Options, State, Event>(
  reduce: (options: Options, state: State, event: Event) => readonly [State, ReadonlyArray<unknown>],
  options: (step: Trace.Step) => Options,
  initial: State
): Running => {
  let state = initial
  return (step) => {
    const [next, outputs] = reduce(options(step), state, step.event as Event)
    state = next
    return outputs
  }
}

const difference = (expected: ReadonlyArray<unknown>, found: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const texts = [expected.map(Json.canonical), found.map(Json.canonical)] as const
  const longer = Math.max(expected.length, found.length)
  const at = Array.from({ length: longer }, (_, index) => index).findIndex((at) => texts[0][at] !== texts[1][at])
  const shown = (outputs: ReadonlyArray<unknown>) => at < outputs.length ? Json.stringify(outputs[at]) : "nothing more"
  return [
    `  output   ${at + 1} of ${found.length}, of the core ${expected.length}`,
    `  expected ${shown(expected)}`,
    `  found    ${shown(found)}`
  ]
}
