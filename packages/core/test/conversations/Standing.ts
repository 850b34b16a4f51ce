/** How servers stand, a line each. */
import * as Explain from "../../src/Explain.ts"
import * as QuorumVerifier from "../../src/QuorumVerifier.ts"
import * as Zxid from "../../src/Zxid.ts"
import type * as World from "./World.ts"

/** What a server is, in its election and in its role, and what it has promised. */
export const describe = ({ now }: World.World, { election, history, pledge, role, sid, up }: World.Peer): string => {
  if (!up) return `${sid} is down`
  const { leader, peerEpoch } = election.currentVote
  const where = election._tag === "Settled"
    ? `${sid} is ${election.state}, leader ${leader} of epoch ${peerEpoch}, round ${election.logicalClock}`
    : `${sid} is LOOKING, round ${election.logicalClock}`
  const stage = role === null ? "" : `, ${role._tag === "Leader" ? role.state.zabState : role.state.stage}`
  const epoch = history.acceptedEpoch === 0n ? "" : `, accepted epoch ${history.acceptedEpoch}`
  const isPledged = pledge !== null && pledge.until > now
  return `${where}${stage}${epoch}${isPledged ? `, supports nobody else until ${Explain.millis(pledge.until)}` : ""}`
}

/** The members as all of them have them, and histories that are not empty. */
export const ensemble = ({ peers }: World.World): ReadonlyArray<string> => {
  const all = Array.from(peers.values())
  const histories = all.filter(({ history }) => history.lastLoggedZxid + history.currentEpoch > 0n)
  return [
    ...all.slice(0, 1).map(({ membership }) => QuorumVerifier.describe(membership.committed)),
    ...histories.map(({ history: { currentEpoch, lastLoggedZxid }, sid }) =>
      `${sid} has epoch ${currentEpoch}, zxid ${Zxid.format(lastLoggedZxid)}`)
  ]
}
