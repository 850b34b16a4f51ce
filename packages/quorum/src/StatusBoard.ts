/**
 * Where a peer stands, for all who want to know: by elections alone, and by what a
 * quorum has accepted.
 */
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import type { SettledState } from "@conclave/core/ServerState"
import type { Vote } from "@conclave/core/Vote"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Activation, LeadershipStatus, LookingReason } from "./LeadershipStatus.ts"
import type { ElectionReport, LookCause, PeerStatus } from "./PeerStatus.ts"

/** Both statuses of a peer. */
export interface StatusBoard {
  readonly elections: SubscriptionRef.SubscriptionRef<PeerStatus>
  readonly leadership: SubscriptionRef.SubscriptionRef<LeadershipStatus>
}

/** A peer that begins to look. */
export const make = (cause: LookCause): Effect.Effect<StatusBoard> =>
  Effect.all({
    elections: SubscriptionRef.make<PeerStatus>({ _tag: "Looking", cause }),
    leadership: SubscriptionRef.make<LeadershipStatus>({ _tag: "LOOKING", reason: { _tag: "Searching", cause } })
  })

/** It looks, for this cause; or does not yet, for that reason. */
export const looking = (board: StatusBoard, cause: LookCause, reason?: LookingReason): Effect.Effect<void> =>
  Effect.andThen(
    SubscriptionRef.set(board.elections, { _tag: "Looking", cause }),
    waiting(board, reason ?? { _tag: "Searching", cause })
  )

/** An election is over. Nobody leads before a quorum has accepted that. */
export const elected = (board: StatusBoard, report: ElectionReport): Effect.Effect<void> => {
  const { reason, state, vote } = report
  const election = { vote, elected: reason }
  return Effect.andThen(
    SubscriptionRef.set(board.elections, { _tag: "Settled", report }),
    waiting(board, state === "LEADING"
      ? { _tag: "Activating", election }
      : { _tag: "Joining", leader: vote.leader, election })
  )
}

/** There is no activated leader, for this reason. */
export const waiting = (board: StatusBoard, reason: LookingReason): Effect.Effect<void> =>
  SubscriptionRef.set(board.leadership, { _tag: "LOOKING", reason })

/** We lead. */
export const leads = (board: StatusBoard, epoch: bigint, since: number, reason: Activation): Effect.Effect<void> =>
  SubscriptionRef.set(board.leadership, { _tag: "LEADING", epoch, since, reason })

/** We follow, or observe, an activated leader. */
export const follows = (
  board: StatusBoard,
  state: SettledState,
  epoch: bigint,
  vote: Vote,
  elected: ElectedReason
): Effect.Effect<void> =>
  SubscriptionRef.set(board.leadership, {
    _tag: state === "OBSERVING" ? "OBSERVING" : "FOLLOWING",
    leader: vote.leader,
    epoch,
    reason: { vote, elected }
  })
