/**
 * Links at the quorum port: in order each way; either end may be gone before the other knows.
 */
import type { Machine } from "./Machine.ts"
import type * as Roles from "./Roles.ts"
import { LINKS } from "./Setting.ts"
import * as Words from "./Words.ts"

/** A new link of a peer with a leader, before those that it had. */
export const open = (machine: Machine, words: Words.Words, peer: number, leader: number): number => {
  const first = peer * LINKS
  for (let link = first + LINKS - 1; link > first; link--) move(machine, words, link - 1, link)
  words[Words.linkAt(machine.layout, first)] = (leader + 1 | Words.LEARNER_OPEN | Words.LEADER_OPEN) >>> 0
  return first
}

/** Sends a packet, of a leader by a link, of a learner by the one it has. What nobody can receive is lost. */
export const send = (machine: Machine, words: Words.Words, peer: number, link: number, packet: number): void => {
  const isLeader = machine.roles.get(words[Words.roleAt(peer)]!)._tag !== "Following"
  const at = Words.linkAt(machine.layout, isLeader ? link : linkOf(machine, words, peer))
  const word = words[at]!
  const farEnd = isLeader ? Words.LEARNER_OPEN : Words.LEADER_OPEN
  if ((word & Words.BROKEN) !== 0 || (word & farEnd) === 0) return
  words[at] = isLeader
    ? Words.withDown(word, machine.packets.push(Words.down(word), packet))
    : Words.withUp(word, machine.packets.push(Words.up(word), packet))
}

/** Nothing comes through any more, and either end will know. */
export const sever = ({ layout }: Machine, words: Words.Words, link: number): void => {
  const at = Words.linkAt(layout, link)
  words[at] = (Words.withDown(Words.withUp(words[at]!, 0), 0) | Words.BROKEN) >>> 0
}

/** The leader is done with a link; what it sent still arrives. */
export const closeLeaderEnd = ({ layout }: Machine, words: Words.Words, link: number): void => {
  const at = Words.linkAt(layout, link)
  words[at] = Words.withUp(words[at]! & ~Words.LEADER_OPEN, 0)
}

/** The role, or with it the process, of a peer is over; what it sent still arrives. */
export const closeAll = ({ layout }: Machine, words: Words.Words, peer: number, isGone: boolean): void => {
  for (let link = 0; link < layout.links; link++) {
    const at = Words.linkAt(layout, link)
    const word = words[at]!
    if (word === 0) continue
    if (Words.leaderOf(word) === peer) {
      words[at] = (Words.withUp(word & ~Words.LEADER_OPEN, 0) | (isGone ? Words.GONE : 0)) >>> 0
    } else if (Math.floor(link / LINKS) === peer) {
      words[at] = Words.withDown(word & ~Words.LEARNER_OPEN, 0)
    }
  }
}

/** A link that neither end has any more is none, and those behind it take its place. */
export const sweep = (machine: Machine, words: Words.Words): void => {
  for (let peer = 0; peer < machine.layout.peers; peer++) sweepOf(machine, words, peer)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// The one by which it follows; it has no other with its own end open.
const linkOf = ({ layout }: Machine, words: Words.Words, peer: number): number => {
  for (let link = peer * LINKS; link < (peer + 1) * LINKS; link++) {
    if ((words[Words.linkAt(layout, link)]! & Words.LEARNER_OPEN) !== 0) return link
  }
  throw new Error("who follows has a link")
}

const sweepOf = (machine: Machine, words: Words.Words, peer: number): void => {
  const { layout } = machine
  let free = peer * LINKS
  for (let link = free; link < (peer + 1) * LINKS; link++) {
    const at = Words.linkAt(layout, link)
    if ((words[at]! & (Words.LEARNER_OPEN | Words.LEADER_OPEN)) === 0) words[at] = 0
    if (words[at] === 0) continue
    if (link !== free) move(machine, words, link, free)
    free++
  }
}

const move = (machine: Machine, words: Words.Words, from: number, to: number): void => {
  const { layout, roles } = machine
  const word = words[Words.linkAt(layout, from)]!
  words[Words.linkAt(layout, from)] = 0
  words[Words.linkAt(layout, to)] = word
  if ((word & Words.LEADER_OPEN) === 0) return
  const at = Words.roleAt(Words.leaderOf(word))
  words[at] = renamed(roles, words[at]!, from, to)
}

const known = new WeakMap<Roles.Roles, Map<number, number>>()

// The leader knows the link by its new number.
const renamed = (roles: Roles.Roles, id: number, from: number, to: number): number => {
  const table = known.get(roles) ?? new Map<number, number>()
  known.set(roles, table)
  const key = (id * 32 + from) * 32 + to
  const found = table.get(key)
  if (found !== undefined) return found
  const role = roles.get(id)
  if (role._tag !== "Leading") throw new Error("the open end of a link is a leader's")
  const learners = new Map(Array.from(role.state.learners, ([link, learner]) => [link === from ? to : link, learner]))
  const next = roles.id({ ...role, state: { ...role.state, learners } })
  table.set(key, next)
  return next
}
