/**
 * What our own history entitles us to say when a search begins.
 *
 * Java: `FastLeaderElection.getInitId`, `getInitLastLoggedZxid`, `getPeerEpoch`.
 */
import type { Ensemble, Membership } from "../Ensemble.ts"
import { NOBODY } from "../Sid.ts"
import * as Vote from "../Vote.ts"
import { type Zxid, UNTRUSTED } from "../Zxid.ts"

/** The facts of our own history. */
export interface History {
  readonly lastLoggedZxid: Zxid
  readonly currentEpoch: bigint
}

/** Our own history as a vote of no round. Java: startLeaderElection. */
export const ownVote = ({ mySid }: Ensemble, { currentEpoch, lastLoggedZxid }: History): Vote.Vote =>
  Vote.make({ leader: mySid, zxid: lastLoggedZxid, peerEpoch: currentEpoch }, -1n)

/**
 * Whom we propose when a round starts. Membership decides about the id, learner
 * type about the rest. Who votes and may not be proposed abstains.
 */
export const initialProposal = (
  { electable, mySid }: Ensemble,
  { committed, learnerType }: Membership,
  { currentEpoch, lastLoggedZxid }: History
): Vote.Proposal => {
  const votes = committed.voters.has(mySid)
  if (votes && !electable) return { leader: mySid, zxid: UNTRUSTED, peerEpoch: -1n }
  const leader = votes ? mySid : NOBODY
  return learnerType === "observer"
    ? { leader, zxid: NOBODY, peerEpoch: NOBODY }
    : { leader, zxid: lastLoggedZxid, peerEpoch: currentEpoch }
}

/** May we take part in voting? Not with a database that may lack what it once confirmed; who only learns may listen. */
export const isTrusted = ({ learnerType }: Membership, { lastLoggedZxid }: History): boolean =>
  learnerType === "observer" || lastLoggedZxid !== UNTRUSTED
