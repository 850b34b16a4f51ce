/** Leaders of an ensemble, as a test waits and asks for them. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { NotReached } from "../../NotReached.ts"
import * as Stage from "./Stage.ts"

/**
 * Waits until a majority has a leader, and nobody is about to join it; `after` another, which must be one of a later
 * epoch.
 */
export const awaitLeader = Effect.fnUntraced(function*(stage: Stage.Stage, options: {
  readonly after?: Stage.Leader
  readonly within?: Duration.Input
} = {}): Effect.fn.Return<Stage.Leader, NotReached> {
  const { after, within } = options
  let found: Stage.Leader | null = null
  const isFound = Effect.gen(function*() {
    found = yield* Stage.leader(stage)
    if (found === null || after !== undefined && found.epoch <= after.epoch) return false
    return !(yield* isBeingJoined(stage, found))
  })
  yield* Stage.until(stage, after === undefined ? "a leader" : `a leader after ${told(after)}`, isFound, within)
  return found!
})

/** Makes every replica that runs look for a leader again, and waits for one in a new epoch. */
export const elect = Effect.fnUntraced(function*(stage: Stage.Stage): Effect.fn.Return<Stage.Leader, NotReached> {
  const before = yield* Stage.leader(stage)
  stage.journal.write(null, "everybody is asked to look for a leader")
  for (const { life } of stage.replicas.values()) {
    const peer = life?.peer()
    if (peer) yield* peer.lookForLeader
  }
  return yield* awaitLeader(stage, before === null ? {} : { after: before })
})

/** Asks the leader to make room for a replica, and waits until that leads. */
export const transferTo = Effect.fnUntraced(function*(stage: Stage.Stage, sid: bigint) {
  yield* Stage.replicaOf(stage, sid)
  const leader = yield* awaitLeader(stage)
  const leadership = (yield* Stage.lifeOf(stage, leader.sid)).leadership()!
  const asking = yield* Effect.forkChild(leadership.transferTo(sid))
  yield* Stage.ended(stage, `that ${told(leader)} makes room for replica ${sid}`, [asking])
  yield* Fiber.join(asking)
  yield* Stage.until(stage, `that replica ${sid} leads`, isLed(stage, sid))
  return (yield* Stage.leader(stage))!
})

// Who has just been elected with others, and is behind them by a moment, would be taken for one that cannot follow.
const isBeingJoined = (stage: Stage.Stage, { sid }: Stage.Leader) =>
  Effect.map(Stage.statuses(stage), (all) =>
    all.some(([of, status]) =>
      status._tag === "LOOKING" && status.reason._tag === "Joining" && status.reason.leader === sid &&
      !stage.replicas.get(of)!.life!.machine.isPaused()
    ))

const isLed = (stage: Stage.Stage, sid: bigint) => Effect.map(Stage.leader(stage), (leader) => leader?.sid === sid)

const told = ({ epoch, sid }: Stage.Leader): string => `replica ${sid}, the leader of epoch ${epoch}`
