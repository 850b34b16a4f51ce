import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Preference from "../src/Preference.ts"
import * as Sid from "../src/Sid.ts"
import * as Vote from "../src/Vote.ts"

const zxid = (position: bigint, priority: number) => Result.getOrThrow(Preference.zxid(position, priority))

describe("Preference", () => {
  it.each<readonly [position: bigint, priority: number, zxid: bigint]>([
    [0n, 0, 0n],
    [0n, 255, 255n],
    [1n, 0, 256n],
    [7n, 3, 0x703n],
    [Preference.POSITION_MAX, 255, Sid.MAX_VALUE]
  ])("position %d with priority %d is zxid %d, and back", (position, priority, expected) => {
    assert.strictEqual(zxid(position, priority), expected)
    assert.strictEqual(Preference.positionOf(expected), position)
    assert.strictEqual(Preference.priorityOf(expected), priority)
  })

  it.each<readonly [position: bigint, priority: number, key: string]>([
    [-1n, 0, "position"],
    [Preference.POSITION_MAX + 1n, 0, "position"],
    [0n, -1, "priority"],
    [0n, 256, "priority"],
    [0n, 1.5, "priority"],
    [0n, Number.NaN, "priority"],
    [0n, Number.POSITIVE_INFINITY, "priority"]
  ])("refuses position %d with priority %d and names the %s", (position, priority, key) => {
    const result = Preference.zxid(position, priority)
    assert.strictEqual(Result.isFailure(result) ? result.failure.key : "accepted", key)
  })

  // Few positions and priorities besides the wide ones, so that equal ones meet.
  const position = Schema.Union([
    Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n })),
    Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: Preference.POSITION_MAX }))
  ])
  const priority = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Preference.PRIORITY_MAX }))
  const id = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: 5n }))
  const peer = Schema.Tuple([position, priority, id])

  it.prop("elections go by position, then priority, then id", [peer, peer], ([a, b]) => {
    const [ours, theirs] = [a, b].map(([position, priority, leader]) =>
      ({ leader, zxid: zxid(position, priority), peerEpoch: 3n }))
    const wanted = a[0] !== b[0] ? a[0] > b[0] : a[1] !== b[1] ? a[1] > b[1] : a[2] > b[2]
    assert.strictEqual(Vote.compare(ours!, theirs!, 1n).better, wanted)
  }, { arbitrary: { runs: 500 } })
})
