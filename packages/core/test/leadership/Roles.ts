/**
 * What the peers of a simulation do: the shell around `Leader` and `Learner`, as
 * small as it can be.
 */
import * as Ensemble from "../../src/Ensemble.ts"
import * as Leader from "../../src/Leader.ts"
import * as Learner from "../../src/Learner.ts"
import type { Output as LeaderOutput } from "../../src/LeaderOutput.ts"
import type { Output as LearnerOutput } from "../../src/LearnerOutput.ts"
import { leaderStep, learnerStep } from "./Mutation.ts"
import type { Following, Leading, Link, Peer, World } from "./World.ts"
import { arrival, bothClocks, clock, down, happens, isSilent, setTimer, trueTime, up } from "./World.ts"

/** Looks for a leader at that time. */
export const look = (world: World, peer: Peer, time: number): void =>
  happens(world, peer, time, () => choose(world, peer))

// In place of an election, which promises nothing: whoever is in office, or oneself, or nobody yet.
const choose = (world: World, peer: Peer): void => {
  const { agenda, peers, random } = world
  if (peer.role !== null) return
  const leaders = peers.filter((other) =>
    other.isUp && other.role?._tag === "Leading" && !isSilent(world, peer, other) && !isSilent(world, other, peer)
  )
  const isAhead = peers.every(({ currentEpoch }) => currentEpoch <= peer.currentEpoch)
  if (leaders.length > 0 && random.percent(75)) follow(world, peer, random.pick(leaders))
  else if (random.percent(isAhead ? 60 : 10)) lead(world, peer)
  else look(world, peer, agenda.now() + 1 + random.below(8))
}

const pastOf = ({ acceptedEpoch, currentEpoch }: Peer) => ({ acceptedEpoch, currentEpoch, lastLoggedZxid: 0n })

const optionsOf = ({ lease, ticks, verifier }: World, { sid }: Peer) => ({
  mySid: sid,
  membership: Ensemble.membership({ mySid: sid, committed: verifier }),
  ticks,
  lease
})

// ---------------------------------------------------------------------------
// leaders
// ---------------------------------------------------------------------------

const lead = (world: World, peer: Peer): void => {
  const options: Leader.Options = { ...optionsOf(world, peer), acceptForeign: false }
  const pledge = world.mutation === "LeaderForgetsPledge" ? null : peer.pledge
  const state = Leader.make(options, pastOf(peer), pledge)
  const role: Leading = { _tag: "Leading", options, state, links: new Map(), timers: new Map() }
  peer.role = role
  leads(world, peer, role, { _tag: "Started" })
  halfTick(world, peer, role)
}

const halfTick = (world: World, peer: Peer, role: Leading): void =>
  happens(world, peer, world.agenda.now() + world.ticks.tickTime / 2 / peer.rate, () => {
    if (peer.role !== role) return
    leads(world, peer, role, { _tag: "HalfTick", at: bothClocks(world, peer).at })
    if (role.state.zabState === "BROADCAST" && world.random.percent(1)) {
      const asked = world.random.percent(50) ? world.random.pick(world.peers).sid : null
      leads(world, peer, role, { _tag: "Resign", successor: Leader.successor(role.options, role.state, asked) })
    }
    halfTick(world, peer, role)
  })

/** An event of a leader, and what follows from it. */
export const leads = (world: World, peer: Peer, role: Leading, event: Leader.Event): void => {
  if (peer.role !== role) return
  const [state, outputs] = leaderStep(world.mutation, role.options, role.state, event)
  role.state = state
  for (const output of outputs) performLeader(world, peer, role, output)
}

const performLeader = (world: World, peer: Peer, role: Leading, output: LeaderOutput): void => {
  const { agenda, ledger, random } = world
  switch (output._tag) {
    case "Send":
      return send(world, role.links.get(output.learner), output.packet)
    case "Close":
      return close(world, role, output.learner)
    case "SetTimer":
      return setTimer(world, peer, role.timers, output, () =>
        leads(world, peer, role, { _tag: "TimedOut", timer: output.timer, ...bothClocks(world, peer) }))
    case "CancelTimer":
      return void role.timers.delete(output.timer)
    case "StoreAcceptedEpoch":
      if (random.percent(1)) return leads(world, peer, role, { _tag: "StoreFailed" })
      return store(world, peer, () => accept(peer, output.epoch), () => {
        ledger.promised(peer.sid, output.epoch, true)
        leads(world, peer, role, { _tag: "AcceptedEpochStored" })
      })
    case "StoreCurrentEpoch":
      return store(world, peer, () => void (peer.currentEpoch = output.epoch), () =>
        leads(world, peer, role, { _tag: "CurrentEpochStored", ...bothClocks(world, peer) }))
    case "Activated":
      return ledger.activated(peer.sid, output.epoch)
    case "LeaseExtended":
      return ledger.extended(peer.sid, role.state.epoch, agenda.now(), trueTime(peer, output.until))
    case "SteppedDown":
      return leaves(world, peer, output.reason)
  }
}

