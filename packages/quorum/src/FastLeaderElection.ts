/**
 * Runs the election: turns what happens into events, and does what `Election.step`
 * decides.
 *
 * One fiber takes from one inbox, so the state has one writer. Into the inbox go
 * what was received, the election's one timer, changes of links, and what callers
 * ask for.
 *
 * Java: `FastLeaderElection` with its Messenger, and the part of `QuorumPeer.run`
 * that looks again.
 */
import * as Election from "@conclave/core/Election"
import type { Action, Output } from "@conclave/core/ElectionOutput"
import * as NotificationCodec from "@conclave/core/NotificationCodec"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as ElectionClock from "./ElectionClock.ts"
import { History } from "./History.ts"
import * as Oracle from "./Oracle.ts"
import * as Incumbency from "./Incumbency.ts"
import * as LeaderWatch from "./LeaderWatch.ts"
import * as MembershipKeeper from "./MembershipKeeper.ts"
import type { LookCause } from "./PeerStatus.ts"
import type { LinkChange, QuorumCnxManager } from "./QuorumCnxManager.ts"
import { QuorumConfig } from "./QuorumConfig.ts"
import { type Message, RECV_CAPACITY } from "./RecvWorker.ts"
import type { RoleContext } from "./RoleContext.ts"
import * as StatusBoard from "./StatusBoard.ts"

/** What can come into a running election. */
export type Input =
  | { readonly _tag: "Message"; readonly message: Message }
  | { readonly _tag: "Timer"; readonly timer: "Notification" | "Finalize"; readonly generation: number }
  | { readonly _tag: "LinkChanged"; readonly change: LinkChange }
  | { readonly _tag: "Woken"; readonly wake: LeaderWatch.Wake }
  | { readonly _tag: "Look"; readonly cause: LookCause }
  | Incumbency.Input

/**
 * How much may wait for the one fiber. Whoever offers more waits in turn, and the
 * receive queue before it drops its oldest. Java: RECV_CAPACITY.
 */
export const INBOX_CAPACITY = RECV_CAPACITY

/** What a run shares with whoever started it. */
export interface Options {
  readonly manager: QuorumCnxManager
  readonly inbox: Queue.Queue<Input>
  readonly board: StatusBoard.StatusBoard
  /** What leading and following stand on; `null` for elections alone. */
  readonly roles: RoleContext | null
  /** Told every output in order, before it is performed. */
  readonly observe: (outputs: ReadonlyArray<Output>) => Effect.Effect<void>
}

/**
 * Looks for a leader at once, which the status says already, and whenever there is none.
 *
 * Runs until a newer configuration asks for a new connection manager, and gives the state to go on from.
 */
