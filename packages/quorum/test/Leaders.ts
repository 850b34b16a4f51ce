/**
 * Activated leadership in an ensemble in memory: who leads, since which epoch, and
 * when guarded work ran where.
 */
import * as Lease from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as LeadershipStatus from "../src/LeadershipStatus.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as Cluster from "./Cluster.ts"

/** Ticks as small as are supported: who is silent for a quarter of a second is given up. */
export const ticks = { tickTime: 50, initLimit: 10, syncLimit: 5 }

/** How long silence lasts before a follower leaves, in milliseconds. */
export const SILENCE = ticks.syncLimit * ticks.tickTime

/** A lease that outlasts the silence that is tolerated. */
export const lease = Lease.make(400)

/** Members whose leaders are activated, with small ticks. */
export const activated = (options: Partial<QuorumConfig.Activation> = {}): Cluster.MemberOptions => ({
  activation: QuorumConfig.activation({ ticks, ...options })
})

/** What must become true of leadership, or stay true. */
export type Fact = (statuses: ReadonlyArray<LeadershipStatus.LeadershipStatus>) => boolean

const statusesOf = (members: ReadonlyArray<Cluster.Member>) =>
  Effect.forEach(members, ({ leadership }) => leadership.status)

const describe = (members: ReadonlyArray<Cluster.Member>) =>
  Effect.map(statusesOf(members), (statuses) =>
    statuses.map((status, index) => `${members[index]!.sid} ${LeadershipStatus.describe(status)}`).join("\n"))

/** Moves the clock in small steps until something holds. Fails when that takes more than so many seconds. */
export const advance = Effect.fnUntraced(function*(
  holds: Effect.Effect<boolean>,
  told: Effect.Effect<string>,
  seconds = 30
) {
  for (let step = 0; step < seconds * 50; step++) {
    if (yield* holds) return
    yield* Cluster.tick
  }
  return yield* Effect.die(new Error(`not reached within ${seconds} s:\n${yield* told}`))
})

/** Moves the clock until the statuses of these peers are as wanted. */
export const until = (members: ReadonlyArray<Cluster.Member>, fact: Fact, seconds?: number) =>
  advance(Effect.map(statusesOf(members), fact), describe(members), seconds)

/** Moves the clock by so many seconds; the statuses must be as wanted all the while. */
export const stays = Effect.fnUntraced(function*(members: ReadonlyArray<Cluster.Member>, seconds: number, fact: Fact) {
  for (let step = 0; step < seconds * 50; step++) {
    if (!fact(yield* statusesOf(members))) assert.fail(yield* describe(members))
    yield* Cluster.tick
  }
})

/** Does one of these lead, and do all others follow or observe it, in the same epoch? */
export const agree: Fact = (statuses) => leaderOf(statuses) !== null

const leaderOf = (statuses: ReadonlyArray<LeadershipStatus.LeadershipStatus>) => {
  const leaders = statuses.flatMap((status, index) => (status._tag === "LEADING" ? [{ ...status, index }] : []))
  const [leader] = leaders
  if (leaders.length !== 1 || leader === undefined) return null
  const others = statuses.filter(({ _tag }) => _tag !== "LEADING")
  const followed = others.every((status) => status._tag !== "LOOKING" && status._tag !== "LEADING" &&
    status.epoch === leader.epoch && status.leader === (others[0] as LeadershipStatus.Following).leader)
  return followed ? leader : null
}

/** Is the peer of this id the leader, in this epoch, of all these? */
export const ledBy = (sid: Sid, epoch: bigint): Fact => (statuses) =>
  agree(statuses) && statuses.every((status) =>
    status._tag !== "LOOKING" && status.epoch === epoch && (status._tag === "LEADING" || status.leader === sid))

/** Has none of them a leader? */
export const allLook: Fact = (statuses) => statuses.every(({ _tag }) => _tag === "LOOKING")

