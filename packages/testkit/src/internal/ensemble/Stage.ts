/**
 * The replicas of one test, the time they live in, and how a test waits for them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as LeadershipStatus from "@conclave/quorum/LeadershipStatus"
import type * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import { NotReached } from "../../NotReached.ts"
import type { Chronicle } from "./Chronicle.ts"
import type { Journal } from "./Journal.ts"
import { type Latency, micros } from "./Latency.ts"
import type { Life, Program, Replica } from "./Replica.ts"
import type { VirtualTime } from "./VirtualTime.ts"

/** All that a test has. */
export interface Stage {
  readonly time: VirtualTime
  readonly journal: Journal
  readonly chronicle: Chronicle
  readonly latency: Latency
  readonly network: MemoryNetwork.MemoryNetwork["Service"]
  readonly replicas: ReadonlyMap<bigint, Replica>
  /** Those that vote. */
  readonly voters: number
  /** What is deployed, in the order in which it was. */
  readonly programs: Array<Program>
}

/** What a test waits for: a fact, asked anew after whatever happens. */
export type Condition<E, R> = (() => boolean) | Effect.Effect<boolean, E, R>

/** How long is waited unless told otherwise: an election takes less with any ticks in use. Ours, 2 min. */
export const PATIENCE = Duration.minutes(2)

/** Lines of the story and of the log in an error: some failovers. */
const LINES_TOLD = 40

/** Moves time until the condition holds. */
export const until = Effect.fnUntraced(function*<E = never, R = never>(
  stage: Stage,
  what: string,
  condition: Condition<E, R>,
  within: Duration.Input = PATIENCE
) {
  const { time } = stage
  const check = typeof condition === "function" ? Effect.sync(condition) : condition
  const limit = time.now() + micros(within)
  while (!(yield* check)) {
    if (yield* time.step(limit)) continue
    if (yield* check) return
    return yield* new NotReached({
      what,
      within: Duration.toMillis(Duration.fromInputUnsafe(within)),
      replicas: yield* Effect.forEach(stage.replicas.values(), describe),
      story: story(stage).slice(-LINES_TOLD),
      log: stage.journal.lines.slice(-LINES_TOLD)
    })
  }
})

/** The elections until now, and among them what the test did. */
export const story = ({ chronicle, journal }: Stage): ReadonlyArray<string> => chronicle.story(journal.facts)

/** Moves time until all of these fibers have ended. */
export const ended = (stage: Stage, what: string, fibers: ReadonlyArray<Fiber.Fiber<unknown, unknown>>) =>
  until(stage, what, () => fibers.every((fiber) => fiber.pollUnsafe() !== undefined))

/** Moves time by so much. */
export const advance = Effect.fnUntraced(function*({ time }: Stage, by: Duration.Input) {
  const limit = time.now() + micros(by)
  while (yield* time.step(limit)) { /* There is more to do until then. */ }
})

/** The replica with this id; a defect if there is none. */
export const replicaOf = ({ replicas }: Stage, sid: bigint): Effect.Effect<Replica> =>
  Effect.suspend(() => {
    const replica = replicas.get(sid)
    if (replica !== undefined) return Effect.succeed(replica)
    return misuse(`there is no replica ${sid}; there are ${Array.from(replicas.keys()).join(", ")}`)
  })

/** The process of the replica with this id; a defect if it is down. */
export const lifeOf = (stage: Stage, sid: bigint): Effect.Effect<Life> =>
  Effect.flatMap(replicaOf(stage, sid), ({ life }) =>
    life === null ? misuse(`replica ${sid} is down; start it first`) : Effect.succeed(life))

/** A test that asks for what makes no sense. */
export const misuse = (problem: string): Effect.Effect<never> => Effect.die(new Error(problem))

/** How a replica stands, in one line. */
export const describe = ({ life, sid }: Replica): Effect.Effect<string> => {
  if (life === null) return Effect.succeed(`replica ${sid} is down`)
  const paused = life.machine.isPaused() ? "is paused, " : ""
  return Effect.map(statusOf(life), (status) =>
    `replica ${sid}: ${paused}${status === null ? "starts" : LeadershipStatus.describe(status)}`)
}

const statusOf = (life: Life): Effect.Effect<LeadershipStatus.LeadershipStatus | null> =>
  life.leadership()?.status ?? Effect.succeed(null)

/** Who leads, and by which token. */
export interface Leader {
  readonly sid: bigint
  readonly epoch: bigint
}

/** The leader of the highest epoch that a majority of voters has, as they stand; `null` if there is none. */
export const leader = (stage: Stage): Effect.Effect<Leader | null> =>
  Effect.map(statuses(stage), (all) => {
    const leaders = all.flatMap(([sid, status]) => status._tag === "LEADING" ? [{ sid, epoch: status.epoch }] : [])
    const newest = leaders.toSorted((a, b) => a.epoch > b.epoch ? -1 : 1)[0]
    if (newest === undefined) return null
    const supporters = all.filter(([sid, status]) =>
      sid === newest.sid ||
      status._tag === "FOLLOWING" && status.leader === newest.sid && status.epoch === newest.epoch
    )
    return supporters.length > stage.voters / 2 ? newest : null
  })

/** How the replicas stand that are up. */
export const statuses = Effect.fnUntraced(function*({ replicas }: Stage) {
  const all: Array<readonly [bigint, LeadershipStatus.LeadershipStatus]> = []
  for (const { life, sid } of replicas.values()) {
    const status = life === null ? null : yield* statusOf(life)
    if (status !== null) all.push([sid, status])
  }
  return all
})
