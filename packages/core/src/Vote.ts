/**
 * Votes, the order in which proposals succeed each other, and when two votes
 * support the same leader.
 *
 * Two relations that must not be confused: `compare` is a strict total order on
 * proposals and decides whom to vote for; `matches` is not an equality (it is not
 * even transitive) and decides which votes are counted together.
 *
 * Java: `Vote`, `FastLeaderElection.totalOrderPredicate`.
 */
import * as Order from "effect/Order"
import type { ServerState } from "./ServerState.ts"
import type { Sid } from "./Sid.ts"
import type { Zxid } from "./Zxid.ts"

/** Whom somebody proposes, and how fresh that server's history is. Three numbers that travel together. */
export interface Proposal {
  readonly leader: Sid
  /** The last logged zxid of the proposed leader. */
  readonly zxid: Zxid
  /** The `currentEpoch` of the proposed leader. */
  readonly peerEpoch: bigint
}

/** A proposal that somebody supports in a round. Java: `Vote`. */
export interface Vote extends Proposal {
  /** Format version of the notification it came in; 0 for old formats and for our own votes. */
  readonly version: number
  /** The round: the voter's logical clock when it voted. */
  readonly electionEpoch: bigint
  /** What the voter was doing. */
  readonly state: ServerState
}

/** What decided between two proposals. */
export type Ground = "peerEpoch" | "zxid" | "sid"

/**
 * Whether a candidate succeeds the current proposal, and why.
 * `Equal`: the same three numbers. `ZeroWeight`: the candidate weighs nothing, so
 * it is never adopted, however fresh it is.
 */
export type Verdict =
  | { readonly better: true; readonly ground: Ground }
  | { readonly better: false; readonly ground: Ground | "Equal" | "ZeroWeight" }

/**
 * Judges a candidate against the current proposal: peer epoch first, then zxid,
 * then server id, all signed. The weight is the candidate's; the current side's
 * weight is not looked at. Java: totalOrderPredicate.
 */
export const compare = (candidate: Proposal, current: Proposal, candidateWeight: bigint): Verdict => {
  if (candidateWeight === 0n) return zeroWeight
  if (candidate.peerEpoch !== current.peerEpoch) {
    return candidate.peerEpoch > current.peerEpoch ? better.peerEpoch : worse.peerEpoch
  }
  if (candidate.zxid !== current.zxid) return candidate.zxid > current.zxid ? better.zxid : worse.zxid
  if (candidate.leader !== current.leader) return candidate.leader > current.leader ? better.sid : worse.sid
  return equal
}

/** Does the first of two proposed servers know less than the other, whatever their ids? */
export const isOlder = (self: Proposal, that: Proposal): boolean =>
  self.peerEpoch < that.peerEpoch || (self.peerEpoch === that.peerEpoch && self.zxid < that.zxid)

/** The same order without weights, for sorting. */
export const ProposalOrder: Order.Order<Proposal> = Order.make((self, that) => {
  const verdict = compare(self, that, 1n)
  return verdict.better ? 1 : verdict.ground === "Equal" ? 0 : -1
})

/**
 * Do two votes support the same leader, so that they count together?
 * If either voter is LOOKING all four numbers must agree. Between settled voters
 * the leader and its peer epoch must, and only the leader if one of the two
 * comes in an old format and the other does not. Not transitive.
 * Java: Vote.equals (ZOOKEEPER-1732, ZOOKEEPER-1805).
 */
export const matches = (self: Vote, that: Vote): boolean => {
  if (self.leader !== that.leader) return false
  if (self.state === "LOOKING" || that.state === "LOOKING") {
    return self.zxid === that.zxid &&
      self.electionEpoch === that.electionEpoch &&
      self.peerEpoch === that.peerEpoch
  }
  if (self.version > 0 !== that.version > 0) return true
  return self.peerEpoch === that.peerEpoch
}

/** Does a voter say the same as before, word for word? */
export const isSame = (self: Vote | undefined, that: Vote | undefined): boolean => {
  if (self === undefined || that === undefined) return self === that
  return self.leader === that.leader &&
    self.zxid === that.zxid &&
    self.peerEpoch === that.peerEpoch &&
    self.electionEpoch === that.electionEpoch &&
    self.version === that.version &&
    self.state === that.state
}

/** A proposal as a vote of a round, in the form Java gives to what an election returns. */
export const make = (proposal: Proposal, electionEpoch: bigint): Vote => ({
  version: 0,
  leader: proposal.leader,
  zxid: proposal.zxid,
  electionEpoch,
  peerEpoch: proposal.peerEpoch,
  state: "LOOKING"
})

/** The proposal within something larger. */
export const proposalOf = ({ leader, peerEpoch, zxid }: Proposal): Proposal => ({ leader, zxid, peerEpoch })

const better = {
  peerEpoch: { better: true, ground: "peerEpoch" },
  zxid: { better: true, ground: "zxid" },
  sid: { better: true, ground: "sid" }
} as const

const worse = {
  peerEpoch: { better: false, ground: "peerEpoch" },
  zxid: { better: false, ground: "zxid" },
  sid: { better: false, ground: "sid" }
} as const

const equal = { better: false, ground: "Equal" } as const

const zeroWeight = { better: false, ground: "ZeroWeight" } as const
