/**
 * From the end of an election to the beginning of the next: the role that the
 * election gave, how it is left, and what that means for the next election.
 *
 * Java: the part of `QuorumPeer.run` after lookForLeader, `updateServerState`.
 */
import type * as Election from "@conclave/core/Election"
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import type { Ensemble } from "@conclave/core/Ensemble"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
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
import * as Setbacks from "./Setbacks.ts"
import * as StatusBoard from "./StatusBoard.ts"
import { type TransferProblem, TransferRefused } from "./Tenure.ts"

/** What can come in between elections. */
export type Input =
  | Role.Report
  /** Leave office, in favour of this server, or of whoever is best. */
  | { readonly _tag: "Resign"; readonly to: Sid | null; readonly done: Deferred.Deferred<void, TransferRefused> }
  /** What depended on the role has ended, and it is time for a search. */
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
  readonly linkChanged: (change: LinkChange, connected: ReadonlySet<Sid>) => void
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
    setbacks: yield* Setbacks.make,
    settled: null,
    established: null,
    config: null,
    leaving: false,
    givingUp: false,
    resigning: yield* resignations
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
  readonly setbacks: Setbacks.Setbacks
  /** Who waits for us to have left office. */
  readonly resigning: Array<Deferred.Deferred<void, TransferRefused>>
  settled: { readonly state: Election.Settled; readonly elected: ElectedReason } | null
  /** The epoch in which the leader was activated, and who it is. */
  established: { readonly epoch: bigint; readonly leader: Sid } | null
  /** The leader's last configuration, as text. */
  config: string | null
  /** We are about to leave office, for whatever reason. */
  leaving: boolean
  /** `GivenUp` is to come; until then nobody is voted for. */
  givingUp: boolean
}

const none: Consequence = { _tag: "None" }

// Who waits when the scope closes has its answer all the same: the role has ended by then.
const resignations = Effect.acquireRelease(
  Effect.sync((): Array<Deferred.Deferred<void, TransferRefused>> => []),
  (resigning) => Effect.forEach(resigning.splice(0), (done) => Deferred.succeed(done, undefined), { discard: true })
)

const begin = Effect.fnUntraced(function*(self: Self, state: Election.Settled, elected: ElectedReason) {
  self.settled = { state, elected }
  self.setbacks.begin()
  self.established = null
  self.config = null
  self.leaving = false
  if (self.role !== null) yield* self.role.begin(state, elected)
})

const giveUp = Effect.fnUntraced(function*(self: Self, cause: LookCause) {
  const { board, established, role, setbacks, settled } = self
  if (self.givingUp) return false
  const reason = leaveReason(cause)
  if (established !== null && settled?.state.state === "LEADING") {
    yield* StatusBoard.waiting(board, { _tag: "Leaving", epoch: established.epoch, reason })
  }
  const end = role === null || settled === null ? Effect.void : role.end(reason)
  const pause = yield* setbacks.pause
  if (settled?.state.state !== "LEADING" && pause === 0) {
    yield* Effect.andThen(end, leave(self))
    return true
  }
  self.givingUp = true
  // Not here: what others ask meanwhile has to be answered.
  yield* Effect.forkIn(
    end.pipe(
      Effect.andThen(leave(self)),
      Effect.andThen(Effect.sleep(pause)),
      Effect.andThen(self.offer({ _tag: "GivenUp", cause }))
    ),
    self.scope
  )
  return false
})

