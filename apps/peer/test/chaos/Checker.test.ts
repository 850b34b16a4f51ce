/** The checker finds what it is there to find, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Checker from "./Checker.ts"
import type * as Entry from "./Entry.ts"

const fenced: Checker.Promise = { mode: "fenced", grace: 100, bound: 1_000 }
const leased: Checker.Promise = { ...fenced, mode: "leased" }

const work = (kind: Entry.Work["kind"], at: number, sid: bigint, epoch: bigint, process = 1): Entry.Work =>
  ({ kind, at, sid, process, epoch })

const fault = (at: number, able: ReadonlyArray<bigint>, what = "kill 3"): Entry.Fault =>
  ({ kind: "fault", at, what, able })

const tags = (promise: Checker.Promise, ...entries: ReadonlyArray<Entry.Entry>) =>
  Checker.check(promise, entries).map(({ _tag }) => _tag)

describe("Checker", () => {
  const handOver = [
    work("start", 0, 3n, 1n),
    work("beat", 10, 3n, 1n),
    work("end", 20, 3n, 1n),
    work("start", 30, 2n, 2n),
    work("beat", 40, 2n, 2n)
  ]

  it("finds nothing wrong with leaderships one after another", () => {
    assert.deepStrictEqual(tags(leased, ...handOver), [])
    assert.deepStrictEqual(Checker.intervals(leased, handOver), [
      { sid: 3n, process: 1, epoch: 1n, start: 0, end: 20 },
      { sid: 2n, process: 1, epoch: 2n, start: 30, end: 40 }
    ])
  })

  it("allows an overlap to fenced leaderships, and not to leased ones", () => {
    const entries = [...handOver.slice(0, 2), work("start", 15, 2n, 2n), work("beat", 20, 3n, 1n)]
    assert.deepStrictEqual(tags(fenced, ...entries), [])
    assert.deepStrictEqual(tags(leased, ...entries), ["Overlap"])
  })

  it("finds an overlap with a leadership that is not the one right before", () => {
    const entries = [
      ...handOver,
      work("end", 45, 2n, 2n),
      work("start", 50, 1n, 3n),
      work("beat", 60, 3n, 1n)
    ]
    assert.deepStrictEqual(tags(leased, ...entries), ["Overlap", "Overlap"])
  })

  it("takes the last step of a killed process for the end of its work", () => {
    assert.deepStrictEqual(tags(leased, ...handOver.slice(0, 2), work("start", 11, 2n, 2n)), [])
  })

  it("lets a process that was stopped clean up afterwards, and do nothing else", () => {
    const stopped = [work("start", 0, 3n, 1n), work("beat", 10, 3n, 1n), work("start", 500, 2n, 2n)]
    assert.deepStrictEqual(tags(leased, ...stopped, work("end", 600, 3n, 1n)), [])
    assert.deepStrictEqual(tags(leased, ...stopped, work("beat", 600, 3n, 1n)), ["Overlap"])
    assert.deepStrictEqual(tags(leased, ...stopped, work("beat", 600, 3n, 1n), work("end", 601, 3n, 1n)), ["Overlap"])
  })

  it("counts a finalizer that had no reason to be late", () => {
    const entries = [...handOver.slice(0, 2), work("start", 15, 2n, 2n), work("end", 20, 3n, 1n)]
    assert.deepStrictEqual(tags(leased, ...entries), ["Overlap"])
  })

  it("finds two processes in one epoch, of two servers or of one", () => {
    assert.deepStrictEqual(tags(fenced, work("start", 0, 3n, 1n), work("start", 50, 2n, 1n)), [
      "SharedEpoch",
      "TokenNotHigher"
    ])
    assert.include(tags(fenced, work("start", 0, 3n, 1n, 1), work("start", 50, 3n, 1n, 2)), "SharedEpoch")
  })

  it("finds a token that is lower than the one before", () => {
    assert.deepStrictEqual(tags(fenced, work("start", 0, 3n, 2n), work("start", 50, 2n, 1n)), ["TokenNotHigher"])
  })

  it("asks for a leader within the bound, of those who may lead", () => {
    const beat = (at: number, sid: bigint) => work("beat", at, sid, 1n)
    assert.deepStrictEqual(tags(fenced, fault(0, [1n, 2n]), beat(900, 2n), beat(5_000, 2n)), [])
    assert.deepStrictEqual(tags(fenced, fault(0, [1n, 2n]), beat(1_100, 2n)), ["NoLeader"])
    assert.deepStrictEqual(tags(fenced, fault(0, [1n, 2n]), work("beat", 1_100, 3n, 1n)), ["NoLeader"])
    assert.deepStrictEqual(tags(fenced, fault(0, [1n, 2n]), work("end", 10, 2n, 1n), beat(1_100, 2n)), ["NoLeader"])
  })

  it("asks for none where none is possible, or the next change came in time", () => {
    assert.deepStrictEqual(tags(fenced, fault(0, []), work("beat", 5_000, 2n, 1n)), [])
    assert.deepStrictEqual(tags(fenced, fault(0, [2n]), fault(800, []), work("beat", 5_000, 2n, 1n)), [])
    assert.deepStrictEqual(tags(fenced, fault(0, [2n]), fault(1_500, []), work("beat", 5_000, 2n, 1n)), ["NoLeader"])
  })

  it("tells how long nobody led", () => {
    const entries = [fault(0, [2n]), work("beat", 300, 2n, 1n), fault(400, [2n])]
    assert.deepStrictEqual(Checker.leaderlessTimes(entries).map(({ after }) => after), [300, null])
  })
})
