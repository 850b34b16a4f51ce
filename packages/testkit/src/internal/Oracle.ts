/**
 * The file that speaks for one of two voters.
 */
import type { Node, World } from "./World.ts"

/** Does the file of the oracle speak for this node? It speaks for the larger id, where there is one. */
export const ask = ({ scenario }: World, { member, sid }: Node): boolean =>
  scenario.quorum === "Oracle" && member.role === "Voter" &&
  scenario.members.every((other) => other.role !== "Voter" || other.sid <= Number(sid))
