/**
 * The larger bounds within which elections are explored: those to their ends, and those of which only a part is seen.
 */
import * as Rules from "@conclave/core/Rules"
import * as ElectionModel from "@conclave/testkit/ElectionModel"

/** What is explored, under a name. */
export interface Expedition {
  readonly name: string
  readonly options: ElectionModel.Options
  /** `Suite`: tests explore it to its end. `Long`: it has an end, too. `Part`: only so many states are seen. */
  readonly extent: "Suite" | "Long" | "Part"
}

/** States seen of what is not explored to its end, unless told. */
export const PART = 3_000_000

/** States of what is, at most. */
export const STATES_MAX = 25_000_000

const any = ElectionModel.UNBOUNDED

const alike = [{ sid: 1 }, { sid: 2 }, { sid: 3 }]

/** The third has more transactions than the second, of an older epoch. */
const unlike = [{ sid: 1, epoch: 1, zxid: 9 }, { sid: 2, epoch: 2, zxid: 7 }, { sid: 3, epoch: 1, zxid: 8 }]

const observed = [{ sid: 1 }, { sid: 2 }, { sid: 3, role: "Observer" }] as const

/** Two groups of two; one of the second weighs nothing. */
const groups = [
  { sid: 1, group: 1, weight: 1 },
  { sid: 2, group: 1, weight: 1 },
  { sid: 3, group: 2, weight: 1 },
  { sid: 4, group: 2, weight: 0 }
]

const four = [...alike, { sid: 4 }]

/** Two rounds, a crash and a loss. */
const usual = { rounds: 2, looks: 1, crashes: 1, losses: 1 }

const without = (rule: keyof Rules.Rules): Expedition => ({
  name: `3 alike, 2 rounds, 1 crash, 1 loss, without ${rule}`,
  options: {
    peers: alike,
    rules: (Object.keys(Rules.conclave) as Array<keyof Rules.Rules>).filter((other) => other !== rule),
    bounds: usual
  },
  extent: "Suite"
})

const complete = (name: string, options: ElectionModel.Options): Expedition => ({ name, options, extent: "Suite" })

const partial = (name: string, options: ElectionModel.Options): Expedition => ({ name, options, extent: "Part" })

// Together these are all: it is one that is killed, and one that looks again.
const twoOnTheWay: ReadonlyArray<Expedition> = [1, 2, 3].flatMap((mortal) =>
  [1, 2, 3].map((restless) => ({
    name: `3 alike, 2 rounds, 1 crash, of ${mortal}, 1 loss, ${restless} looks again, 2 on the way`,
    options: { peers: alike, mortal: [mortal], restless: [restless], bounds: { ...usual, capacity: 2 } },
    extent: "Long"
  })))

/** All of them. */
export const all: ReadonlyArray<Expedition> = [
  complete("3 alike, 2 rounds, 1 crash, 1 loss", { peers: alike, bounds: usual }),
  complete("3 alike, 2 rounds, any looks, 1 crash, 1 loss", { peers: alike, bounds: { ...usual, looks: any } }),
  complete("3 unlike, 2 rounds, 1 crash, 1 loss", { peers: unlike, bounds: usual }),
  complete("3 alike, 2 rounds, 1 crash, 1 loss, by the rules of ZooKeeper", {
    peers: alike,
    rules: "zookeeper",
    bounds: usual
  }),
  without("recordWhileFinalizing"),
  without("filterWhileFinalizing"),
  without("waitOnRepetition"),
  without("resendPerPeer"),
  complete("3 alike, 2 rounds, 1 crash, 1 loss, 1 timeout", { peers: alike, bounds: { ...usual, timeouts: 1 } }),
  complete("3 alike, 2 rounds, 1 crash, 1 break", { peers: alike, bounds: { ...usual, losses: 0, breaks: 1 } }),
  complete("3 alike, 2 rounds, 1 epoch, 1 crash", { peers: alike, bounds: { ...usual, losses: 0, epochs: 1 } }),
  complete("3 alike, 1 round, 2 crashes", { peers: alike, bounds: { rounds: 1, crashes: 2 } }),
  complete("3 alike, 1 round, 1 crash, 1 loss, any number on the way", {
    peers: alike,
    bounds: { rounds: 1, crashes: 1, losses: 1, capacity: any }
  }),
  complete("3 alike, 2 rounds, any number on the way", {
    peers: alike,
    bounds: { rounds: 2, looks: 1, capacity: any }
  }),
  complete("3 alike, each starts at any time, 2 rounds, 1 loss", {
    peers: alike,
    starts: "Separately",
    bounds: { ...usual, crashes: 0 }
  }),
  complete("2 and an observer, 2 rounds, 1 crash, 1 loss, 1 timeout", {
    peers: observed,
    bounds: { ...usual, timeouts: 1 }
  }),
  complete("2 groups of 4, one without weight, 1 round, 1 loss", {
    peers: groups,
    quorum: "Weighted",
    bounds: { rounds: 1, losses: 1 }
  }),
  complete("4 alike, 1 round", { peers: four, bounds: { rounds: 1 } }),
  ...twoOnTheWay,
  partial("3 alike, 3 rounds, any looks, 1 crash, 1 loss", {
    peers: alike,
    bounds: { ...usual, rounds: 3, looks: any }
  }),
  partial("3 alike, 2 rounds, 2 crashes, 1 loss", { peers: alike, bounds: { ...usual, crashes: 2 } }),
  partial("4 alike, 1 round, 1 crash", { peers: four, bounds: { rounds: 1, crashes: 1 } }),
  partial("4 alike, 2 rounds", { peers: four, bounds: { rounds: 2, looks: 1 } }),
  partial("5 alike, 1 round", { peers: [...four, { sid: 5 }], bounds: { rounds: 1 } })
]
