/**
 * From the end of an election to the beginning of the next: the role that the election gave, how it is left, and what
 * that means for the next election. As the shell's `Incumbency`, with its `Setbacks`, `Abstention` and `Pledges`.
 */
import type { Settled } from "@conclave/core/Election"
import type { Sid } from "@conclave/core/Sid"
import * as Application from "./Application.ts"
import * as Following from "./Following.ts"
import * as Judge from "./Judge.ts"
import * as Leading from "./Leading.ts"
import * as LeadershipLine from "./LeadershipLine.ts"
import * as LeaseChecks from "./LeaseChecks.ts"
import * as Peer from "./Node.ts"
import * as Tenure from "./Tenure.ts"
import * as Watch from "./Watch.ts"
import { after, clockOf, type Node, nodeOf, schedule, ticks, type World } from "./World.ts"

/**
 * How long who has stepped aside, or could not lead, proposes nobody; by chance up to half as long again. Shell:
 * QuorumConfig, abstainFor; Abstention.
 */
const ABSTAIN_FOR = 5_000

/** What a process that starts knows: it may have pledged itself before. Shell: QuorumPeer, makeRoles. */
export const start = (world: World, node: Node): void => {
  const { reducers: { Lease, Reconfiguration }, scenario: { lease } } = world
  const mayBePledged = lease !== null && node.disk.synced.acceptedEpoch > 0n
  const now = clockOf(world, node)
  const pledge = mayBePledged ? Lease.pledge(null, now, lease.duration, lease.clockDrift) : null
  node.tenure = Tenure.make(pledge, Reconfiguration.untold)
  node.ensemble = node.self
  if (mayBePledged) node.book.promises.pledge = LeaseChecks.pledge(world, node, null)
}

/** The process is gone. */
export const crash = (world: World, node: Node): void => {
  endReign(world, node)
  node.tenure.role = null
}

/** Takes up the role that an election has given. */
export const begin = (world: World, node: Node, settled: Settled): void => {
  if (!world.scenario.activation) return assess(world, settled)
  const { tenure } = node
  tenure.began = clockOf(world, node)
  tenure.established = null
  tenure.config = null
  if (settled.state === "LEADING") Leading.begin(world, node, settled)
  else Following.begin(world, node, settled)
}

/** Gives the role up. `true` if that is done; otherwise the search begins when it is. */
export const giveUp = (world: World, node: Node): boolean => {
  const { tenure } = node
  if (tenure.givingUp) return false
  const pause = pauseOf(world, node)
  const endsAtOnce = tenure.role === null || (tenure.role._tag === "Following" && !tenure.role.busy)
  if (endsAtOnce && pause === 0) {
    end(world, node, () => leave(world, node))
    return true
  }
  tenure.givingUp = true
  end(world, node, () => {
    leave(world, node)
    schedule(world, pause === 0 ? 0 : ticks(node, pause), node, () => {
      tenure.givingUp = false
      Peer.look(world, node)
    })
  })
  return false
}

/** Ends the role, in good order; then goes on with a newer configuration as one that has just started. */
export const restart = (world: World, node: Node, goOn: () => void): void =>
  end(world, node, () => {
    leave(world, node)
    const { pledge } = node.tenure
    node.tenure = Tenure.make(pledge, world.reducers.Reconfiguration.untold)
    node.ensemble = node.self
    goOn()
  })

/** The application asks to leave office, in favour of this server if it can. */
export const resign = (world: World, node: Node, to: Sid | null): void => {
  const { established, role } = node.tenure
  if (established === null || role?._tag !== "Leading") return
  if (to !== null && world.reducers.Leader.successor(role.options, role.state, to) === null) return
  node.tenure.resigning = true
  Leading.resign(world, node, role, to)
}

/** A quorum has activated us. */
export const onActivated = (world: World, node: Node, role: Tenure.Leading, epoch: bigint): void => {
  beginReign(world, node)
  schedule(world, 0, node, () => {
    if (node.tenure.role !== role) return
    establish(world, node, epoch, node.sid, role.options.membership.lastSeen.text)
    Application.begin(world, node, role, epoch)
  })
}

/** We are in sync with a leader that a quorum has activated. */
export const onFollowing = (world: World, node: Node, role: Tenure.Following, epoch: bigint): void => {
  if (node.tenure.role === role) establish(world, node, epoch, role.options.leader, node.tenure.config)
}

/** The role is over. */
export const onEnded = (world: World, node: Node, role: Tenure.Role, { reason, successor }: Tenure.Ended): void => {
  const { tenure } = node
  if (tenure.role !== role) return
  const { ending } = tenure
  if (ending !== null) return ending()
  if (world.log !== null) world.log(LeadershipLine.ended(world, node, role, reason), true)
  if (tenure.established === null) {
    tenure.setbacks++
    // Elected again it would fail again, and no other would have its turn.
    if (role._tag === "Leading") abstain(world, node)
  }
  leave(world, node)
  if (successor === null) return Peer.lookAgain(world, node)
  Peer.decide(world, node, { _tag: "Designated", leader: successor })
  const { election } = node
  if (election._tag !== "Settled" || election.currentVote.leader !== successor) Peer.lookAgain(world, node)
}