const send = (world: World, link: Link | undefined, packet: Extract<LeaderOutput, { _tag: "Send" }>["packet"]): void =>
  link && down(world, link, (role) => {
    const at = clock(world, link.learner)
    learns(world, link.learner, role, { _tag: "Received", packet, at, lastLoggedZxid: 0n })
  })

const close = (world: World, role: Leading, learner: number): void => {
  const link = role.links.get(learner)
  role.links.delete(learner)
  return link && down(world, link, (role) => learns(world, link.learner, role, { _tag: "Disconnected" }))
}

// What depends on the lease takes a while to end; only then may the peer support somebody else.
const leaves = (world: World, peer: Peer, reason: string): void => {
  const now = world.agenda.now()
  const grace = world.lease?.grace ?? 0
  const end = reason === "Resigned" ? now : now + grace / peer.rate * world.random.below(101) / 100
  world.ledger.ended(peer.sid, end)
  peer.role = null
  look(world, peer, world.mutation === "LooksBeforeEnd" ? now : end)
}

// ---------------------------------------------------------------------------
// learners
// ---------------------------------------------------------------------------

const follow = (world: World, peer: Peer, leader: Peer): void => {
  const link: Link = { id: world.next(), leader, learner: peer, upTo: 0, downTo: 0 }
  const options: Learner.Options = { ...optionsOf(world, peer), leader: leader.sid }
  const state = Learner.make(pastOf(peer), peer.pledge)
  const role: Following = { _tag: "Following", options, state, link, timers: new Map() }
  peer.role = role
  // The server takes the connection before the client knows that it has.
  happens(world, leader, arrival(world, peer, leader, 0), () => {
    const target = leader.role
    if (target?._tag !== "Leading") {
      return down(world, link, (role) => learns(world, peer, role, { _tag: "NotReached" }))
    }
    target.links.set(link.id, link)
    leads(world, leader, target, { _tag: "Connected", learner: link.id })
    down(world, link, (role) => learns(world, peer, role, { _tag: "Connected" }))
  })
  // A leader that dies meanwhile answers nothing.
  const after = world.ticks.initLimit * world.ticks.tickTime
  setTimer(world, peer, role.timers, { timer: "Silence", after }, () =>
    learns(world, peer, role, { _tag: "TimedOut", timer: "Silence", at: clock(world, peer) }))
}

/** An event of a learner, and what follows from it. */
export const learns = (world: World, peer: Peer, role: Following, event: Learner.Event): void => {
  if (peer.role !== role) return
  const [state, outputs] = learnerStep(world.mutation, role.options, role.state, event)
  role.state = state
  if (world.mutation === "ReleasedByClose" && event._tag === "Disconnected") peer.pledge = null
  for (const output of outputs) performLearner(world, peer, role, output)
}

const performLearner = (world: World, peer: Peer, role: Following, output: LearnerOutput): void => {
  const { link } = role
  switch (output._tag) {
    case "Send": {
      const { packet } = output
      if (packet.type === "ACKEPOCH") world.ledger.promised(peer.sid, role.state.epoch, role.state.ackEpoch !== -1n)
      return up(world, link, (leading) => {
        const { at } = bothClocks(world, link.leader)
        leads(world, link.leader, leading, { _tag: "Received", learner: link.id, packet, at })
      })
    }
    case "SetTimer":
      return setTimer(world, peer, role.timers, output, () =>
        learns(world, peer, role, { _tag: "TimedOut", timer: output.timer, at: clock(world, peer) }))
    case "CancelTimer":
      return void role.timers.delete(output.timer)
    case "StoreAcceptedEpoch":
      return store(world, peer, () => accept(peer, output.epoch), () =>
        learns(world, peer, role, { _tag: "AcceptedEpochStored" }))
    case "StoreCurrentEpoch":
      return store(world, peer, () => void (peer.currentEpoch = output.epoch), () =>
        learns(world, peer, role, { _tag: "CurrentEpochStored", at: clock(world, peer) }))
    case "Pledged":
      peer.pledge = output.pledge
      peer.pledgedLife = link.leader.life
      return
    case "Left":
      return leftLeader(world, peer, link, output.successor)
  }
}

const leftLeader = (world: World, peer: Peer, link: Link, designated: bigint | null): void => {
  peer.role = null
  up(world, link, (leading) => leads(world, link.leader, leading, { _tag: "Disconnected", learner: link.id }))
  const successor = world.peers.find(({ sid }) => sid === designated)
  if (successor === undefined) look(world, peer, world.agenda.now() + world.random.below(10))
  else if (successor === peer) lead(world, peer)
  else follow(world, peer, successor)
}

// ---------------------------------------------------------------------------
// the disk
// ---------------------------------------------------------------------------

const store = (world: World, peer: Peer, write: () => void, done: () => void): void => {
  const { agenda, mutation, random } = world
  if (mutation === "ToldBeforeStored") {
    happens(world, peer, agenda.now() + random.below(30), write)
    return happens(world, peer, agenda.now(), done)
  }
  happens(world, peer, agenda.now() + random.below(3), () => {
    write()
    done()
  })
}

// A write that comes late takes nothing back.
const accept = (peer: Peer, epoch: bigint): void => {
  if (epoch > peer.acceptedEpoch) peer.acceptedEpoch = epoch
}
