/**
 * What becomes of the processes of an ensemble: they start, stop, are killed, paused
 * and continued.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Office from "@conclave/quorum/Office"
import type { Process, Program, Replica } from "./Replica.ts"
import * as Stage from "./Stage.ts"

/** Starts the replicas with these ids, all at the same time, and waits until what is deployed is up. */
export const start = Effect.fnUntraced(function*(stage: Stage.Stage, sids: ReadonlyArray<bigint>) {
  const started: Array<Process> = []
  for (const sid of sids) {
    const replica = yield* Stage.replicaOf(stage, sid)
    if (replica.process !== null) return yield* Stage.misuse(`replica ${sid} runs; stop or crash it first`)
    stage.journal.write(sid, "starts")
    replica.process = replica.boot()
    started.push(replica.process)
  }
  const booting = started.map((process) => process.booting)
  yield* Stage.ended(stage, `that ${told(sids)} start`, booting)
  yield* Effect.forEach(booting, Fiber.join)
  for (const program of stage.programs) yield* Effect.orDie(install(stage, program, started))
})

/** Starts a program on these processes; fails as it does on the first of them on which it does. */
export const install = Effect.fnUntraced(function*<E>(
  stage: Stage.Stage,
  program: Program<E>,
  processes: ReadonlyArray<Process>
) {
  const installing = processes.map((process) => process.install(program))
  yield* Stage.ended(stage, "that what is deployed starts on every replica", installing)
  yield* Effect.forEach(installing, Fiber.join)
})

/** Stops a replica in good order, as SIGTERM does, and waits until it is down. */
export const stop = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  const process = yield* Stage.processOf(stage, sid)
  if (process.machine.isPaused()) return yield* Stage.misuse(`replica ${sid} is paused and cannot stop; resume it first`)
  stage.journal.write(sid, "is told to stop")
  yield* Stage.ended(stage, `that replica ${sid} stops`, [process.close()])
  yield* kill(stage, yield* Stage.replicaOf(stage, sid))
  stage.journal.write(sid, "has stopped")
})

/** Ends a replica as SIGKILL does. */
export const crash = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  yield* Stage.processOf(stage, sid)
  stage.journal.write(sid, "crashes")
  yield* kill(stage, yield* Stage.replicaOf(stage, sid))
})

/** Crashes a replica if it runs, and starts it again. */
export const restart = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  if ((yield* Stage.replicaOf(stage, sid)).process !== null) yield* crash(stage, sid)
  yield* start(stage, [sid])
})

const kill = ({ network }: Stage.Stage, replica: Replica) =>
  Effect.suspend(() => {
    replica.process?.machine.kill()
    replica.process = null
    return network.crash(replica.host)
  })

/** Stops a replica as SIGSTOP does. */
export const pause = (stage: Stage.Stage, sid: bigint) =>
  Effect.map(Stage.processOf(stage, sid), ({ machine }) => {
    stage.journal.write(sid, "is paused")
    machine.pause()
  })

/** Continues a replica as SIGCONT does. */
export const resume = (stage: Stage.Stage, sid: bigint) =>
  Effect.map(Stage.processOf(stage, sid), ({ machine }) => {
    stage.journal.write(sid, "goes on")
    machine.resume()
  })

/** Makes the clock of a replica's host run at this rate. */
export const skewClock = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint, rate: number) {
  const { clock } = yield* Stage.replicaOf(stage, sid)
  if (!(rate > 0 && rate < Infinity)) {
    return yield* Stage.misuse(`a clock cannot run at a rate of ${rate}; give a number above 0, 1 for a true clock`)
  }
  stage.journal.write(sid, `has a clock that runs at a rate of ${rate}`)
  clock.setRate(rate)
})

/** How long replicas may take to stop at the end of a test: twice what guarded work may. Ours. */
const FAREWELL = 2 * Office.END_TIMEOUT

/** Ends a test: whoever runs stops in good order, side by side, or is killed when that takes too long. */
export const shutdown = Effect.fnUntraced(function*(stage: Stage.Stage) {
  yield* stage.network.heal
  const running = Array.from(stage.replicas.values()).filter(({ process }) => process !== null)
  const closing = running.map(({ process }) => {
    process!.machine.resume()
    return process!.close()
  })
  const down = () => closing.every((fiber) => fiber.pollUnsafe() !== undefined)
  yield* Effect.ignore(Stage.until(stage, "the end", down, FAREWELL))
  yield* Effect.forEach(running, (replica) => kill(stage, replica))
})

const told = (sids: ReadonlyArray<bigint>): string => `replicas ${sids.join(", ")}`
