/**
 * The role that an election has given, one at a time: leading, following, observing.
 *
 * Java: the cases LEADING, FOLLOWING and OBSERVING of `QuorumPeer.run`.
 */
import type { Settled } from "@conclave/core/Election"
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import type { Sid } from "@conclave/core/Sid"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Following from "./Following.ts"
import * as Leading from "./Leading.ts"
import type { Activation, LeaveReason } from "./LeadershipStatus.ts"
import type { Ended, RoleContext } from "./RoleContext.ts"

/** What happens in a role. */
export type Event =
  /** A quorum has activated us. */
  | { readonly _tag: "Activated"; readonly epoch: bigint; readonly since: number; readonly reason: Activation }
  /** We are in sync with a leader that a quorum has activated. */
  | { readonly _tag: "Following"; readonly epoch: bigint }
  /** The leader's last configuration, as text. */
  | { readonly _tag: "ConfigSeen"; readonly text: string }
  /** The leader says that this configuration is in force. */
  | { readonly _tag: "ConfigChanged"; readonly text: string }
  /** We lead no longer, and guarded work ends. */
  | { readonly _tag: "Leaving"; readonly reason: LeaveReason }
  | { readonly _tag: "Ended"; readonly ended: Ended }
  /** A defect has ended it. */
  | { readonly _tag: "Died"; readonly cause: Cause.Cause<never> }

/** That something happens in the role of this number. */
export interface Report {
  readonly _tag: "Role"
  readonly role: number
  readonly event: Event
}

/** The role of a peer. */
export interface Role {
  /** Takes up the role that this election has given. Nothing may be left of the one before. */
  readonly begin: (settled: Settled, elected: ElectedReason) => Effect.Effect<void>
  /** Is this a report of the present role? */
  readonly isCurrent: (report: Report) => boolean
  /** Gives it up. Returns when guarded work has ended; nothing is reported any more. */
  readonly end: (reason: LeaveReason) => Effect.Effect<void>
  /** Asks a leader to leave office, in favour of this server if it can; the end is reported. */
  readonly resign: (reason: LeaveReason, successor: Sid | null) => Effect.Effect<void>
  /** Who would lead next if this one, or anybody, were asked for; `null` if nobody could. */
  readonly successor: (asked: Sid | null) => Sid | null
}

/** No role. The last one ends with the scope, in good order. */
export const make = Effect.fnUntraced(function*(
  context: RoleContext,
  offer: (report: Report) => Effect.Effect<unknown>
): Effect.fn.Return<Role, never, Scope.Scope> {
  let current: Current | null = null
  let last: Current | null = null
  let count = 0
  const end = (reason: LeaveReason): Effect.Effect<void> =>
    Effect.suspend(() => {
      const ending = last
      current = null
      if (ending === null) return Effect.void
      Deferred.doneUnsafe(ending.givenUp, Effect.void)
      return stop(ending, reason)
    })
  yield* Effect.addFinalizer(() => end({ _tag: "Stopped" }))

  return {
    begin: Effect.fnUntraced(function*(settled, elected) {
      const role: Current = {
        number: ++count,
        leading: null,
        resignation: Deferred.makeUnsafe(),
        givenUp: Deferred.makeUnsafe(),
        fiber: null
      }
      current = role
      last = role
      // Of a role that was given up nothing is heard; nor may a report wait for room in the inbox of somebody who waits
      // for the end of the role.
      const report = (event: Event) =>
        Effect.raceFirst(
          Deferred.await(role.givenUp),
          Effect.suspend(() => (current === role ? offer({ _tag: "Role", role: role.number, event }) : Effect.void))
        )
      role.fiber = yield* Effect.forkDetach(
        play(context, role, settled, elected, report).pipe(
          Effect.scoped,
          Effect.flatMap((ended) => report({ _tag: "Ended", ended })),
          Effect.catchCause((cause) => report({ _tag: "Died", cause }))
        )
      )
    }),
    isCurrent: ({ role }) => current?.number === role,
    end,
    resign: (reason, successor) =>
      Effect.suspend(() =>
        current === null ? Effect.void : Effect.asVoid(Deferred.succeed(current.resignation, { reason, successor }))),
    successor: (asked) => current?.leading?.successor(asked) ?? null
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Current {
  readonly number: number
  readonly resignation: Deferred.Deferred<Leading.Resignation>
  readonly givenUp: Deferred.Deferred<void>
  leading: Leading.Leading | null
  fiber: Fiber.Fiber<unknown> | null
}

// A leader has something to end and to say; a learner just goes.
const stop = ({ fiber, leading, resignation }: Current, reason: LeaveReason): Effect.Effect<void> => {
  if (fiber === null) return Effect.void
  if (leading === null) return Effect.asVoid(Fiber.interrupt(fiber))
  return Effect.andThen(
    Deferred.succeed(resignation, { reason, successor: null }),
    Effect.asVoid(Fiber.await(fiber))
  )
}

const play = Effect.fnUntraced(function*(
  context: RoleContext,
  role: Current,
  { currentVote: vote, membership, state }: Settled,
  elected: ElectedReason,
  report: (event: Event) => Effect.Effect<unknown>
) {
  const { leader } = vote
  if (state !== "LEADING") {
    return yield* Following.run(context, {
      leader,
      membership,
      onFollowing: (epoch) => report({ _tag: "Following", epoch }),
      onConfig: (text) => report({ _tag: "ConfigSeen", text }),
      onConfigChanged: (text) => report({ _tag: "ConfigChanged", text })
    })
  }
  role.leading = yield* Leading.make(context, {
    leader,
    membership,
    election: { vote, elected },
    onActivated: (activated) => report({ _tag: "Activated", ...activated }),
    onLeaving: (reason) => report({ _tag: "Leaving", reason }),
    resignation: role.resignation
  })
  return yield* role.leading.run
})
