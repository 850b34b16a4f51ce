/**
 * Leads: does what `Leader.step` decides, from the open quorum port to the end.
 *
 * One fiber takes from one inbox, so the state has one writer. Guarded work begins
 * when a quorum has activated the epoch, and with a lease when that is granted; it
 * has ended before anybody is told that the office is left.
 *
 * Java: `Leader.lead`.
 */
import * as Explain from "@conclave/core/Explain"
import * as Leader from "@conclave/core/Leader"
import type { Output, StepDownReason } from "@conclave/core/LeaderOutput"
import type { Sid } from "@conclave/core/Sid"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as LearnerListener from "./LearnerListener.ts"
import * as LeadLog from "./LeadLog.ts"
import type { Activation, LeaveReason } from "./LeadershipStatus.ts"
import * as History from "./History.ts"
import * as LeaseClock from "./LeaseClock.ts"
import * as Oracle from "./Oracle.ts"
import type { Ended, Mandate, RoleContext } from "./RoleContext.ts"
import * as Term from "./Term.ts"
import * as Timers from "./internal/Timers.ts"

/** How much may wait for the one fiber; whoever offers more waits in turn. Ours: a packet of each of many learners. */
const INBOX_CAPACITY = 1_000

/** How long learners may take to read the last packets: as long as a link takes to be closed. */
const DRAIN_TIMEOUT = "1 second"

/** What the leader reports while it leads. */
export interface Options extends Mandate {
  /** How we were elected, for the term. */
  readonly election: Omit<Activation, "acknowledged">
  readonly onActivated: (activated: {
    readonly epoch: bigint
    readonly since: number
    readonly reason: Activation
  }) => Effect.Effect<unknown>
  /** We lead no longer, and guarded work ends. */
  readonly onLeaving: (reason: LeaveReason) => Effect.Effect<unknown>
  /** Comes when office is to be left on purpose: the reason, and who is to lead next if it can. */
  readonly resignation: Deferred.Deferred<Resignation>
}

/** To leave office on purpose. */
export interface Resignation {
  readonly reason: LeaveReason
  readonly successor: Sid | null
}

/** A leader at work. */
export interface Leading {
  /** Who would lead next if that were asked for; see `Leader.successor`. */
  readonly successor: (asked: Sid | null) => Sid | null
  /** Leads to the end. */
  readonly run: Effect.Effect<Ended>
}