/** The host of this server has refused a connection: unless that is old news its process is gone, with its pledges. */
export const onRefused = (world: World, node: Node, sid: Sid): void => {
  const { connections: { links }, tenure } = node
  if (links.has(sid) || tenure.established?.leader === sid || tenure.pledge?.leader !== sid) return
  tenure.pledge = null
  node.book.promises.pledge = null
  const { role } = tenure
  if (role?._tag === "Leading") Leading.onReleased(world, node, role)
  if (role?._tag === "Following") Following.onReleased(world, node, role)
}

/** Keeps the configuration in force, once, when the leader leads by it. Shell: MembershipKeeper. */
export const keepMembership = (world: World, node: Node): void => {
  const { election, tenure } = node
  if (election._tag !== "Settled") return
  const { version } = election.membership.committed
  if (version === tenure.stored || !world.reducers.Reconfiguration.isConfirmed(tenure.told, election)) return
  tenure.stored = version
  node.membership = election.membership
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// A leader has something to end and to say; a learner just goes, once nothing is being written.
const end = (world: World, node: Node, goOn: () => void): void => {
  const { tenure } = node
  const { role } = tenure
  if (role?._tag === "Leading") {
    tenure.ending = () => {
      tenure.ending = null
      goOn()
    }
    return Leading.resign(world, node, role, null)
  }
  if (role === null) goOn()
  else Following.end(world, node, role, goOn)
}

const leave = (world: World, node: Node): void => {
  const { tenure } = node
  endReign(world, node)
  tenure.role = null
  tenure.established = null
  if (tenure.resigning) abstain(world, node)
  tenure.resigning = false
}

const endReign = (world: World, node: Node): void => {
  if (world.reign !== node) return
  world.reign = null
  world.leaderlessSince = world.now
}

// The configuration that a quorum came in sync with is in force from now on. Shell: onEstablished.
const establish = (world: World, node: Node, epoch: bigint, leader: Sid, config: string | null): void => {
  const { tenure } = node
  tenure.established = { epoch, leader }
  tenure.setbacks = 0
  Watch.stop(node)
  Peer.decide(world, node, { _tag: "EpochEstablished", peerEpoch: epoch })
  if (config === null) return
  // Where the set of voters stays as it is nothing has to be kept.
  if (!world.static) {
    const told = { from: leader, leader, state: "LEADING", config } as const
    tenure.told = world.reducers.Reconfiguration.hear(tenure.told, node.election.membership, told)
  }
  Peer.decide(world, node, { _tag: "ConfigActivated", from: leader, config })
  if (!world.static) keepMembership(world, node)
}

// Elections alone count when a quorum follows the leader.
const assess = (world: World, { currentVote }: Settled): void => {
  const leader = nodeOf(world, currentVote.leader)
  if (world.reign !== null || leader === undefined || !follows(leader, leader)) return
  const isFollower = (sid: Sid) => {
    const node = nodeOf(world, sid)
    return node !== undefined && follows(node, leader)
  }
  if (Judge.isQuorum(world, leader, isFollower)) beginReign(world, leader)
}

const follows = ({ election, up }: Node, leader: Node): boolean =>
  up && election._tag === "Settled" && election.currentVote.leader === leader.sid

const beginReign = (world: World, node: Node): void => {
  const { stats } = world
  stats.elections++
  stats.leaderless.push(world.reign === null ? world.now - world.leaderlessSince : 0)
  world.reign = node
}

const abstain = (world: World, node: Node): void => {
  const { tenure } = node
  const abstention = ++tenure.abstentions
  node.ensemble = { ...node.self, electable: false }
  after(world, node, ABSTAIN_FOR + world.random.below(ABSTAIN_FOR / 2 + 1), () => {
    if (node.tenure !== tenure || tenure.abstentions !== abstention) return
    node.ensemble = node.self
    // Now that it may be proposed, it proposes itself.
    if (node.election._tag === "Looking") Peer.look(world, node)
  })
}

/** The pauses after setbacks. Shell: Dialing.redialDelay. */
const PAUSE_MIN = 50
const PAUSE_MAX = 2_000

// In milliseconds of the node's clock: none after one, then as long as for a peer that cannot be connected with.
const pauseOf = (world: World, node: Node): number => {
  const { began, setbacks } = node.tenure
  if (setbacks < 2) return 0
  const pause = Math.min(PAUSE_MIN * 2 ** (setbacks - 2), PAUSE_MAX)
  const delay = pause / 2 + world.random.below(pause / 2 + 1)
  return Math.max(0, Math.round(delay - (clockOf(world, node) - began)))
}
