/**
 * Does this set of votes carry this vote?
 *
 * Java: `FastLeaderElection.getVoteTracker`, `SyncedLearnerTracker`.
 */
import type { Membership } from "./Ensemble.ts"
import * as QuorumVerifier from "./QuorumVerifier.ts"
import type { Sid } from "./Sid.ts"
import * as SidMap from "./internal/sidMap.ts"
import * as Vote from "./Vote.ts"

/** The votes with this one in place of the sender's last; the same votes if it says the same as that. */
export const record = (
  votes: ReadonlyMap<Sid, Vote.Vote>,
  sid: Sid,
  vote: Vote.Vote
): ReadonlyMap<Sid, Vote.Vote> => Vote.isSame(votes.get(sid), vote) ? votes : SidMap.set(votes, sid, vote)

/** The senders whose vote matches the given one, voters or not, in order of arrival. */
export const supporters = (votes: ReadonlyMap<Sid, Vote.Vote>, vote: Vote.Vote): ReadonlySet<Sid> =>
  SidMap.where(votes, (cast) => Vote.matches(vote, cast))

/**
 * Are the supporters a quorum in every configuration that must agree? Only the
 * voters of a configuration count in it. Java: hasAllQuorums.
 */
export const hasAllQuorums = (
  membership: Membership,
  supporters: ReadonlySet<Sid>,
  oracle: QuorumVerifier.OracleAnswer
): boolean => {
  for (const verifier of membership.verifiers) {
    if (!QuorumVerifier.containsQuorum(verifier, supporters, oracle)) return false
  }
  return true
}

/** Did this supporter count in every configuration? Java: hasSid. */
export const hasSid = (membership: Membership, supporters: ReadonlySet<Sid>, sid: Sid): boolean =>
  supporters.has(sid) && membership.verifiers.every(({ voters }) => voters.has(sid))
