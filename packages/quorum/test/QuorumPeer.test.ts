import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MemoryNetwork from "../src/MemoryNetwork.ts"
import * as Cluster from "./Cluster.ts"

describe("QuorumPeer", () => {
  it.effect("three peers elect the highest id among equal histories", () =>
    Effect.gen(function*() {
      const members = yield* Cluster.startAll(3)
      yield* Cluster.until(members, Cluster.agreeOn(3n))
    }).pipe(Effect.provide(MemoryNetwork.layer)))

  it.effect("when the leader crashes the rest elect another, and it joins them when it comes back", () =>
    Effect.gen(function*() {
      const [one, two, three] = yield* Cluster.startAll(3)
      yield* Cluster.until([one!, two!, three!], Cluster.agreeOn(3n))
      yield* three!.stop
      yield* Cluster.until([one!, two!], Cluster.agreeOn(2n))
      const back = yield* Cluster.start(3, 3n)
      const statuses = yield* Cluster.until([one!, two!, back], Cluster.agreeOn(2n))
      assert.strictEqual(statuses.length, 3)
    }).pipe(Effect.provide(MemoryNetwork.layer)))
})
