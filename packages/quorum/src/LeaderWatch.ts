/**
 * Watches whether there is still a leader, from the end of an election on.
 *
 * What it means that a link is down, that somebody looks, or that an answer came, is
 * decided by `Liveness` and `Confirmation` in the core; this file keeps what they
 * need to know, and the times after which patience ends.
 */
import * as Confirmation from "@conclave/core/Confirmation"
import type * as Election from "@conclave/core/Election"
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import * as Liveness from "@conclave/core/Liveness"
import type { Notification } from "@conclave/core/Notification"
import * as NotificationCodec from "@conclave/core/NotificationCodec"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import * as Oracle from "./Oracle.ts"
import type { LinkChange, QuorumCnxManager } from "./QuorumCnxManager.ts"
import type { QuorumConfig } from "./QuorumConfig.ts"

/** Why the leader must be given up now, or `null`. */
export type Lost = Liveness.LeaderLostReason | null

/** That a time is over, to be given back to `woken`. */
export type Wake =
  /** An observer, or a server that was removed, begins to ask anew. */
  | { readonly _tag: "Inquire" }
  /** Ask once more. */
  | { readonly _tag: "Ask" }
  /** Whoever has not confirmed our election by now will not. */
  | { readonly _tag: "AskedEnough" }
  /** Whose link is still down is gone. */
  | { readonly _tag: "RecoveryOver" }
  /** Somebody who looked has had time to find a leader. */
  | { readonly _tag: "Back"; readonly sid: bigint }

/** What the watch needs. */
export interface Options {
  readonly manager: QuorumCnxManager
  readonly config: QuorumConfig["Service"]
  /** Gives a `Wake` back when its time has come, in turn with everything else that happens. */
  readonly wake: (wake: Wake) => Effect.Effect<unknown>
}

/** A watch over one leader at a time. */
export interface LeaderWatch {
  /** Watches over the leader that was just elected. */
  readonly begin: (settled: Election.Settled, reason: ElectedReason) => Effect.Effect<void>
  /** Watches no longer. */
  readonly end: Effect.Effect<void>
  readonly linkChanged: (state: Election.Settled, change: LinkChange) => Effect.Effect<Lost>
  readonly heard: (state: Election.Settled, notification: Notification) => Effect.Effect<Lost>
  readonly woken: (state: Election.Settled, wake: Wake) => Effect.Effect<Lost>
}

/** How often an election is put to those it concerns, each time after twice as long, from the finalize wait on. */
const QUESTIONS = 4

/**
 * How often who has no vote asks its leader whether it still leads: who looks tells voters only. A leader of the
 * original is believed for as long when it is silent (tickTime 2000 * syncLimit 5 of the sample configuration), and
 * writes a line into its log for every question.
 */
const OBSERVER_PERIOD = "10 seconds"

/** How long somebody who looked counts as looking: a few finalize waits. */
const ASTRAY_WINDOW = "1 second"

/** A watch that watches over nobody yet. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<LeaderWatch, never, Scope.Scope> {
  const timers = yield* FiberMap.make<string>()
  const self: Self = { ...options, timers, recovering: new Set(), astray: new Set(), confirmation: null }
  return {
    begin: (settled, reason) => begin(self, settled, reason),
    end: Effect.suspend(() => {
      self.recovering.clear()
      self.astray.clear()
      self.confirmation = null
      return FiberMap.clear(timers)
    }),
    linkChanged: (state, change) => onLinkChanged(self, state, change),
    heard: (state, notification) => onHeard(self, state, notification),
    woken: (state, wake) => onWoken(self, state, wake)
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self extends Options {
  readonly timers: FiberMap.FiberMap<string>
  /** Peers whose link is down, and who are dialled before they are given up. */
  readonly recovering: Set<bigint>
  /** Voters that lately left for a later round. */
  readonly astray: Set<bigint>
  /** What was answered so far; `null` when nothing need be asked. */
  confirmation: Confirmation.Confirmation | null
}

