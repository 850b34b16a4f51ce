/**
 * The place where guarded work lives: it starts when the peer enters office, and
 * has ended, or is known to overrun, when the peer has left.
 *
 * The office decides nothing about leadership. The peer enters when a quorum has
 * accepted its epoch, and leaves when it must; until `leave` has returned it votes
 * for nobody and releases no lease.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as GuardedWork from "./internal/GuardedWork.ts"
import * as Signal from "./internal/Signal.ts"
import * as LeadershipMetrics from "./LeadershipMetrics.ts"
import * as LeadershipStatus from "./LeadershipStatus.ts"
import type { Term, TermOver } from "./Term.ts"

/** How long guarded work may take to end, in milliseconds. Ours: others wait as long for a leader. */
export const END_TIMEOUT = 5_000

/** A piece of guarded work that has not ended. */
export interface WorkStatus {
  readonly name: string
  /** Of the term it runs in. */
  readonly epoch: bigint
  /** `Ending`: told to end. `Overrun`: did not end in time, and still runs. */
  readonly state: "Running" | "Ending" | "Overrun"
}

/** One per peer. */
export interface Office {
  /** The leadership was activated: guarded work may start. A defect if the term before it was not left. */
  readonly enter: (term: Term) => Effect.Effect<void>
  /**
   * Ends guarded work; returns when all of it has ended, or `endTimeout` has passed. Cannot be interrupted, so guarded
   * work must not run it itself. Called again meanwhile it waits for the same; when not in office it does nothing.
   */
  readonly leave: (reason: LeadershipStatus.LeaveReason) => Effect.Effect<void>
  /** The term in which guarded work may start now; `null` if there is none. */
  readonly term: Effect.Effect<Term | null>
  /** Guarded work that has not ended. */
  readonly work: Effect.Effect<ReadonlyArray<WorkStatus>>
  /** Looks whether the term still holds, and interrupts guarded work if not. For who notices a pause. */
  readonly inspect: Effect.Effect<void>
  /**
   * Runs an effect once in each term, in a fiber and scope of its own that end with the term; see `Leadership`. It is
   * never started while it still runs for an earlier term.
   */
  readonly guard: <A, E, R>(
    name: string,
    effect: (term: Term) => Effect.Effect<A, E, R>
  ) => Effect.Effect<never, Exclude<E, TermOver>, Exclude<R, Scope.Scope>>
}

/** Opens an office for the peer of that id. It tells in the log and in metrics what happens, until the scope closes. */
export const make = Effect.fnUntraced(function*(options: {
  readonly sid: Sid
  /** See `END_TIMEOUT`, which is the default. */
  readonly endTimeout?: Duration.Input
}): Effect.fn.Return<Office, never, Scope.Scope> {
  const endTimeout = Duration.toMillis(Duration.fromInputUnsafe(options.endTimeout ?? END_TIMEOUT))
  const count = (metric: Metric.Counter<number>) => Metric.update(LeadershipMetrics.of(metric, options.sid), 1)
  let leaving = false
  const lapses = makeLapses(count(LeadershipMetrics.leasesLost))
  const floor: GuardedWork.Floor = {
    term: undefined,
    works: new Set(),
    signal: Signal.make(),
    onOver: (term) => {
      stopAll(floor, term)
      // A fenced term ends when the peer says so, and who is leaving knows; all else is a lease that ran out unnoticed.
      if (term.contract === "Leased" && floor.term === term) lapses.note(term)
    },
    onStart: count(LeadershipMetrics.workStarted),
    onEnd: (work) => Effect.andThen(count(LeadershipMetrics.workEnded), tellLateEnd(work))
  }
  yield* Effect.forkScoped(lapses.tell)

  const leaveTerm = (term: Term, reason: LeadershipStatus.LeaveReason) => {
    floor.term = undefined
    leaving = true
    return Effect.logInfo(`leadership of epoch ${term.epoch} ends: ${LeadershipStatus.describeLeave(reason)}`).pipe(
      Effect.andThen(endAll(floor, term, endTimeout, count(LeadershipMetrics.workOverrun))),
      Effect.ensuring(Effect.sync(() => {
        leaving = false
        floor.signal.wake()
      }))
    )
  }
  return {
    enter: (term) =>
      Effect.suspend(() => {
        if (floor.term !== undefined || leaving) {
          return Effect.die(new Error(`epoch ${term.epoch} was entered before the one before it was left`))
        }
        floor.term = term
        floor.signal.wake()
        return count(LeadershipMetrics.terms)
      }),
    leave: (reason) =>
      Effect.uninterruptible(Effect.suspend(() =>
        floor.term === undefined ? floor.signal.until(() => !leaving) : leaveTerm(floor.term, reason)
      )),
    term: Effect.sync(() => (floor.term?.isValid() === true ? floor.term : null)),
    work: Effect.sync(() =>
      Array.from(floor.works, ({ name, state, term }) => ({ name, epoch: term.epoch, state }))
    ),
    inspect: Effect.sync(() => {
      if (floor.term?.isValid() === false) floor.onOver(floor.term)
    }),
    guard: (name, effect) => GuardedWork.run(floor, name, effect)
  }
})

const stopAll = (floor: GuardedWork.Floor, term: Term): ReadonlyArray<GuardedWork.Work> => {
  const works = Array.from(floor.works).filter((work) => work.term === term)
  works.forEach(GuardedWork.stop)
  return works
}

const endAll = Effect.fnUntraced(function*(
  floor: GuardedWork.Floor,
  term: Term,
  endTimeout: number,
  countOverrun: Effect.Effect<void>
) {
  const works = stopAll(floor, term)
  const running = () => works.filter((work) => floor.works.has(work))
  yield* Effect.timeoutOption(floor.signal.until(() => running().length === 0), endTimeout)
  for (const work of running()) {
    work.state = "Overrun"
    yield* countOverrun
    yield* Effect.logWarning(
      `${work.name} of epoch ${term.epoch} has not ended within ${endTimeout} ms and may still act; it is not ` +
        "started again before it ends; look for finalizers and uninterruptible steps that take long"
    )
  }
})

const tellLateEnd = ({ name, state, term }: GuardedWork.Work): Effect.Effect<void> =>
  state === "Overrun" ? Effect.logInfo(`${name} of epoch ${term.epoch} has ended at last`) : Effect.void

// What is noticed inside a scheduler is told by a fiber.
const makeLapses = (count: Effect.Effect<void>) => {
  const signal = Signal.make()
  let noted: Term | undefined
  let told: Term | undefined
  return {
    note: (term: Term): void => {
      noted = term
      signal.wake()
    },
    tell: Effect.forever(Effect.gen(function*() {
      yield* signal.until(() => noted !== told)
      told = noted
      yield* count
      yield* Effect.logWarning(
        `the lease of epoch ${told?.epoch} ran out before this process ran on; its guarded work was interrupted`
      )
    }))
  }
}
