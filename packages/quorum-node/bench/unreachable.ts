/**
 * Do hosts that swallow packets slow an election down? Of five peers three run; the addresses of the other two once
 * swallow packets and once refuse, in turn.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as SilentAddress from "../test/SilentAddress.ts"
import * as TcpEnsemble from "../test/TcpEnsemble.ts"
import * as Elections from "./Elections.ts"
import * as Samples from "./Samples.ts"

const REPETITIONS = 30

interface Layout {
  readonly name: string
  readonly running: ReadonlyArray<bigint>
  readonly absent: ReadonlyArray<bigint>
}

// The highest are those that the others would elect; the lowest are those that everybody dials first, so that a dial
// that makes others wait would show.
const layouts: ReadonlyArray<Layout> = [
  { name: "highest", running: [1n, 2n, 3n], absent: [4n, 5n] },
  { name: "lowest", running: [3n, 4n, 5n], absent: [1n, 2n] }
]

/** Prints the time to a leader of three from their start, beside silent addresses and beside refusing ones. */
export const run = Effect.gen(function*() {
  const rows: Array<ReadonlyArray<string>> = [["the other two addresses", "a dial meets", "median", "p90"]]
  for (const layout of layouts) rows.push(...yield* Effect.scoped(measure(layout)))
  yield* Console.log(`election of 3 of 5, ${REPETITIONS} times each\n${Samples.table(rows)}`)
})

const measure = Effect.fnUntraced(function*({ absent, name, running }: Layout) {
  const silent = TcpEnsemble.voters(5)
  const refused = TcpEnsemble.voters(5)
  for (const sid of absent) yield* SilentAddress.make(TcpEnsemble.address(silent, sid))
  // The two ensembles share nothing but the machine, and take turns so that its moods hit both.
  const samples = { silent: [] as Array<number>, refused: [] as Array<number> }
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    samples.silent.push(yield* Elections.coldStart(silent, running))
    samples.refused.push(yield* Elections.coldStart(refused, running))
  }
  // Asked after the elections: so they were what they are called all the time.
  const answers = (voters: TcpEnsemble.Voters) =>
    Effect.forEach(absent, (sid) => SilentAddress.ask(TcpEnsemble.address(voters, sid))).pipe(
      Effect.map((found) => found.join(", "))
    )
  const figures = (values: ReadonlyArray<number>) =>
    [Samples.ms(Samples.median(values)), Samples.ms(Samples.p90(values))]
  const ratio = (figure: (values: ReadonlyArray<number>) => number) =>
    (figure(samples.silent) / figure(samples.refused)).toFixed(3)
  return [
    [`of the ${name} ids, swallow packets`, yield* answers(silent), ...figures(samples.silent)],
    [`of the ${name} ids, refuse`, yield* answers(refused), ...figures(samples.refused)],
    ["ratio", "", ratio(Samples.median), ratio(Samples.p90)]
  ]
})
