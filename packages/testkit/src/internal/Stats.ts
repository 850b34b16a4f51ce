/**
 * What is counted of a simulation.
 */

/** What happened, in numbers. */
export interface Stats {
  /** Leaders that a quorum activated, or followed where there are elections alone, one after another. */
  elections: number
  /** Searches that ended with a leader, of all nodes together. */
  searches: number
  /** Rounds that nodes began or entered. */
  rounds: number
  messages: number
  /** What leaders and learners said to each other. */
  packets: number
  /** The same without pings and their answers. */
  talk: number
  /** Steps of the election's reducer, of that of connections, and of those of leaders and learners. */
  steps: number
  decisions: number
  leaderSteps: number
  /** For each election, how long there had been no leader before. In milliseconds. */
  readonly leaderless: Array<number>
}

/** Nothing has happened. */
export const none = (): Stats => ({
  elections: 0,
  searches: 0,
  rounds: 0,
  messages: 0,
  packets: 0,
  talk: 0,
  steps: 0,
  decisions: 0,
  leaderSteps: 0,
  leaderless: []
})
