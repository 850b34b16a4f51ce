/**
 * The rules of voting once more, as plainly as they can be said: what the checker believes instead of the core.
 *
 * Nothing of the core is called in here, or a fault in it would hide itself.
 */
import type { Sid } from "@conclave/core/Sid"
import type { Proposal, Vote } from "@conclave/core/Vote"
import type { Member } from "../Scenario.ts"
import type { Node, World } from "./World.ts"

/** Is the first proposal better: by epoch, then zxid, then id? */
export const isBetter = (self: Proposal, that: Proposal): boolean =>
  self.peerEpoch > that.peerEpoch ||
  (self.peerEpoch === that.peerEpoch && self.zxid > that.zxid) ||
  (self.peerEpoch === that.peerEpoch && self.zxid === that.zxid && self.leader > that.leader)

/** Are both the same three numbers? */
export const isSame = (self: Proposal, that: Proposal): boolean =>
  self.leader === that.leader && self.zxid === that.zxid && self.peerEpoch === that.peerEpoch

/** Who votes as this node sees it: by the scenario, or by its configuration where that may change. */
export const isVoter = (world: World, node: Node, sid: Sid): boolean => {
  if (!world.static) return node.election.membership.voters.has(sid)
  const member = memberOf(world, sid)
  return member !== undefined && (votes(node, member) || (world.scenario.pending?.includes(member.sid) ?? false))
}

/** May this server be elected, as far as its weight goes? */
export const hasWeight = (world: World, sid: Sid): boolean =>
  world.scenario.quorum !== "Weighted" || (memberOf(world, sid)?.weight ?? 0) > 0

/** Are those of whom this is true a quorum, as this node sees it? */
export const isQuorum = (world: World, node: Node, isPresent: (sid: Sid) => boolean): boolean => {
  const { nodes, scenario } = world
  if (!world.static) {
    return node.election.membership.verifiers.every(({ voters }) =>
      Array.from(voters).filter(isPresent).length * 2 > voters.size)
  }
  if (scenario.quorum === "Weighted") return isWeightedQuorum(world, node, isPresent)
  const { pending } = scenario
  return isMajority(nodes, ({ member }) => votes(node, member), isPresent) &&
    (pending === null || isMajority(nodes, ({ member }) => pending.includes(member.sid), isPresent))
}

const isMajority = (
  nodes: ReadonlyArray<Node>,
  isVoter: (node: Node) => boolean,
  isPresent: (sid: Sid) => boolean
): boolean => {
  let voters = 0
  for (const node of nodes) if (isVoter(node)) voters++
  let present = 0
  // Only as far as needed: to ask who is present takes the most time, and it is asked in nearly every step.
  for (const node of nodes) if (isVoter(node) && isPresent(node.sid) && ++present * 2 > voters) return true
  return false
}

const isWeightedQuorum = ({ nodes }: World, node: Node, isPresent: (sid: Sid) => boolean): boolean => {
  const voters = nodes.filter(({ member }) => votes(node, member) && member.weight > 0)
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

const votes = (node: Node, { role, sid }: Member): boolean =>
  role === "Voter" || (role === "Stranger" && node.member.sid === sid)

const memberOf = (world: World, sid: Sid): Member | undefined => world.bySid.get(sid)?.member

const weigh = (nodes: ReadonlyArray<Node>): number => nodes.reduce((sum, { member }) => sum + member.weight, 0)
