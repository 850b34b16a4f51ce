/**
 * Looks for a defect of leadership, state by state.
 */
import * as Explorer from "../../src/Explorer.ts"
import * as LeadershipModel from "../../src/LeadershipModel.ts"
import type { LeadershipDefect } from "./LeadershipDefects.ts"
import * as Mutant from "./Mutant.ts"

/** What was found. */
export interface Catch {
  readonly violation: Explorer.Violation
  /** States known by then. */
  readonly states: number
  /** Processor time until it was found, in milliseconds. */
  readonly millis: number
}

/** More states than any of these defects needs by far. */
const STATES_MAX = 2_000_000

/** Explores the core with this defect; `null` if nothing is broken. The path may exchange peers that are alike. */
export const hunt = async ({ setting, ...defect }: LeadershipDefect): Promise<Catch | null> => {
  const reducers = await Mutant.load(defect)
  const start = process.cpuUsage()
  const { states, violation } = Explorer.explore(LeadershipModel.make({ ...setting, reducers }), {
    statesMax: STATES_MAX
  })
  const { system, user } = process.cpuUsage(start)
  return violation === null ? null : { violation, states, millis: (system + user) / 1_000 }
}

/** What is explored to find it, in a few words. */
export const settingOf = ({ setting: { bounds, lease, peers } }: LeadershipDefect): string => {
  const used = Object.entries(bounds).filter(([, bound]) => bound > 0).map(([name, bound]) => `${name} ${bound}`)
  return [lease === null ? "fenced" : "leased", `${peers.length} peers`, ...used].join(", ")
}
