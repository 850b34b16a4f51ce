import * as Preference from "@conclave/core/Preference"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cluster from "./Cluster.ts"

const { agreeOn, networked } = Cluster

/** A voter of three whose log goes so far, and who is so much preferred. */
const start = (sid: bigint, position: bigint, priority: number) =>
  Cluster.start(3, sid, { position: Effect.orDie(Effect.fromResult(Preference.zxid(position, priority))) })

describe("peers with a preference", () => {
  it.effect("elect the freshest, whatever the priorities", networked(Effect.fnUntraced(function*() {
    const members = [yield* start(1n, 8n, 0), yield* start(2n, 7n, 255), yield* start(3n, 7n, 9)]
    yield* Cluster.until(members, agreeOn(1n))
  })))

  it.effect("elect the preferred one among the freshest, whatever the ids", networked(Effect.fnUntraced(function*() {
    const members = [yield* start(1n, 7n, 1), yield* start(2n, 7n, 2), yield* start(3n, 7n, 0)]
    yield* Cluster.until(members, agreeOn(2n))
  })))

  it.effect("keep the leader they have when a better one comes back", networked(Effect.fnUntraced(function*() {
    const some = [yield* start(1n, 7n, 1), yield* start(2n, 7n, 2)]
    yield* Cluster.until(some, agreeOn(2n))
    const members = [...some, yield* start(3n, 9n, 255)]
    yield* Cluster.until(members, agreeOn(2n))
    yield* Cluster.stays(members, 90, agreeOn(2n))
  })))
})
