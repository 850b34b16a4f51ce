import { assert, describe, it } from "@effect/vitest"
import * as Election from "../src/Election.ts"
import type { Output, Timer } from "../src/ElectionOutput.ts"
import * as VoteTracker from "../src/VoteTracker.ts"
import * as Chaos from "./support/Chaos.ts"
import { freeze } from "./support/freeze.ts"
import * as Random from "./support/Random.ts"

const SEEDS = 400
const EVENTS = 80

interface Taken {
  readonly subject: Chaos.Subject
  readonly before: Election.State
  readonly event: Election.Event
  readonly after: Election.State
  readonly outputs: ReadonlyArray<Output>
  /** The timer that runs after the step, by what the outputs said. */
  readonly armed: Timer | null
}

/** Whatever happens to peers of every kind, one step at a time. States are frozen: `step` may not write to them. */
function* history(seed: number): Generator<Taken> {
  const random = Random.make(seed)
  const subject = freeze(Chaos.subject(random))
  let state: Election.State = freeze(Election.make(subject.ensemble, subject.membership, subject.history))
  let armed: Timer | null = null
  for (let i = 0; i < EVENTS; i++) {
    const event = freeze(Chaos.event(random, subject, state))
    const [after, outputs] = Election.step(subject.ensemble, state, event)
    for (const output of outputs) {
      if (output._tag === "SetTimer") armed = output.timer
      if (output._tag === "CancelTimer") armed = null
    }
    yield { subject, before: state, event, after, outputs, armed }
    state = freeze(after)
  }
}

/** Looks at every step of every history; a failure names the seed. */
const always = (check: (taken: Taken) => void): void => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    let steps = 0
    try {
      for (const taken of history(seed)) {
        steps++
        check(taken)
      }
    } catch (error) {
      throw new Error(`seed ${seed}, step ${steps}: ${(error as Error).message}`, { cause: error })
    }
  }
}

const kindOf = ({ after, before, event }: Taken) => `${before._tag} ${event._tag} ${after._tag}`

const isPresence = ({ _tag }: Election.Event): boolean =>
  _tag === "PeerConnected" || _tag === "PeerRefused" || _tag === "PeerUnreachable"

