/**
 * What goes wrong in a simulation: crashes with a restart, processes that are
 * stopped for a while, links that fall silent or break, wall clocks that jump.
 */
import * as Lease from "../../src/Lease.ts"
import { leads, learns, look } from "./Roles.ts"
import { type Link, type Peer, type World, bothClocks, clock, down, happens, newClock, up } from "./World.ts"

/** One thing goes wrong now, and the next after a while. */
export const happen = (world: World): void => {
  const { agenda, peers, random, silentUntil } = world
  const peer = random.pick(peers)
  const other = random.pick(peers)
  const end = agenda.now() + 10 + random.below(120)
  const kind = random.below(11)
  if (kind < 2) crash(world, peer)
  else if (kind < 4) peer.stoppedUntil = end
  else if (kind < 6) silentUntil.set(`${peer.sid}>${other.sid}`, end)
  else if (kind < 8) cutOff(world, peer, end)
  else if (kind === 10) peer.ahead += random.below(100)
  else if (peer.role?._tag === "Following") breakLink(world, peer.role.link)
  agenda.at(agenda.now() + 5 + random.below(60), () => happen(world))
}

/** Both ends notice, each in its own time. */
const breakLink = (world: World, link: Link): void => {
  down(world, link, (role) => learns(world, link.learner, role, { _tag: "Disconnected" }))
  up(world, link, (role) => leads(world, link.leader, role, { _tag: "Disconnected", learner: link.id }))
}

/** Nothing comes through in either direction; those that follow it may know at once. */
const cutOff = (world: World, peer: Peer, end: number): void => {
  for (const { sid } of world.peers) {
    world.silentUntil.set(`${peer.sid}>${sid}`, end)
    world.silentUntil.set(`${sid}>${peer.sid}`, end)
  }
  if (peer.role?._tag !== "Leading" || world.random.percent(30)) return
  for (const link of peer.role.links.values()) {
    const { learner } = link
    happens(world, learner, world.agenda.now() + world.random.below(4), () => {
      const { role } = learner
      if (role?._tag === "Following" && role.link === link) learns(world, learner, role, { _tag: "Disconnected" })
    })
  }
}

/** All is lost that was not durable, the pledge too; the clock begins anew. */
const crash = (world: World, peer: Peer): void => {
  if (!peer.isUp) return
  const { agenda, drift, lease, ledger, mutation, peers, random } = world
  const { life, role } = peer
  ledger.ended(peer.sid, agenda.now())
  const clockAfterwards = newClock(random, drift)
  Object.assign(peer, { isUp: false, life: life + 1, role: null, pledge: null, stoppedUntil: 0, ...clockAfterwards })
  if (role?._tag === "Following") breakLink(world, role.link)
  if (role?._tag === "Leading") for (const link of role.links.values()) breakLink(world, link)
  for (const other of peers) {
    if (random.percent(50)) {
      happens(world, other, agenda.now() + random.below(30), () => release(world, other, peer.sid, life))
    }
  }
  agenda.at(agenda.now() + random.below(40), () => {
    peer.isUp = true
    if (lease !== null && mutation !== "NoPledgeAtStart") {
      peer.pledge = Lease.pledge(null, clock(world, peer), lease.duration, lease.clockDrift)
    }
    look(world, peer, agenda.now())
  })
}

/** A dial was refused: the process that has the pledge is gone. */
const release = (world: World, peer: Peer, leader: bigint, life: number): void => {
  if (peer.pledge?.leader !== leader || peer.pledgedLife !== life) return
  peer.pledge = null
  const { role } = peer
  if (role?._tag === "Leading") leads(world, peer, role, { _tag: "PledgeReleased", ...bothClocks(world, peer) })
  if (role?._tag === "Following") learns(world, peer, role, { _tag: "PledgeReleased", at: clock(world, peer) })
}