const begin = Effect.fnUntraced(function*(self: Self, settled: Election.Settled, reason: ElectedReason) {
  const { leader } = settled.currentVote
  if (settled.state !== "LEADING" && !(yield* self.manager.connected).has(leader)) yield* recover(self, leader)
  // Whom we joined has said itself that it leads; nobody is left to ask where an oracle decided.
  if (reason._tag === "Quorum") yield* inquire(self, settled)
  else if (isUntold(self, settled)) yield* after(self, "inquire", OBSERVER_PERIOD, { _tag: "Inquire" })
})

const isUntold = ({ config }: Self, { membership, state }: Election.Settled): boolean =>
  state === "OBSERVING" || !membership.voters.has(config.ensemble.mySid)

const inquire = Effect.fnUntraced(function*(self: Self, settled: Election.Settled) {
  const { cnxTimeout, ensemble } = self.config
  if ((yield* verdict(self, settled, Confirmation.unasked)) === "Confirmed") return
  self.confirmation = Confirmation.unasked
  for (let question = 0; question < QUESTIONS; question++) {
    yield* after(self, `ask ${question}`, ensemble.timing.finalizeWait * (2 ** (question + 1) - 1), { _tag: "Ask" })
  }
  yield* after(self, "asked enough", cnxTimeout, { _tag: "AskedEnough" })
})

const onLinkChanged = Effect.fnUntraced(function*(self: Self, state: Election.Settled, { _tag, sid }: LinkChange) {
  // A link that goes down may be about to be replaced, and whose process is gone refuses the next dial: so wait.
  if (_tag === "Down") {
    yield* recover(self, sid)
    return null
  }
  self.recovering.delete(sid)
  return _tag === "Up" ? null : yield* check(self, state)
})

const onHeard = Effect.fnUntraced(function*(self: Self, state: Election.Settled, notification: Notification) {
  const { from } = notification
  if (Liveness.hasLeft(state, notification)) {
    if (from === state.currentVote.leader) return "LeaderLooking" as const
    self.astray.add(from)
    yield* after(self, `back ${from}`, ASTRAY_WINDOW, { _tag: "Back", sid: from })
    return yield* check(self, state)
  }
  if (self.confirmation === null) return null
  self.confirmation = Confirmation.hear(self.confirmation, state, notification)
  switch (yield* verdict(self, state, self.confirmation)) {
    case "Open":
      return null
    case "Denied":
      return "ElectionDenied" as const
    case "Confirmed":
      self.confirmation = null
      if (isUntold(self, state)) yield* after(self, "inquire", OBSERVER_PERIOD, { _tag: "Inquire" })
      return null
  }
})

const onWoken = Effect.fnUntraced(function*(self: Self, state: Election.Settled, wake: Wake) {
  const { config, confirmation, manager } = self
  switch (wake._tag) {
    case "Inquire":
      yield* inquire(self, state)
      return null
    case "Ask": {
      if (confirmation === null) return null
      for (const question of Confirmation.questions(config.ensemble.mySid, confirmation, state)) {
        yield* manager.toSend(question.to, NotificationCodec.encode(question))
      }
      return null
    }
    case "AskedEnough":
      return confirmation === null ? null : ("ElectionUnconfirmed" as const)
    case "RecoveryOver":
      self.recovering.clear()
      return yield* check(self, state)
    case "Back":
      self.astray.delete(wake.sid)
      return null
  }
})

// The connection manager dials again by itself; we only wait.
const recover = Effect.fnUntraced(function*(self: Self, sid: bigint) {
  if (self.recovering.size === 0) yield* after(self, "recovery", self.config.cnxTimeout, { _tag: "RecoveryOver" })
  self.recovering.add(sid)
})

const check = Effect.fnUntraced(function*(self: Self, state: Election.Settled) {
  const { astray, config, manager, recovering } = self
  const present = (yield* manager.connected).union(recovering).difference(astray)
  return Liveness.check(config.ensemble.mySid, state, present, yield* Oracle.ask(state.membership))
})

const verdict = ({ config }: Self, settled: Election.Settled, heard: Confirmation.Confirmation) =>
  Effect.map(Oracle.ask(settled.membership), (answer) =>
    Confirmation.verdict(config.ensemble.mySid, heard, settled, answer))

const after = (self: Self, key: string, duration: Duration.Input, wake: Wake) =>
  FiberMap.run(self.timers, key, Effect.delay(self.wake(wake), duration))
