/**
 * Peers: the shipped `Connections.step`, and around it what the shell does for one peer. Each step is computed once.
 */
import * as Connections from "@conclave/core/Connections"
import type { Output } from "@conclave/core/ConnectionsOutput"
import type { Sid } from "@conclave/core/Sid"
import type { Broken } from "../../../Explorer.ts"
import * as Interner from "../Interner.ts"
import * as Bundles from "./Bundles.ts"
import type { Setting } from "./Setting.ts"

/** A dial under way. Shell: LinkKeeper.dial. */
export interface Dial {
  /** Who answers where we dial: a member by its number, or `Setting.OUTSIDE`. */
  readonly to: number
  /** `Refused`: it will fail, which we do not know yet. `Greeting`: the connection is made, and our handshake said. */
  readonly stage: "Calling" | "Refused" | "Greeting"
}

/** A peer, and what its shell does for it. */
export interface Peer {
  readonly index: number
  /** `Gone`: with its host. */
  readonly status: "Up" | "Down" | "Gone"
  readonly state: Connections.State
  /** Whom it was told to dial later, and has not yet. Shell: LinkKeeper.redials. */
  readonly redials: ReadonlySet<Sid>
  readonly dials: ReadonlyMap<Sid, Dial>
}

/** What a step comes to. */
export interface Outcome {
  readonly peer: number
  /** What is to be done about connections. */
  readonly outputs: ReadonlyArray<Output>
  readonly broken: Broken | null
}

/** Peers by numbers. */
export interface Peers {
  readonly get: (id: number) => Peer
  readonly step: (id: number, event: Connections.Event) => Outcome
  /** A process that is not there, or one that has just started and wants nobody. */
  readonly fresh: (index: number, status: Peer["status"]) => number
  /** Replaces the dial of somebody. */
  readonly withDial: (id: number, sid: Sid, dial: Dial) => number
  /**
   * Numbers the connections with another peer anew, of which those at some places, one bit each, are history; or those
   * with strangers, if the other is the same.
   */
  readonly moveUp: (id: number, other: number, gone: number) => number
  /** Different peers. */
  readonly size: () => number
  /** Steps that were computed. */
  readonly steps: () => number
}

