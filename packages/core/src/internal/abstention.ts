/**
 * Voting for nobody: our own way of it, and what is known of others who do.
 */
import type { Looking } from "../Election.ts"
import type { Ensemble } from "../Ensemble.ts"
import type { Notification } from "../Notification.ts"
import type { Sid } from "../Sid.ts"
import type * as Vote from "../Vote.ts"
import { UNTRUSTED } from "../Zxid.ts"
import * as SidSet from "./sidSet.ts"

/**
 * Is this our way of voting for nobody? Others see a vote for ourselves by a
 * server whose database is not trusted, which they answer and do not count.
 */
export const isAbstention = ({ electable, mySid }: Ensemble, proposal: Vote.Proposal): boolean =>
  !electable && proposal.leader === mySid && proposal.zxid === UNTRUSTED

/**
 * Remembers who says itself that it votes for nobody, until it proposes itself or has a leader: others go on voting for
 * it, in this round and in others, and who took that up would leave it again at its next word, without end. What we
 * have said ourselves is old news.
 */
export const hear = ({ mySid, rules }: Ensemble, state: Looking, notification: Notification): Looking => {
  const { from, leader, zxid } = notification
  const looks = notification.state === "LOOKING"
  const abstains = zxid === UNTRUSTED && looks && leader === from && from !== mySid && rules.leaveWhoAbstains
  if (!abstains && state.abstaining.size === 0) return state
  if (abstains === state.abstaining.has(from) || (looks && leader !== from)) return state
  return { ...state, abstaining: (abstains ? SidSet.add : SidSet.remove)(state.abstaining, from) }
}

/**
 * Who says that it votes for nobody, and is voted for in this round all the same, `null` if nobody is. By the
 * original's rules that need never end; a new round ends it, and only who may be proposed can begin one for all.
 */
export const stillVotedFor = ({ electable }: Ensemble, { abstaining, recvSet }: Looking): Sid | null => {
  if (!electable || abstaining.size === 0) return null
  for (const { leader, state } of recvSet.values()) if (state === "LOOKING" && abstaining.has(leader)) return leader
  return null
}

/** Of nobody it is known that they abstain. */
export const none: ReadonlySet<Sid> = SidSet.empty

/**
 * Does whom we propose say itself that it votes for nobody, so that it cannot win? Somebody has lied about it, or it
 * has stepped aside since.
 */
export const isRefuted = ({ abstaining, proposal }: Looking): boolean => abstaining.has(proposal.leader)
