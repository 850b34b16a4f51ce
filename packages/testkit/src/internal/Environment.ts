/**
 * What follows an election, as far as elections notice it. A leader that a quorum follows gets an epoch, and its
 * history grows; who leads without followers, or follows without a leader, looks again after a while.
 *
 * As the actions LeaderAdvanceEpoch, FollowerUpdateEpoch, LeaderAdvanceZxid, FollowerUpdateZxid and ZabTimeout of
 * FastLeaderElection.tla do. It knows what no node knows, and it makes room for the reducers of leader and learner.
 */
import type * as Election from "@conclave/core/Election"
import type { Sid } from "@conclave/core/Sid"
import type { Vote } from "@conclave/core/Vote"
import * as Judge from "./Judge.ts"
import * as Line from "./Line.ts"
import * as Node from "./Node.ts"
import * as Watch from "./Watch.ts"
import { after, isCut, type Node as Peer, type Reign, schedule, ticks, type World } from "./World.ts"

/** Looks who leads now: a node that says so, and whom a quorum follows. */
export const assess = (world: World): void => {
  const { reign } = world
  if (reign !== null && isReigning(world, reign)) return
  if (reign !== null) {
    world.reign = null
    world.leaderlessSince = world.now
  }
  const leader = world.nodes.find((node) => isLeading(node) && isFollowed(world, node))
  if (leader !== undefined) begin(world, leader)
}

/** A search has ended: a leader may have come of it, or somebody joined one. */
export const onElected = (world: World, node: Peer): void => {
  const { reign } = world
  assess(world)
  const vote = node.election.currentVote
  const leader = world.bySid.get(vote.leader)?.incarnation
  if (world.scenario.activation) tick(world, node, { vote, leader, servedAt: world.now })
  if (reign === null || reign !== world.reign || reign.epoch === null || !follows(node, reign.node)) return
  const { epoch } = reign
  schedule(world, SYNC_TIME, node, () => {
    if (world.reign === reign && follows(node, reign.node)) establish(world, node, reign.node, epoch)
  })
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// How often a node looks whether it is served, while there are faults and afterwards, and how long it waits if it is
// not. In milliseconds.
const TICK = 1_000
const CALM_TICK = 2_000
const PATIENCE = 3_000

// Until the election's result is another: is it served? A leader that has started anew serves nobody of before.
const tick = (world: World, node: Peer, session: Session): void =>
  after(world, node, world.faulty ? TICK : CALM_TICK, () => {
    const { election } = node
    if (election._tag !== "Settled" || election.currentVote.electionEpoch !== session.vote.electionEpoch) return
    const isSame = world.bySid.get(election.currentVote.leader)?.incarnation === session.leader
    if (isSame && isServed(world, node, election)) return tick(world, node, { ...session, servedAt: world.now })
    if (isSame && world.now - session.servedAt < ticks(node, PATIENCE)) return tick(world, node, session)
    Node.abandon(world, node, election.state === "LEADING" ? "LinksLost" : "LinkToLeaderClosed")
  })

interface Session {
  readonly vote: Vote
  /** Which process of the leader it is. */
  readonly leader: number | undefined
  readonly servedAt: number
}

const isServed = (world: World, node: Peer, { currentVote, state }: Election.Settled): boolean => {
  if (state === "LEADING") return isFollowed(world, node, (follower) => hears(world, node, follower))
  const leader = world.bySid.get(currentVote.leader)
  return leader !== undefined && isLeading(leader) && hears(world, node, leader)
}

const hears = (world: World, node: Peer, other: Peer): boolean =>
  node === other || !(other.paused || isCut(world, node, other) || isCut(world, other, node))

/** How long it takes to agree on an epoch, and to write something; how often something is written. In milliseconds. */
const SYNC_TIME = 40
const WRITE_TIME = 15
const COMMIT_PERIOD = 700

const isLeading = ({ election, up }: Peer): boolean => up && election._tag === "Settled" && election.state === "LEADING"

const isReigning = (world: World, { node, vote }: Reign): boolean =>
  isLeading(node) && node.election.currentVote.electionEpoch === vote.electionEpoch && isFollowed(world, node)

const follows = ({ election, up }: Peer, leader: Peer): boolean =>
  up && election._tag === "Settled" && election.currentVote.leader === leader.sid

const isFollowed = (world: World, leader: Peer, counts: (node: Peer) => boolean = () => true): boolean => {
  const isFollower = (sid: Sid) => {
    const node = world.bySid.get(sid)
    return node !== undefined && follows(node, leader) && counts(node)
  }
  return Judge.isQuorum(world, leader, isFollower) ||
    (world.scenario.quorum === "Oracle" && Node.oracle(world, leader))
}

const begin = (world: World, node: Peer): void => {
  const reign: Reign = { node, vote: node.election.currentVote, epoch: null }
  world.reign = reign
  world.stats.elections++
  world.stats.leaderless.push(world.now - world.leaderlessSince)
  if (world.log !== null) world.log(Line.fact(world, `a quorum follows server ${node.sid}`), true)
  if (!world.scenario.activation) return
  schedule(world, SYNC_TIME, node, () => {
    if (world.reign === reign) activate(world, reign)
  })
}

const activate = (world: World, reign: Reign): void => {
  const members = world.nodes.filter((node) => follows(node, reign.node))
  let epoch = 0n
  for (const { disk } of members) {
    if (disk.written.currentEpoch > epoch) epoch = disk.written.currentEpoch
  }
  reign.epoch = epoch + 1n
  for (const node of members) establish(world, node, reign.node, reign.epoch)
  commitLater(world, reign)
}

const establish = (world: World, node: Peer, leader: Peer, epoch: bigint): void => {
  Watch.stop(node)
  write(world, node, { currentEpoch: epoch, lastLoggedZxid: node.disk.written.lastLoggedZxid })
  Node.decide(world, node, { _tag: "EpochEstablished", peerEpoch: epoch })
  const { text: config } = leader.membership.committed
  if (leader !== node) Node.decide(world, node, { _tag: "ConfigActivated", from: leader.sid, config })
}

const commitLater = (world: World, reign: Reign): void =>
  schedule(world, COMMIT_PERIOD, reign.node, () => {
    if (world.reign !== reign || !world.faulty || reign.epoch === null) return
    const { currentEpoch, lastLoggedZxid } = reign.node.disk.written
    const zxid = lastLoggedZxid >> 32n === reign.epoch ? lastLoggedZxid + 1n : (reign.epoch << 32n) + 1n
    for (const node of world.nodes) {
      if (follows(node, reign.node)) write(world, node, { currentEpoch, lastLoggedZxid: zxid })
    }
    commitLater(world, reign)
  })

const write = (world: World, node: Peer, written: Peer["disk"]["written"]): void => {
  node.disk.written = written
  schedule(world, WRITE_TIME, node, () => {
    if (node.disk.written === written) node.disk.synced = written
  })
}