/** Moves the clock until one of these leads all others, and tells which, in which epoch. */
export const led = Effect.fnUntraced(function*(members: ReadonlyArray<Cluster.Member>, seconds?: number) {
  yield* until(members, agree, seconds)
  const leader = leaderOf(yield* statusesOf(members))
  if (leader === null) return assert.fail("no leader")
  return { leader: members[leader.index]!, epoch: leader.epoch, since: yield* Clock.currentTimeMillis }
})

/** Stops these peers. Work that takes time to end has the clock for it. */
export const stopAll = Effect.fnUntraced(function*(members: ReadonlyArray<Cluster.Member>) {
  const stopping = yield* Effect.forkDetach(Effect.forEach(members, ({ stop }) => stop, { concurrency: "unbounded" }))
  yield* advance(Effect.sync(() => stopping.pollUnsafe() !== undefined), Effect.succeed("they do not stop"))
})

/** Every status of a peer from now on, in an array that grows. */
export const watch = Effect.fnUntraced(function*({ leadership }: Cluster.Member) {
  const seen: Array<LeadershipStatus.LeadershipStatus> = []
  yield* Effect.forkScoped(
    Stream.runForEach(leadership.changes, (status) => Effect.sync(() => seen.push(status))),
    { startImmediately: true }
  )
  return seen
})

/** How long something takes, in virtual milliseconds. */
export const timed = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const start = yield* Clock.currentTimeMillis
  yield* effect
  return (yield* Clock.currentTimeMillis) - start
})

// -----------------------------------------------------------------------------
// guarded work
// -----------------------------------------------------------------------------

/** One run of guarded work, in virtual milliseconds; `until` is `null` while it runs. */
export interface Span {
  readonly sid: Sid
  readonly epoch: bigint
  readonly from: number
  until: number | null
}

/** What ran where. */
export interface Ledger {
  readonly spans: ReadonlyArray<Span>
  /** Runs that began while another ran, in words. */
  readonly overlaps: ReadonlyArray<string>
  /** Those that run. */
  readonly running: () => ReadonlyArray<Span>
  /** Keeps work running on a peer whenever it leads; `ending` runs, uninterruptible, before it has ended. */
  readonly guard: (member: Cluster.Member, ending?: Effect.Effect<void>) => Effect.Effect<void>
  /** The process is gone, and so is what ran there. */
  readonly gone: (member: Cluster.Member) => Effect.Effect<void>
}

/** A ledger of nothing. */
export const ledger = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const spans: Array<Span> = []
  const overlaps: Array<string> = []
  const dead = new Set<Cluster.Member>()
  const running = () => spans.filter((span) => span.until === null)
  const end = (span: Span) => {
    span.until ??= clock.currentTimeMillisUnsafe()
  }
  const self: Ledger = {
    spans,
    overlaps,
    running,
    guard: (member, ending = Effect.void) => {
      const begin = (epoch: bigint): Span => {
        const span: Span = { sid: member.sid, epoch, from: clock.currentTimeMillisUnsafe(), until: null }
        // What a dead process does is nobody's concern.
        if (dead.has(member)) return span
        for (const other of running()) {
          overlaps.push(`${span.sid} in epoch ${epoch} at ${span.from} ms, while ${other.sid} ran in ${other.epoch}`)
        }
        spans.push(span)
        return span
      }
      const work = member.leadership.whileLeader(({ epoch }) =>
        Effect.acquireUseRelease(
          Effect.sync(() => begin(epoch)),
          () => Effect.never,
          (span) => Effect.andThen(ending, Effect.sync(() => end(span)))
        ), { name: `the work of ${member.sid}` })
      return Effect.asVoid(Effect.forkDetach(work))
    },
    gone: (member) =>
      Effect.sync(() => {
        dead.add(member)
        running().filter(({ sid }) => sid === member.sid).forEach(end)
      })
  }
  return self
})
