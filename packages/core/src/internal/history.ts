/**
 * What our own history entitles us to say when a search begins.
 *
 * Java: `FastLeaderElection.getInitId`, `getInitLastLoggedZxid`, `getPeerEpoch`.
 */
import type { Ensemble, Membership } from "../Ensemble.ts"
import { NOBODY, type Sid } from "../Sid.ts"
import * as Vote from "../Vote.ts"
import { type Zxid, UNTRUSTED } from "../Zxid.ts"

/** The facts of our own history. */
export interface History {
  readonly lastLoggedZxid: Zxid
  readonly currentEpoch: bigint
}

/** The round of a vote that no election has made. Java: startLeaderElection. */
export const NO_ROUND = -1n

/**
 * Our own history as a vote of no round, by which we are known before any election;
 * who may not be proposed does not propose itself here either. Java: startLeaderElection.
 */
export const ownVote = ({ electable, mySid }: Ensemble, { currentEpoch, lastLoggedZxid }: History): Vote.Vote =>
  Vote.make(electable ? { leader: mySid, zxid: lastLoggedZxid, peerEpoch: currentEpoch } : abstention(mySid), NO_ROUND)

/** Whom we propose when a round starts. Who votes and may not be proposed abstains. */
export const initialProposal = ({ electable, mySid }: Ensemble, { committed }: Membership, own: Vote.Proposal) =>
  !electable && committed.voters.has(mySid) ? abstention(mySid) : own

/** What speaks for ourselves. Membership decides about the id, learner type about the rest. */
export const ownProposal = (
  { mySid }: Ensemble,
  { committed, learnerType }: Membership,
  { currentEpoch, lastLoggedZxid }: History
): Vote.Proposal => {
  const leader = committed.voters.has(mySid) ? mySid : NOBODY
  return learnerType === "observer"
    ? { leader, zxid: NOBODY, peerEpoch: NOBODY }
    : { leader, zxid: lastLoggedZxid, peerEpoch: currentEpoch }
}

/** May we take part in voting? Not with a database that may lack what it once confirmed; who only learns may listen. */
export const isTrusted = ({ learnerType }: Membership, { lastLoggedZxid }: History): boolean =>
  learnerType === "observer" || lastLoggedZxid !== UNTRUSTED

/** A vote for ourselves as of a server whose database is not trusted: all ZooKeepers answer it, and none counts it. */
export const abstention = (mySid: Sid): Vote.Proposal => ({ leader: mySid, zxid: UNTRUSTED, peerEpoch: -1n })
