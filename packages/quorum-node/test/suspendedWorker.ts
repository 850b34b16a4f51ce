/**
 * A process with guarded work, for `Suspended.test.ts`: a step for each line on stdin, and one every 10 ms. A step
 * writes its name and when it was taken. The lease is never renewed, and nobody looks for pauses. With `busy` the event
 * loop is busy until the lease has run out.
 */
import type { Activation } from "@conclave/quorum/LeadershipStatus"
import * as Office from "@conclave/quorum/Office"
import * as Term from "@conclave/quorum/Term"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { writeSync } from "node:fs"

const [lease = "0", busy] = process.argv.slice(2)

const reason: Activation = {
  vote: { leader: 1n, zxid: 0n, peerEpoch: 0n, electionEpoch: 1n, version: 2, state: "LEADING" },
  elected: { _tag: "Quorum", supporters: new Set([1n]), runnerUp: null, ground: null },
  acknowledged: new Set([1n])
}

const write = (line: string) => void writeSync(1, `${line} ${process.hrtime.bigint()}\n`)

const onLine = Effect.callback<void>((resume) =>
  void process.stdin.once("data", () => {
    resume(Effect.void)
    setTimeout(() => onStep())
  })
)

/** Runs outside of guarded work, soon after a line was handled. */
let onStep = () => {}

const guarded = (name: string, wait: Effect.Effect<unknown>) => () =>
  Effect.forever(Effect.andThen(wait, Effect.sync(() => write(name)))).pipe(
    Effect.ensuring(Effect.sync(() => write(`${name}-ended`)))
  )

const program = Effect.scoped(Effect.gen(function*() {
  const office = yield* Office.make({ sid: 1n })
  const clock = yield* Clock.Clock
  const until = clock.monotonicTimeNanosUnsafe() + BigInt(lease) * 1_000_000n
  yield* office.enter(Term.make(
    { epoch: 1n, leader: 1n, since: clock.currentTimeMillisUnsafe(), reason, contract: "Leased" },
    () => clock.monotonicTimeNanosUnsafe() < until
  ))
  const line = yield* Effect.forkChild(office.guard("line", guarded("line", onLine)))
  yield* Effect.forkChild(office.guard("tick", guarded("tick", Effect.sleep(10))))
  write(`until ${until} ready`)
  if (busy === "busy") {
    onStep = () => {
      write("busy")
      while (clock.monotonicTimeNanosUnsafe() < until);
    }
  }
  return yield* Fiber.join(line)
}))

await Effect.runPromise(Effect.provide(program, Logger.layer([])))
