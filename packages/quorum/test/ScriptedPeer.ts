/**
 * A peer for tests of what is built on leadership: it enters and leaves office when
 * the test says so, in the order in which a real one does.
 */
import type { Vote } from "@conclave/core/Vote"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Leadership from "../src/Leadership.ts"
import type * as LeadershipStatus from "../src/LeadershipStatus.ts"
import * as Office from "../src/Office.ts"
import * as Tenure from "../src/Tenure.ts"
import * as Term from "../src/Term.ts"

/** What a test does with such a peer. */
export interface ScriptedPeer {
  readonly tenure: Tenure.Tenure["Service"]
  readonly office: Office.Office
  readonly leadership: Leadership.Leadership["Service"]
  /** Elects the peer, and does not activate it. */
  readonly elect: Effect.Effect<void>
  /** Activates it in the next epoch. With a lease, the term holds for so many milliseconds. */
  readonly lead: (lease?: number) => Effect.Effect<Term.Term>
  /** The leadership is lost; returns once the office is left. */
  readonly lose: (reason?: LeadershipStatus.LeaveReason) => Effect.Effect<void>
  readonly follow: (leader: bigint, epoch: bigint) => Effect.Effect<void>
  /** How often it was asked to resign while it led. */
  readonly resigned: () => number
}

const vote: Vote = { leader: 1n, zxid: 0n, peerEpoch: 0n, electionEpoch: 1n, version: 2, state: "LEADING" }

/** An election won by server 1. */
export const election: LeadershipStatus.Election = {
  vote,
  elected: { _tag: "Quorum", supporters: new Set([1n, 2n]), runnerUp: null, ground: null }
}

/** Server 1 elected, and accepted by servers 1 and 2. */
export const activation: LeadershipStatus.Activation = { ...election, acknowledged: new Set([1n, 2n]) }

/** A peer that looks. */
export const make = Effect.fnUntraced(function*(endTimeout?: number) {
  const clock = yield* Clock.Clock
  const office = yield* Office.make({ sid: 1n, ...(endTimeout === undefined ? {} : { endTimeout }) })
  const status = yield* SubscriptionRef.make<LeadershipStatus.LeadershipStatus>({
    _tag: "LOOKING",
    reason: { _tag: "Searching", cause: { _tag: "Started" } }
  })
  let epoch = 0n
  let resigned = 0
  let ended: (() => void) | undefined
  const lose = Effect.fnUntraced(function*(reason: LeadershipStatus.LeaveReason = { _tag: "QuorumLost" }) {
    // A leader that cannot renew its lease has it still, for a while.
    if (reason._tag !== "LeaseExpiring") ended?.()
    ended = undefined
    yield* SubscriptionRef.set(status, { _tag: "LOOKING", reason: { _tag: "Leaving", epoch, reason } })
    yield* office.leave(reason)
  })
  const tenure = Tenure.Tenure.of({
    sid: 1n,
    office,
    status: SubscriptionRef.get(status),
    changes: SubscriptionRef.changes(status),
    resign: Effect.suspend(() => {
      if (ended === undefined) return Effect.void
      resigned++
      return apart(lose({ _tag: "Resigned" }))
    }),
    transferTo: (to) =>
      Effect.suspend(() =>
        ended === undefined
          ? Effect.fail(new Tenure.TransferRefused({ to, problem: "NotLeading" }))
          : apart(lose({ _tag: "Transferred", to }))
      )
  })
  const peer: ScriptedPeer = {
    tenure,
    office,
    leadership: yield* Effect.provideService(Leadership.make, Tenure.Tenure, tenure),
    elect: SubscriptionRef.set(status, { _tag: "LOOKING", reason: { _tag: "Activating", election } }),
    lead: Effect.fnUntraced(function*(lease?: number) {
      let over = false
      ended = () => over = true
      const until = lease === undefined ? undefined : clock.monotonicTimeNanosUnsafe() + BigInt(lease) * 1_000_000n
      const since = yield* Clock.currentTimeMillis
      const term = Term.make(
        { epoch: ++epoch, leader: 1n, since, reason: activation, contract: lease === undefined ? "Fenced" : "Leased" },
        () => !over && (until === undefined || clock.monotonicTimeNanosUnsafe() < until)
      )
      yield* SubscriptionRef.set(status, { _tag: "LEADING", epoch, since, reason: activation })
      yield* office.enter(term)
      return term
    }),
    lose,
    follow: (leader, epoch) => SubscriptionRef.set(status, { _tag: "FOLLOWING", leader, epoch, reason: election }),
    resigned: () => resigned
  }
  return peer
})

// As a real peer does: who asks may be guarded work, which ends meanwhile.
const apart = (effect: Effect.Effect<void>) => Effect.flatMap(Effect.forkDetach(effect), Fiber.join)

/** The leadership of such a peer as a Layer. */
export const layer = ({ tenure }: ScriptedPeer): Layer.Layer<Leadership.Leadership> =>
  Leadership.layer.pipe(Layer.provide(Layer.succeed(Tenure.Tenure, tenure)))

/** Lets other fibers run until `holds`; fails if it does not come to hold while none of them waits for the clock. */
export const until = Effect.fnUntraced(function*(holds: () => boolean) {
  for (let turn = 0; !holds(); turn++) {
    assert.isBelow(turn, 1_000, "what the test waits for does not happen")
    yield* Effect.yieldNow
  }
})

/** Lets other fibers run until they wait: turns enough for all that tests start here. */
export const settle = Effect.repeat(Effect.yieldNow, { times: 50 })

/** What is logged, as lines. */
export const logs = () => {
  const lines: Array<string> = []
  return { lines, layer: Logger.layer([Logger.make(({ logLevel, message }) => void lines.push(`${logLevel}: ${
    String(Array.isArray(message) ? message[0] : message)
  }`))]) }
}

/** The statuses read by a subscriber, as it reads them. */
export const collect = ({ leadership }: ScriptedPeer) => {
  const seen: Array<string> = []
  return Effect.as(
    Effect.forkScoped(Stream.runForEach(leadership.changes, ({ _tag }) => Effect.sync(() => seen.push(_tag)))),
    seen
  )
}