// The role is over. Who has asked for that is told, and we step aside for a while.
const leave = (self: Self): Effect.Effect<void> =>
  Effect.gen(function*() {
    self.settled = null
    self.established = null
    const asked = self.resigning.splice(0)
    if (asked.length > 0) yield* abstain(self)
    yield* Effect.forEach(asked, (done) => Deferred.succeed(done, undefined), { discard: true })
  })

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
      self.givingUp = false
      return Effect.succeed({ _tag: "Search", cause: input.cause })
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
      establish(self, event.epoch, currentVote.leader)
      yield* StatusBoard.leads(board, event.epoch, event.since, event.reason)
      return establishedBy(self, membership.lastSeen.text)
    case "Following":
      establish(self, event.epoch, currentVote.leader)
      yield* StatusBoard.follows(board, state, event.epoch, currentVote, settled.elected)
      return establishedBy(self, self.config)
    case "ConfigSeen":
      self.config = event.text
      return none
    case "ConfigChanged":
      return establishedBy(self, event.text)
    case "Leaving":
      self.leaving = true
      if (self.established !== null) {
        yield* StatusBoard.waiting(board, { _tag: "Leaving", epoch: self.established.epoch, reason: event.reason })
      }
      return none
    case "Ended":
      return yield* onEnded(self, settled.state, event.ended)
    case "Died":
      return yield* Effect.failCause(event.cause)
  }
})

const establish = (self: Self, epoch: bigint, leader: Sid) => {
  self.established = { epoch, leader }
  self.setbacks.established()
}

const establishedBy = ({ established }: Self, config: string | null): Consequence =>
  established === null ? none : { _tag: "Established", ...established, config }

const onEnded = Effect.fnUntraced(function*(
  self: Self,
  { currentVote, state }: Election.Settled,
  { reason, successor }: Ended
): Effect.fn.Return<Consequence> {
  // We can vote for it and not follow it: the election stands, and connections tell when it is gone.
  if (reason === "ForeignLeader") {
    yield* Effect.logInfo(`server ${currentVote.leader}: ${describe(reason)}`)
    return none
  }
  if (self.established === null) {
    self.setbacks.failed()
    // Elected again it would fail again, and no other would have its turn.
    if (state === "LEADING") yield* abstain(self)
  }
  yield* leave(self)
  const cause: LookCause = { _tag: "LeaderLost", leader: currentVote.leader, reason }
  return successor === null ? { _tag: "Lost", cause } : { _tag: "Designated", leader: successor, cause }
})

const onResign = Effect.fnUntraced(function*(self: Self, { done, to }: Input & { readonly _tag: "Resign" }) {
  const { established, role, settled } = self
  const leads = role !== null && established !== null && settled?.state.state === "LEADING"
  const problem = to === null ? null : !leads || self.leaving ? "NotLeading" : refusal(settled.state, role, to)
  if (to !== null && problem !== null) {
    yield* Deferred.fail(done, new TransferRefused({ to, problem }))
    return
  }
  if (!leads) {
    yield* Deferred.succeed(done, undefined)
    return
  }
  self.resigning.push(done)
  if (self.leaving) return
  self.leaving = true
  const reason: LeaveReason = to === null ? { _tag: "Resigned" } : { _tag: "Transferred", to }
  yield* StatusBoard.waiting(self.board, { _tag: "Leaving", epoch: established.epoch, reason })
  yield* role.resign(reason, to)
})

const refusal = ({ membership }: Election.Settled, role: Role.Role, to: Sid): TransferProblem | null => {
  const mayLead = membership.verifiers.every((verifier) =>
    verifier.voters.has(to) && QuorumVerifier.weight(verifier, to) > 0n)
  if (!mayLead) return "NotElectable"
  return role.successor(to) === null ? "NotFollowing" : null
}

const abstain = ({ abstention, roles }: Self): Effect.Effect<void> =>
  roles === null ? Effect.void : abstention.begin(roles.activation.abstainFor)

// Refused is evidence: nobody listens where a peer listens as long as its process lives. But whom we are connected
// with, or follow, lives, and the news is old.
const linkChanged = (self: Self, { _tag, reason, sid }: LinkChange, connected: ReadonlySet<Sid>): void => {
  const { established, roles } = self
  const isGone = _tag === "DialFailed" && reason === "Refused" && !connected.has(sid) && established?.leader !== sid
  if (isGone && roles?.activation.refusedIsEvidence === true) roles.pledges.release(sid)
}
