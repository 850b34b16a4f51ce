/**
 * What a peer does at present, as values that are equal if the same can follow from them.
 *
 * Clocks are left out: an instant is told as how far off it is. Now is always 0 by the clock of pledges, and
 * `LEASE_NOW` by that of leases, which may run ahead; when time passes all instants come nearer.
 */
import type * as Leader from "@conclave/core/Leader"
import type * as Learner from "@conclave/core/Learner"
import type { Instant, Pledge } from "@conclave/core/Lease"
import type * as LeaderOutput from "@conclave/core/LeaderOutput"
import type * as LearnerOutput from "@conclave/core/LearnerOutput"
import * as Interner from "../Interner.ts"
import type { Setting } from "./Setting.ts"

/** Now, by the clock of who holds a lease. Ours: far from the other one, so that taking one for the other shows. */
export const LEASE_NOW: Instant = 1_000

/** A role, or none. */
export type Role =
  | { readonly _tag: "Idle" }
  /** There is no process. */
  | { readonly _tag: "Down" }
  /** A leader that has stepped down with a lease, and whose guarded work may not have ended. */
  | { readonly _tag: "Leaving"; readonly epoch: bigint; readonly until: Instant }
  | Leading
  | Following

/** An epoch on its way to the disk. Meanwhile everything else may happen; the shell is stricter, and waits. */
export interface Write {
  readonly file: "Accepted" | "Current"
  readonly epoch: bigint
  /** Is it there, and nobody knows yet? */
  readonly isDone: boolean
}

/** A leader, or who is to become one. */
export interface Leading {
  readonly _tag: "Leading"
  readonly peer: number
  readonly state: Leader.State
  readonly timers: ReadonlySet<LeaderOutput.Timer>
  readonly storing: ReadonlyArray<Write>
  /** Has guarded work begun? */
  readonly entered: boolean
  readonly leaseUntil: Instant | null
  readonly evidence: Evidence
}

/** What came in, kept apart from what the leader makes of it; peers are bits. */
export interface Evidence {
  /** Who asked for an epoch, and the highest that any of them has accepted. */
  readonly asks: number
  readonly heard: bigint
  /** Who accepted the epoch in a way that counts, and who of them knows more than the leader. */
  readonly accepts: number
  readonly ahead: number
  /** Who acknowledged NEWLEADER. */
  readonly acks: number
  /** The highest epoch that had been activated when it was elected. */
  readonly before: number
}

/** Who follows, or is on its way there. */
export interface Following {
  readonly _tag: "Following"
  readonly peer: number
  readonly leader: number
  readonly state: Learner.State
  readonly timers: ReadonlySet<LearnerOutput.Timer>
  readonly storing: ReadonlyArray<Write>
}

/** The numbering of roles. */
export interface Roles extends Interner.Interner<Role> {
  /** The epoch in which it may act now; 0 if it may not. */
  readonly acting: (role: number) => number
}

/** Number of who has no role. */
export const IDLE = 0

/** Number of who is not there. */
export const DOWN = 1

/** Only those without a role are numbered. */
export const make = (setting: Setting): Roles => {
  const roles = Interner.make<Role>(keyOf)
  const acting: Array<number> = []
  const self: Roles = {
    ...roles,
    id: (role) => roles.id(normalise(setting, role)),
    acting: (id) => acting[id] ??= actingIn(setting, roles.get(id))
  }
  self.id({ _tag: "Idle" })
  self.id({ _tag: "Down" })
  return self
}

/** How much time has passed by the clock of leases, and by that of pledges. */
export interface Elapsed {
  readonly lease: number
  readonly pledge: number
}

/** The same after so much time by the peer's own clocks. */
export const pass = (role: Role, elapsed: Elapsed): Role => {
  switch (role._tag) {
    case "Idle":
    case "Down":
      return role
    case "Leaving":
      return { ...role, until: role.until - elapsed.lease }
    case "Following":
      return { ...role, state: { ...role.state, pledge: sooner(role.state.pledge, elapsed.pledge) } }
    case "Leading": {
      const { leaseUntil, state } = role
      const { answered, learners, pledge } = state
      const millis = elapsed.lease
      return {
        ...role,
        leaseUntil: leaseUntil === null ? null : leaseUntil - millis,
        state: {
          ...state,
          pledge: sooner(pledge, elapsed.pledge),
          answered: new Map(Array.from(answered, ([sid, sent]) => [sid, sent - millis])),
          leaseUntil: state.leaseUntil === null ? null : state.leaseUntil - millis,
          learners: mapValues(learners, (learner) => ({ ...learner, pings: learner.pings.map((at) => at - millis) }))
        }
      }
    }
  }
}