export const run = Effect.fnUntraced(function*(
  options: Options,
  initial: Election.State,
  cause: LookCause
): Effect.fn.Return<Election.State, never, Scope.Scope | QuorumConfig | History> {
  const config = yield* QuorumConfig
  const { inbox, manager, roles } = options
  const self: Self = {
    ...options,
    config,
    history: yield* History,
    timer: yield* FiberHandle.make<void>(),
    watch: yield* LeaderWatch.make({
      manager,
      config,
      wake: (wake) => Queue.offer(inbox, { _tag: "Woken", wake })
    }),
    members: yield* MembershipKeeper.make(config.ensemble.mySid),
    incumbency: yield* Incumbency.make(config.ensemble, roles, options.board, (input) => Queue.offer(inbox, input)),
    state: initial,
    cause,
    clock: yield* ElectionClock.start,
    generation: 0,
    restart: false
  }
  yield* Effect.forkScoped(feedMessages(self))
  yield* Effect.forkScoped(feedLinkChanges(self, yield* self.manager.linkChanges))
  yield* search(self, cause)
  while (!self.restart) {
    for (const input of yield* Queue.takeAll(self.inbox)) yield* handle(self, input)
  }
  return self.state
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self extends Options {
  readonly config: QuorumConfig["Service"]
  readonly history: History["Service"]
  readonly timer: FiberHandle.FiberHandle<void>
  readonly watch: LeaderWatch.LeaderWatch
  readonly members: MembershipKeeper.MembershipKeeper
  readonly incumbency: Incumbency.Incumbency
  state: Election.State
  cause: LookCause
  clock: ElectionClock.ElectionClock
  /** Grows with every timer set or cancelled, so that one that fired too late is known for stale. */
  generation: number
  restart: boolean
}

const feedMessages = ({ inbox, manager }: Self) =>
  Effect.forever(Effect.flatMap(Queue.takeAll(manager.recvQueue), (messages) =>
    Queue.offerAll(inbox, messages.map((message) => ({ _tag: "Message", message }) as const))))

const feedLinkChanges = ({ inbox }: Self, subscription: PubSub.Subscription<LinkChange>) =>
  Effect.forever(Effect.flatMap(PubSub.take(subscription), (change) =>
    Queue.offer(inbox, { _tag: "LinkChanged", change })))

const handle = (self: Self, input: Input): Effect.Effect<void> => {
  switch (input._tag) {
    case "Message":
      return onMessage(self, input.message)
    case "Timer":
      return input.generation === self.generation ? onTimer(self, input.timer) : Effect.void
    case "LinkChanged":
      return onLinkChanged(self, input.change)
    case "Woken":
      return watchLeader(self, (settled) => self.watch.woken(settled, input.wake))
    case "Look":
      return look(self, input.cause)
    default:
      return Effect.flatMap(self.incumbency.handle(self.state, input), (consequence) => follow(self, consequence))
  }
}

// What the end of a role, or a wish to leave it, means for the election.
const follow = (self: Self, consequence: Incumbency.Consequence): Effect.Effect<void> => {
  switch (consequence._tag) {
    case "None":
      return Effect.void
    case "Established":
      return onEstablished(self, consequence)
    case "Designated":
      return onDesignated(self, consequence)
    case "Lost":
      return look(self, consequence.cause)
    case "Search":
      return search(self, consequence.cause ?? self.cause)
  }
}

// The configuration that a quorum came in sync with is in force from now on.
const onEstablished = Effect.fnUntraced(function*(
  self: Self,
  { config, epoch, leader }: Incumbency.Consequence & { readonly _tag: "Established" }
) {
  yield* self.watch.end
  yield* dispatch(self, { _tag: "EpochEstablished", peerEpoch: epoch })
  if (config === null) return
  self.members.heard(self.state.membership, { from: leader, leader, state: "LEADING", config })
  yield* dispatch(self, { _tag: "ConfigActivated", from: leader, config })
  if (self.state._tag === "Settled") yield* self.members.settled(self.state)
})

// No election takes place where the leader has named its successor.
const onDesignated = Effect.fnUntraced(function*(
  self: Self,
  { cause, leader }: Incumbency.Consequence & { readonly _tag: "Designated" }
) {
  self.cause = cause
  self.clock = yield* ElectionClock.start
  yield* dispatch(self, { _tag: "Designated", leader })
  if (self.state._tag !== "Settled" || self.state.currentVote.leader !== leader) yield* look(self, cause)
})

const dispatch = Effect.fnUntraced(function*(self: Self, event: Election.Event) {
  const [state, outputs] = Election.step(self.incumbency.ensemble(), self.state, event)
  self.state = state
  yield* ElectionClock.mark(self.clock, self.config.ensemble.mySid, outputs)
  yield* self.observe(outputs)
  for (const output of outputs) yield* perform(self, output)
})

const perform = (self: Self, output: Output): Effect.Effect<void> => {
  switch (output._tag) {
    case "Send":
      return self.manager.toSend(output.toSend.to, NotificationCodec.encode(output.toSend))
    case "ConnectAll":
      return self.manager.connectAll
    case "SetTimer":
      return setTimer(self, output)
    case "CancelTimer":
      self.generation++
      return FiberHandle.clear(self.timer)
    case "Elected":
      return onElected(self, output)
    case "Restart":
      self.restart = true
      return Effect.void
    case "AdoptConfig":
    case "ConfigSeen":
      return self.members.decided(output)
    default:
      return Effect.void
  }
}

const setTimer = (self: Self, { after, timer }: Action & { readonly _tag: "SetTimer" }): Effect.Effect<void> => {
  const generation = ++self.generation
  const fire = Queue.offer(self.inbox, { _tag: "Timer", timer, generation })
  return Effect.asVoid(FiberHandle.run(self.timer, Effect.asVoid(Effect.delay(fire, Duration.millis(after)))))
}

const onMessage = Effect.fnUntraced(function*(self: Self, { payload, sid }: Message) {
  const decoded = NotificationCodec.decode(sid, payload)
  if (Result.isFailure(decoded)) {
    yield* Effect.logWarning(`message from server ${sid} dropped: ${decoded.failure.message}`)
    return
  }
  const notification = decoded.success
  // First, because a peer whose leader is lost answers differently.
  yield* watchLeader(self, (settled) => self.watch.heard(settled, notification))
  self.members.heard(self.state.membership, notification)
  yield* dispatch(self, { _tag: "Received", notification, oracle: yield* Oracle.ask(self.state.membership) })
  // Of those who are settled, too: one may yet have to hear from its leader by which configuration that leads.
  if (self.state._tag === "Settled") yield* self.members.settled(self.state)
})

const onTimer = Effect.fnUntraced(function*(self: Self, timer: "Notification" | "Finalize") {
  if (timer === "Finalize") {
    yield* dispatch(self, { _tag: "FinalizeTimeout" })
    return
  }
  const haveDelivered = yield* self.manager.haveDelivered
  const undelivered = yield* self.manager.undelivered
  const oracle = yield* Oracle.ask(self.state.membership)
  yield* dispatch(self, { _tag: "NotificationTimeout", haveDelivered, undelivered, oracle })
})

// Guarded work ends before we vote for anybody; what others say meanwhile waits for the search.
const look = Effect.fnUntraced(function*(self: Self, cause: LookCause) {
  yield* StatusBoard.looking(self.board, cause)
  yield* self.watch.end
  yield* dispatch(self, { _tag: "LeaderLost" })
  if (yield* self.incumbency.giveUp(cause)) yield* search(self, cause)
})

const search = Effect.fnUntraced(function*(self: Self, cause: LookCause) {
  const facts = yield* self.history.read
  self.cause = cause
  self.clock = yield* ElectionClock.start
  yield* self.watch.end
  self.members.searching()
  yield* self.manager.want(self.state.membership.voters)
  yield* dispatch(self, { _tag: "LookForLeader", ...facts, oracle: yield* Oracle.ask(self.state.membership) })
})

const onElected = Effect.fnUntraced(function*(self: Self, elected: Action & { readonly _tag: "Elected" }) {
  const { config, manager } = self
  const { mySid } = config.ensemble
  const { reason, state, vote } = elected
  const { elapsed, phases } = yield* ElectionClock.phases(self.clock)
  const report = { sid: mySid, state, vote, reason, cause: self.cause, phases, elapsed }
  yield* StatusBoard.elected(self.board, report)
  yield* manager.want(state === "LEADING" ? self.state.membership.voters : new Set([vote.leader]))
  yield* watchLeader(self, (settled) => Effect.as(self.watch.begin(settled, reason), null))
  if (self.state._tag === "Settled") yield* self.incumbency.begin(self.state, reason)
})

const onLinkChanged = Effect.fnUntraced(function*(self: Self, change: LinkChange) {
  yield* dispatch(self, presence(change))
  self.incumbency.linkChanged(change, yield* self.manager.connected)
  yield* watchLeader(self, (settled) => self.watch.linkChanged(settled, change))
})

// What the core is told of a peer's presence. That it refuses is more than that it does not answer.
const presence = ({ _tag, reason, sid }: LinkChange): Election.Event => {
  if (_tag === "Up") return { _tag: "PeerConnected", sid }
  return reason === "Refused" ? { _tag: "PeerRefused", sid } : { _tag: "PeerUnreachable", sid }
}

const watchLeader = Effect.fnUntraced(function*(
  self: Self,
  ask: (settled: Election.Settled) => Effect.Effect<LeaderWatch.Lost>
) {
  // Once a quorum has activated the leader, its pings tell.
  if (self.state._tag !== "Settled" || self.incumbency.isEstablished()) return
  const reason = yield* ask(self.state)
  if (reason === null) return
  yield* look(self, { _tag: "LeaderLost", leader: self.state.currentVote.leader, reason })
})
