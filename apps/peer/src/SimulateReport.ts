/**
 * What `conclave simulate` prints: a bar while it runs, and the figures.
 */
import * as Campaign from "@conclave/testkit/Campaign"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const BAR_WIDTH = 40

/** Draws how far it is; on a terminal only, and not among the results. */
export const progress = (done: number, runs: number): Effect.Effect<void> =>
  onTerminal(() => {
    const filled = Math.floor(done / runs * BAR_WIDTH)
    return `\r[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}] ${done} of ${runs}`
  })

/** Takes the bar away. */
export const progressDone: Effect.Effect<void> = onTerminal(() => "\r\u001b[K")

/** The figures of simulations that took so long, a line each. */
export const summary = (figures: Campaign.Summary, elapsed: Duration.Duration): ReadonlyArray<string> => {
  const { elections, healed, leaderless, messages, rounds, runs, searches, steps } = figures
  const seconds = Math.max(Duration.toSeconds(elapsed), 0.001)
  return [
    `${runs} simulations in ${seconds.toFixed(1)} s`,
    `${elections} elections (${(elections / seconds).toFixed(0)} a second), in ${searches} searches`,
    `${rounds} rounds, ${messages} messages, ${steps} steps`,
    `without a leader before an election: ${percentiles(leaderless)}`,
    `until all have one leader after the last fault: ${percentiles(healed)}`
  ]
}

/** Prints lines and waits until they are written, because the process may end right after. */
export const print = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.callback((resume) => {
    process.stdout.write(`${lines.join("\n")}\n`, () => resume(Effect.void))
  })

const percentiles = (values: ReadonlyArray<number>): string =>
  [50, 90, 99, 100].map((percent) =>
    `${percent === 100 ? "max" : `p${percent}`} ${Campaign.percentile(values, percent)} ms`).join(", ")

/** Writes where people look and programs do not, if there is a terminal. */
export function onTerminal(text: () => string): Effect.Effect<void> {
  return Effect.sync(() => {
    if (process.stderr.isTTY) process.stderr.write(text())
  })
}
