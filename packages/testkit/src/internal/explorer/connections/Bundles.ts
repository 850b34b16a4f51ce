/**
 * The connections of two peers, or of a peer with strangers, in the order in which they were made.
 *
 * A number of a connection matters only beside others of the same two, and there only by its order. So a connection is
 * called by its place: twice that and one by who dialled it, and two by who was dialled.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Interner from "../Interner.ts"

/** `Near` is where it was dialled. */
export type Side = "Near" | "Far"

const stages = ["Greeting", "Unread", "Open", "Adopted", "Lingering", "Closing", "Closed", "Vanished"] as const

/** One side of a connection. */
export interface End {
  /** A member by its number, or `Setting.OUTSIDE`. */
  readonly peer: number
  /** Who is at the other end, as this peer has been told, or thinks. */
  readonly sid: Sid
  /**
   * `Greeting`: made, and nothing decided. `Unread`: the same where it was dialled; the handshake is on its way.
   * `Lingering`: the other side is to close. `Closing`: told to, and the news is on its way to ourselves. `Vanished`:
   * closed, and nobody is there to say so.
   */
  readonly stage: typeof stages[number]
  /** May it have sent frames? */
  readonly spoke: boolean
}

/** A connection. */
export interface Connection {
  readonly near: End
  readonly far: End
  /** Nothing new comes through any more, and what was on its way may be lost. */
  readonly isBroken: boolean
}

/** Connections, the oldest first. */
export type Bundle = ReadonlyArray<Connection>

/** Bundles by numbers; the empty one is 0. What changes of one is computed once. */
export interface Bundles {
  readonly get: (id: number) => Bundle
  /** Changes one end of the connection at this place; does nothing where there is none. */
  readonly change: (id: number, place: number, side: Side, change: Change) => number
  /** Breaks the connection at this place. */
  readonly sever: (id: number, place: number) => number
  readonly id: (bundle: Bundle) => number
  /** Takes out what is over on both sides; `null` if nothing is. */
  readonly sweep: (id: number) => Swept | null
  /** Different bundles. */
  readonly size: () => number
}

/** What may change at an end. */
export type Change = Pick<End, "stage"> & Partial<End>

/** A bundle without what is over. */
export interface Swept {
  readonly id: number
  /** The places of what was taken out, one bit each. */
  readonly gone: number
  /** The first of them. */
  readonly place: number
}

/** No bundle is known yet. */
export const make = (): Bundles => {
  const bundles = Interner.make(keyOf)
  bundles.id([])
  const changed: Array<Array<number>> = []
  const swept: Array<Swept | null> = []
  const replace = (id: number, place: number, connection: (old: Connection) => Connection): number => {
    const bundle = bundles.get(id)
    const old = bundle[place]
    return old === undefined ? id : bundles.id(bundle.with(place, connection(old)))
  }
  return {
    ...bundles,
    change: (id, place, side, change) => {
      const make = () => replace(id, place, (old) => withEnd(old, side, change))
      // Only who has no id is given one.
      if (change.sid !== undefined && change.sid < 0n) return make()
      const spoke = change.spoke === undefined ? 0 : change.spoke ? 1 : 2
      const key = ((place * 2 + (side === "Near" ? 0 : 1)) * stages.length + stages.indexOf(change.stage)) * 3 + spoke
      return (changed[id] ??= [])[key] ??= make()
    },
    sever: (id, place) => replace(id, place, (old) => ({ ...old, isBroken: true })),
    sweep: (id) => (swept[id] === undefined ? swept[id] = sweep(bundles, id) : swept[id])
  }
}

/** Where connections are that moved up when those at these places, one bit each, were taken out. */
export const moveUp = (link: number, gone: number): number => {
  let places = 0
  for (let place = 0; place < placeOf(link); place++) if ((gone & 1 << place) !== 0) places++
  return link - 2 * places
}

/** What a peer calls the connection at this place. */
export const linkOf = (place: number, side: Side): number => 2 * place + (side === "Near" ? 1 : 2)

/** The place of a connection that a peer calls so. */
export const placeOf = (link: number): number => (link - 1) >> 1

/** Which side calls a connection so. */
export const sideOf = (link: number): Side => (link % 2 === 1 ? "Near" : "Far")

/** The end on this side. */
export const end = ({ far, near }: Connection, side: Side): End => (side === "Near" ? near : far)

/** The other side. */
export const other = (side: Side): Side => (side === "Near" ? "Far" : "Near")

/** Is there nothing more to come at this end? */
export const isOver = ({ stage }: End): boolean => stage === "Closed" || stage === "Vanished"

/** Is it over, or to be? */
export const isEnding = (end: End): boolean =>
  isOver(end) || end.stage === "Lingering" || end.stage === "Closing"

/** Does its owner work on it, or wait for it to end? */
export const isAtWork = ({ stage }: End): boolean =>
  stage === "Adopted" || stage === "Lingering" || stage === "Closing"

/** The connection with one end changed. */
export const withEnd = (connection: Connection, side: Side, change: Partial<End>): Connection => {
  const changed = { ...end(connection, side), ...change }
  return side === "Near" ? { ...connection, near: changed } : { ...connection, far: changed }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const sweep = (bundles: Interner.Interner<Bundle>, id: number): Swept | null => {
  const bundle = bundles.get(id)
  const isGone = bundle.map(({ far, near }) => isOver(near) && isOver(far))
  const place = isGone.indexOf(true)
  if (place === -1) return null
  const gone = isGone.reduce((bits, is, place) => bits | Number(is) << place, 0)
  return { id: bundles.id(bundle.filter((_, place) => !isGone[place])), gone, place }
}

// Whether somebody spoke matters as long as somebody else may hear it; one who is at work has spoken, or will have.
const endKey = (self: End, that: End): string => {
  const spoke = self.spoke && isOver(self) && !isOver(that) ? "!" : ""
  return `${self.peer} ${self.sid} ${self.stage}${spoke}`
}

const keyOf = (bundle: Bundle): string =>
  bundle.map(({ far, isBroken, near }) => `${endKey(near, far)} ${endKey(far, near)} ${isBroken ? 1 : 0}`).join()
