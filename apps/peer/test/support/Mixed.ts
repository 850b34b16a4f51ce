/**
 * Ensembles in which real ZooKeeper servers and peers of ours elect together.
 */
import * as PeerProcess from "./PeerProcess.ts"
import * as Transcript from "./Transcript.ts"
import * as ZooCfg from "./ZooCfg.ts"
import * as ZooKeeperServer from "./ZooKeeperServer.ts"

// Real servers take a while to synchronise, and to give up a leader without followers (initLimit).
const SERVING_TIMEOUT_MS = 45_000

/** The latest line of a real server's election, after which it acts as what it was elected. */
export const LEADING = / - LEADING - LEADER ELECTION TOOK - /

/** The same for a server that follows. */
export const FOLLOWING = / - FOLLOWING - LEADER ELECTION TOOK - /

/** Starts real servers, all at once. */
export const startReal = (
  cfgs: ZooCfg.ZooCfgs,
  ...sids: ReadonlyArray<bigint>
): Promise<ReadonlyArray<ZooKeeperServer.ZooKeeperServer>> =>
  Promise.all(sids.map((sid) => ZooKeeperServer.start(cfgs(sid))))

/** Starts peers of ours, all at once. */
export const startOurs = (
  cfgs: ZooCfg.ZooCfgs,
  ...sids: ReadonlyArray<bigint>
): Promise<ReadonlyArray<PeerProcess.PeerProcess>> => Promise.all(sids.map((sid) => PeerProcess.start(cfgs(sid))))

/** Waits until all of these real voters serve clients at the same time, one of them leading, and returns that one. */
export const serving = (
  servers: ReadonlyArray<ZooKeeperServer.ZooKeeperServer>
): Promise<ZooKeeperServer.ZooKeeperServer> =>
  Transcript.poll("one leads and the others follow", [], SERVING_TIMEOUT_MS, async () => {
    const modes = await Promise.all(servers.map((server) => server.mode()))
    const followers = modes.filter((mode) => mode === "follower").length
    return followers === servers.length - 1 ? servers[modes.indexOf("leader")] : undefined
  })

/** Waits until this decision stands at a peer of ours, and makes sure that it says so when asked. */
export const holds = async (
  peer: PeerProcess.PeerProcess,
  state: "FOLLOWING" | "OBSERVING",
  leader: bigint
): Promise<void> => {
  const transcripts = [peer.child.stdout, peer.child.stderr]
  await Transcript.until(`peer ${peer.sid} is ${state} ${leader}`, transcripts, SERVING_TIMEOUT_MS, () => {
    const decision = PeerProcess.standing(peer)
    return decision?.state === state && decision.leader === leader ? decision : undefined
  })
  const status = await peer.status()
  if (status.state !== state || status.leader !== leader) {
    throw new Error(`Peer ${peer.sid} decided for ${state} ${leader} but is ${status.state} ${status.leader}`)
  }
}
