/** A whole run: a network, an ensemble, and a schedule of faults to the end or to the first broken promise. */
import * as Ensemble from "./Ensemble.ts"
import type * as Entry from "./Entry.ts"
import * as Network from "./Network.ts"
import * as Promises from "./Promises.ts"
import * as Rounds from "./Rounds.ts"
import * as Schedule from "./Schedule.ts"

/** What a run depends on. */
export interface Options extends Schedule.Options {
  readonly seed: number
  readonly mode: Promises.Mode
  readonly pace: Promises.Pace
}

/** The command that does the same. */
export const describe = ({ kinds, mode, pace, peers, rounds, seed }: Options): string =>
  `npm run chaos -- --rounds ${rounds} --seed ${seed} --peers ${peers} --mode ${mode} --pace ${pace} ` +
  `--faults ${kinds.join(",")}`

/** Why this machine cannot do it; `null` if it can. */
export const obstacle = (options: Options): string | null => (needsLinks(options) ? Network.obstacle() : null)

/** Performs it and gives all that happened. Fails with `Broken` at the first broken promise. */
export const run = async (
  options: Options,
  onRound: (what: string) => void
): Promise<ReadonlyArray<Entry.Entry>> => {
  const promise = Promises.of(options.mode, options.pace)
  const network = needsLinks(options) ? Network.namespaces(options.peers) : await Network.loopback(options.peers)
  const ensemble = Ensemble.make(network, promise.timing)
  let at = "start"
  try {
    await Rounds.begin(ensemble, promise)
    for (const [index, round] of Schedule.make(options.seed, options).entries()) {
      at = `round ${index + 1}: ${Schedule.describe(round)}`
      onRound(at)
      await Rounds.perform(ensemble, promise, round)
    }
    at = "end"
    await Rounds.awaitAll(ensemble, promise)
    return ensemble.journal.entries()
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : new Error(String(cause))
    throw new Rounds.Broken(`${at}\n${message}\nto repeat: ${describe(options)}`, { cause })
  } finally {
    await ensemble.close()
    network.close()
  }
}

const needsLinks = ({ kinds }: Options): boolean => kinds.includes("partition")
