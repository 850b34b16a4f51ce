/**
 * What happened in a scenario, told: the faults, who elected whom and why, and in full the last moments.
 */
import type { Scenario } from "./Scenario.ts"
import * as Simulator from "./Simulator.ts"

/** Turning points told at most, and events told in full. */
const TURNS_MAX = 30
const EVENTS_MAX = 12

/** Runs the scenario once more and tells it, a line at a time. */
export const tell = (scenario: Scenario, options: Omit<Simulator.RunOptions, "log"> = {}): ReadonlyArray<string> => {
  const turns: Array<string> = []
  const events: Array<string> = []
  const { violation } = Simulator.run(scenario, {
    ...options,
    log: (line, isTurn) => {
      if (isTurn) turns.push(line)
      events.push(line)
      // Those that are kept, and not one by one.
      if (events.length > 50 * EVENTS_MAX) events.splice(0, events.length - EVENTS_MAX)
    }
  })
  const left = Math.max(0, turns.length - TURNS_MAX)
  return [
    ...(left > 0 ? [`(${left} turning points before)`] : []),
    ...turns.slice(-TURNS_MAX),
    "at last:",
    ...events.slice(-EVENTS_MAX),
    ...(violation === null ? [] : [`broken at ${violation.at} ms: ${Simulator.explain(violation.property)}`,
      `  ${violation.detail}`])
  ]
}
