/**
 * What leading and following have in common: what they stand on, and how they end.
 */
import * as Explain from "@conclave/core/Explain"
import type { Membership } from "@conclave/core/Ensemble"
import type { StepDownReason } from "@conclave/core/LeaderOutput"
import type { LeaveReason } from "@conclave/core/LearnerOutput"
import type { Sid } from "@conclave/core/Sid"
import type { History } from "./History.ts"
import type { MembershipStore } from "./MembershipStore.ts"
import type { Office } from "./Office.ts"
import type { Pledges } from "./Pledges.ts"
import type { QuorumAuth } from "./QuorumAuth.ts"
import type { Activation, QuorumConfig } from "./QuorumConfig.ts"
import type { Transport } from "./Transport.ts"

/** What a role stands on. */
export interface RoleContext {
  readonly config: QuorumConfig["Service"]
  readonly activation: Activation
  readonly transport: Transport["Service"]
  readonly auth: QuorumAuth
  readonly history: History["Service"]
  readonly office: Office
  readonly pledges: Pledges
  readonly store: MembershipStore
}

/** Why a role is over. */
export type EndReason =
  | StepDownReason
  | LeaveReason
  /** A leader without an address at which learners could find it. */
  | "CannotListen"

/** Why a role ended, in words. */
export const describe = (reason: EndReason): string => {
  if (reason === "CannotListen") return "no quorum address can be bound"
  return Explain.isStepDown(reason) ? Explain.steppedDown(reason) : Explain.left(reason)
}

/** The end of a role. */
export interface Ended {
  readonly reason: EndReason
  /** Who is to lead next, if the leader has said so. */
  readonly successor: Sid | null
}

/** The election that gave a role, and the configuration in which it did. */
export interface Mandate {
  readonly leader: Sid
  readonly membership: Membership
}
