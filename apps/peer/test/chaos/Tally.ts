/** How long nobody led after what was done to an ensemble. */
import * as Samples from "../../../../packages/quorum-node/bench/Samples.ts"
import * as Checker from "./Checker.ts"
import type * as Entry from "./Entry.ts"

/** A table of these times by what was done. */
export const print = (entries: ReadonlyArray<Entry.Entry>): string => {
  const byKind = new Map<string, Array<number>>()
  for (const { after, fault } of Checker.leaderlessTimes(entries)) {
    const [kind = ""] = fault.what.split(/:? \d/)
    if (after !== null) byKind.set(kind, [...(byKind.get(kind) ?? []), after])
  }
  return Samples.table([
    ["nobody led after", "times", "median", "p90", "longest"],
    ...Array.from(byKind, ([kind, samples]) => [
      kind,
      `${samples.length}`,
      Samples.ms(Samples.median(samples)),
      Samples.ms(Samples.p90(samples)),
      Samples.ms(Math.max(...samples))
    ])
  ])
}
