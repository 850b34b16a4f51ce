/**
 * What `conclave explore` prints: how deep it is while it runs, the figures, and the way to what must not be.
 */
import type * as ConnectionsModel from "@conclave/testkit/ConnectionsModel"
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import type * as Explorer from "@conclave/testkit/Explorer"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as SimulateReport from "./SimulateReport.ts"

/** Says how far it is; on a terminal only, and not among the results. */
export const progress = (text: string): Effect.Effect<void> => SimulateReport.onTerminal(() => `\r\u001b[K${text}`)

/** A bound in words. */
export const many = (bound: number): string => (bound === ElectionModel.UNBOUNDED ? "any" : `${bound}`)

/** What an exploration of so long came to, a line each. */
export const summary = (
  { complete, depth, states, transitions, violation }: Explorer.Outcome,
  elapsed: Duration.Duration
): ReadonlyArray<string> => {
  const seconds = Math.max(Duration.toSeconds(elapsed), 0.001)
  const { rss } = process.memoryUsage()
  const end = violation !== null ? "something is broken" : complete ? "complete" : "not complete: too many states"
  return [
    `${states} states, ${transitions} steps, depth ${depth}: ${end}`,
    `${seconds.toFixed(1)} s, ${(states / seconds).toFixed(0)} states a second, ${(rss / 2 ** 20).toFixed(0)} MiB`
  ]
}

/** How many parts there were, and how many steps had to be computed. */
export const counts = ({ channels, followed, messages, peers, steps }: ElectionModel.Counts): string =>
  `${peers} states of peers, ${messages} messages, ${channels} contents of connections, ${steps} steps of reducers; ` +
  `${followed} quiet states lead to a leader`

/** The same of connections. */
export const connectionCounts = ({ bundles, followed, peers, steps }: ConnectionsModel.Counts): string =>
  `${peers} states of peers, ${bundles} of what two have, ${steps} steps of reducers; ` +
  `${followed} states lead to rest if left to themselves`

/** The way there, step by step. */
export const story = ({ detail, path, property }: Explorer.Violation): ReadonlyArray<string> => [
  `\nafter ${path.length} steps, and no fewer:`,
  ...path.map((step, index) => `${String(index + 1).padStart(3)}. ${step}`),
  `broken (${property}): ${detail}`
]
