/**
 * The larger bounds within which leadership is explored, all of them to their ends.
 */
import * as LeadershipModel from "@conclave/testkit/LeadershipModel"

/** What is explored, under a name. */
export interface Expedition {
  readonly name: string
  readonly options: LeadershipModel.Options
  /** Is it a part of the suite, or for whoever has the time? */
  readonly extent: "Suite" | "Long"
}

const { alike, defaultLease, none } = LeadershipModel

/** A crash, and a link that breaks. */
const usual = { ...none, terms: 2, crashes: 1, losses: 1 }

const three = { peers: alike(3), lease: null }

const leased = { ...three, lease: defaultLease }

/** The higher the id, the more it knows. */
const unlike = alike(3).map((peer) => ({ ...peer, lastLoggedZxid: peer.sid, acceptedEpoch: 1n, currentEpoch: 1n }))

const suite: ReadonlyArray<Omit<Expedition, "extent">> = [
  { name: "3 alike, 2 terms, 4 dials, 1 crash, 1 loss", options: { ...three, bounds: { ...usual, dials: 4 } } },
  {
    name: "3 alike, leased, 2 terms, 2 dials, 1 crash, 1 loss, 1 half tick",
    options: { ...leased, bounds: { ...usual, dials: 2, ticks: 1 } }
  },
  {
    name: "3 alike, 2 terms, 2 dials, 1 crash, 1 loss, 4 half ticks, 1 resignation, 1 failure",
    options: { ...three, bounds: { ...usual, dials: 2, ticks: 4, resignations: 1, failures: 1 } }
  }
]

const long: ReadonlyArray<Omit<Expedition, "extent">> = [
  {
    name: "3 alike, leased, 2 terms, 3 dials, 1 crash, 1 loss",
    options: { ...leased, bounds: { ...usual, dials: 3 } }
  },
  {
    name: "3 alike, leased by every clock, 2 terms, 2 dials, 1 crash",
    options: { ...leased, clocks: "Every", bounds: { ...usual, dials: 2, losses: 0 } }
  },
  {
    name: "3 unlike, 2 terms, 3 dials, 1 crash, 1 loss",
    options: { ...three, peers: unlike, bounds: { ...usual, dials: 3 } }
  },
  {
    name: "3 and an observer, 2 terms, 3 dials, 1 crash",
    options: { ...three, peers: alike(3, 1), bounds: { ...usual, dials: 3, losses: 0 } }
  },
  {
    name: "4 alike, 2 terms, 4 dials, 1 crash",
    options: { ...three, peers: alike(4), bounds: { ...usual, dials: 4, losses: 0 } }
  },
  {
    name: "5 alike, 2 terms, 4 dials",
    options: { ...three, peers: alike(5), bounds: { ...usual, dials: 4, crashes: 0, losses: 0 } }
  },
  {
    name: "3 alike, 3 terms, 4 dials, 1 crash",
    options: { ...three, bounds: { ...usual, terms: 3, dials: 4, losses: 0 } }
  }
]

/** All of them. */
export const all: ReadonlyArray<Expedition> = [
  ...suite.map((one): Expedition => ({ ...one, extent: "Suite" })),
  ...long.map((one): Expedition => ({ ...one, extent: "Long" }))
]
