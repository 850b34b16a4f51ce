/**
 * What of a peer decides anything, as text: two peers with the same text behave the same for ever.
 *
 * Left out, because no rule reads it again: `runnerUp`, which only explains; the supporters, which are counted anew
 * from the votes whenever one is recorded, and of a settled peer say no more than who of those that look again has
 * elected it; `heard`, `absent` and the interval, which say when a timer fires next, and here it may fire at any time.
 * The proposal of who is settled is read when it is idle, and `currentVote` while somebody looks only to answer who has
 * no vote. The configuration never changes here. A test takes each step from states that differ in nothing else, and
 * compares.
 */
import type * as Election from "@conclave/core/Election"
import type { Sid } from "@conclave/core/Sid"
import type { Proposal, Vote } from "@conclave/core/Vote"

/** What a peer has on its disk. */
export interface History {
  readonly lastLoggedZxid: bigint
  readonly currentEpoch: bigint
}

/** A peer at a moment. */
export interface Peer {
  /** Its place among all. */
  readonly index: number
  readonly up: boolean
  /** Of who is down: the state in which it starts, but for the history. */
  readonly election: Election.State
  readonly history: History
}

/** What is read of a peer here. */
export interface Readers {
  /** Is there anybody without a vote, who is answered? */
  readonly answers: boolean
  /** May a peer be idle for a while, and be heard? */
  readonly idles: boolean
}

/** The text of a peer. */
export const of = ({ election, history, index, up }: Peer, readers: Readers): string => {
  const base = `${index} ${history.lastLoggedZxid}/${history.currentEpoch}`
  return up ? `${base} ${stateKey(election, readers)}` : `${base} down ${election.logicalClock}`
}

/** The text of everything that a peer knows, for comparison. */
export const whole = ({ election, history, index, up }: Peer): string => {
  const { membership: _, ...state } = election
  const plain = (value: unknown): unknown =>
    value instanceof Map
      ? Array.from(value, ([key, one]) => [String(key), plain(one)]).sort()
      : value instanceof Set
      ? Array.from(value, String).sort()
      : typeof value === "bigint"
      ? String(value)
      : value
  return JSON.stringify([index, up, history, state], (_, value: unknown) => plain(value))
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const stateKey = (state: Election.State, { answers, idles }: Readers): string => {
  const { currentVote, logicalClock } = state
  const proposal = idles ? ` ${proposalKey(state.proposal)}` : ""
  const known = answers ? ` ${voteKey(currentVote)}` : ""
  switch (state._tag) {
    case "Idle": {
      const queue = state.recvQueue.map((notification) => `${notification.from}:${messageKey(notification)}`)
      return `I${state.restarting} ${logicalClock}${proposal} ${queue.join(" ")}${known}`
    }
    case "Looking": {
      const sets = `${votesKey(state.recvSet)}|${votesKey(state.outOfElection)}`
      const wait = `${state.finalizing ? "F" : "N"}${state.trusted ? "" : "?"}`
      const proposals = [state.proposal, state.initial, ...(state.own === state.initial ? [] : [state.own])]
      const refuted = state.abstaining.size === 0 ? "" : ` -${Array.from(state.abstaining, String).sort().join(",")}`
      return `L${wait} ${logicalClock} ${proposals.map(proposalKey).join(" ")} ${sets}${refuted}${known}`
    }
    case "Settled":
      return `${state.state} ${logicalClock} ${voteKey(currentVote)}${proposal}`
  }
}

/** A proposal as text. */
export const proposalKey = ({ leader, peerEpoch, zxid }: Proposal): string => `${leader}/${peerEpoch}/${zxid}`

/** What a message says, as text. */
export const messageKey = (
  message: Proposal & { readonly state: string; readonly electionEpoch: bigint }
): string => `${message.state} ${message.electionEpoch} ${proposalKey(message)}`

const voteKey = (vote: Vote): string => `${messageKey(vote)} v${vote.version}`

// In whatever order they came.
const votesKey = (votes: ReadonlyMap<Sid, Vote>): string =>
  Array.from(votes, ([sid, vote]) => `${sid}:${voteKey(vote)}`).sort().join(";")
