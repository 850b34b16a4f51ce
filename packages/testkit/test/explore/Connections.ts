/**
 * The larger bounds within which connections are explored, all of them to their ends.
 */
import * as ConnectionsModel from "@conclave/testkit/ConnectionsModel"

/** What is explored, under a name. */
export interface Expedition {
  readonly name: string
  readonly options: ConnectionsModel.Options
  /** Is it a part of the suite, or for whoever has the time? */
  readonly extent: "Suite" | "Long"
}

const { none, voters } = ConnectionsModel

const two = voters(2)
const original = voters(2, "zookeeper")
const mixed = voters(2, "mixed")
const patient = "Patient"

/** The smaller decides as the original does. */
const mixedOtherwise = two.map((peer) => (peer.sid === 1n ? { ...peer, rules: "zookeeper" as const } : peer))

/** The last leads, and the others follow it. */
const led = voters(3).map((peer) => (peer.sid === 3n ? peer : { ...peer, wants: [3n] }))

const suite: ReadonlyArray<Omit<Expedition, "extent">> = [
  { name: "2, 2 breaks", options: { peers: two, bounds: { ...none, breaks: 2 } } },
  { name: "2, 1 break, 1 crash", options: { peers: two, bounds: { ...none, breaks: 1, crashes: 1 } } },
  {
    name: "2, the larger the original, 1 break, 1 crash, 1 outage, 1 failure",
    options: { peers: mixed, bounds: { ...none, breaks: 1, crashes: 1, outages: 1, failures: 1 } }
  },
  {
    name: "2 originals, 1 break, 1 stranger, patient",
    options: { peers: original, timers: patient, bounds: { ...none, breaks: 1, strangers: 1 } }
  },
  {
    name: "2, 1 break, 1 stranger, patient",
    options: { peers: two, timers: patient, bounds: { ...none, breaks: 1, strangers: 1 } }
  },
  { name: "3, patient", options: { peers: voters(3), timers: patient, bounds: none } }
]

const long: ReadonlyArray<Omit<Expedition, "extent">> = [
  {
    name: "2, the smaller the original, 1 break, 1 crash, 1 outage, 1 failure",
    options: { peers: mixedOtherwise, bounds: { ...none, breaks: 1, crashes: 1, outages: 1, failures: 1 } }
  },
  { name: "2, 3 breaks", options: { peers: two, bounds: { ...none, breaks: 3 } } },
  { name: "2, 1 break, 4 at once", options: { peers: two, capacity: 4, bounds: { ...none, breaks: 1 } } },
  {
    name: "2 originals, 1 break, 1 crash, 1 stranger, patient",
    options: { peers: original, timers: patient, bounds: { ...none, breaks: 1, crashes: 1, strangers: 1 } }
  },
  {
    name: "2, 1 break, 1 crash, 1 stranger, patient",
    options: { peers: two, timers: patient, bounds: { ...none, breaks: 1, crashes: 1, strangers: 1 } }
  },
  { name: "2, 1 stranger", options: { peers: two, bounds: { ...none, strangers: 1 } } },
  {
    name: "2, 1 break, 1 crash, 3 changes, patient",
    options: { peers: two, timers: patient, bounds: { ...none, breaks: 1, crashes: 1, changes: 3 } }
  },
  {
    name: "2, 2 breaks, 2 crashes, 1 outage, 1 failure, patient",
    options: { peers: two, timers: patient, bounds: { ...none, breaks: 2, crashes: 2, outages: 1, failures: 1 } }
  },
  {
    name: "3, led by one, 1 crash, patient",
    options: { peers: led, timers: patient, bounds: { ...none, crashes: 1 } }
  },
  { name: "3 originals, patient", options: { peers: voters(3, "zookeeper"), timers: patient, bounds: none } }
]

/** All of them. */
export const all: ReadonlyArray<Expedition> = [
  ...suite.map((one): Expedition => ({ ...one, extent: "Suite" })),
  ...long.map((one): Expedition => ({ ...one, extent: "Long" }))
]
