/**
 * What follows an election at one node, as data: the role it gave, and what is kept from one role to the next.
 */
import type * as Leader from "@conclave/core/Leader"
import type { LearnerId, StepDownReason, Timer as LeaderTimer } from "@conclave/core/LeaderOutput"
import type * as Learner from "@conclave/core/Learner"
import type { LeaveReason, Timer as LearnerTimer } from "@conclave/core/LearnerOutput"
import type { Pledge } from "@conclave/core/Lease"
import type { Told } from "@conclave/core/Reconfiguration"
import type { Sid } from "@conclave/core/Sid"
import type { Facts } from "./Disk.ts"
import type { Tally } from "./LeadershipChecks.ts"
import type { Timers } from "./Timers.ts"
import type { End, Node } from "./World.ts"

/** What a process knows of its roles. Shell: Incumbency, Pledges, Setbacks, Abstention, MembershipKeeper. */
export interface Tenure {
  role: Role | null
  /** How many there were. */
  roles: number
  /** Whom it supports, kept from one role to the next. */
  pledge: Pledge | null
  /** The epoch in which the leader was activated, and who it is. */
  established: { readonly epoch: bigint; readonly leader: Sid } | null
  /** The leader's last configuration, as text. */
  config: string | null
  /** By which configuration each leader says that it leads, and the version stored in this search. */
  told: Told
  stored: bigint | null
  /** When the role began, by the node's clock, and how many came to nothing one after another. */
  began: number
  setbacks: number
  /** The number of the latest abstention. */
  abstentions: number
  /** What to do when the role has ended, if that was asked for. */
  ending: (() => void) | null
  /** A search is to come; until then nobody is voted for. */
  givingUp: boolean
  /** Somebody has asked for our resignation. */
  resigning: boolean
}

/** A role of a node. */
export type Role = Leading | Following

interface Common {
  /** The roles of a process are counted from 1. */
  readonly instance: number
  /** What was durable when it began, and whom the node supported then. */
  readonly facts: Facts
  readonly pledge: Pledge | null
  /** Something is being written or ended, and what happens meanwhile waits for it. Shell: one fiber, one inbox. */
  busy: boolean
  readonly inbox: Array<() => void>
}

/** A leader at work. Shell: Leading, LearnerListener, Office. */
export interface Leading extends Common {
  readonly _tag: "Leading"
  readonly options: Leader.Options
  state: Leader.State
  /** What it would be if packets did not wait while it is busy; `null` if none has come meanwhile. */
  hasty: Leader.State | null
  readonly links: Map<LearnerId, End>
  readonly timers: Timers<LeaderTimer>
  /** Guarded work runs, or did. */
  entered: boolean
  /** When guarded work has ended, once it has to end. */
  workUntil: number | null
  /** Until when the lease lasts, by the node's clock. */
  leaseUntil: number
  /** It leaves office on purpose. */
  leaving: boolean
  readonly tally: Tally
}

/** A learner at work. Shell: Following. */
export interface Following extends Common {
  readonly _tag: "Following"
  readonly options: Learner.Options
  state: Learner.State
  end: End | null
  readonly timers: Timers<LearnerTimer>
  /** The epoch that the leader has told, as the checker heard it. */
  told: bigint
}

/** The end of a role. Shell: RoleContext, Ended. */
export interface Ended {
  readonly reason: StepDownReason | LeaveReason
  readonly successor: Sid | null
}

/** What a process that starts knows. */
export const make = (pledge: Pledge | null, told: Told): Tenure => ({
  role: null,
  roles: 0,
  pledge,
  established: null,
  config: null,
  told,
  stored: null,
  began: 0,
  setbacks: 0,
  abstentions: 0,
  ending: null,
  givingUp: false,
  resigning: false
})

/** What is common to roles when they begin. */
export const begin = ({ disk, tenure }: Node) => ({
  instance: ++tenure.roles,
  facts: disk.synced,
  pledge: tenure.pledge,
  busy: false,
  inbox: [] as Array<() => void>
})

/** Does something now, or when the role is no longer busy. */
export const handle = (role: Role, run: () => void): void => {
  if (role.busy) role.inbox.push(run)
  else run()
}

/** The role goes on with what has waited. */
export const resume = (role: Role): void => {
  role.busy = false
  while (!role.busy) {
    const run = role.inbox.shift()
    if (run === undefined) return
    run()
  }
}
