/**
 * Peers that are alike may change places: of all states that differ only by who is who one is explored.
 *
 * Sound because nothing but identity is asked of ids here. Leader and learner compare them for equality and count
 * them; sets and maps of them are counted over, never cut off. Where an order could matter, of learners that are told
 * something, it is the order of what goes to different links, which no one can see. `Leader.successor` alone prefers
 * the higher id; here a leader may name every server that it could be asked for, whichever it would have preferred.
 * Alike are peers with the same history and role at the start; what is on their disks, how fast their clocks are and
 * whatever else they have changes places with them.
 */
import type { Pledge } from "@conclave/core/Lease"
import type { Sid } from "@conclave/core/Sid"
import type { Machine } from "./Machine.ts"
import type { Naming } from "./Packets.ts"
import * as Roles from "./Roles.ts"
import { LINKS, type Setting } from "./Setting.ts"
import * as Words from "./Words.ts"

/** Replaces a state by the one that stands for all that are alike. */
export type Fold = (words: Words.Words) => void

/** The folding of this machine; none if no two peers are alike, or if it is not wanted. */
export const make = (machine: Machine): Fold => {
  const { layout, setting } = machine
  const swaps = setting.folded ? permutations(setting).map((places, id) => makeSwap(machine, places, id)) : []
  if (swaps.length === 0) return () => {}
  const best = new Uint32Array(layout.size)
  const other = new Uint32Array(layout.size)
  return (words) => {
    best.set(words)
    for (const swap of swaps) if (isLess(layout, swap, words, best, other)) best.set(other)
    words.set(best)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** One way to change places. */
interface Swap {
  /** Who comes to this place. */
  readonly from: ReadonlyArray<number>
  readonly places: ReadonlyArray<number>
  readonly role: (id: number) => number
  readonly pledge: (id: number) => number
  readonly queue: (id: number) => number
}

const makeSwap = (machine: Machine, places: ReadonlyArray<number>, id: number): Swap => {
  const { packets, pledges, roles, setting } = machine
  const naming: Naming = {
    id,
    place: (index) => places[index]!,
    sid: (sid) => {
      const index = setting.indexOf(sid)
      return index === -1 ? sid : setting.peers[places[index]!]!.sid
    }
  }
  const knownRoles: Array<number> = []
  const knownPledges: Array<number> = []
  return {
    from: places.map((_, place) => places.indexOf(place)),
    places,
    role: (id) => knownRoles[id] ??= roles.id(rename(roles.get(id), naming)),
    pledge: (id) => {
      const kept = pledges.get(id)
      return knownPledges[id] ??= pledges.id({ ...kept, pledge: renamePledge(kept.pledge, naming) })
    },
    queue: (id) => packets.rename(id, naming)
  }
}

// Word by word, so that most are given up at the first.
const isLess = (
  layout: Words.Layout,
  swap: Swap,
  words: Words.Words,
  than: Words.Words,
  into: Words.Words
): boolean => {
  let isSmaller = false
  const put = (at: number, word: number): boolean => {
    into[at] = word
    if (!isSmaller && word > than[at]!) return false
    isSmaller ||= word < than[at]!
    return true
  }
  into[0] = words[0]!
  into[1] = words[1]!
  for (let place = 0; place < layout.peers; place++) {
    const peer = swap.from[place]!
    const disk = words[Words.diskAt(peer)]!
    if (!put(Words.roleAt(place), swap.role(words[Words.roleAt(peer)]!))) return false
    if (!put(Words.diskAt(place), Words.withPledge(disk, swap.pledge(Words.pledgeOf(disk))))) return false
  }
  for (let link = 0; link < layout.links; link++) {
    const old = swap.from[Math.floor(link / LINKS)]! * LINKS + link % LINKS
    if (!put(Words.linkAt(layout, link), linkWord(swap, words[Words.linkAt(layout, old)]!))) return false
  }
  return isSmaller
}

const linkWord = (swap: Swap, word: number): number => {
  if (word === 0) return 0
  const queued = Words.withUp(Words.withDown(word, swap.queue(Words.down(word))), swap.queue(Words.up(word)))
  return (queued & ~7 | swap.places[Words.leaderOf(word)]! + 1) >>> 0
}

const rename = (role: Roles.Role, naming: Naming): Roles.Role => {
  switch (role._tag) {
    case "Idle":
    case "Down":
    case "Leaving":
      return role
    case "Following":
      return {
        ...role,
        peer: naming.place(role.peer),
        leader: naming.place(role.leader),
        state: { ...role.state, pledge: renamePledge(role.state.pledge, naming) }
      }
    case "Leading":
      return renameLeading(role, naming)
  }
}

const renameLeading = (role: Roles.Leading, naming: Naming): Roles.Leading => {
  const { evidence, state } = role
  const sids = (set: ReadonlySet<Sid>) => new Set(Array.from(set, naming.sid))
  const mask = (peers: number): number => {
    let renamed = 0
    for (let peer = 0; peers >>> peer !== 0; peer++) if ((peers >>> peer & 1) !== 0) renamed |= 1 << naming.place(peer)
    return renamed
  }
  const link = (id: number): number => naming.place(Math.floor(id / LINKS)) * LINKS + id % LINKS
  return {
    ...role,
    peer: naming.place(role.peer),
    evidence: {
      ...evidence,
      asks: mask(evidence.asks),
      accepts: mask(evidence.accepts),
      ahead: mask(evidence.ahead),
      acks: mask(evidence.acks)
    },
    state: {
      ...state,
      pledge: renamePledge(state.pledge, naming),
      connecting: sids(state.connecting),
      electing: sids(state.electing),
      acked: sids(state.acked),
      answered: new Map(Array.from(state.answered, ([sid, sent]) => [naming.sid(sid), sent])),
      learners: new Map(Array.from(state.learners, ([id, learner]) => {
        const { info } = learner
        return [link(id), { ...learner, info: info === null ? null : { ...info, sid: naming.sid(info.sid) } }]
      }))
    }
  }
}

const renamePledge = (pledge: Pledge | null, { sid }: Naming): Pledge | null =>
  pledge === null || pledge.leader === null ? pledge : { ...pledge, leader: sid(pledge.leader) }

// All but the one that leaves everybody in place.
const permutations = ({ peers }: Setting): ReadonlyArray<ReadonlyArray<number>> => {
  const kinds = peers.map(({ acceptedEpoch, currentEpoch, lastLoggedZxid, observes }) =>
    `${acceptedEpoch} ${currentEpoch} ${lastLoggedZxid} ${observes}`)
  const complete = (places: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
    places.length === peers.length
      ? [places]
      : peers.flatMap((_, place) =>
        places.includes(place) || kinds[place] !== kinds[places.length] ? [] : complete([...places, place]))
  return complete([]).filter((places) => places.some((place, index) => place !== index))
}
