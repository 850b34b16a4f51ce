/**
 * What must come about once the faults are over, and then stay.
 */
import * as Explain from "@conclave/core/Explain"
import * as World from "./World.ts"

/** What can be broken, by name. */
export const properties = {
  live: "once the faults are over all members soon follow one leader, which a quorum has activated, and keep it",
  links: "after quiet there is one connection between leader and follower, and no dial is remembered that is over",
  silence: "who has a leader and nothing to ask is silent, but for pings"
} as const

/** How often is looked whether all agree, in milliseconds. */
const GRAIN = 100

/** Within this time connections are at rest: a dial takes five seconds at most, by a slow clock, and then pauses. */
const DIALS = 15_000

/** Messages that may be exchanged while nothing happens: an observer asks its leader now and then. */
const MESSAGES_MAX = 4

/** Waits until all agree for so long at least, and gives the time until they did, in milliseconds. */
export const reach = (world: World.World, bound: number, calm: number): number | null => {
  const start = world.now
  while (world.violation === null) {
    const leader = leaderOf(world)
    const since = world.now
    while (leader !== null && leaderOf(world) === leader && world.violation === null) {
      if (world.now - since >= calm) return since - start
      World.run(world, world.now + GRAIN)
    }
    if (world.now - start >= bound) World.fail(world, "live", `after ${bound} ms: ${describe(world)}`)
    World.run(world, world.now + GRAIN)
  }
  return null
}

/** Waits for connections to come to rest, and looks whether anybody says anything without need. */
export const rest = (world: World.World, millis: number): void => {
  const end = world.now + DIALS
  let problem = problemOfLinks(world)
  while (problem !== null && world.now < end && world.violation === null) {
    World.run(world, world.now + GRAIN)
    problem = problemOfLinks(world)
  }
  if (problem !== null) return World.fail(world, "links", problem)
  // Who is no member, or is shut out, never finds a leader, and never stops to ask.
  if (!world.nodes.every((node) => isMember(node) && !isShutOut(world, node))) return
  // Two that somebody has made speak to each other answer each other's answers, in the original, without end.
  if (world.nodes.filter(answersAnybody).length > 1) return
  const { messages, talk } = world.stats
  World.run(world, world.now + millis)
  const said = world.stats.messages - messages + world.stats.talk - talk
  if (said > MESSAGES_MAX * world.nodes.length) {
    World.fail(world, "silence", `${said} messages in ${millis} ms in which nothing happened`)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const isMember = ({ member }: World.Node): boolean => member.role !== "Stranger"

const answersAnybody = ({ ensemble: { rules }, member }: World.Node): boolean =>
  member.role === "Observer" && !rules.answerQuestionsOnly

// Who has accepted an epoch that came to nothing follows no leader of a lower one, and nobody deposes one that a quorum
// follows: not here, and not in the original.
const isShutOut = ({ reign }: World.World, node: World.Node): boolean => {
  const established = reign === node ? null : reign?.tenure.established ?? null
  return established !== null && node.disk.synced.acceptedEpoch > established.epoch
}

const leaderOf = (world: World.World): bigint | null => {
  const { nodes, scenario } = world
  let leader: bigint | null = null
  for (const node of nodes) {
    if (!isMember(node) || isShutOut(world, node)) continue
    const { election, tenure: { established } } = node
    if (election._tag !== "Settled") return null
    if (leader !== null && election.currentVote.leader !== leader) return null
    leader = election.currentVote.leader
    if (scenario.activation && established?.leader !== leader) return null
  }
  const node = leader === null ? undefined : World.nodeOf(world, leader)
  return node?.election._tag === "Settled" && node.election.state === "LEADING" ? leader : null
}

const describe = ({ nodes }: World.World): string =>
  nodes.map(({ election, sid, tenure: { established } }) =>
    `${sid} ${election._tag === "Settled" ? `${election.state} of ${election.currentVote.leader}` : election._tag} ` +
    `(round ${election.logicalClock}${established === null ? "" : `, epoch ${established.epoch}`})`).join(", ")

const problemOfLinks = (world: World.World): string | null => {
  const members = world.nodes.filter((node) => isMember(node) && !isShutOut(world, node))
  for (const node of members) {
    const { connections: { callers, dialing, links }, ends, sid } = node
    const over = new Set([...dialing, ...callers.keys()]).size
    if (over > 0) return `server ${sid} remembers dials to ${Explain.sids(dialing)}`
    for (const other of members) {
      const open = Array.from(ends.values()).filter((end) => end.port === "Election" && end.other.node === other)
      if (open.length > 1) return `server ${sid} has ${open.length} connections with ${other.sid}`
    }
    const served = Array.from(ends.values()).filter(({ other, port }) =>
      port === "Quorum" && other.node !== null && members.includes(other.node)).length
    const due = !world.scenario.activation ? 0 : node.tenure.role?._tag === "Leading" ? members.length - 1 : 1
    if (served !== due) return `server ${sid} has ${served} connections at the quorum port`
    // Others may have one that is of no use: a silent end is not noticed by who does not write.
    const { leader } = node.election.currentVote
    if (leader === sid || !node.election.membership.voters.has(sid)) continue
    const link = links.get(leader)
    const far = link === undefined ? undefined : ends.get(link)?.other
    if (far === undefined || !far.open || World.nodeOf(world, leader)?.connections.links.get(sid) !== far.id) {
      return `server ${sid} is not connected with its leader ${leader} as that is with it`
    }
  }
  return null
}