/** Every value of a map changed. */
export const mapValues = <K, A>(map: ReadonlyMap<K, A>, change: (value: A) => A): ReadonlyMap<K, A> =>
  new Map(Array.from(map, ([key, value]) => [key, change(value)]))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const sooner = (pledge: Pledge | null, millis: number): Pledge | null =>
  pledge === null ? null : { ...pledge, until: pledge.until - millis }

const actingIn = ({ lease }: Setting, role: Role): number => {
  if (role._tag === "Leaving") return Number(role.epoch)
  if (role._tag !== "Leading" || !role.entered) return 0
  const holds = lease === null ? role.state.zabState === "BROADCAST" : (role.leaseUntil ?? 0) > LEASE_NOW
  return holds ? Number(role.state.epoch) : 0
}

const normalise = (setting: Setting, role: Role): Role => {
  switch (role._tag) {
    case "Idle":
    case "Down":
      return role
    case "Leaving":
      // By the contract guarded work has ended by then.
      return role.until <= LEASE_NOW ? { _tag: "Idle" } : role
    case "Leading":
      return normaliseLeading(setting, role)
    case "Following":
      return normaliseFollowing(setting, role)
  }
}

// What is over is over, however long: a pledge that has ended is none, an answer too old for a lease is none.
const normaliseLeading = ({ lease, reduced }: Setting, role: Leading): Leading => {
  const { state } = role
  const oldest = LEASE_NOW - (lease?.duration ?? 0)
  const ticks = Math.floor(state.halfTicks / 2)
  const past = {
    pledge: pending(state.pledge),
    answered: new Map(Array.from(state.answered).filter(([, sent]) => sent > oldest)),
    leaseUntil: notBefore(LEASE_NOW, state.leaseUntil),
    // Ticks are compared with each other only.
    halfTicks: state.halfTicks - 2 * ticks,
    learners: mapValues(state.learners, (learner) => ({
      ...learner,
      deadline: notBefore(-1, learner.deadline === null ? null : learner.deadline - ticks),
      pings: learner.pings.map((sent) => Math.max(sent, oldest))
    }))
  }
  const leading = { ...role, leaseUntil: notBefore(LEASE_NOW, role.leaseUntil), state: { ...state, ...past } }
  return reduced ? forget(leading) : leading
}

// What no rule reads any more. Who asked for an epoch is not asked again once it is decided; who accepted it, and how
// far histories went by epochs, once a quorum has; who acknowledged, once we lead.
const forget = (role: Leading): Leading => {
  const { evidence, state } = role
  const { decided, elected, zabState } = state
  const leads = zabState === "BROADCAST"
  const epochless = <A extends Leader.Summary | null>(summary: A): A =>
    summary === null ? summary : { ...summary, currentEpoch: 0n }
  return {
    ...role,
    evidence: {
      asks: decided ? 0 : evidence.asks,
      heard: decided ? -1n : evidence.heard,
      accepts: elected ? 0 : evidence.accepts,
      ahead: elected ? 0 : evidence.ahead,
      acks: leads ? 0 : evidence.acks,
      before: leads ? 0 : evidence.before
    },
    state: {
      ...state,
      summary: elected ? epochless(state.summary) : state.summary,
      connecting: decided ? new Set() : state.connecting,
      electing: elected ? new Set() : state.electing,
      acked: leads ? new Set() : state.acked,
      learners: elected
        ? mapValues(state.learners, (learner) => ({ ...learner, summary: epochless(learner.summary) }))
        : state.learners
    }
  }
}

// A learner looks at its history until it has told it, and at each condition of an acknowledgement until then.
const normaliseFollowing = ({ reduced }: Setting, role: Following): Following => {
  const state = { ...role.state, pledge: pending(role.state.pledge) }
  if (!reduced || state.stage === "Registering" || state.stage === "Accepting") return { ...role, state }
  const isAcknowledged = state.stage === "Activating" || state.stage === "Following"
  return {
    ...role,
    state: {
      ...state,
      history: { acceptedEpoch: 0n, currentEpoch: 0n, lastLoggedZxid: 0n },
      ackEpoch: -1n,
      synced: state.synced && state.stage === "Synchronizing",
      stored: state.stored && !isAcknowledged
    }
  }
}

/** A pledge that has not ended. */
export const pending = (pledge: Pledge | null): Pledge | null => (pledge !== null && pledge.until > 0 ? pledge : null)

const notBefore = (least: number, value: number | null): number | null =>
  value === null ? null : Math.max(value, least)

// Whatever a state is made of, in an order of its own, so that no field can be forgotten.
const keyOf = (value: unknown): string => {
  if (value instanceof Map) return `{${Array.from(value, ([key, item]) => `${key}:${keyOf(item)}`).sort().join()}}`
  if (value instanceof Set) return `<${Array.from(value, String).sort().join()}>`
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`
  if (value === null || typeof value !== "object") return `${value}`
  return `(${Object.entries(value).map(([key, item]) => `${key}:${keyOf(item)}`).sort().join()})`
}
