/**
 * What an exploration of leadership is about: who the peers are, by which rules, and how much may happen.
 */
import type { Membership, Ticks } from "@conclave/core/Ensemble"
import type * as Leader from "@conclave/core/Leader"
import type * as Learner from "@conclave/core/Learner"
import * as Lease from "@conclave/core/Lease"
import * as QuorumServer from "@conclave/core/QuorumServer"
import type { Sid } from "@conclave/core/Sid"
import type { Zxid } from "@conclave/core/Zxid"
import { type Reducers, shipped } from "../../../Reducers.ts"
import type { Claim } from "./Claims.ts"

/** A peer, and what is on its disk at the start. */
export interface Peer {
  readonly sid: Sid
  readonly lastLoggedZxid: Zxid
  /** At most 15, with all that come on top of it. */
  readonly acceptedEpoch: bigint
  readonly currentEpoch: bigint
  /** Does it only learn? */
  readonly observes: boolean
}

/** How much may happen at most, in all; each at most 15. */
export interface Bounds {
  /** How often somebody takes itself for the leader. */
  readonly terms: number
  /** How often somebody begins to follow. */
  readonly dials: number
  readonly crashes: number
  /** Links that break, with all that is under way. */
  readonly losses: number
  /** Half ticks of leaders, with their pings. */
  readonly ticks: number
  /** Leaders that leave on purpose. */
  readonly resignations: number
  /** Epochs that cannot be made durable. */
  readonly failures: number
}

/** What is explored. */
export interface Options {
  /** At most seven. Alike are those with the same history and role, whatever their ids. */
  readonly peers: ReadonlyArray<Peer>
  /** Leased mode; `null` for fenced mode, in which there is no time. */
  readonly lease: Lease.Lease | null
  readonly bounds: Bounds
  /**
   * How fast clocks run in leased mode. `Every`: each peer has one that runs as slowly, or as fast, as it may.
   * `Worst`, unless told otherwise: each peer counts its lease by a clock that is as slow, and its pledges by one that
   * is as fast as may be, so that leases last as long and pledges as short a time as they can anywhere.
   */
  readonly clocks?: Clocks
  /** What decides; the core as shipped unless told otherwise. */
  readonly reducers?: Reducers
  /** Is one state explored for all that differ only by who of the alike is who? True unless told otherwise. */
  readonly folded?: boolean
  /** Is what no rule reads any more left out of states? True unless told otherwise. */
  readonly reduced?: boolean
  /** Is asked in every state whether there can be a leader again? True unless told otherwise; twice the time. */
  readonly progress?: boolean
  /** What else must hold of every step; nothing unless told otherwise. */
  readonly claims?: ReadonlyArray<Claim>
}

/** How fast clocks run. */
export type Clocks = "Every" | "Worst"

/** Nothing happens. */
export const none: Bounds = {
  terms: 0,
  dials: 0,
  crashes: 0,
  losses: 0,
  ticks: 0,
  resignations: 0,
  failures: 0
}

/** So many voters, and observers behind them, with empty histories. */
export const alike = (voters: number, observers = 0): ReadonlyArray<Peer> =>
  Array.from({ length: voters + observers }, (_, index) => ({
    sid: BigInt(index + 1),
    lastLoggedZxid: 0n,
    acceptedEpoch: 0n,
    currentEpoch: 0n,
    observes: index >= voters
  }))

/**
 * A lease for clocks that are wrong by a half. By the slowest clock it lasts two units of time, and so does a pledge by
 * the fastest: not less, and not more. Numbers that a double holds exactly, so that nothing is won by rounding.
 */
export const defaultLease: Lease.Lease = Lease.make(2, { grace: 1, clockDrift: 0.5 })

/** The same with half as much time, which makes fewer states; what takes effect within a lease is not seen. */
export const shortLease: Lease.Lease = Lease.make(1, { grace: 0.5, clockDrift: 0.5 })

/** The options, and what follows from them. */
export interface Setting {
  readonly peers: ReadonlyArray<Peer>
  readonly lease: Lease.Lease | null
  readonly bounds: Bounds
  readonly clocks: Clocks
  readonly reducers: Reducers
  readonly folded: boolean
  readonly reduced: boolean
  readonly progress: boolean
  readonly claims: ReadonlyArray<Claim>
  readonly leaders: ReadonlyArray<Leader.Options>
  /** By who follows. */
  readonly learners: ReadonlyArray<Omit<Learner.Options, "leader">>
  /** Voters, one bit each. */
  readonly voters: number
  readonly indexOf: (sid: Sid) => number
}

/**
 * How many links of one peer there may be: the one it has, and one whose end its leader has not noticed. With more of
 * those a peer waits before it follows again.
 */
export const LINKS = 2

/**
 * Patience in ticks plays no part: timers fire at any moment, and half ticks come at any. With the least that there can
 * be four of them are enough for a leader to miss somebody.
 */
const ticks: Ticks = { tickTime: 2, initLimit: 1, syncLimit: 1 }

/** Completes the options. */
export const make = (options: Options): Setting => {
  const { bounds, lease, peers, reducers = shipped } = options
  const servers = peers.map(({ observes, sid }) =>
    QuorumServer.make(sid, { host: `h${sid}`, quorumPort: 1, electionPort: 2 }, observes ? "observer" : "participant"))
  const committed = reducers.QuorumVerifier.majority({ servers })
  const memberships = peers.map(({ sid }): Membership => reducers.Ensemble.membership({ mySid: sid, committed }))
  const indices = new Map(peers.map(({ sid }, index) => [sid, index]))
  return {
    peers,
    lease,
    bounds,
    clocks: options.clocks ?? "Worst",
    reducers,
    folded: options.folded ?? true,
    reduced: options.reduced ?? true,
    progress: options.progress ?? true,
    claims: options.claims ?? [],
    leaders: peers.map(({ sid: mySid }, index) =>
      ({ mySid, membership: memberships[index]!, ticks, lease, acceptForeign: false })),
    learners: peers.map(({ sid: mySid }, index) => ({ mySid, membership: memberships[index]!, ticks, lease })),
    voters: peers.reduce((mask, { observes }, index) => mask | (observes ? 0 : 1 << index), 0),
    indexOf: (sid) => indices.get(sid) ?? -1
  }
}

/** Are these peers, one bit each, a majority of the voters? Counted here once more, and not asked of the core. */
export const isQuorum = ({ voters }: Setting, mask: number): boolean => 2 * count(mask & voters) > count(voters)

const count = (mask: number): number => {
  let bits = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits++
  return bits
}
