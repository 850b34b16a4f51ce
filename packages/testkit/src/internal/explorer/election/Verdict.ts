/**
 * What must hold of one step of one peer, whatever the others do: the checks of the simulator, and two that need to
 * know what everybody has on its disk.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import type { Proposal } from "@conclave/core/Vote"
import type { Broken } from "../../../Explorer.ts"
import * as Checker from "../../Checker.ts"
import * as Judge from "../../Judge.ts"
import { broken, keyOf } from "../../Properties.ts"
import type { Node, World } from "../../World.ts"
import type { Peer } from "./PeerKey.ts"

/** What is known beforehand. */
export interface Facts {
  /** What everybody would propose of itself, if that stays so and nobody was ever told anything else. */
  readonly proposals: ReadonlyMap<bigint, Proposal> | null
}

/** Looks at one step. */
export const check = (
  world: World,
  facts: Facts,
  { election: before, index, up }: Peer,
  event: Election.Event,
  after: Election.State,
  outputs: ReadonlyArray<Output>
): Broken | null => {
  const node = world.nodes[index]!
  world.violation = null
  node.election = after
  node.book.timer = up ? dueOf(before) : null
  node.book.initial = before._tag === "Looking" ? before.initial : null
  node.book.own = before._tag === "Looking" ? before.own : null
  node.book.rounds.clear()
  Checker.afterStep(world, node, before, event, outputs)
  if (facts.proposals !== null) checkProposals(world, facts.proposals, node, before, outputs)
  // The checker writes it, which the compiler does not see.
  const { violation } = world as World
  return violation === null ? null : { property: violation.property, detail: violation.detail }
}

/** The timer that runs while somebody looks. */
export const dueOf = (state: Election.State): "Notification" | "Finalize" | null =>
  state._tag !== "Looking" ? null : state.finalizing ? "Finalize" : "Notification"

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const checkProposals = (
  world: World,
  proposals: ReadonlyMap<bigint, Proposal>,
  node: Node,
  before: Election.State,
  outputs: ReadonlyArray<Output>
): void => {
  const isReal = (proposal: Proposal): boolean => {
    const own = proposals.get(proposal.leader)
    return own !== undefined && Judge.isSame(own, proposal)
  }
  for (const output of outputs) {
    if (output._tag === "Adopted" && !isReal(output.proposal)) {
      broken(world, node, "real", `adopts ${keyOf(output.proposal)}, which nobody is`)
    }
    if (output._tag !== "Elected") continue
    if (!isReal(output.vote)) broken(world, node, "real", `elects ${keyOf(output.vote)}, which nobody is`)
    if (output.reason._tag === "Quorum" && before._tag === "Looking") {
      checkSupporters(world, proposals, node, before, output.vote)
    }
  }
}

// Those who looked when they voted for it had nothing fresher themselves; who has joined a leader may have.
const checkSupporters = (
  world: World,
  proposals: ReadonlyMap<bigint, Proposal>,
  node: Node,
  { logicalClock, recvSet }: Election.Looking,
  elected: Proposal
): void => {
  for (const [sid, vote] of recvSet) {
    const own = proposals.get(sid)
    if (vote.state !== "LOOKING" || vote.electionEpoch !== logicalClock || !Judge.isSame(vote, elected)) continue
    if (own !== undefined && Judge.hasWeight(world, sid) && Judge.isBetter(own, elected)) {
      broken(world, node, "fresh", `elects ${keyOf(elected)}, and ${keyOf(own)} voted for it`)
    }
  }
}
