/**
 * Is there still a leader, as far as connections and notifications tell?
 *
 * A stopgap of known weakness: a closed connection is noticed at once, a silent
 * one never. The phases after the election, with their pings, will decide better.
 */
import type { State } from "./Election.ts"
import type { Notification } from "./Notification.ts"
import type { OracleAnswer } from "./QuorumVerifier.ts"
import type { Sid } from "./Sid.ts"
import * as VoteTracker from "./VoteTracker.ts"
import * as SidSet from "./internal/sidSet.ts"

/** Why there is no leader any more. */
export type LeaderLostReason =
  /** We follow or observe, and there is no connection with the leader. */
  | "LinkToLeaderClosed"
  /** We follow or observe, and the leader itself looks for a leader, in another round. */
  | "LeaderLooking"
  /** We lead, and those who are connected and not looking are no quorum with us. */
  | "LinksLost"
  /** Those whom it concerns have another leader; see `Confirmation`. */
  | "ElectionDenied"
  /** Those whom it concerns do not answer; see `Confirmation`. */
  | "ElectionUnconfirmed"

/**
 * Whether the leader must be taken for lost, given who is present now; `null`
 * while all is well. Present are, for a leader, those connected and not astray.
 */
export const check = (
  mySid: Sid,
  state: State,
  present: ReadonlySet<Sid>,
  oracle: OracleAnswer = false
): LeaderLostReason | null => {
  if (state._tag !== "Settled") return null
  if (state.state !== "LEADING") {
    return present.has(state.currentVote.leader) ? null : "LinkToLeaderClosed"
  }
  return VoteTracker.hasAllQuorums(state.membership, SidSet.add(present, mySid), oracle) ? null : "LinksLost"
}

/**
 * Does the sender look in a later round than that of the election we settled by?
 * Then it has left: it is no leader, and it follows nobody. Votes of that round
 * or an older one are late or sent again, and say nothing.
 *
 * But a leader that we follow was in our round before it led. If it looks in an
 * older one it has restarted, and counts rounds from 1 again; nobody would elect
 * it there, because all the others have a leader.
 */
export const hasLeft = (state: State, { electionEpoch, from, state: sender }: Notification): boolean => {
  if (state._tag !== "Settled" || sender !== "LOOKING") return false
  const { currentVote } = state
  const restarted = state.state !== "LEADING" && from === currentVote.leader
  return electionEpoch > currentVote.electionEpoch || (restarted && electionEpoch < currentVote.electionEpoch)
}
