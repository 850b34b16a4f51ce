/**
 * What becomes of the processes of an ensemble: they start, stop, are killed, paused
 * and continued.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Office from "@conclave/quorum/Office"
import type { Life, Program, Replica } from "./Replica.ts"
import * as Stage from "./Stage.ts"

/** Starts the replicas with these ids, all at the same time, and waits until what is deployed is up. */
export const start = Effect.fnUntraced(function*(stage: Stage.Stage, sids: ReadonlyArray<bigint>) {
  const replicas = yield* Effect.forEach(sids, (sid) => Stage.replicaOf(stage, sid))
  const running = replicas.find(({ life }) => life !== null)
  if (running !== undefined) return yield* Stage.misuse(`replica ${running.sid} runs; stop or crash it first`)
  const lives = replicas.map((replica) => {
    stage.journal.note(replica.sid, "starts")
    return replica.life = replica.boot()
  })
  // Who cannot start is not up.
  yield* Effect.onError(boot(stage, lives), () => Effect.forEach(replicas, (replica) => kill(stage, replica)))
})

const boot = Effect.fnUntraced(function*(stage: Stage.Stage, lives: ReadonlyArray<Life>) {
  const booting = lives.map((life) => life.booting)
  yield* Stage.ended(stage, "that replicas start", booting)
  yield* Effect.forEach(booting, Fiber.join)
  for (const program of stage.programs) yield* Effect.orDie(install(stage, program, lives))
})

/** Starts a program on these processes; fails as it does on the first of them on which it does. */
export const install = Effect.fnUntraced(function*<E>(
  stage: Stage.Stage,
  program: Program<E>,
  lives: ReadonlyArray<Life>
) {
  const installing = lives.map((life) => life.install(program))
  yield* Stage.ended(stage, "that what is deployed starts on every replica", installing)
  yield* Effect.forEach(installing, Fiber.join)
})

/** Stops a replica in good order, as SIGTERM does, and waits until it is down. */
export const stop = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  const life = yield* Stage.lifeOf(stage, sid)
  const { machine } = life
  if (machine.isPaused()) return yield* Stage.misuse(`replica ${sid} is paused and cannot stop; resume it first`)
  stage.journal.write(sid, "is told to stop")
  yield* Stage.ended(stage, `that replica ${sid} stops`, [life.close()])
  yield* kill(stage, yield* Stage.replicaOf(stage, sid))
  stage.journal.write(sid, "has stopped")
})

/** Ends a replica as SIGKILL does. */
export const crash = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  yield* Stage.lifeOf(stage, sid)
  stage.journal.write(sid, "crashes")
  yield* kill(stage, yield* Stage.replicaOf(stage, sid))
})

/** Takes the power from a replica's machine. */
export const vanish = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  yield* Stage.lifeOf(stage, sid)
  const replica = yield* Stage.replicaOf(stage, sid)
  stage.journal.write(sid, "is gone without a word")
  end(replica)
  yield* stage.network.vanish(replica.host)
})

/** Crashes a replica if it runs, and starts it again. */
export const restart = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  if ((yield* Stage.replicaOf(stage, sid)).life !== null) yield* crash(stage, sid)
  yield* start(stage, [sid])
})

const kill = ({ network }: Stage.Stage, replica: Replica) =>
  Effect.suspend(() => {
    end(replica)
    return network.crash(replica.host)
  })

const end = (replica: Replica) => {
  replica.life?.machine.kill()
  replica.life = null
}

/** Stops a replica as SIGSTOP does. */
export const pause = (stage: Stage.Stage, sid: bigint) =>
  Effect.map(Stage.lifeOf(stage, sid), ({ machine }) => {
    stage.journal.write(sid, "is paused")
    machine.pause()
  })

/** Continues a replica as SIGCONT does. */
export const resume = (stage: Stage.Stage, sid: bigint) =>
  Effect.map(Stage.lifeOf(stage, sid), ({ machine }) => {
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
  const running = Array.from(stage.replicas.values()).filter(({ life }) => life !== null)
  const closing = running.map(({ life }) => {
    life!.machine.resume()
    return life!.close()
  })
  const down = () => closing.every((fiber) => fiber.pollUnsafe() !== undefined)
  yield* Effect.ignore(Stage.until(stage, "the end", down, FAREWELL))
  yield* Effect.forEach(running, (replica) => kill(stage, replica))
})
