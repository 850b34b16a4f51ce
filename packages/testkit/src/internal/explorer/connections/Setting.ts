/**
 * What an exploration of connections is about: who the peers are, by which rules, and how much may happen.
 */
import type * as Address from "@conclave/core/Address"
import type * as Connections from "@conclave/core/Connections"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as Rules from "@conclave/core/Rules"
import { OBSERVER_ID, type Sid } from "@conclave/core/Sid"
import { type Reducers, shipped } from "../../../Reducers.ts"
import type { Claim } from "./Claims.ts"

/** A peer. */
export interface Peer {
  readonly sid: Sid
  /** By which rules it decides: those of this name, or the two that decide about connections. */
  readonly rules: Rules.RuleSetName | Connections.View["rules"]
  /** With whom it is to be connected from its start on. */
  readonly wants: ReadonlyArray<Sid>
  /** Members that it looks for at its own address, by a mistake in its configuration. */
  readonly misdirected?: ReadonlyArray<Sid>
}

/** How much may happen at most, in all; each at most 15. */
export interface Bounds {
  /** Connections that break, with what is on its way. */
  readonly breaks: number
  /** Processes that end; their hosts say so. */
  readonly crashes: number
  /** Hosts that are gone with their processes, and say nothing. */
  readonly outages: number
  /** Dials that fail in silence though somebody listens. */
  readonly failures: number
  /** Messages for a peer, which ask for a connection. */
  readonly requests: number
  /** Changes of who is wanted: all, nobody, or one alone. */
  readonly changes: number
  /** Calls of strangers, by any id. */
  readonly strangers: number
  /** Answers that a probe of an address does not get. */
  readonly probes: number
}

/** What is explored. */
export interface Options {
  /** At most four. */
  readonly peers: ReadonlyArray<Peer>
  readonly bounds: Bounds
  /**
   * How many connections of two peers there are at most until both have done with them; a dial takes until there is
   * room. `CAPACITY` unless told otherwise.
   */
  readonly capacity?: number
  /** Do all start together, or each at any time? `Together` unless told otherwise. */
  readonly starts?: "Together" | "Separately"
  /**
   * When whoever is to ask again does so: at any time, unless told otherwise; or, `Patient`, only when the network has
   * nothing left to do, as if it were much faster.
   */
  readonly timers?: "Any" | "Patient"
  /** What decides; the core as shipped unless told otherwise. */
  readonly reducers?: Reducers
  /**
   * What is asked about the end of it. `Rest`, unless told otherwise: is all as it must be at rest, and does every
   * course of two peers come to rest that is left to itself, if the network is faster than timers? Of more peers the
   * latter is not asked, because those of different pairs do not touch each other. `Chase`: does it come to rest
   * however soon who is to ask again does so, as long as nothing is put off for ever? Asked of the start. `Nothing`:
   * neither.
   */
  readonly asks?: "Rest" | "Chase" | "Nothing"
  /** What else must hold of every step; nothing unless told otherwise. */
  readonly claims?: ReadonlyArray<Claim>
}

/** Nothing happens but that peers start, dial and time passes. */
export const none: Bounds = {
  breaks: 0,
  crashes: 0,
  outages: 0,
  failures: 0,
  requests: 0,
  changes: 0,
  strangers: 0,
  probes: 0
}

/** So many voters, with ids from 1 on, that want each other; `mixed`: every other one decides as the original does. */
export const voters = (count: number, rules: Rules.RuleSetName | "mixed" = "conclave"): ReadonlyArray<Peer> => {
  const sids = Array.from({ length: count }, (_, index) => BigInt(index + 1))
  return sids.map((sid) => ({
    sid,
    rules: rules !== "mixed" ? rules : sid % 2n === 0n ? "zookeeper" : "conclave",
    wants: sids.filter((other) => other !== sid)
  }))
}

/**
 * The one that lives, one that it replaces, and a call of who does not know yet. With more of them nothing else was
 * ever found; the shell has no bound but that of who listens, Java's backlog of 50.
 */
export const CAPACITY = 3

/** Where strangers live: somebody may answer there. */
export const OUTSIDE = -1

/** The options, and what follows from them. */
export interface Setting {
  readonly peers: ReadonlyArray<Peer>
  readonly bounds: Bounds
  readonly capacity: number
  readonly starts: "Together" | "Separately"
  readonly timers: "Any" | "Patient"
  readonly asks: "Rest" | "Chase" | "Nothing"
  readonly reducers: Reducers
  readonly claims: ReadonlyArray<Claim>
  readonly views: ReadonlyArray<Connections.View>
  /** Every id that somebody may be known by, members first; elsewhere ids are told by their places here. */
  readonly sids: ReadonlyArray<Sid>
  readonly indexOf: (sid: Sid) => number
  /** By which ids strangers call themselves. */
  readonly names: ReadonlyArray<Sid>
  /** Where a peer says that it lives. */
  readonly addresses: ReadonlyArray<ReadonlyArray<Address.Address>>
  /** Who answers at an address: a member, by its number, or `OUTSIDE`. */
  readonly whoIsAt: (address: Address.Address | undefined) => number
}

/** Where a stranger says that it lives. */
export const strange: ReadonlyArray<Address.Address> = [{ host: "elsewhere", port: 1 }]

/** Completes the options. */
export const make = (options: Options): Setting => {
  const { bounds, peers, reducers = shipped } = options
  const members = peers.map(({ sid }) => sid)
  const strangers = bounds.strangers === 0 ? [] : strangersOf(members, bounds.strangers)
  const sids = [...members, ...strangers]
  const places = new Map(sids.map((sid, place) => [sid, place]))
  return {
    peers,
    bounds,
    capacity: options.capacity ?? CAPACITY,
    starts: options.starts ?? "Together",
    timers: options.timers ?? "Any",
    asks: options.asks ?? "Rest",
    reducers,
    claims: options.claims ?? [],
    views: peers.map((peer) => viewOf(reducers, peers, peer)),
    sids,
    indexOf: (sid) => places.get(sid) ?? -1,
    // Ids that count down are given by whoever is called.
    names: strangers.length === 0 ? [] : sids.filter((sid) => sid >= 0n),
    addresses: peers.map(({ sid }) => [addressOf(sid)]),
    whoIsAt: (address) => peers.findIndex(({ sid }) => address?.host === addressOf(sid).host)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const addressOf = (sid: Sid): Address.Address => ({ host: `h${sid}`, port: 1 })

// One below all members, one above, and an observer without an id, which is given one.
const strangersOf = (members: ReadonlyArray<Sid>, calls: number): ReadonlyArray<Sid> => {
  const sorted = members.toSorted((a, b) => (a < b ? -1 : 1))
  const anonymous = Array.from({ length: calls }, (_, index) => BigInt(-1 - index))
  return [sorted[0]! - 1n, sorted.at(-1)! + 1n, OBSERVER_ID, ...anonymous]
}

const viewOf = (reducers: Reducers, peers: ReadonlyArray<Peer>, peer: Peer): Connections.View => {
  const { misdirected = [], rules, sid: mySid } = peer
  const servers = peers.map(({ sid }) => {
    const { host } = addressOf(misdirected.includes(sid) ? mySid : sid)
    return QuorumServer.make(sid, { host, quorumPort: 2, electionPort: 1 })
  })
  const committed = reducers.QuorumVerifier.majority({ servers })
  const membership = reducers.Ensemble.membership({ mySid, committed })
  return { mySid, membership, rules: typeof rules === "string" ? Rules.named[rules] : rules, probeAddresses: false }
}
