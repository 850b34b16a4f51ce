/** How long bytes take from one replica to another. */
import * as Duration from "effect/Duration"
import type { Travel } from "@conclave/quorum/MemoryNetwork"
import type { Micros, Sleeper, VirtualTime } from "./VirtualTime.ts"

/** The times that bytes take, by the hosts between which they travel. */
export interface Latency {
  readonly travel: Travel
  /** From now on what the one sends to the other takes so long. What is on its way gets there first, as over TCP. */
  readonly set: (from: string, to: string, latency: Duration.Input) => void
  /** All is as it was at the beginning. */
  readonly reset: () => void
}

/** The same time between any two. */
export const make = (time: VirtualTime, usual: Duration.Input): Latency => {
  const changed = new Map<string, Micros>()
  const usually = micros(usual)
  return {
    travel: (from, to, arrive) => {
      const latency = changed.get(way(from, to)) ?? usually
      if (latency === 0) return arrive()
      const due = time.now() + latency
      const sleeper: Sleeper = { due: () => due, wake: arrive }
      time.sleepers.add(sleeper)
    },
    set: (from, to, latency) => void changed.set(way(from, to), micros(latency)),
    reset: () => changed.clear()
  }
}

/** In whole microseconds, the next one if it is between two. */
export const micros = (duration: Duration.Input): Micros =>
  Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(duration)) * 1_000)

const way = (from: string, to: string): string => `${from} to ${to}`
