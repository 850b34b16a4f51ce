/**
 * From the end of an election to the beginning of the next: the role that the
 * election gave, how it is left, and what that means for the next election.
 *
 * Java: the part of `QuorumPeer.run` after lookForLeader, `updateServerState`.
 */
import type * as Election from "@conclave/core/Election"
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import type { Ensemble } from "@conclave/core/Ensemble"
import type { Sid } from "@conclave/core/Sid"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Abstention from "./Abstention.ts"
import type { LeaveReason } from "./LeadershipStatus.ts"
import type { LookCause } from "./PeerStatus.ts"
import type { LinkChange } from "./QuorumCnxManager.ts"
import * as Role from "./Role.ts"
import { describe, type Ended, type RoleContext } from "./RoleContext.ts"
import * as StatusBoard from "./StatusBoard.ts"
import { TransferRefused } from "./Tenure.ts"

/** What can come in between elections. */
export type Input =
  | Role.Report
  /** Leave office, in favour of this server, or of whoever is best. */
  | {
    readonly _tag: "Resign"
    readonly to: Sid | null
    readonly done: Deferred.Deferred<void, TransferRefused>
  }
  /** What depended on the role has ended. */
  | { readonly _tag: "GivenUp"; readonly cause: LookCause }
  | { readonly _tag: "AbstentionOver" }

/** What it means for the election. */
export type Consequence =
  | { readonly _tag: "None" }
  /** A quorum has activated the leader in this epoch, and with it a configuration if there is a new one. */
  | {
    readonly _tag: "Established"
    readonly leader: Sid
    readonly epoch: bigint
    readonly config: string | null
  }
  /** The leader resigned, and named who is to lead. */
  | { readonly _tag: "Designated"; readonly leader: Sid; readonly cause: LookCause }
  /** There is no leader any more. */
  | { readonly _tag: "Lost"; readonly cause: LookCause }
  /** A search begins, for this cause or for the one before. */
  | { readonly _tag: "Search"; readonly cause: LookCause | null }

/** What an election result is followed by. */
export interface Incumbency {
  /** Who we are in elections now: while we abstain we are not electable. */
  readonly ensemble: () => Ensemble
  /** Has a quorum activated the leader that we have? */
  readonly isEstablished: () => boolean
  /** Takes up the role that an election has given. */
  readonly begin: (settled: Election.Settled, elected: ElectedReason) => Effect.Effect<void>
  /** Gives the role up. `true` if that is done; otherwise `GivenUp` comes when it is. */
  readonly giveUp: (cause: LookCause) => Effect.Effect<boolean>
  readonly handle: (state: Election.State, input: Input) => Effect.Effect<Consequence>
  /** A link came up, went down, or could not be made. */
  readonly linkChanged: (change: LinkChange, connected: ReadonlySet<Sid>) => Effect.Effect<void>
}

