/**
 * The peers of a simulation, their clocks and timers, and the network between them.
 */
import type * as Leader from "../../src/Leader.ts"
import type * as Learner from "../../src/Learner.ts"
import type * as Ensemble from "../../src/Ensemble.ts"
import type * as Lease from "../../src/Lease.ts"
import type { Majority } from "../../src/QuorumVerifier.ts"
import { majority } from "../support/Peer.ts"
import * as Random from "../support/Random.ts"
import * as Agenda from "./Agenda.ts"
import * as Ledger from "./Ledger.ts"
import type { Mutation } from "./Mutation.ts"

/** What varies from run to run. */
export interface Options {
  readonly seed: number
  readonly mutation: Mutation | null
  /** Without a lease only epochs are looked at. */
  readonly leased: boolean
}

/** One peer: what survives it, and what it does at present. */
export interface Peer {
  readonly sid: bigint
  /** Its clock shows `offset + rate * trueTime`. */
  rate: number
  offset: number
  /** By how much its clock for leases is ahead. */
  ahead: number
  /** Grows with every crash. */
  life: number
  isUp: boolean
  stoppedUntil: number
  acceptedEpoch: bigint
  currentEpoch: bigint
  pledge: Lease.Pledge | null
  /** Of the leader that the pledge was given to. */
  pledgedLife: number
  role: Leading | Following | null
}

/** A peer in office, or on its way there. */
export interface Leading {
  readonly _tag: "Leading"
  readonly options: Leader.Options
  state: Leader.State
  readonly links: Map<number, Link>
  readonly timers: Timers
}

/** A peer that follows, or tries to. */
export interface Following {
  readonly _tag: "Following"
  readonly options: Learner.Options
  state: Learner.State
  readonly link: Link
  readonly timers: Timers
}

/** Which setting of each timer is in force. */
export type Timers = Map<string, number>

/** A connection; each direction keeps its order. */
export interface Link {
  readonly id: number
  readonly leader: Peer
  readonly learner: Peer
  upTo: number
  downTo: number
}

/** All there is. */
export interface World {
  readonly random: Random.Random
  readonly agenda: Agenda.Agenda
  readonly ledger: Ledger.Ledger
  readonly mutation: Mutation | null
  readonly ticks: Ensemble.Ticks
  readonly lease: Lease.Lease | null
  readonly drift: number
  readonly verifier: Majority
  readonly peers: ReadonlyArray<Peer>
  /** Until when nothing comes through, by `from>to`. */
  readonly silentUntil: Map<string, number>
  /** Numbers for links and timers. */
  readonly next: () => number
}

/** Peers that have not begun to look yet. */
export const make = ({ leased, mutation, seed }: Options): World => {
  const random = Random.make(seed)
  const sids = Array.from({ length: random.percent(80) ? 3 : 5 }, (_, index) => index + 1)
  const isIgnored = mutation === "DriftIgnored"
  const drift = isIgnored ? 0.2 : random.pick([0, 0.01, 0.05, 0.2])
  let number = 0
  return {
    random,
    agenda: Agenda.make(),
    ledger: Ledger.make(),
    mutation,
    // A pledge, of at most 120 ms, ends within initLimit; a silent leader is left later than its lease ends.
    ticks: { tickTime: 20, initLimit: 8, syncLimit: 4 },
    lease: leased ? { duration: 80, grace: 30, clockDrift: isIgnored ? 0 : drift } : null,
    drift,
    verifier: majority(sids),
    peers: sids.map((sid) => ({
      sid: BigInt(sid),
      ...newClock(random, drift),
      life: 0,
      isUp: true,
      stoppedUntil: 0,
      acceptedEpoch: 0n,
      currentEpoch: 0n,
      pledge: null,
      pledgedLife: -1,
      role: null
    })),
    silentUntil: new Map(),
    next: () => ++number
  }
}

/** A clock as slow or as fast as one may be, or right; the one for leases may have got ahead before. */
export const newClock = (random: Random.Random, drift: number) => ({
  rate: 1 + drift * random.pick([-1, -1, 0, 1, 1]),
  offset: random.below(100_000),
  ahead: random.pick([0, 0, 50, 300])
})

/** What its clock shows. */
export const clock = ({ agenda }: World, { offset, rate }: Peer): Lease.Instant => offset + rate * agenda.now()

/** What both of its clocks show. */
export const bothClocks = (world: World, peer: Peer): Lease.Now => {
  const pledgeAt = clock(world, peer)
  return { at: pledgeAt + peer.ahead, pledgeAt }
}

/** When its clock for leases shows that, if it gets no further ahead. */
export const trueTime = ({ ahead, offset, rate }: Peer, instant: Lease.Instant): number =>
  (instant - ahead - offset) / rate

/** Happens to a peer unless it has died meanwhile; if it is stopped, afterwards. */
export const happens = ({ agenda }: World, peer: Peer, time: number, what: () => void): void => {
  const { life } = peer
  const attempt = (): void => {
    if (peer.life !== life) return
    if (peer.stoppedUntil > agenda.now()) agenda.at(peer.stoppedUntil, attempt)
    else what()
  }
  agenda.at(time, attempt)
}

/** A timer as Node's: in whole milliseconds, so that it may be a little early; and sometimes late. */
export const setTimer = (
  world: World,
  peer: Peer,
  timers: Timers,
  { after, timer }: { readonly after: number; readonly timer: string },
  fire: () => void
): void => {
  const setting = world.next()
  timers.set(timer, setting)
  const late = world.random.percent(90) ? 0 : world.random.below(4)
  happens(world, peer, world.agenda.now() + Math.max(1, Math.floor(after)) / peer.rate + late, () => {
    if (timers.get(timer) === setting) fire()
  })
}

/** Does nothing come through at present? */
export const isSilent = ({ agenda, silentUntil }: World, from: Peer, to: Peer): boolean =>
  (silentUntil.get(`${from.sid}>${to.sid}`) ?? 0) > agenda.now()

/** When something arrives that is sent now, after what was sent before. */
export const arrival = ({ agenda, random, silentUntil }: World, from: Peer, to: Peer, last: number): number => {
  const delay = random.percent(94) ? random.below(30) / 10 : random.below(70)
  return Math.max(last, (silentUntil.get(`${from.sid}>${to.sid}`) ?? 0) + random.below(3), agenda.now() + delay)
}

/** To the learner of a link, if it still follows by it. */
export const down = (world: World, link: Link, what: (role: Following) => void): void => {
  const { leader, learner } = link
  link.downTo = arrival(world, leader, learner, link.downTo)
  happens(world, learner, link.downTo, () => {
    if (learner.role?._tag === "Following" && learner.role.link === link) what(learner.role)
  })
}

/** To the leader of a link, if it still has it. */
export const up = (world: World, link: Link, what: (role: Leading) => void): void => {
  const { leader, learner } = link
  link.upTo = arrival(world, learner, leader, link.upTo)
  happens(world, leader, link.upTo, () => {
    if (leader.role?._tag === "Leading" && leader.role.links.get(link.id) === link) what(leader.role)
  })
}
