/**
 * The rules of voting once more, as plainly as they can be said: what the checker believes instead of the core.
 *
 * Nothing of the core is called in here, or a fault in it would hide itself.
 */
import type { Sid } from "@conclave/core/Sid"
import type { Proposal, Vote } from "@conclave/core/Vote"
import type { Member, Scenario } from "../Scenario.ts"
import { type Node, nodeOf, type World } from "./World.ts"

/** Is the first proposal better: by epoch, then zxid, then id? */
export const isBetter = (self: Proposal, that: Proposal): boolean => {
  if (self.peerEpoch !== that.peerEpoch) return self.peerEpoch > that.peerEpoch
  if (self.zxid !== that.zxid) return self.zxid > that.zxid
  return self.leader > that.leader
}

/** Are both the same three numbers? */
export const isSame = (self: Proposal, that: Proposal): boolean =>
  self.leader === that.leader && self.zxid === that.zxid && self.peerEpoch === that.peerEpoch

/** Has anybody ever begun a round with this proposal? */
export const isKnown = ({ proposals }: World, proposal: Proposal): boolean => {
  for (const known of proposals) if (isSame(known, proposal)) return true
  return false
}

/** Somebody has. */
export const remember = (world: World, { leader, peerEpoch, zxid }: Proposal): void => {
  const proposal = { leader, peerEpoch, zxid }
  if (!isKnown(world, proposal)) world.proposals.push(proposal)
}

/** Who votes as this node sees it: by the scenario, or by its configuration where that may change. */
export const isVoter = (world: World, node: Node, sid: Sid): boolean => {
  if (!world.static) return node.election.membership.voters.has(sid)
  const member = memberOf(world, sid)
  return member !== undefined && (votes(node.member, member) || (world.scenario.pending?.includes(member.sid) ?? false))
}

/** May this server be elected, as far as its weight goes? */
export const hasWeight = (world: World, sid: Sid): boolean =>
  world.scenario.quorum !== "Weighted" || (memberOf(world, sid)?.weight ?? 0) > 0

/** Are those of whom this is true a quorum, as this node sees it: by both configurations, unless told otherwise? */
export const isQuorum = (
  world: World,
  node: Node,
  isPresent: (sid: Sid) => boolean,
  isCommittedOnly = false
): boolean => {
  if (!world.static) {
    return node.election.membership.verifiers.every(({ voters }) =>
      Array.from(voters).filter(isPresent).length * 2 > voters.size)
  }
  if (world.scenario.quorum === "Weighted") return isWeightedQuorum(world, node, isPresent)
  const { committed, pending } = node.voters
  return isMajority(committed, isPresent) && (pending === null || isCommittedOnly || isMajority(pending, isPresent))
}

/** The same of those who cast a vote of which this is true. */
export const isCarried = (
  world: World,
  node: Node,
  votes: ReadonlyMap<Sid, Vote>,
  supports: (vote: Vote) => boolean
): boolean => {
  const { scenario: { pending, quorum } } = world
  const isSimple = world.static && quorum === "Majority" && pending === null
  return isSimple ? isCarriedByMost(node.voters.committed, votes, supports) : isQuorum(world, node, (sid) => {
    const vote = votes.get(sid)
    return vote !== undefined && supports(vote)
  })
}

// It is asked in nearly every step, and to look every voter up takes longer than to go through the votes.
const isCarriedByMost = (
  voters: ReadonlyArray<Sid>,
  votes: ReadonlyMap<Sid, Vote>,
  supports: (vote: Vote) => boolean
): boolean => {
  let present = 0
  votes.forEach((vote, sid) => {
    if (supports(vote) && isOneOf(voters, sid)) present++
  })
  return present * 2 > voters.length
}

const isOneOf = (sids: ReadonlyArray<Sid>, sid: Sid): boolean => {
  for (const other of sids) if (other === sid) return true
  return false
}

/** Who votes as a node sees it that is this member, by the scenario: now, and in the configuration that is pending. */
export const votersOf = (self: Member, { members, pending }: Scenario): Node["voters"] => {
  const sidsOf = (isVoter: (member: Member) => boolean) => members.filter(isVoter).map(({ sid }) => BigInt(sid))
  return {
    committed: sidsOf((member) => votes(self, member)),
    pending: pending === null ? null : sidsOf(({ sid }) => pending.includes(sid))
  }
}

const isMajority = (voters: ReadonlyArray<Sid>, isPresent: (sid: Sid) => boolean): boolean => {
  let present = 0
  // Only as far as needed: to ask who is present takes the most time.
  for (const sid of voters) if (isPresent(sid) && ++present * 2 > voters.length) return true
  return false
}

const isWeightedQuorum = ({ nodes }: World, node: Node, isPresent: (sid: Sid) => boolean): boolean => {
  const voters = nodes.filter(({ member }) => votes(node.member, member) && member.weight > 0)
  const groups = new Set(voters.map(({ member }) => member.group))
  const carried = Array.from(groups).filter((group) => {
    const members = voters.filter(({ member }) => member.group === group)
    return weigh(members.filter(({ sid }) => isPresent(sid))) * 2 > weigh(members)
  })
  return carried.length * 2 > groups.size
}

/** Do two votes of somebody who is settled, or who looks, support the same leader? */
export const agree = (self: Vote, that: Vote): boolean => {
  if (self.leader !== that.leader) return false
  const looks = self.state === "LOOKING" || that.state === "LOOKING"
  if (looks) return isSame(self, that) && self.electionEpoch === that.electionEpoch
  return (self.version > 0) !== (that.version > 0) || self.peerEpoch === that.peerEpoch
}

const votes = (self: Member, { role, sid }: Member): boolean =>
  role === "Voter" || (role === "Stranger" && self.sid === sid)

const memberOf = (world: World, sid: Sid): Member | undefined => nodeOf(world, sid)?.member

const weigh = (nodes: ReadonlyArray<Node>): number => nodes.reduce((sum, { member }) => sum + member.weight, 0)
