/**
 * What must hold of connections, seen from outside: of what is kept, of every state, and of a state at rest.
 */
import type { Sid } from "@conclave/core/Sid"
import type { Broken } from "../../../Explorer.ts"
import * as Bundles from "./Bundles.ts"
import type { Machine } from "./Machine.ts"
import { OUTSIDE } from "./Setting.ts"
import * as Words from "./Words.ts"

/** What can be broken, by name. */
export const properties = {
  total: "nothing makes a step throw",
  link: "a connection is kept by the larger id, and is there",
  leak: "nobody has an open connection that it does not know of",
  dead: "nobody takes a connection for its own whose end it has learned",
  dials: "a dial is remembered as long as it is under way, and no longer",
  forgotten: "who is wanted is connected, dialled, or will be dialled",
  rest: "at rest both have the same one connection, and no dial is remembered",
  live: "at rest who is wanted, or was asked for, is connected",
  endless: "connections come to rest"
} as const

/** A property in words, or its name if it has none. */
export const explain = (name: string): string => (properties as Record<string, string>)[name] ?? name

/** Is a connection kept that may be? The larger id has dialled it. */
export const ofAdoption = (
  { setting }: Machine,
  connection: Bundles.Connection,
  side: Bundles.Side,
  sid: Sid
): Broken | null => {
  const { peer, stage } = Bundles.end(connection, side)
  const mine = setting.peers[peer]!.sid
  const [dialer, dialed] = side === "Near" ? [mine, sid] : [sid, mine]
  if (dialer <= dialed) return { property: "link", detail: `${dialer} dialled ${dialed} and the connection is kept` }
  if (stage === "Open") return null
  return { property: "link", detail: `server ${mine} keeps a connection with ${sid} that is ${stage.toLowerCase()}` }
}

/** What is wrong with a state, in which nothing is over that has not been told. */
export const ofState = (machine: Machine, words: Words.Words): Broken | null => {
  const { bundles, layout } = machine
  for (let bundle = 0; bundle < layout.bundles; bundle++) {
    for (const [place, connection] of bundles.get(words[Words.bundleAt(layout, bundle)]!).entries()) {
      const broken = ofEnd(machine, words, connection.near, Bundles.linkOf(place, "Near")) ??
        ofEnd(machine, words, connection.far, Bundles.linkOf(place, "Far"))
      if (broken !== null) return broken
    }
  }
  for (let peer = 0; peer < layout.peers; peer++) {
    const broken = ofLinks(machine, words, peer)
    if (broken !== null) return broken
  }
  return null
}

/** What is wrong with a state at rest: nothing is on its way, and nobody waits for a timer. */
export const ofRest = (machine: Machine, words: Words.Words): Broken | null => {
  const { bundles, layout, peers, setting } = machine
  const nameOf = (peer: number) => setting.peers[peer]!.sid
  for (let peer = 0; peer < layout.peers; peer++) {
    const { dials } = peers.get(words[Words.peerAt(peer)]!)
    const [sid] = dials.keys()
    if (sid !== undefined) return { property: "rest", detail: `server ${nameOf(peer)} dials ${sid} for ever` }
  }
  for (const [number, [low, high]] of layout.ends.entries()) {
    const bundle = bundles.get(words[Words.bundleAt(layout, number)]!)
    if (low === high) {
      if (bundle.length > 0) return { property: "rest", detail: `server ${nameOf(low)} has a connection with nobody` }
      continue
    }
    const between = `between ${nameOf(low)} and ${nameOf(high)}`
    if (bundle.length > 1) return { property: "rest", detail: `${bundle.length} connections ${between}` }
    const links = [linkTo(machine, words, low, high), linkTo(machine, words, high, low)]
    const [connection] = bundle
    if (connection !== undefined) {
      const ends = [linkAt(connection, low), linkAt(connection, high)]
      if (links.join() === ends.join()) continue
      return { property: "rest", detail: `the connection ${between} is not the one that both have` }
    }
    if (isDue(machine, words, low, high) || isDue(machine, words, high, low)) {
      return { property: "live", detail: `there is no connection ${between}` }
    }
  }
  return null
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const ofEnd = ({ peers, setting }: Machine, words: Words.Words, end: Bundles.End, link: number): Broken | null => {
  if (end.peer === OUTSIDE || end.stage !== "Adopted") return null
  if (peers.get(words[Words.peerAt(end.peer)]!).state.links.get(end.sid) === link) return null
  const { sid } = setting.peers[end.peer]!
  return { property: "leak", detail: `server ${sid} has an open connection with ${end.sid} that is nobody's` }
}

const ofLinks = (machine: Machine, words: Words.Words, peer: number): Broken | null => {
  const { bundles, layout, peers, setting } = machine
  for (const [sid, link] of peers.get(words[Words.peerAt(peer)]!).state.links) {
    const bundle = bundles.get(words[Words.bundleAt(layout, layout.bundle(peer, setting.indexOf(sid)))]!)
    const connection = bundle[Bundles.placeOf(link)]
    const end = connection === undefined ? undefined : Bundles.end(connection, Bundles.sideOf(link))
    if (end?.peer === peer && end.sid === sid && (end.stage === "Adopted" || end.stage === "Closing")) continue
    const self = setting.peers[peer]!.sid
    return { property: "dead", detail: `server ${self} holds a connection with ${sid} that is over` }
  }
  return null
}

const linkTo = ({ peers, setting }: Machine, words: Words.Words, peer: number, other: number): number | undefined =>
  peers.get(words[Words.peerAt(peer)]!).state.links.get(setting.peers[other]!.sid)

const linkAt = ({ far, near }: Bundles.Connection, peer: number): number | undefined =>
  near.peer === peer ? Bundles.linkOf(0, "Near") : far.peer === peer ? Bundles.linkOf(0, "Far") : undefined

// Who asks must be connected; unless strangers have called, who may take a connection away that was asked for.
const isDue = ({ peers, setting }: Machine, words: Words.Words, peer: number, other: number): boolean =>
  peers.get(words[Words.peerAt(peer)]!).state.wanted.has(setting.peers[other]!.sid) ||
  (setting.bounds.strangers === 0 && Words.isAsked(words, peer, other))
