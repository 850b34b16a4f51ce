import { assert, describe, it } from "@effect/vitest"
import * as Leadership from "@conclave/quorum/Leadership"
import * as TestEnsemble from "@conclave/testkit/TestEnsemble"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

// The service: on one replica it makes an entry in a table, when it begins and every full minute. It knows of no test.

interface Entry {
  readonly by: bigint
  readonly token: bigint
}

class StaleToken extends Data.TaggedError("StaleToken")<Entry> {}

class Table extends Context.Service<Table, {
  readonly session: Effect.Effect<void, never, Scope.Scope>
  readonly insert: (entry: Entry) => Effect.Effect<void, StaleToken>
}>()("Table") {}

const job = Leadership.singleton(({ epoch }) =>
  Effect.gen(function*() {
    const { sid } = yield* Leadership.Leadership
    const table = yield* Table
    yield* table.session
    yield* Effect.repeat(table.insert({ by: sid, token: epoch }), Schedule.cron("* * * * *"))
  }))

// The table of the test: it refuses a token lower than the highest it has seen, as the real one does.

const makeTable = () => {
  const entries: Array<Entry> = []
  const refused: Array<Entry> = []
  const sessions = { now: 0, most: 0 }
  const insert = (entry: Entry) =>
    Effect.suspend(() => {
      const isStale = entry.token < (entries.at(-1)?.token ?? 0n)
      const rows = isStale ? refused : entries
      rows.push(entry)
      return isStale ? Effect.fail(new StaleToken(entry)) : Effect.void
    })
  const session = Effect.acquireRelease(
    Effect.sync(() => void (sessions.most = Math.max(sessions.most, ++sessions.now))),
    () => Effect.sync(() => void sessions.now--)
  )
  return { entries, refused, sessions, layer: Layer.succeed(Table, { insert, session }) }
}

describe("the job, when its replica is cut off from the others", () => {
  it.effect.each([
    // The old leader works until it notices, and what it still writes is refused.
    { contract: "fenced", lease: null, sessions: 2, stale: 1 },
    // It has ended before another begins.
    { contract: "leased", lease: { duration: 8_000 }, sessions: 1, stale: 0 }
  ])("goes on elsewhere ($contract)", ({ lease, sessions, stale }) => {
    const table = makeTable()
    return Effect.gen(function*() {
      const ensemble = yield* TestEnsemble.TestEnsemble
      yield* ensemble.deploy(job)
      const first = yield* ensemble.awaitLeader()
      // Just long enough before the full minute: then the others have a leader, and this one does not know.
      yield* ensemble.advance("109 seconds")
      yield* ensemble.partition([first.sid])
      const second = yield* ensemble.awaitLeader({ after: first })
      yield* ensemble.advance("2 minutes")
      yield* ensemble.heal
      yield* ensemble.advance("1 minute")

      const byFirst: Entry = { by: first.sid, token: first.epoch }
      const bySecond: Entry = { by: second.sid, token: second.epoch }
      assert.isAbove(Number(second.epoch), Number(first.epoch))
      assert.deepStrictEqual(table.entries, [byFirst, byFirst, bySecond, bySecond, bySecond, bySecond])
      assert.deepStrictEqual(table.refused, Array(stale).fill(byFirst))
      assert.deepStrictEqual(table.sessions, { now: 1, most: sessions })
    }).pipe(Effect.provide([TestEnsemble.layer({ lease }), table.layer]))
  })
})
