/**
 * Everything that may happen in a state, as numbers.
 */
import * as Bundles from "./Bundles.ts"
import type { Machine } from "./Machine.ts"
import type { Peer } from "./Peers.ts"
import { OUTSIDE } from "./Setting.ts"
import * as Words from "./Words.ts"

/** What the network and the processes do of themselves; each of it is bound to happen. */
const network = [
  "Start",
  "Made",
  "Refused",
  "DialFails",
  "Greeted",
  "NotGreeted",
  "Read",
  "HelloLost",
  "Ended",
  "EndedUseless",
  "OwnEnd",
  "OwnEndUseless",
  "HangsUp"
] as const

/** What happens because time passes. */
const timers = ["Redial", "Lingered"] as const

/** What is bounded. */
const faults = ["Break", "Crash", "Outage", "Silence", "Request", "Change", "Stranger", "Probe"] as const

/** All of it, and what is no step: from here on nothing more is done to anybody. */
export const kinds = [...network, ...timers, ...faults, "Calm"] as const

/** The name of what happens. */
export type Kind = typeof kinds[number]

/** Of a change of whom to want: those from the start, from now on. */
export const ALL = 0

/** Nobody. All that is more is one alone, by its number and two. */
export const NOBODY = 1

/** An action, read. */
export interface Action {
  readonly kind: Kind
  /** A peer, or a bundle of connections. */
  readonly what: number
  /** The number of an id, the place of a connection, or what of several. */
  readonly which: number
  readonly side: Bundles.Side
}

const codes = Object.fromEntries(kinds.map((kind, code) => [kind, code])) as Record<Kind, number>

/** The number of an action. */
export const encode = (kind: Kind, what = 0, which = 0, side: Bundles.Side = "Near"): number =>
  codes[kind] | what << 5 | which << 10 | (side === "Far" ? 1 << 15 : 0)

/** What a number says. */
export const decode = (action: number): Action => ({
  kind: kinds[action & 31]!,
  what: action >>> 5 & 31,
  which: action >>> 10 & 31,
  side: (action & 1 << 15) === 0 ? "Near" : "Far"
})

/** Whom it is about: the same for as long as it is the same that may happen. */
export const subject = (action: number): number => {
  const { kind, side, what, which } = decode(action)
  switch (kind) {
    case "Start":
      return what
    case "Made":
    case "Refused":
    case "DialFails":
      return 8 + 16 * what + which
    case "Redial":
      return 128 + 16 * what + which
    default:
      return 256 + 32 * what + 2 * which + (side === "Far" ? 1 : 0)
  }
}

/** Everything that can be the subject of something, of a bundle from this place on. */
export const subjectsFrom = (bundle: number, place: number): ReadonlyArray<number> => {
  const first = subject(encode("Greeted", bundle, place))
  return Array.from({ length: 32 - 2 * place }, (_, index) => first + index)
}

/** Tells everything that may happen. */
export const each = (machine: Machine, words: Words.Words, tell: (action: number) => void): void => {
  if (machine.setting.timers === "Any") {
    eachOfNetwork(machine, words, tell)
    eachTimer(machine, words, tell)
  } else eachLeft(machine, words, tell)
  eachFault(machine, words, tell)
}

/** What may happen if nothing more is done to anybody, and timers fire only when nothing else is left. */
export const eachLeft = (machine: Machine, words: Words.Words, tell: (action: number) => void): void => {
  let isQuiet = true
  eachOfNetwork(machine, words, (action) => {
    isQuiet = false
    tell(action)
  })
  if (isQuiet) eachTimer(machine, words, tell)
}

