/**
 * Whom a peer supports and for how long, by numbers: kept over roles, as the shell keeps it, and lost with the process.
 */
import type { Pledge } from "@conclave/core/Lease"
import * as Interner from "../Interner.ts"
import { pending } from "./Roles.ts"
import type { Setting } from "./Setting.ts"

/** A pledge that lasts; `null` for none. */
export interface Kept {
  readonly pledge: Pledge | null
  /** Is the process that it was given to gone? */
  readonly isGone: boolean
}

/** The numbering; 0 is none. */
export type Pledges = Interner.Interner<Kept>

/** Nothing but none is numbered. */
export const make = (): Pledges => {
  const pledges = Interner.make<Kept>(({ isGone, pledge }) =>
    pledge === null ? "-" : `${pledge.leader} ${pledge.until} ${isGone}`)
  const self: Pledges = { ...pledges, id: ({ isGone, pledge }) => pledges.id({ isGone, pledge: pending(pledge) }) }
  self.id({ pledge: null, isGone: false })
  return self
}

/** The pledge of a process that has just started: it may have given one before if it has accepted an epoch. */
export const atStart = ({ lease, reducers }: Setting, acceptedEpoch: number): Pledge | null =>
  lease === null || acceptedEpoch === 0 ? null : reducers.Lease.pledge(null, 0, lease.duration, lease.clockDrift)

/** Does it forbid to support this leader? Said here once more, and not asked of the core. */
export const forbids = ({ isGone, pledge }: Kept, leader: bigint): boolean =>
  pledge !== null && !isGone && pledge.leader !== leader && pledge.until > 0
