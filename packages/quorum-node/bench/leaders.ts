/** How soon there is another leader when the leader ends, and how soon there is one at all. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as TcpEnsemble from "../test/TcpEnsemble.ts"
import * as Elections from "./Elections.ts"
import * as Samples from "./Samples.ts"

/** Prints the time from the end of the leader until the rest agree. */
export const failover = Effect.gen(function*() {
  yield* print("failover: the leader ends, the rest agree", [
    yield* measure(3, 20, Elections.failover),
    yield* measure(5, 20, Elections.failover)
  ])
})

/** Prints the time from the start of the first peer until all agree. */
export const coldStart = Effect.gen(function*() {
  const start = (size: number) => Elections.coldStart(TcpEnsemble.voters(size), TcpEnsemble.sids(size))
  yield* print("cold start: all start at once, all agree", [
    yield* measure(3, 20, start),
    yield* measure(5, 20, start),
    yield* measure(7, 20, start),
    // All in this one process, and each is connected with each.
    yield* measure(31, 5, start)
  ])
})

const measure = Effect.fnUntraced(function*<E>(
  size: number,
  repetitions: number,
  once: (size: number) => Effect.Effect<number, E>
) {
  const samples: Array<number> = []
  for (let repetition = 0; repetition < repetitions; repetition++) samples.push(yield* once(size))
  return { size, samples }
})

const print = (title: string, measured: ReadonlyArray<{ readonly size: number; readonly samples: Array<number> }>) =>
  Console.log(`${title}\n${
    Samples.table([
      ["peers", "times", "median", "p90", `median / ${Elections.FLOOR_MS} ms`],
      ...measured.map(({ samples, size }) => [
        `${size}`,
        `${samples.length}`,
        Samples.ms(Samples.median(samples)),
        Samples.ms(Samples.p90(samples)),
        (Samples.median(samples) / Elections.FLOOR_MS).toFixed(2)
      ])
    ])
  }`)