/** The same, but who is to ask again may do so at any time. It takes much longer until a connection has lingered. */
export const eachSoon = (machine: Machine, words: Words.Words, tell: (action: number) => void): void => {
  let isQuiet = true
  eachOfNetwork(machine, words, (action) => {
    isQuiet = false
    tell(action)
  })
  eachTimer(machine, words, (action) => {
    if (isQuiet || decode(action).kind === "Redial") tell(action)
  })
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const eachOfNetwork = (machine: Machine, words: Words.Words, tell: (action: number) => void): void => {
  const { bundles, layout, peers } = machine
  for (let peer = 0; peer < layout.peers; peer++) {
    const self = peers.get(words[Words.peerAt(peer)]!)
    if (self.status === "Up") eachDial(machine, words, self, tell)
    else tell(encode("Start", peer))
  }
  for (let bundle = 0; bundle < layout.bundles; bundle++) {
    for (const [place, connection] of bundles.get(words[Words.bundleAt(layout, bundle)]!).entries()) {
      eachOfEnd(connection, "Near", (kind) => tell(encode(kind, bundle, place, "Near")))
      eachOfEnd(connection, "Far", (kind) => tell(encode(kind, bundle, place, "Far")))
    }
  }
}

const eachDial = (
  { bundles, layout, peers, setting }: Machine,
  words: Words.Words,
  { dials, index }: Peer,
  tell: (action: number) => void
): void => {
  for (const [sid, { stage, to }] of dials) {
    if (stage === "Greeting") continue
    const place = setting.indexOf(sid)
    const status = to === OUTSIDE ? "Up" : peers.get(words[Words.peerAt(to)]!).status
    if (stage === "Refused" || status === "Gone" || to === OUTSIDE) tell(encode("DialFails", index, place))
    if (stage === "Refused" || status === "Gone") continue
    const bundle = bundles.get(words[Words.bundleAt(layout, layout.bundle(index, place))]!)
    if (status === "Down") tell(encode("Refused", index, place))
    else if (bundle.length < setting.capacity) tell(encode("Made", index, place))
  }
}

const eachOfEnd = (connection: Bundles.Connection, side: Bundles.Side, tell: (kind: Kind) => void): void => {
  const { peer, stage } = Bundles.end(connection, side)
  const that = Bundles.end(connection, Bundles.other(side))
  const { isBroken } = connection
  if (peer === OUTSIDE) {
    if (stage !== "Closed") tell("HangsUp")
    return
  }
  switch (stage) {
    case "Greeting":
      tell("Greeted")
      if (isBroken) tell("NotGreeted")
      return
    case "Unread":
      tell("Read")
      if (isBroken || that.stage === "Vanished") tell("HelloLost")
      return
    case "Adopted":
    case "Lingering":
      if (that.stage !== "Closed" && !isBroken) return
      tell("EndedUseless")
      // Whether it was of use is asked of a connection that counts, and a frame may have come if one was sent.
      if (stage === "Adopted" && (that.spoke || Bundles.isAtWork(that))) tell("Ended")
      return
    case "Closing":
      tell("OwnEndUseless")
      if (that.spoke || Bundles.isAtWork(that)) tell("OwnEnd")
  }
}

const eachTimer = (
  { bundles, layout, peers, setting }: Machine,
  words: Words.Words,
  tell: (action: number) => void
): void => {
  for (let peer = 0; peer < layout.peers; peer++) {
    for (const sid of peers.get(words[Words.peerAt(peer)]!).redials) {
      tell(encode("Redial", peer, setting.indexOf(sid)))
    }
  }
  for (let bundle = 0; bundle < layout.bundles; bundle++) {
    for (const [place, { far, near }] of bundles.get(words[Words.bundleAt(layout, bundle)]!).entries()) {
      if (near.stage === "Lingering") tell(encode("Lingered", bundle, place, "Near"))
      if (far.stage === "Lingering") tell(encode("Lingered", bundle, place, "Far"))
    }
  }
}

const eachFault = (machine: Machine, words: Words.Words, tell: (action: number) => void): void => {
  const { bundles, layout, peers, setting } = machine
  const may = (budget: Words.Budget) => Words.left(words, budget) > 0
  for (let peer = 0; peer < layout.peers; peer++) {
    const self = peers.get(words[Words.peerAt(peer)]!)
    if (self.status !== "Up") continue
    if (may("crashes")) tell(encode("Crash", peer))
    if (may("outages")) tell(encode("Outage", peer))
    for (let other = 0; other < layout.peers; other++) {
      if (other === peer) continue
      if (may("requests")) tell(encode("Request", peer, other))
      if (may("changes")) tell(encode("Change", peer, 2 + other))
    }
    if (may("changes")) tell(encode("Change", peer, ALL))
    if (may("changes")) tell(encode("Change", peer, NOBODY))
    if (may("strangers")) eachCall(machine, words, peer, tell)
    if (!may("failures")) continue
    for (const [sid, { stage }] of self.dials) {
      if (stage === "Calling") tell(encode("Silence", peer, setting.indexOf(sid)))
    }
  }
  for (let bundle = 0; bundle < layout.bundles; bundle++) {
    for (const [place, { far, isBroken, near }] of bundles.get(words[Words.bundleAt(layout, bundle)]!).entries()) {
      if (!isBroken && may("breaks")) tell(encode("Break", bundle, place))
      if (!may("probes")) continue
      if (near.peer !== OUTSIDE && Bundles.isAtWork(near)) tell(encode("Probe", bundle, place, "Near"))
      if (far.peer !== OUTSIDE && Bundles.isAtWork(far)) tell(encode("Probe", bundle, place, "Far"))
    }
  }
}

const eachCall = (
  { bundles, layout, setting }: Machine,
  words: Words.Words,
  peer: number,
  tell: (action: number) => void
): void => {
  for (const sid of setting.names) {
    const place = setting.indexOf(sid)
    const bundle = bundles.get(words[Words.bundleAt(layout, layout.bundle(peer, place))]!)
    if (bundle.length < setting.capacity) tell(encode("Stranger", peer, place))
  }
}
