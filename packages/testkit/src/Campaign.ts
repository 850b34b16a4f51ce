/**
 * Many simulations, one seed after the other, and what they come to.
 */
import * as Profile from "./Profile.ts"
import type { Reducers } from "./Reducers.ts"
import type { Scenario } from "./Scenario.ts"
import * as Shrink from "./Shrink.ts"
import * as Simulator from "./Simulator.ts"

/** Which simulations to run. */
export interface Options {
  readonly profile: Profile.ProfileName
  /** Voters; observers and strangers come on top where the profile has them. */
  readonly peers: number
  /** The first seed; the others follow it. */
  readonly seed: number
  readonly runs: number
  /** What to put to the test; the core as shipped by default. */
  readonly reducers?: Reducers
}

/** A simulation that broke something, and the smallest one found that breaks the same. */
export interface Failure {
  readonly seed: number
  readonly violation: Simulator.Violation
  readonly scenario: Scenario
  readonly shrunk: Scenario
}

/** Totals over simulations. Times in milliseconds. */
export interface Summary {
  readonly runs: number
  readonly elections: number
  readonly searches: number
  readonly rounds: number
  readonly messages: number
  /** Steps of all reducers. */
  readonly steps: number
  /** Without a leader before each election, and from the end of the faults until all had one: sorted. */
  readonly leaderless: ReadonlyArray<number>
  readonly healed: ReadonlyArray<number>
}

/** A campaign under way. */
export interface Campaign {
  /** Runs the next seed; false when there is none left, or something was broken. */
  readonly next: () => boolean
  readonly done: () => number
  readonly failure: () => Failure | null
  readonly summary: () => Summary
}

/** A campaign that has not begun. */
export const make = (options: Options): Campaign => {
  const { peers, profile, runs, seed } = options
  const totals = { elections: 0, searches: 0, rounds: 0, messages: 0, steps: 0 }
  const leaderless: Array<number> = []
  const healed: Array<number> = []
  let done = 0
  let failure: Failure | null = null
  return {
    next: () => {
      if (done >= runs || failure !== null) return false
      const outcome = Simulator.run(Profile.draw(profile, peers, seed + done), runOptions(options))
      const { stats, violation } = outcome
      totals.elections += stats.elections
      totals.searches += stats.searches
      totals.rounds += stats.rounds
      totals.messages += stats.messages
      totals.steps += stats.steps + stats.decisions + stats.leaderSteps
      leaderless.push(...stats.leaderless)
      if (outcome.healed !== null) healed.push(outcome.healed)
      if (violation !== null) failure = investigate({ ...options, seed: seed + done }, violation)
      done++
      return failure === null && done < runs
    },
    done: () => done,
    failure: () => failure,
    summary: () => ({ runs: done, ...totals, leaderless: sorted(leaderless), healed: sorted(healed) })
  }
}

/** What the simulation of this one seed breaks, or `null`. */
export const check = (options: Omit<Options, "runs">): Simulator.Violation | null =>
  Simulator.run(Profile.draw(options.profile, options.peers, options.seed), runOptions(options)).violation

/** The smallest scenario that breaks what this seed is known to break. */
export const investigate = (options: Omit<Options, "runs">, violation: Simulator.Violation): Failure => {
  const { peers, profile, seed } = options
  const scenario = Profile.draw(profile, peers, seed)
  const isBad = (candidate: Scenario) =>
    Simulator.run(candidate, runOptions(options)).violation?.property === violation.property
  return { seed, violation, scenario, shrunk: Shrink.shrink(scenario, isBad) }
}

/** The smallest value that so many in a hundred of the sorted values do not exceed; 0 if there are none. */
export const percentile = (values: ReadonlyArray<number>, percent: number): number =>
  values[Math.max(0, Math.ceil(values.length * percent / 100) - 1)] ?? 0

/** The command that runs this seed again. */
export const command = ({ peers, profile }: Pick<Options, "peers" | "profile">, seed: number): string =>
  `conclave simulate --profile ${profile} --peers ${peers} --seed ${seed} --runs 1`

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const runOptions = ({ reducers }: Pick<Options, "reducers">): Simulator.RunOptions =>
  reducers === undefined ? {} : { reducers }

const sorted = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b)
