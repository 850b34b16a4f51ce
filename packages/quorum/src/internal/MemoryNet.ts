/** What a network in memory consists of, and what remains of a host that dies in it. */
import type * as Acceptor from "../Acceptor.ts"
import type * as MemoryLink from "./MemoryLink.ts"
import type * as MemoryPipe from "./MemoryPipe.ts"
import type * as Signal from "./Signal.ts"

/** A connection, or an attempt at one, as the network sees it. */
export interface MemoryConnection {
  /** The dialler, `host:port`. */
  readonly from: string
  /** The address dialled. */
  readonly to: string
  /** A dial under way; a connection both ends hold; one that an end has let go of. */
  readonly state: "Dialing" | "Open" | "Closing"
}

/** Calls `arrive` when what is sent now from one host to another has got there. */
export type Travel = (from: string, to: string, arrive: () => void) => void

/** A network. */
export interface Net {
  readonly names: Set<string>
  /** The latest transport at each host. */
  readonly lives: Map<string, Life>
  readonly faults: Map<string, MemoryPipe.Fault>
  readonly listeners: Map<string, Acceptor.Acceptor<MemoryLink.End>>
  readonly links: Set<MemoryLink.MemoryLink>
  readonly dialing: Set<MemoryConnection>
  readonly changed: Signal.Signal
  readonly freePort: () => number
  /** `null` if nothing takes time. */
  readonly travel: Travel | null
}

/** A process, as long as it is alive. */
export interface Life {
  readonly names: ReadonlyArray<string>
  alive: boolean
}

/** The process at this host is alive no longer, and nobody listens there; gives the names of the host. */
export const die = (net: Net, host: string): ReadonlyArray<string> => {
  const life = net.lives.get(host)
  if (life === undefined) return [host]
  life.alive = false
  for (const key of Array.from(net.listeners.keys())) {
    if (isAt(life.names, key)) net.listeners.delete(key)
  }
  return life.names
}

/** Ends what a dead process held, for nobody may be left to let go of it. */
export const bury = (net: Net, names: ReadonlyArray<string>) => {
  for (const attempt of net.dialing) if (isAt(names, attempt.from)) net.dialing.delete(attempt)
  resetWhere(net, ({ from, to }) => names.includes(from.host) || names.includes(to.host))
  for (const { acceptor, dialer, from, to } of Array.from(net.links)) {
    if (names.includes(from.host)) dialer.close()
    if (names.includes(to.host)) acceptor.close()
  }
}

/** Breaks connections. Whoever notices may dial at once; the new connection is none of those that break. */
export const resetWhere = (net: Net, isBroken: (link: MemoryLink.MemoryLink) => boolean) => {
  for (const link of Array.from(net.links)) if (isBroken(link)) link.reset()
}

const isAt = (names: ReadonlyArray<string>, address: string) => names.some((name) => address.startsWith(`${name}:`))
