/**
 * What must hold after every step, by name, and how it is said that it does not.
 *
 * The numbers are those of "What holds" in the README of the core.
 */
import type { Proposal } from "@conclave/core/Vote"
import * as Judge from "./Judge.ts"
import { fail, type Node, type World } from "./World.ts"

/** What can be broken, by name. */
export const properties = {
  timer: "5. while a search runs exactly one timer runs, the one its state asks for",
  order: "2. proposals are totally ordered by epoch, zxid and id; only a better one with weight is adopted",
  voters: "4. only voters count, as senders and as leaders",
  quorum: "4. who says that a quorum agrees has one, counted once more",
  own: "a finalised round never elects a proposal below one's own",
  fresh: "who is elected is at least as fresh as everybody who voted for it was",
  real: "who is elected has proposed itself with this history, or a leader that resigned has named it",
  heard: "6. nobody joins a leader that has not said itself that it leads",
  round: "6. nobody takes office on votes of another round",
  clock: "a round is left only for a later one, or for that of a leader that is joined",
  told: "what is told is what is believed: proposal, round and state",
  news: "every voter is told when the proposal or the round of who looks changes",
  heed: "a better proposal of one's round is not passed over",
  entry: "who enters a round proposes itself, or what it heard there",
  range: "7. numbers that are 64 bits wide on the wire stay so",
  office: "who leads may lead: it votes, has weight and is electable",
  link: "a connection is kept by the larger id, and is there",
  answer: "a voter that looks is answered by whoever is settled, and by whoever is in a later round",
  unique: "9. no epoch is activated twice",
  epochs: "9. epochs never go back at any server, whatever crashes: accepted, current, activated",
  promise: "9. a server accepts each epoch once in a way that counts, and none below one that it has accepted",
  higher: "9. an epoch is higher than all that its quorum had accepted before",
  durable: "9. nothing is promised, or told, that is not durable, nor would be if a leader did not wait for its disk",
  acks: "10. an epoch is decided, accepted and activated by quorums of those who have said so, counted once more",
  fresher: "a leader's history is at least as fresh as that of everybody who made it one",
  activated: "whoever follows, follows a leader that a quorum has activated in this epoch",
  served: "10. who leads on has heard a quorum lately, and who says that it lost its quorum has not",
  pledge: "13. nobody supports a leader as long as a pledge to another lasts",
  prompt: "13. who waits for the end of a pledge goes on as soon as it is over",
  granted: "12. as long as a leader may act a quorum is bound to support nobody else",
  grace: "12. the timer of a lease leaves guarded work the grace to end in",
  lapse: "12. a lease that ran out is not taken up again",
  overlap: "11. under leases two leaders never act at a time",
  token: "11. under leases who acts later has the higher epoch"
} as const

/** A property of one step. */
export type Property = keyof typeof properties

/** Notes that a property does not hold at a node. */
export const broken = (world: World, node: Node, property: Property, detail: string): void =>
  fail(world, property, `server ${node.sid}: ${detail}`)

/** A proposal in short: leader, epoch, zxid. */
export const keyOf = ({ leader, peerEpoch, zxid }: Proposal): string => `${leader}/${peerEpoch}/${zxid}`

/**
 * Is the candidate to be preferred? It is better and has weight; but who may not be proposed never prefers itself, nor
 * one with a history shorter than its own.
 */
export const isHeavier = (world: World, node: Node, candidate: Proposal, current: Proposal): boolean =>
  Judge.isBetter(candidate, current) && Judge.hasWeight(world, candidate.leader) &&
  (node.ensemble.electable || (candidate.leader !== node.sid && !isShorter(node, candidate)))

const isShorter = ({ book: { own } }: Node, { leader, peerEpoch, zxid }: Proposal): boolean =>
  own !== null && Judge.isBetter({ ...own, leader }, { leader, peerEpoch, zxid })
