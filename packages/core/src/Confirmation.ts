/**
 * Does the ensemble see the election as we do?
 *
 * An election ends with what a quorum thought a moment ago. Who started late may
 * have changed minds since: then the one we follow follows another, or those who
 * elected us do. ZooKeeper finds out when nobody comes to the quorum port; until
 * we have that, a settled peer asks. The question is our last vote, sent once
 * more as of somebody who looks: whoever is settled answers it with its state
 * and its leader, real servers too.
 */
import type { Settled } from "./Election.ts"
import type { Notification, ToSend } from "./Notification.ts"
import type { OracleAnswer } from "./QuorumVerifier.ts"
import type { Sid } from "./Sid.ts"
import * as VoteTracker from "./VoteTracker.ts"
import * as SidSet from "./internal/sidSet.ts"

/** What the others have said about our leader since we have it. */
export interface Confirmation {
  /** Who follows it, or is it. */
  readonly confirmed: ReadonlySet<Sid>
  /** Who has another one. */
  readonly denied: ReadonlySet<Sid>
}

/** Nobody has said anything. */
export const unasked: Confirmation = { confirmed: SidSet.empty, denied: SidSet.empty }

/** What the answers come to. */
export type Verdict = "Confirmed" | "Denied" | "Open"

/** Takes an answer. What looks or observes says nothing, nor does an answer from before our election. */
export const hear = (self: Confirmation, state: Settled, notification: Notification): Confirmation => {
  const { electionEpoch, from, leader } = notification
  const answers = notification.state === "FOLLOWING" || notification.state === "LEADING"
  if (!answers || electionEpoch < state.currentVote.electionEpoch) return self
  const { confirmed, denied } = self
  return leader === state.currentVote.leader
    ? { confirmed: SidSet.add(confirmed, from), denied: SidSet.remove(denied, from) }
    : { confirmed: SidSet.remove(confirmed, from), denied: SidSet.add(denied, from) }
}

/**
 * A follower needs the word of its leader. A leader needs a quorum that follows it,
 * or the oracle in place of the other of two voters, and gives up when so many have
 * another leader that there cannot be one.
 */
export const verdict = (
  mySid: Sid,
  { confirmed, denied }: Confirmation,
  settled: Settled,
  oracle: OracleAnswer = false
): Verdict => {
  const { currentVote, membership, state } = settled
  if (state !== "LEADING") {
    return confirmed.has(currentVote.leader) ? "Confirmed" : denied.has(currentVote.leader) ? "Denied" : "Open"
  }
  if (VoteTracker.hasAllQuorums(membership, SidSet.add(confirmed, mySid), oracle)) return "Confirmed"
  const possible = Array.from(denied).reduce(SidSet.remove, membership.voters)
  return VoteTracker.hasAllQuorums(membership, possible, false) ? "Open" : "Denied"
}

/** The questions to ask: a follower its leader, a leader every voter that has not confirmed. */
export const questions = (mySid: Sid, { confirmed }: Confirmation, settled: Settled): ReadonlyArray<ToSend> => {
  const { currentVote, membership, state } = settled
  const { electionEpoch, leader, peerEpoch, zxid } = currentVote
  const whom = state === "LEADING" ? Array.from(membership.voters) : [leader]
  return whom.filter((to) => to !== mySid && !confirmed.has(to)).map((to) => ({
    to,
    state: "LOOKING",
    leader,
    zxid,
    electionEpoch,
    peerEpoch,
    config: membership.committed.text
  }))
}