describe("whatever happens", () => {
  it("that a peer is there or not is remembered of voters only, and decides at most that a wait is over", () => {
    let absent = 0
    always(({ after, before, event, outputs }) => {
      absent += after.absent.size
      assert.isTrue(new Set(after.absent.keys()).isSubsetOf(after.membership.voters))
      if (isPresence(event)) {
        assert.deepStrictEqual({ ...after, absent: before.absent }, before)
        if (outputs.length > 0) assert.deepStrictEqual(outputs, [{ _tag: "SetTimer", timer: "Finalize", after: 0 }])
      } else if (after.membership === before.membership) assert.deepStrictEqual(after.absent, before.absent)
    })
    assert.isAbove(absent, 1000)
  })

  it("these histories visit every transition there is", () => {
    const seen = new Set<string>()
    always((taken) => seen.add(kindOf(taken)))
    assert.includeMembers(Array.from(seen), [
      "Idle Received Idle",
      "Idle LookForLeader Looking",
      // A leader may be found among what waited.
      "Idle LookForLeader Settled",
      "Looking LookForLeader Looking",
      "Looking Received Looking",
      "Looking Received Settled",
      "Looking Received Idle",
      "Looking NotificationTimeout Looking",
      "Looking NotificationTimeout Settled",
      "Looking FinalizeTimeout Settled",
      "Settled Received Settled",
      "Settled LookForLeader Looking",
      "Settled LeaderLost Idle",
      "Settled EpochEstablished Settled"
    ])
    const illegal = ["Idle Received Looking", "Idle FinalizeTimeout Settled", "Settled Received Idle"]
    for (const kind of illegal) assert.notInclude(Array.from(seen), kind)
  })

  it("exactly the timer runs that the state asks for, and none without a search", () => {
    always(({ after, armed }) => {
      const due = after._tag !== "Looking" ? null : after.finalizing ? "Finalize" : "Notification"
      assert.strictEqual(armed, due)
    })
  })

  it("one step sets the timer at most once, and last", () => {
    always(({ outputs }) => {
      const set = outputs.findIndex(({ _tag }) => _tag === "SetTimer")
      if (set >= 0) assert.strictEqual(set, outputs.length - 1)
    })
  })

  it("the timer that does not run may fire without effect", () => {
    always(({ after, subject }) => {
      const fire = (event: Election.Event) => {
        const [next, outputs] = Election.step(subject.ensemble, after, event)
        assert.strictEqual(next, after)
        assert.deepStrictEqual(outputs, [])
      }
      const running = after._tag === "Looking" ? after.finalizing ? "Finalize" : "Notification" : null
      if (running !== "Finalize") fire({ _tag: "FinalizeTimeout" })
      if (running !== "Notification") {
        fire({ _tag: "NotificationTimeout", haveDelivered: true, undelivered: new Set(), oracle: true })
      }
    })
  })

  it("outputs are few: one answer and one broadcast at most, whatever arrives", () => {
    always(({ after, before, event, outputs }) => {
      if (event._tag === "LookForLeader" && before._tag === "Idle") return
      const sends = outputs.filter(({ _tag }) => _tag === "Send").length
      assert.isAtMost(sends, after.membership.voters.size + 1)
      assert.isAtMost(outputs.length - sends, 6)
    })
  })

  it("the same message again changes no vote", () => {
    always(({ after, event, subject }) => {
      if (event._tag !== "Received" || after._tag !== "Looking") return
      const [again] = Election.step(subject.ensemble, after, event)
      if (again._tag !== "Looking") return
      const votes = ({ logicalClock, outOfElection, proposal, recvSet }: Election.Looking) => ({
        logicalClock,
        outOfElection,
        proposal,
        recvSet
      })
      assert.deepStrictEqual(votes(again), votes(after))
    })
  })

  it("only who votes is elected, and only who may be leads", () => {
    always(({ before, outputs, subject }) => {
      for (const output of outputs) {
        if (output._tag !== "Elected") continue
        const { state, vote } = output
        assert.isTrue(before.membership.voters.has(vote.leader), `${vote.leader} was elected`)
        assert.strictEqual(state === "LEADING", vote.leader === subject.ensemble.mySid)
        if (!subject.ensemble.electable) assert.notStrictEqual(state, "LEADING")
      }
    })
  })

  it("who is elected has a quorum behind it, or an oracle", () => {
    let elections = 0
    always(({ before, outputs }) => {
      for (const output of outputs) {
        if (output._tag !== "Elected" || output.reason._tag === "Oracle") continue
        elections++
        const { supporters } = output.reason
        const oracle = before.membership.committed._tag === "Oracle"
        assert.isTrue(VoteTracker.hasAllQuorums(before.membership, supporters, oracle))
      }
    })
    assert.isAbove(elections, 100)
  })

  it("what is settled is what was said: the vote, the state and the supporters", () => {
    always(({ after, outputs }) => {
      const elected = outputs.find((output) => output._tag === "Elected")
      if (elected === undefined) return
      assert(after._tag === "Settled")
      assert.strictEqual(after.currentVote, elected.vote)
      assert.strictEqual(after.state, elected.state)
      assert.strictEqual(after.supporters, elected.reason.supporters)
      assert.strictEqual(outputs.at(-1), elected)
    })
  })

  it("a round is left only for another that is told, or by joining", () => {
    always((taken) => {
      const { after, before, outputs } = taken
      if (after.logicalClock === before.logicalClock) return
      const told = outputs.some(({ _tag }) => _tag === "RoundStarted" || _tag === "Elected" || _tag === "Restart")
      assert.isTrue(told, kindOf(taken))
    })
  })

  it("numbers stay within 64 bits", () => {
    always(({ after, outputs }) => {
      const { leader, peerEpoch, zxid } = after.proposal
      const rounds = outputs.flatMap((output) => output._tag === "Send" ? [output.toSend.electionEpoch] : [])
      for (const value of [after.logicalClock, leader, zxid, peerEpoch, ...rounds]) {
        assert.strictEqual(BigInt.asIntN(64, value), value)
      }
    })
  })
})

describe("freeze", () => {
  it("refuses writes of every kind", () => {
    const value = freeze({ map: new Map([[1, { a: 1 }]]), set: new Set([1]), list: [1] })
    assert.throws(() => value.map.set(2, { a: 2 }))
    assert.throws(() => value.map.clear())
    assert.throws(() => value.set.add(2))
    assert.throws(() => value.list.push(2))
    assert.throws(() => Object.assign(value.map.get(1)!, { a: 2 }))
  })
})
