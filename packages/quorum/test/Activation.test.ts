import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { networked } = Cluster
const { activated, ledBy } = Leaders

const epochsOf = (members: ReadonlyArray<Cluster.Member>) =>
  Effect.forEach(members, ({ history }) =>
    Effect.map(history.read, ({ acceptedEpoch, currentEpoch }) => [acceptedEpoch, currentEpoch]))

describe("an elected leader", () => {
  it.effect.each([1, 3, 5])("is activated by a quorum of %i, which keeps the epoch", (size) =>
    networked(Effect.fnUntraced(function*() {
      const members = yield* Cluster.startAll(size, activated())
      yield* Leaders.until(members, ledBy(BigInt(size), 1n))
      assert.deepStrictEqual(yield* epochsOf(members), members.map(() => [1n, 1n]))
      yield* Leaders.stays(members, 5, ledBy(BigInt(size), 1n))
      const status = yield* members[size - 1]!.leadership.status
      if (status._tag !== "LEADING") return assert.fail(status._tag)
      assert.isAtLeast(status.reason.acknowledged.size, Math.floor(size / 2) + 1)
    }))())
})
