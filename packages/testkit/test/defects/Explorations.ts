/**
 * Looks for a defect by exploring: small ensembles first, each to its end or to so many states.
 */
import * as ConnectionsModel from "../../src/ConnectionsModel.ts"
import * as ElectionModel from "../../src/ElectionModel.ts"
import * as Explorer from "../../src/Explorer.ts"
import type { Reducers } from "../../src/Reducers.ts"
import type { Defect } from "./Defects.ts"
import * as Mutant from "./Mutant.ts"

/** What is explored, under a name. */
export interface Expedition {
  readonly name: string
  /** The core as shipped, unless told. */
  readonly model: (reducers?: Reducers) => Explorer.Model
}

/** What was found, and where. */
export interface Find {
  readonly name: string
  readonly violation: Explorer.Violation
  readonly states: number
  /** Processor time in the exploration that found it, in milliseconds; those before it found nothing. */
  readonly millis: number
}

const alike = [{ sid: 1 }, { sid: 2 }, { sid: 3 }]

/** The third has more transactions, of an older epoch than the second. */
const unlike = [{ sid: 1, epoch: 1, zxid: 9 }, { sid: 2, epoch: 2, zxid: 7 }, { sid: 3, epoch: 1, zxid: 8 }]

const groups = [
  { sid: 1, group: 1, weight: 1 },
  { sid: 2, group: 1, weight: 1 },
  { sid: 3, group: 1, weight: 0 }
]

const observed = [...alike.slice(0, 2), { sid: 3, role: "Observer" }] as const

const ofElections: ReadonlyArray<{ readonly name: string; readonly options: ElectionModel.Options }> = [
  { name: "3 alike", options: { peers: alike, bounds: { rounds: 1 } } },
  { name: "3 unlike", options: { peers: unlike, bounds: { rounds: 1 } } },
  { name: "weights 1, 1, 0", options: { peers: groups, quorum: "Weighted", bounds: { rounds: 1 } } },
  { name: "2 and an observer", options: { peers: observed, bounds: { rounds: 1, capacity: 1, timeouts: 2 } } },
  { name: "1 loss", options: { peers: alike, bounds: { rounds: 1, losses: 1 } } },
  { name: "1 crash", options: { peers: alike, bounds: { rounds: 1, crashes: 1 } } },
  { name: "2 rounds", options: { peers: alike, bounds: { rounds: 2, looks: 1 } } },
  {
    name: "2 rounds, 3 unlike, 1 epoch",
    options: { peers: unlike, bounds: { rounds: 2, looks: 1, epochs: 1 } }
  },
  {
    name: "after the last round",
    options: { peers: alike, round: 2n ** 63n - 1n, bounds: { rounds: 1 } }
  },
  {
    name: "1 not electable, of whom it is said that it stands",
    options: {
      peers: [{ sid: 1 }, { sid: 2, zxid: 1 }, { sid: 3, zxid: 1, electable: false }],
      rumours: [1, 3].map((to) => ({ from: 2, to, round: 1n, vote: { leader: 3n, zxid: 1n, peerEpoch: 0n } })),
      bounds: { rounds: 1, capacity: 2 }
    }
  },
  {
    name: "1 votes for who is no member",
    options: {
      peers: alike,
      rumours: [{ from: 1, to: 2, round: 1n, vote: { leader: 9n, zxid: 0n, peerEpoch: 0n } }],
      bounds: { rounds: 1, capacity: 2 }
    }
  },
  {
    name: "1 not electable, 1 observer",
    options: {
      peers: [{ sid: 1 }, { sid: 2, electable: false }, { sid: 3, role: "Observer" }],
      bounds: { rounds: 1, timeouts: 1 }
    }
  },
  {
    name: "4, of whom a pending configuration has 2",
    options: {
      peers: [...alike, { sid: 4, role: "Observer" }],
      pending: [3, 4],
      bounds: { rounds: 1 }
    }
  },
  {
    name: "by the rules of ZooKeeper",
    options: { peers: alike, rules: "zookeeper", bounds: { rounds: 1 } }
  },
  { name: "4 alike", options: { peers: [...alike, { sid: 4 }], bounds: { rounds: 1 } } },
  {
    name: "4 of all kinds, 2 rounds, 1 crash",
    options: {
      peers: [{ sid: 1, rules: "zookeeper" }, { sid: 2 }, { sid: 3, weight: 0 }, { sid: 4, electable: false }],
      quorum: "Weighted",
      asks: "All",
      bounds: { rounds: 2, looks: 1, crashes: 1 }
    }
  }
]

const { none } = ConnectionsModel
const two = ConnectionsModel.voters(2)
const [smaller, larger] = two

const ofConnections: ReadonlyArray<{ readonly name: string; readonly options: ConnectionsModel.Options }> = [
  { name: "2 want each other", options: { peers: two, bounds: none } },
  {
    name: "the smaller of 2 wants the other",
    options: { peers: [smaller!, { ...larger!, wants: [] }], bounds: none }
  },
  {
    name: "1 looks for 2 at its own address",
    options: { peers: [{ ...smaller!, misdirected: [2n] }, larger!], bounds: none, timers: "Patient" }
  },
  {
    name: "2 want each other, 1 stranger, patient",
    options: { peers: two, bounds: { ...none, strangers: 1 }, timers: "Patient" }
  },
  { name: "2 want each other, 1 crash", options: { peers: two, bounds: { ...none, crashes: 1 } } }
]

/** From small to large: who finds a defect in an early one need not look into a later one. */
export const elections: ReadonlyArray<Expedition> = ofElections.map(({ name, options }) => ({
  name,
  model: (reducers) => ElectionModel.make(reducers === undefined ? options : { ...options, reducers })
}))

/** The same of connections. */
export const connections: ReadonlyArray<Expedition> = ofConnections.map(({ name, options }) => ({
  name,
  model: (reducers) => ConnectionsModel.make(reducers === undefined ? options : { ...options, reducers })
}))

/** How many states each exploration may come to. */
export const STATES_MAX = 100_000

const isOfConnections = ({ file }: Defect): boolean => file === "Connections.ts" || file === "Challenge.ts"

/** Explores until the defect is found; `null` if it never is. */
export const hunt = async (defect: Defect, statesMax: number = STATES_MAX): Promise<Find | null> => {
  const reducers = await Mutant.load(defect)
  for (const { model, name } of isOfConnections(defect) ? connections : elections) {
    const start = process.cpuUsage()
    const { states, violation } = Explorer.explore(model(reducers), { statesMax })
    if (violation === null) continue
    const { system, user } = process.cpuUsage(start)
    return { name, violation, states, millis: (system + user) / 1_000 }
  }
  return null
}
