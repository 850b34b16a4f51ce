import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Confirmation from "../src/Confirmation.ts"
import type * as Election from "../src/Election.ts"
import * as Ensemble from "../src/Ensemble.ts"
import type { Notification } from "../src/Notification.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import type { ServerState, SettledState } from "../src/ServerState.ts"
import { majority, members, notification, oracle, p, sids, vote } from "./support/Peer.ts"

const mySid = 1n
const five = majority([1, 2, 3, 4, 5], { observers: [6] })

const settled = (
  state: SettledState,
  leader: number,
  committed: QuorumVerifier.QuorumVerifier = five
): Election.Settled => ({
  _tag: "Settled",
  absent: new Map(),
  membership: Ensemble.membership({ mySid, committed }),
  logicalClock: 7n,
  proposal: p(leader),
  currentVote: vote(p(leader), 7),
  state,
  supporters: new Set()
})

const says = (from: number, state: ServerState, leader: number, round = 7) =>
  notification(from, state, p(leader), round)

const verdictOf = (self: Election.Settled, answers: ReadonlyArray<Notification>): Confirmation.Verdict => {
  const heard = answers.reduce((so, answer) => Confirmation.hear(so, self, answer), Confirmation.unasked)
  return Confirmation.verdict(mySid, heard, self)
}

type Row = readonly [what: string, answers: ReadonlyArray<Notification>, verdict: Confirmation.Verdict]

describe.each(["FOLLOWING", "OBSERVING"] as const)("who is %s asks its leader", (state) => {
  it.each<Row>([
    ["nobody has answered", [], "Open"],
    ["it says that it leads", [says(5, "LEADING", 5)], "Confirmed"],
    ["it says so after a later round", [says(5, "LEADING", 5, 9)], "Confirmed"],
    ["it follows another", [says(5, "FOLLOWING", 4)], "Denied"],
    ["it follows another, by the same round's vote for us", [says(5, "FOLLOWING", 1)], "Denied"],
    ["it looks: whether it left is not decided here", [says(5, "LOOKING", 5, 9)], "Open"],
    ["it observes, which no leader does", [says(5, "OBSERVING", 5)], "Open"],
    ["its answer is older than our election", [says(5, "LEADING", 5, 6)], "Open"],
    ["its denial is older than our election", [says(5, "FOLLOWING", 4, 6)], "Open"],
    ["all others follow it, but it says nothing", [2, 3, 4].map((from) => says(from, "FOLLOWING", 5)), "Open"],
    ["all others deny it, but it says nothing", [2, 3, 4].map((from) => says(from, "FOLLOWING", 4)), "Open"],
    ["all others deny it, and it leads", [...[2, 3, 4].map((from) => says(from, "FOLLOWING", 4)),
      says(5, "LEADING", 5)], "Confirmed"],
    ["it denies, then leads", [says(5, "FOLLOWING", 4), says(5, "LEADING", 5, 8)], "Confirmed"],
    ["it leads, then denies", [says(5, "LEADING", 5), says(5, "FOLLOWING", 4, 8)], "Denied"]
  ])("%s", (_, answers, verdict) => {
    assert.strictEqual(verdictOf(settled(state, 5), answers), verdict)
  })
})