/** No election has ended yet. The role ends with the scope, in good order. */
export const make = Effect.fnUntraced(function*(
  ensemble: Ensemble,
  roles: RoleContext | null,
  board: StatusBoard.StatusBoard,
  offer: (input: Input) => Effect.Effect<unknown>
): Effect.fn.Return<Incumbency, never, Scope.Scope> {
  const self: Self = {
    ensemble,
    roles,
    board,
    offer,
    role: roles === null ? null : yield* Role.make(roles, offer),
    abstention: yield* Abstention.make(offer({ _tag: "AbstentionOver" })),
    scope: yield* Effect.scope,
    settled: null,
    established: null,
    config: null,
    resigning: []
  }
  return {
    ensemble: () => (self.abstention.isActive() ? { ...ensemble, electable: false } : ensemble),
    isEstablished: () => self.established !== null,
    begin: (settled, elected) => begin(self, settled, elected),
    giveUp: (cause) => giveUp(self, cause),
    handle: (state, input) => handle(self, state, input),
    linkChanged: (change, connected) => linkChanged(self, change, connected)
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self {
  readonly ensemble: Ensemble
  readonly roles: RoleContext | null
  readonly board: StatusBoard.StatusBoard
  readonly offer: (input: Input) => Effect.Effect<unknown>
  readonly role: Role.Role | null
  readonly abstention: Abstention.Abstention
  readonly scope: Scope.Scope
  settled: { readonly state: Election.Settled; readonly elected: ElectedReason } | null
  /** The epoch in which the leader was activated, and who it is. */
  established: { readonly epoch: bigint; readonly leader: Sid } | null
  /** The leader's last configuration, as text. */
  config: string | null
  /** Who waits for us to have left office. */
  resigning: ReadonlyArray<Deferred.Deferred<void, TransferRefused>>
}

const none: Consequence = { _tag: "None" }

const begin = Effect.fnUntraced(function*(self: Self, state: Election.Settled, elected: ElectedReason) {
  self.settled = { state, elected }
  self.established = null
  self.config = null
  if (self.role !== null) yield* self.role.begin(state, elected)
})

const giveUp = Effect.fnUntraced(function*(self: Self, cause: LookCause) {
  const { established, role, settled } = self
  const led = settled?.state.state === "LEADING" ? established : null
  const left = leave(self)
  if (role === null || settled === null) return true
  if (led === null) {
    yield* Effect.andThen(role.end(leaveReason(cause)), left)
    return true
  }
  yield* StatusBoard.waiting(self.board, { _tag: "Leaving", epoch: led.epoch, reason: leaveReason(cause) })
  // Not here: what others ask meanwhile has to be answered.
  yield* Effect.forkIn(
    role.end(leaveReason(cause)).pipe(Effect.andThen(left), Effect.andThen(self.offer({ _tag: "GivenUp", cause }))),
    self.scope
  )
  return false
})

// The role is no longer ours; who waits for that is told once the effect runs.
const leave = (self: Self): Effect.Effect<void> => {
  const { resigning } = self
  self.settled = null
  self.established = null
  self.resigning = []
  return Effect.forEach(resigning, (done) => Deferred.succeed(done, undefined), { discard: true })
}

const leaveReason = (cause: LookCause): LeaveReason => {
  switch (cause._tag) {
    case "ConfigChanged":
      return { _tag: "ConfigChanged" }
    case "Started":
    case "Requested":
    case "LeaderLost":
      return { _tag: "Resigned" }
  }
}

const handle = (self: Self, state: Election.State, input: Input): Effect.Effect<Consequence> => {
  switch (input._tag) {
    case "Role":
      return self.role?.isCurrent(input) === true ? onRole(self, input.event) : Effect.succeed(none)
    case "Resign":
      return Effect.as(onResign(self, input), none)
    case "GivenUp":
      // Somebody may have been found meanwhile, if another search was asked for.
      return Effect.succeed(state._tag === "Idle" ? { _tag: "Search", cause: input.cause } : none)
    case "AbstentionOver":
      // Now that we may be proposed, we propose ourselves.
      return Effect.succeed(state._tag === "Looking" ? { _tag: "Search", cause: null } : none)
  }
}

const onRole = Effect.fnUntraced(function*(self: Self, event: Role.Event): Effect.fn.Return<Consequence> {
  const { board, settled } = self
  if (settled === null) return none
  const { currentVote, membership, state } = settled.state
  switch (event._tag) {
    case "Activated":
      self.established = { epoch: event.epoch, leader: currentVote.leader }
      yield* StatusBoard.leads(board, event.epoch, event.since, event.reason)
      return establishedBy(self, membership.lastSeen.text)
    case "Following":
      self.established = { epoch: event.epoch, leader: currentVote.leader }
      yield* StatusBoard.follows(board, state, event.epoch, currentVote, settled.elected)
      return establishedBy(self, self.config)
    case "ConfigSeen":
      self.config = event.text
      return none
    case "Ended":
      return yield* onEnded(self, currentVote.leader, event.ended)
  }
})

const establishedBy = ({ established }: Self, config: string | null): Consequence =>
  established === null ? none : { _tag: "Established", ...established, config }

const onEnded = Effect.fnUntraced(function*(
  self: Self,
  leader: Sid,
  { reason, successor }: Ended
): Effect.fn.Return<Consequence> {
  // We can vote for it and not follow it: the election stands, and connections tell when it is gone.
  if (reason === "ForeignLeader") {
    yield* Effect.logInfo(`server ${leader}: ${describe(reason)}`)
    return none
  }
  if (reason === "CannotListen") yield* abstain(self)
  yield* leave(self)
  const cause: LookCause = { _tag: "LeaderLost", leader, reason }
  return successor === null ? { _tag: "Lost", cause } : { _tag: "Designated", leader: successor, cause }
})

const onResign = Effect.fnUntraced(function*(self: Self, { done, to }: Input & { readonly _tag: "Resign" }) {
  const { established, role } = self
  const leads = role !== null && established !== null && established.leader === self.ensemble.mySid
  if (!leads) {
    yield* to === null
      ? Deferred.succeed(done, undefined)
      : Deferred.fail(done, new TransferRefused({ to, problem: "NotLeading" }))
    return
  }
  if (to !== null && role.successor(to) === null) {
    yield* Deferred.fail(done, new TransferRefused({ to, problem: "NotFollowing" }))
    return
  }
  const reason: LeaveReason = to === null ? { _tag: "Resigned" } : { _tag: "Transferred", to }
  self.resigning = [...self.resigning, done]
  yield* abstain(self)
  yield* StatusBoard.waiting(self.board, { _tag: "Leaving", epoch: established.epoch, reason })
  yield* role.resign(reason, to)
})

const abstain = ({ abstention, roles }: Self): Effect.Effect<void> =>
  roles === null ? Effect.void : abstention.begin(roles.activation.abstainFor)

// Refused is evidence: nobody listens where a peer listens as long as its process lives. But whom we are connected
// with, or follow, lives, and the news is old.
const linkChanged = (self: Self, { _tag, reason, sid }: LinkChange, connected: ReadonlySet<Sid>) => {
  const { established, roles } = self
  const isGone = _tag === "DialFailed" && reason === "Refused" && !connected.has(sid) && established?.leader !== sid
  return isGone && roles !== null && roles.activation.refusedIsEvidence ? roles.pledges.release(sid) : Effect.void
}
