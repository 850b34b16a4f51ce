/**
 * Leadership that can be relied on: work that runs only while this peer leads, and
 * a token that tells its effects from those of an earlier leader.
 *
 * What exactly is promised, and on which assumptions, is the contract in the README
 * of this package.
 */
import type { Sid } from "@conclave/core/Sid"
import * as ServerState from "@conclave/core/ServerState"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LeadershipMetrics from "./LeadershipMetrics.ts"
import * as LeadershipStatus from "./LeadershipStatus.ts"
import * as Office from "./Office.ts"
import * as Pause from "./Pause.ts"
import { Tenure, type TransferRefused } from "./Tenure.ts"
import type { Term, TermOver } from "./Term.ts"

/** The leadership of one peer. */
export class Leadership extends Context.Service<Leadership, {
  readonly sid: Sid
  /**
   * Runs the effect while this peer verifiably leads: once in each term, in a fiber and a scope of its own, from the
   * activation to the end of the term, when it is interrupted. It gets the term; `term.epoch` is the fencing token.
   *
   * If it completes, the next run is in the next term. If it fails, this fails; but not with a `TermOver` of its own
   * term, which is just the end. Interrupting this ends the work. A run begins only after the one before has ended.
   *
   * After a pause of the process that outlasted the lease, no fiber of the work takes another step, but for finalizers
   * and uninterruptible regions, which run to their end. What does not suspend is not interrupted: before a side effect
   * that follows long computations, use `term.check`.
   */
  readonly whileLeader: <A, E, R>(
    effect: (term: Term) => Effect.Effect<A, E, R>,
    options?: { readonly name?: string }
  ) => Effect.Effect<never, Exclude<E, TermOver>, Exclude<R, Scope.Scope>>
  /** Where this peer stands. */
  readonly status: Effect.Effect<LeadershipStatus.LeadershipStatus>
  /**
   * Where this peer stands, now and after every change, in order. Any number may subscribe, and none misses a change.
   * Who does not read holds on to what it has not read, some hundred bytes a change; elections bound their number.
   */
  readonly changes: Stream.Stream<LeadershipStatus.LeadershipStatus>
  /** Whether guarded work may run here now. It says nothing about the next moment; guard work by `whileLeader`. */
  readonly isLeader: Effect.Effect<boolean>
  /** Waits until a leader is activated, this peer or another, and tells which. */
  readonly awaitLeader: Effect.Effect<LeadershipStatus.Settled>
  /** Guarded work of this peer that has not ended; `Overrun` if it should have. */
  readonly work: Effect.Effect<ReadonlyArray<Office.WorkStatus>>
  /** Ends guarded work, steps aside and proposes another for a while. Does nothing if this peer does not lead. */
  readonly resign: Effect.Effect<void>
  /** Ends guarded work and steps aside, so that the given server wins the next election if it is up. */
  readonly transferTo: (sid: Sid) => Effect.Effect<void, TransferRefused>
}>()("@conclave/quorum/Leadership") {}

/** Builds leadership on a peer. Until the scope closes it looks for pauses and keeps metrics. */
export const make = Effect.gen(function*() {
  const { changes, office, resign, sid, status, transferTo } = yield* Tenure
  const pause = yield* Pause.PauseOptions
  if (pause.enabled) yield* Effect.forkScoped(Pause.run(sid, pause, office.inspect))
  const gauge = LeadershipMetrics.of(LeadershipMetrics.state, sid)
  yield* Effect.forkScoped(
    Stream.runForEach(changes, ({ _tag }) => Metric.update(gauge, ServerState.toCode(_tag)))
  )
  // What the peer does when guarded work asks it to is no guarded work, and must not end with it.
  const unguarded = Effect.provideService(Scheduler.Scheduler, yield* Scheduler.Scheduler)
  let named = 0
  return Leadership.of({
    sid,
    whileLeader: (effect, options) =>
      Effect.suspend(() => office.guard(options?.name ?? `guarded work ${++named}`, effect)),
    status,
    changes,
    isLeader: Effect.map(office.term, (term) => term !== null),
    awaitLeader: changes.pipe(
      Stream.filter((status) => status._tag !== "LOOKING"),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption),
      Effect.orDie
    ),
    work: office.work,
    resign: unguarded(resign),
    transferTo: (to) => unguarded(transferTo(to))
  })
})

/** Leadership as a Layer, over a peer. */
export const layer: Layer.Layer<Leadership, never, Tenure> = Layer.effect(Leadership, make)

/** After its first failure a singleton is not started for so long: 1 s, then twice that, and so on. Ours. */
export const BACKOFF_MIN = 1_000

/** The longest that a failing singleton is not started: 60 s, as long as an election waits at most. Ours. */
export const BACKOFF_MAX = 60_000

/**
 * Runs an effect on one replica at a time, as `whileLeader` does, as long as the Layer lives.
 *
 * If it fails, that is logged and this peer resigns, so that another may have more luck. It starts here again when this
 * peer is elected again, and not before a while, which grows with each failure in a row from 1 s to 60 s. A run that
 * lasted 60 s begins a new row.
 *
 * When the Layer closes the effect is interrupted, and waited for as long as at the end of a term; then the peer below
 * can leave, and another take over.
 */
export const singleton = <A, E, R>(
  work: Effect.Effect<A, E, R> | ((term: Term) => Effect.Effect<A, E, R>),
  options?: { readonly name?: string }
): Layer.Layer<never, never, Leadership | Exclude<R, Scope.Scope>> =>
  Layer.effectDiscard(Effect.suspend(() => {
    const name = options?.name ?? "singleton"
    return Effect.acquireRelease(
      Effect.forkDetach(supervise(Effect.isEffect(work) ? () => work : work, name)),
      (fiber) => endInTime(fiber, name)
    )
  }))

const endInTime = Effect.fnUntraced(function*(fiber: Fiber.Fiber<unknown, unknown>, name: string) {
  fiber.interruptUnsafe()
  const ended = yield* Effect.timeoutOption(Fiber.await(fiber), Office.END_TIMEOUT)
  if (Option.isNone(ended)) {
    yield* Effect.logWarning(`${name} has not ended within ${Office.END_TIMEOUT} ms, and is left behind`)
  }
})

const supervise = Effect.fnUntraced(function*<A, E, R>(work: (term: Term) => Effect.Effect<A, E, R>, name: string) {
  const { resign, whileLeader } = yield* Leadership
  let backoff = BACKOFF_MIN
  let started = 0n
  const run = (term: Term) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      started = now
      return work(term)
    })
  while (true) {
    const cause = yield* Effect.flip(Effect.sandbox(whileLeader(run, { name })))
    if (Cause.hasInterruptsOnly(cause)) return yield* Effect.failCause(cause as Cause.Cause<never>)
    const lasted = Number((yield* Clock.monotonicTimeNanos) - started) / 1e6
    if (lasted >= BACKOFF_MAX) backoff = BACKOFF_MIN
    yield* Effect.logError(`${name} failed; this peer resigns, and does not start it again for ${backoff} ms`, cause)
    yield* resign
    yield* Effect.sleep(Duration.millis(backoff))
    backoff = Math.min(backoff * 2, BACKOFF_MAX)
  }
})