describe("who leads asks its voters", () => {
  it.each<Row>([
    ["nobody has answered", [], "Open"],
    ["too few follow", [says(2, "FOLLOWING", 1)], "Open"],
    ["one follows, and says so twice", [says(2, "FOLLOWING", 1), says(2, "FOLLOWING", 1)], "Open"],
    ["a quorum follows", [2, 3].map((from) => says(from, "FOLLOWING", 1)), "Confirmed"],
    ["a quorum follows, two deny", [...[4, 5].map((from) => says(from, "FOLLOWING", 5)),
      ...[2, 3].map((from) => says(from, "FOLLOWING", 1))], "Confirmed"],
    ["two deny", [4, 5].map((from) => says(from, "FOLLOWING", 5)), "Open"],
    ["three deny, so that no quorum is left", [3, 4, 5].map((from) => says(from, "FOLLOWING", 5)), "Denied"],
    ["three deny, one of whom comes round", [...[3, 4, 5].map((from) => says(from, "FOLLOWING", 5)),
      says(3, "FOLLOWING", 1)], "Denied"],
    ["one comes round before the third denies", [...[3, 4].map((from) => says(from, "FOLLOWING", 5)),
      says(3, "FOLLOWING", 1), says(5, "LEADING", 5)], "Open"],
    ["late answers count for nothing", [2, 3].map((from) => says(from, "FOLLOWING", 1, 6)), "Open"],
    ["who looks counts for nothing", [2, 3].map((from) => says(from, "LOOKING", 1)), "Open"],
    ["observers and strangers count for nothing", [6, 8, 9].map((from) => says(from, "FOLLOWING", 1)), "Open"],
    ["observers and strangers deny nothing", [6, 7, 8, 9].map((from) => says(from, "FOLLOWING", 5)), "Open"]
  ])("%s", (_, answers, verdict) => {
    // A verdict ends the asking, so only what was heard until then counts.
    const self = settled("LEADING", 1)
    const until = answers.findIndex((_, index) => verdictOf(self, answers.slice(0, index + 1)) !== "Open")
    assert.strictEqual(verdictOf(self, until === -1 ? answers : answers.slice(0, until + 1)), verdict)
  })

  it("needs nobody where it is a quorum alone", () => {
    assert.strictEqual(verdictOf(settled("LEADING", 1, majority([1])), []), "Confirmed")
  })

  it("needs nobody where an oracle answers for the other of two", () => {
    const self = settled("LEADING", 1, oracle([1, 2]))
    assert.strictEqual(Confirmation.verdict(mySid, Confirmation.unasked, self, true), "Confirmed")
    assert.strictEqual(Confirmation.verdict(mySid, Confirmation.unasked, self, false), "Open")
    const denied = Confirmation.hear(Confirmation.unasked, self, says(2, "LEADING", 2))
    assert.strictEqual(Confirmation.verdict(mySid, denied, self, false), "Denied")
  })

  it("needs weight, not heads", () => {
    const weighted = QuorumVerifier.hierarchical({
      servers: members([1, 2, 3, 4, 5]),
      groups: new Map([[1n, [1n, 2n, 3n, 4n, 5n]]]),
      weights: new Map([[1n, 1n], [2n, 3n], [3n, 0n], [4n, 0n], [5n, 1n]])
    })
    const self = settled("LEADING", 1, Result.getOrThrow(weighted))
    assert.strictEqual(verdictOf(self, [3, 4, 5].map((from) => says(from, "FOLLOWING", 1))), "Open")
    assert.strictEqual(verdictOf(self, [says(2, "FOLLOWING", 1)]), "Confirmed")
    assert.strictEqual(verdictOf(self, [says(2, "FOLLOWING", 5)]), "Denied")
  })

  it("needs both configurations while one is pending", () => {
    const lastSeen = majority([1, 4, 5], { version: 1 })
    const membership = Ensemble.membership({ mySid, committed: majority([1, 2, 3]), lastSeen })
    const self = { ...settled("LEADING", 1), membership }
    assert.strictEqual(verdictOf(self, [2, 3].map((from) => says(from, "FOLLOWING", 1))), "Open")
    assert.strictEqual(verdictOf(self, [2, 4].map((from) => says(from, "FOLLOWING", 1))), "Confirmed")
    assert.strictEqual(verdictOf(self, [4, 5].map((from) => says(from, "FOLLOWING", 5))), "Denied")
  })
})

describe("a question", () => {
  const ask = (self: Election.Settled, answers: ReadonlyArray<Notification> = []) =>
    Confirmation.questions(
      mySid,
      answers.reduce((so, answer) => Confirmation.hear(so, self, answer), Confirmation.unasked),
      self
    )

  it.each(["FOLLOWING", "OBSERVING"] as const)("of who is %s goes to its leader alone", (state) => {
    assert.deepStrictEqual(ask(settled(state, 5)).map(({ to }) => to), [5n])
  })

  it("of who leads goes to every voter that has not confirmed, those who denied too", () => {
    const answers = [says(2, "FOLLOWING", 1), says(3, "FOLLOWING", 5)]
    assert.deepStrictEqual(new Set(ask(settled("LEADING", 1), answers).map(({ to }) => to)), sids(3, 4, 5))
  })

  it("is our vote, of the round it was elected in, as of somebody who looks", () => {
    const self = { ...settled("FOLLOWING", 5), logicalClock: 9n }
    const { config, ...question } = ask(self)[0]!
    assert.deepStrictEqual(question, { to: 5n, state: "LOOKING", electionEpoch: 7n, ...p(5) })
    assert.strictEqual(config, five.text)
  })
})
