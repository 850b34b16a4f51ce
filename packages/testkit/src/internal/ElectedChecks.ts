/**
 * What must hold when a search ends with a leader.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import * as Explain from "@conclave/core/Explain"
import type { Notification } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import type { Vote } from "@conclave/core/Vote"
import * as Judge from "./Judge.ts"
import { broken, isHeavier, keyOf } from "./Properties.ts"
import { type Node, nodeOf, type World } from "./World.ts"

/** A search that has ended. */
export type Elected = Output & { readonly _tag: "Elected" }

/** Looks at the end of a search. */
export const check = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  elected: Elected
): void => {
  const { reason, state, vote } = elected
  if (!Judge.isVoter(world, node, vote.leader)) broken(world, node, "voters", `elects server ${vote.leader}`)
  if ((state === "LEADING") !== (vote.leader === node.sid)) broken(world, node, "office", `${state} of ${vote.leader}`)
  if (state === "LEADING" && !mayLead(world, node)) {
    broken(world, node, "office", "leads, and may not")
  }
  // It is known by the vote of the leader before it, also when it looks again.
  if (reason._tag === "Designated") Judge.remember(world, vote)
  // On the oracle's word a leader is followed in whatever round it is, and whoever it names after that.
  if (reason._tag === "Oracle" || (reason._tag === "Designated" && world.scenario.quorum === "Oracle")) return
  const { logicalClock } = node.election
  if (vote.electionEpoch !== logicalClock) {
    broken(world, node, "round", `is in round ${logicalClock}, and elected in ${vote.electionEpoch}`)
  }
  const quorum = world.scenario.quorum === "Oracle" || Judge.isQuorum(world, node, (sid) => reason.supporters.has(sid))
  if (!quorum) {
    broken(world, node, "quorum", `elects server ${vote.leader} by ${Explain.sids(reason.supporters)}`)
  }
  if (reason._tag === "Quorum") onFinalised(world, node, before, elected)
  else onJoined(world, node, before, event, elected)
}

/** Looks whether those who vote alike are a quorum. Votes are compared by all four numbers while somebody looks. */
export const counted = (world: World, node: Node, { logicalClock, proposal, recvSet }: Election.Looking): void => {
  const { leader, peerEpoch, zxid } = proposal
  const isCounted = (cast: Vote) =>
    cast.leader === leader && cast.zxid === zxid && cast.peerEpoch === peerEpoch && cast.electionEpoch === logicalClock
  if (!isCarried(world, node, recvSet, isCounted)) {
    broken(world, node, "quorum", `believes in server ${proposal.leader}; ${votesOf(recvSet)}`)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// In the original who weighs nothing takes office when others vote for it or say that it leads.
const mayLead = (world: World, { ensemble: { electable, rules }, sid }: Node): boolean =>
  electable && (Judge.hasWeight(world, sid) || !rules.leadOnlyWithWeight)

const onFinalised = (world: World, node: Node, before: Election.State, { reason, vote }: Elected): void => {
  if (before._tag !== "Looking") return broken(world, node, "quorum", "ends a search that does not run")
  counted(world, node, before)
  if (vote.electionEpoch !== before.logicalClock) broken(world, node, "round", `elects in round ${vote.electionEpoch}`)
  if (vote.leader !== node.sid && !Judge.hasWeight(world, vote.leader)) {
    broken(world, node, "office", `elects server ${vote.leader}, of no weight`)
  }
  if (!Judge.isSame(vote, before.proposal)) broken(world, node, "told", `elects ${keyOf(vote)}, did not propose it`)
  const { initial } = node.book
  if (initial !== null && node.member.role === "Voter" && isHeavier(world, node, initial, vote)) {
    broken(world, node, "own", `elects ${keyOf(vote)}, was itself ${keyOf(initial)}`)
  }
  // Who does not vote is answered with the vote of the last election, and may count those as votes of this one.
  if (!world.honest || !world.static || node.member.role !== "Voter") return
  if (!Judge.isKnown(world, vote)) broken(world, node, "real", `elects ${keyOf(vote)}, which nobody ever was`)
  for (const sid of reason.supporters) {
    const { book } = nodeOf(world, sid) ?? node
    const least = book.rounds.get(vote.electionEpoch)
    // Who has joined a leader supports it in that leader's round, whatever its own history is.
    if (least === "Joined") continue
    if (least === undefined) broken(world, node, "real", `counts server ${sid}, which was never in this round`)
    else if (Judge.hasWeight(world, sid) && Judge.isBetter(least, vote)) {
      broken(world, node, "fresh", `elects ${keyOf(vote)}, and ${keyOf(least)} voted for it`)
    }
  }
}

const onJoined = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  { reason, state, vote }: Elected
): void => {
  node.book.rounds.set(vote.electionEpoch, "Joined")
  // What waited for a search to begin is not known here.
  if (event._tag !== "Received" || before._tag !== "Looking") return
  const { notification } = event
  const sameRound = reason._tag === "Joined" && reason.round === "Same"
  const votes = new Map(sameRound ? before.recvSet : before.outOfElection)
  const { version } = notification
  const cast = { ...notification, version: sameRound ? 0 : version, state: stateOf(notification) }
  votes.set(notification.from, cast)
  const joined = { ...cast, version }
  if (!isCarried(world, node, votes, (other) => Judge.agree(other, joined))) {
    broken(world, node, "quorum", `joins server ${vote.leader}; ${votesOf(votes)}`)
  }
  if (state === "LEADING") {
    const clock = before.logicalClock
    if (vote.electionEpoch !== clock) broken(world, node, "round", `leads in round ${vote.electionEpoch} of ${clock}`)
  } else if (votes.get(vote.leader)?.state !== "LEADING") {
    broken(world, node, "heard", `joins server ${vote.leader}, which has not said that it leads`)
  }
}

const stateOf = ({ state }: Notification): Vote["state"] => (state === "UNKNOWN" ? "LOOKING" : state)

const isCarried = (
  world: World,
  node: Node,
  votes: ReadonlyMap<Sid, Vote>,
  supports: (vote: Vote) => boolean
): boolean => world.scenario.quorum === "Oracle" || Judge.isCarried(world, node, votes, supports)

const votesOf = (votes: ReadonlyMap<Sid, Vote>): string =>
  `the votes are ${Array.from(votes, ([sid, vote]) => `${sid} for ${keyOf(vote)}`).join(", ")}`
