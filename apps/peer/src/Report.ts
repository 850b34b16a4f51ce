/**
 * What a peer's status looks like to scripts.
 */
import * as Ensemble from "@conclave/core/Ensemble"
import * as Explain from "@conclave/core/Explain"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import type { PeerStory } from "@conclave/quorum/LinkBook"
import type * as LeadershipStatus from "@conclave/quorum/LeadershipStatus"
import * as PeerStatus from "@conclave/quorum/PeerStatus"

/** The result of an election, as `elect` and `--control` print it. */
export const elected = (report: PeerStatus.ElectionReport) => ({
  sid: report.sid,
  state: report.state,
  leader: report.vote.leader,
  zxid: report.vote.zxid,
  electionEpoch: report.vote.electionEpoch,
  peerEpoch: report.vote.peerEpoch,
  reason: Explain.elected(report.vote, report.reason),
  elapsedMs: millis(report.elapsed),
  ground: Explain.groundOf(report.reason),
  supporters: Array.from(report.reason.supporters),
  phasesMs: {
    firstVote: millis(report.phases.firstVote),
    quorum: millis(report.phases.quorum),
    finalize: millis(report.phases.finalize)
  }
})

/** A leader that a quorum has activated, as a peer has it. */
export const activated = (sid: bigint, status: LeadershipStatus.Settled) => ({
  sid,
  state: status._tag,
  leader: status._tag === "LEADING" ? sid : status.leader,
  epoch: status.epoch
})

/** Where a peer stands, whether it has a leader or not. */
export const status = (sid: bigint, status: PeerStatus.PeerStatus) =>
  status._tag === "Settled"
    ? elected(status.report)
    : { sid, state: PeerStatus.serverState(status), leader: null, reason: PeerStatus.describeCause(status.cause) }

/** Which configuration is in force, and what a peer is in it; `note` where it is nothing. */
export const configuration = (sid: bigint, membership: Ensemble.Membership) => {
  const role = Ensemble.roleOf(membership, sid)
  const version = QuorumVerifier.versionText(membership.committed)
  return { version, role, note: role === null ? Explain.notListed(sid) : null }
}

/** What is known of the connections with one peer; the counters are those of the connection there is. */
export const connection = ({ failure, link, sid }: PeerStory) => ({
  sid,
  connected: link !== null,
  dialedBy: link?.dialedBy ?? null,
  remote: link?.remote ?? null,
  sinceMs: link?.since ?? null,
  framesSent: link?.traffic.framesSent ?? 0,
  framesReceived: link?.traffic.framesReceived ?? 0,
  bytesSent: link?.traffic.bytesSent ?? 0,
  bytesReceived: link?.traffic.bytesReceived ?? 0,
  failure: failure === null ? null : { reason: failure.reason, message: failure.message, count: failure.count }
})

const millis = <A extends number | null>(value: A): A =>
  (value === null ? null : Math.round(value * 1000) / 1000) as A
