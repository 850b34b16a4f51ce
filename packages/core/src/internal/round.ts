/**
 * A round of a search: entered with our own proposal, told to all, and left for the next one.
 *
 * Java: `logicalclock` in `FastLeaderElection.lookForLeader`, and `sendNotifications`.
 */
import type { Looking } from "../Election.ts"
import type { SendCause } from "../ElectionOutput.ts"
import type { Sid } from "../Sid.ts"
import * as Abstention from "./abstention.ts"
import type { Search } from "./lookForLeader.ts"
import * as SidMap from "./sidMap.ts"
import * as SidSet from "./sidSet.ts"

/** Enters a round that `from` is in; `from` votes for nobody if it is a new one. Nobody is told yet. */
export const enter = (search: Search, state: Looking, logicalClock: bigint, from: Sid): Looking => {
  search.outputs.push({ _tag: "RoundStarted", logicalClock, initial: state.initial, from })
  return { ...state, logicalClock, recvSet: SidMap.empty, proposal: state.initial, runnerUp: null }
}

/**
 * Begins a new round and tells all. In this one others may still bring the proposal that cannot win, of `from`, which
 * votes for nobody; a new one voids it for all. After the last one, as a round is a Java long, that begins anew.
 */
export const leave = (search: Search, state: Looking, from: Sid): Looking => {
  const { logicalClock } = state
  const next = enter(search, state, logicalClock === LAST_ROUND ? logicalClock : logicalClock + 1n, from)
  broadcast(search, next, "NewRound")
  return { ...next, supporters: null, finalizing: false }
}

/** Tells every voter what we propose, as somebody who looks. Java: sendNotifications. */
export const broadcast = (
  { ensemble, outputs }: Search,
  state: Looking,
  cause: SendCause,
  except: ReadonlySet<Sid> = SidSet.empty
): void => {
  const { leader, peerEpoch, zxid } = state.proposal
  // Who abstains asks: only a vote of an earlier round than its own is answered by whoever looks.
  const electionEpoch = Abstention.isAbstention(ensemble, state.proposal) ? 0n : state.logicalClock
  const config = state.membership.committed.text
  for (const to of state.membership.voters) {
    if (except.has(to)) continue
    const toSend = { to, state: "LOOKING", leader, zxid, electionEpoch, peerEpoch, config } as const
    outputs.push({ _tag: "Send", toSend, cause })
  }
}


const LAST_ROUND = 2n ** 63n - 1n