/** No peer is known yet. */
export const make = (setting: Setting): Peers => {
  const peers = Interner.make(keyOf)
  const taken: Array<Map<string, Outcome>> = []
  const moved: Array<Array<number>> = []
  const dialed: Array<Map<string, number>> = []
  let steps = 0
  return {
    get: peers.get,
    step: (id, event) => {
      const known = taken[id] ??= new Map()
      const key = eventKey(event)
      let outcome = known.get(key)
      if (outcome === undefined) {
        steps++
        outcome = step(setting, peers, id, event)
        known.set(key, outcome)
      }
      return outcome
    },
    fresh: (index, status) =>
      peers.id({ index, status, state: Connections.empty, redials: new Set(), dials: new Map() }),
    withDial: (id, sid, dial) => {
      const key = `${sid} ${dial.to} ${dial.stage}`
      const known = dialed[id] ??= new Map()
      const peer = peers.get(id)
      const after = known.get(key) ?? peers.id({ ...peer, dials: new Map(peer.dials).set(sid, dial) })
      known.set(key, after)
      return after
    },
    moveUp: (id, other, gone) => {
      const key = other * 256 + gone
      return (moved[id] ??= [])[key] ??= moveUp(setting, peers, id, other, gone)
    },
    size: peers.size,
    steps: () => steps
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const eventKey = (event: Connections.Event): string => {
  switch (event._tag) {
    case "Wanted":
      return `Wanted ${Array.from(event.sids).join()}`
    case "Closed":
      return `Closed ${event.sid} ${event.link} ${event.useful}`
    case "Accepted":
      return `Accepted ${event.sid} ${event.link} ${event.announced[0]?.host}`
    case "Dialed":
    case "ProbeFailed":
      return `${event._tag} ${event.sid} ${event.link}`
    default:
      return `${event._tag} ${event.sid}`
  }
}

const sorted = <A>(entries: Iterable<readonly [Sid, A]>, text: (value: A) => string | number): string =>
  Array.from(entries).sort(([a], [b]) => (a < b ? -1 : 1)).map(([sid, value]) => `${sid} ${text(value)}`).join()

const keyOf = ({ dials, index, redials, state, status }: Peer): string =>
  [
    index,
    status,
    sorted(state.links, (link) => link),
    sorted(state.dialing.entries(), () => ""),
    sorted(state.callers, (addresses) => addresses.map(({ host }) => host).join()),
    sorted(state.wanted, (failures) => failures),
    state.observerCounter,
    sorted(redials.entries(), () => ""),
    sorted(dials, ({ stage, to }) => `${stage} ${to}`)
  ].join(";")

const step = (setting: Setting, peers: Interner.Interner<Peer>, id: number, event: Connections.Event): Outcome => {
  const before = peers.get(id)
  try {
    const [state, outputs] = setting.reducers.Connections.step(setting.views[before.index]!, before.state, event)
    const after = perform(setting, { ...before, state: reduce(state) }, event, outputs)
    return { peer: peers.id(after), outputs, broken: problemOf(after) }
  } catch (error) {
    return { peer: id, outputs: [], broken: { property: "total", detail: `${event._tag}: ${error}` } }
  }
}

// How often in a row nothing came of a dial says how long to wait; what is decided depends on whether it was so at all.
const reduce = (state: Connections.State): Connections.State =>
  Array.from(state.wanted.values()).every((failures) => failures <= 1)
    ? state
    : { ...state, wanted: new Map(Array.from(state.wanted, ([sid, failures]) => [sid, Math.min(failures, 1)])) }

const perform = (
  { whoIsAt }: Setting,
  peer: Peer,
  event: Connections.Event,
  outputs: ReadonlyArray<Output>
): Peer => {
  const redials = new Set(peer.redials)
  const dials = new Map(peer.dials)
  if (event._tag === "RedialDue") redials.delete(event.sid)
  if (event._tag === "Dialed" || event._tag === "DialFailed") dials.delete(event.sid)
  for (const output of outputs) {
    if (output._tag === "Dial") dials.set(output.sid, { to: whoIsAt(output.addresses[0]), stage: "Calling" })
    // One per peer: a later one takes the place of the one before it.
    if (output._tag === "RedialLater") redials.add(output.sid)
  }
  return { ...peer, redials, dials }
}

const moveUp = (
  { indexOf, peers: members }: Setting,
  peers: Interner.Interner<Peer>,
  id: number,
  other: number,
  gone: number
): number => {
  const peer = peers.get(id)
  const isMeant = (sid: Sid): boolean =>
    other === peer.index ? indexOf(sid) >= members.length : indexOf(sid) === other
  const links = Array.from(peer.state.links, ([sid, link]) =>
    [sid, isMeant(sid) ? Bundles.moveUp(link, gone) : link] as const)
  return peers.id({ ...peer, state: { ...peer.state, links: new Map(links) } })
}

const problemOf = ({ dials, redials, state: { callers, dialing, links, wanted } }: Peer): Broken | null => {
  for (const sid of wanted.keys()) {
    if (!links.has(sid) && !dialing.has(sid) && !redials.has(sid)) {
      return { property: "forgotten", detail: `server ${sid} is wanted, and neither connected nor dialled nor to be` }
    }
  }
  for (const sid of new Set([...dialing, ...dials.keys()])) {
    if (!dials.has(sid)) return { property: "dials", detail: `a dial to ${sid} is remembered that is over` }
    if (!dialing.has(sid)) return { property: "dials", detail: `a dial to ${sid} is under way and not remembered` }
  }
  for (const sid of callers.keys()) {
    if (!dialing.has(sid)) return { property: "dials", detail: `a call of ${sid} is remembered without a dial` }
  }
  return null
}