/** Opens the quorum port. The role lasts as long as the scope, which must stay open until `run` has returned. */
export const make = Effect.fnUntraced(function*(
  context: RoleContext,
  options: Options
): Effect.fn.Return<Leading, never, Scope.Scope> {
  const { activation, config, history, pledges } = context
  const leader: Leader.Options = {
    mySid: config.ensemble.mySid,
    membership: options.membership,
    ticks: activation.ticks,
    lease: activation.lease,
    acceptForeign: activation.acceptForeign
  }
  const inbox = yield* Queue.bounded<Input>(INBOX_CAPACITY)
  const offer = (input: Input) => Queue.offer(inbox, input)
  const listener = yield* Effect.result(LearnerListener.open(context, options, offer))
  if (listener._tag === "Failure") {
    yield* Effect.logError(`elected, but no quorum address can be bound: ${listener.failure.message}`)
    return { successor: () => null, run: Effect.succeed({ reason: "CannotListen", successor: null }) }
  }
  const self: Self = {
    ...context,
    options,
    leader,
    inbox,
    listener: listener.success,
    timers: yield* Timers.make(offer),
    now: yield* LeaseClock.leases,
    pledgeNow: yield* LeaseClock.pledges,
    state: Leader.make(leader, yield* history.read, pledges.get()),
    activated: null,
    leaseUntil: null,
    entered: false,
    leave: null,
    ended: null
  }
  // Who connects or goes must not wait for a leader that takes no more.
  yield* Effect.addFinalizer(() => Queue.shutdown(inbox))
  const released = Effect.andThen(pledges.released, offer({ _tag: "PledgeReleased" }))
  yield* Effect.forkScoped(released, { startImmediately: true })
  yield* Effect.forkScoped(halfTicks(self))
  yield* Effect.forkScoped(Effect.flatMap(Deferred.await(options.resignation), (resignation) =>
    leaveOnPurpose(self, resignation)))
  return { successor: (asked) => Leader.successor(leader, self.state, asked), run: run(self) }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Input =
  | LearnerListener.LearnerEvent
  | Timers.Fired<"Quorum" | "Pledge" | "Lease">
  | { readonly _tag: "HalfTick" }
  | { readonly _tag: "PledgeReleased" }
  | { readonly _tag: "Resign"; readonly successor: Sid | null }

interface Self extends RoleContext {
  readonly options: Options
  readonly leader: Leader.Options
  readonly inbox: Queue.Queue<Input>
  readonly listener: LearnerListener.LearnerListener
  readonly timers: Timers.Timers<"Quorum" | "Pledge" | "Lease">
  readonly now: LeaseClock.LeaseClock
  /** For our own pledge to the leader before us. */
  readonly pledgeNow: LeaseClock.LeaseClock
  state: Leader.State
  activated: Term.Facts | null
  /** By `now`. */
  leaseUntil: number | null
  entered: boolean
  /** Why guarded work has to end, once that is so. */
  leave: LeaveReason | null
  ended: Ended | null
}

const run = Effect.fnUntraced(function*(self: Self) {
  yield* dispatch(self, { _tag: "Started" })
  while (self.ended === null) {
    for (const input of yield* Queue.takeAll(self.inbox)) yield* handle(self, input)
  }
  yield* Effect.timeoutOption(self.listener.drained, DRAIN_TIMEOUT)
  return self.ended
})

const halfTicks = ({ activation, inbox }: Self) =>
  Effect.forever(
    Effect.delay(Queue.offer(inbox, { _tag: "HalfTick" }), Duration.millis(activation.ticks.tickTime / 2))
  )

// Until guarded work has ended we lead on, and ping.
const leaveOnPurpose = Effect.fnUntraced(function*(self: Self, { reason, successor }: Resignation) {
  self.leave = reason
  yield* self.office.leave(reason)
  yield* Queue.offer(self.inbox, { _tag: "Resign", successor })
})

const handle = Effect.fnUntraced(function*(self: Self, input: Input) {
  const at = self.now()
  const pledgeAt = self.pledgeNow()
  switch (input._tag) {
    case "Packet":
      return yield* dispatch(self, { _tag: "Received", learner: input.learner, packet: input.packet, at })
    case "Fired":
      if (self.timers.claim(input)) yield* dispatch(self, { _tag: "TimedOut", timer: input.timer, at, pledgeAt })
      return
    case "HalfTick":
      return yield* dispatch(self, { _tag: "HalfTick", at, oracle: yield* Oracle.ask(self.options.membership) })
    case "PledgeReleased":
      return yield* dispatch(self, { _tag: "PledgeReleased", at, pledgeAt })
    case "Resign":
      return yield* dispatch(self, {
        _tag: "Resign",
        successor: Leader.successor(self.leader, self.state, input.successor)
      })
    default:
      return yield* dispatch(self, input)
  }
})

const dispatch: (self: Self, event: Leader.Event) => Effect.Effect<void> = Effect.fnUntraced(function*(self, event) {
  const [state, outputs] = Leader.step(self.leader, self.state, event)
  self.state = state
  for (const output of outputs) {
    yield* LeadLog.tell(output)
    yield* perform(self, output)
  }
})

const perform = (self: Self, output: Output): Effect.Effect<void> => {
  switch (output._tag) {
    case "Send":
      return self.listener.send(output.learner, output.packet)
    case "Close":
      return self.listener.close(output.learner)
    case "SetTimer":
      return self.timers.set(output.timer, output.after)
    case "CancelTimer":
      return self.timers.cancel(output.timer)
    case "StoreAcceptedEpoch":
      return store(self, self.history.setAcceptedEpoch(output.epoch), () => ({ _tag: "AcceptedEpochStored" }))
    case "StoreCurrentEpoch":
      return store(self, self.history.setCurrentEpoch(output.epoch), () => ({
        _tag: "CurrentEpochStored",
        at: self.now(),
        pledgeAt: self.pledgeNow()
      }))
    case "Activated":
      return onActivated(self, output)
    case "LeaseExtended":
      self.leaseUntil = output.until
      return enter(self)
    case "SteppedDown":
      return onSteppedDown(self, output)
    case "EpochDecided":
    case "LearnerSynced":
    case "Ignored":
      return Effect.void
  }
}

const store = (
  self: Self,
  write: ReturnType<RoleContext["history"]["setAcceptedEpoch"]>,
  stored: () => Leader.Event
): Effect.Effect<void> =>
  Effect.flatMap(History.attempt(write), (isStored) => dispatch(self, isStored ? stored() : { _tag: "StoreFailed" }))

const onActivated = Effect.fnUntraced(function*(self: Self, output: Output & { readonly _tag: "Activated" }) {
  const { activation, options } = self
  const since = yield* Clock.currentTimeMillis
  const reason: Activation = { ...options.election, acknowledged: output.supporters }
  const contract = activation.lease === null ? "Fenced" : "Leased"
  self.activated = { epoch: output.epoch, leader: options.leader, since, reason, contract }
  yield* options.onActivated({ epoch: output.epoch, since, reason })
  if (activation.lease === null) yield* enter(self)
})

// Guarded work begins once: when we are activated, and with a lease when it is granted.
const enter = (self: Self): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (self.entered || self.activated === null || self.leave !== null) return Effect.void
    self.entered = true
    return self.office.enter(Term.make(self.activated, () => holds(self)))
  })

const holds = (self: Self): boolean => {
  if (self.ended !== null) return false
  // Who has a lease has it until it runs out, also while office is left.
  if (self.activation.lease === null) return self.state.zabState === "BROADCAST"
  return self.leaseUntil !== null && self.now() < self.leaseUntil
}

const onSteppedDown = Effect.fnUntraced(function*(self: Self, output: Output & { readonly _tag: "SteppedDown" }) {
  const { reason, successor } = output
  const leave = self.leave ?? leaveReasons(reason, holds(self))
  const told = self.activated === null ? Effect.void : self.options.onLeaving(leave)
  yield* Effect.all([self.office.leave(leave), told], { concurrency: "unbounded" })
  self.ended = { reason, successor }
})

const leaveReasons = (reason: StepDownReason, holds: boolean): LeaveReason => {
  switch (reason) {
    case "QuorumLost":
      return { _tag: "QuorumLost" }
    case "LeaseExpired":
      return { _tag: holds ? "LeaseExpiring" : "LeaseExpired" }
    case "Resigned":
      return { _tag: "Resigned" }
    default:
      return { _tag: "Failed", problem: Explain.steppedDown(reason) }
  }
}
