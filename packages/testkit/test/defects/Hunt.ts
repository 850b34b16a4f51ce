/**
 * Looks for a defect, seed by seed.
 */
import * as Campaign from "../../src/Campaign.ts"
import type { Reducers } from "../../src/Reducers.ts"
import type { Violation } from "../../src/Simulator.ts"
import type { Defect } from "./Defects.ts"
import * as Mutant from "./Mutant.ts"

/** What was found. */
export interface Trophy {
  readonly seed: number
  readonly violation: Violation
  /** Processor time until it was found, in milliseconds. */
  readonly millis: number
  readonly reducers: Reducers
}

/** Runs seeds from 1 until the defect is found; `null` if so many do not find it. */
export const hunt = async (defect: Defect, runs: number): Promise<Trophy | null> => {
  const { peers, profile } = defect
  const reducers = await Mutant.load(defect)
  const start = process.cpuUsage()
  for (let seed = 1; seed <= runs; seed++) {
    const violation = Campaign.check({ profile, peers, seed, reducers })
    if (violation === null) continue
    const { system, user } = process.cpuUsage(start)
    return { seed, violation, millis: (system + user) / 1_000, reducers }
  }
  return null
}
