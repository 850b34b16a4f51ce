/**
 * The clock of one host: it runs at its own rate, and outlives the processes on the
 * host.
 */
import type { Micros, VirtualTime } from "./VirtualTime.ts"

/** What the host's clock shows, in whole microseconds. */
export interface HostClock {
  readonly now: () => Micros
  /** When it will show this much, in true time, if its rate stays; not before it does. */
  readonly dueAt: (local: Micros) => Micros
  /** How far it goes in a true second, in seconds. */
  readonly setRate: (rate: number) => void
}

/** A hair less than a microsecond is one: products of fractions are not exact. */
const HAIR = 1e-6

/** A clock that shows the true time, until its rate is changed. */
export const make = (time: VirtualTime): HostClock => {
  let rate = 1
  let since = { time: time.now(), local: time.now() }
  const now = () => since.local + Math.floor((time.now() - since.time) * rate + HAIR)
  return {
    now,
    dueAt: (local) => since.time + Math.ceil((local - since.local) / rate - HAIR),
    setRate: (to) => {
      since = { time: time.now(), local: now() }
      rate = to
    }
  }
}
