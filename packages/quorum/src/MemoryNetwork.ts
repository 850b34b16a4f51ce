/**
 * A network in memory, for tests: every peer of a test shares one, and the test
 * breaks it where it likes.
 *
 * It behaves as TCP does: bytes arrive in order or the connection ends; behind a
 * partition a dial hangs and bytes wait, for as long as the partition lasts. No
 * timer runs here, so nothing depends on a clock; whoever has one may make bytes
 * take their time.
 */
import * as Address from "@conclave/core/Address"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Acceptor from "./Acceptor.ts"
import * as MemoryLink from "./internal/MemoryLink.ts"
import * as MemoryNet from "./internal/MemoryNet.ts"
import type * as MemoryPipe from "./internal/MemoryPipe.ts"
import * as Signal from "./internal/Signal.ts"
import * as Transport from "./Transport.ts"

/** A host name, or several. */
export type Hosts = string | ReadonlyArray<string>

/** A connection, or an attempt at one, as the network sees it. */
export type MemoryConnection = MemoryNet.MemoryConnection

/**
 * The network, its faults, and what can be seen of it. A fault belongs to one
 * direction between two hosts; the last one set there holds.
 */
export class MemoryNetwork extends Context.Service<MemoryNetwork, {
  /** Cuts both directions between two groups: dials hang, and bytes and closes wait until `heal`. */
  readonly partition: (a: Hosts, b: Hosts) => Effect.Effect<void>
  /** Cuts one direction. Dials hang both ways, because a handshake needs both. */
  readonly partitionOneWay: (from: Hosts, to: Hosts) => Effect.Effect<void>
  /** Loses whatever is written in this direction. Writes succeed, dials and closes still pass. */
  readonly drop: (from: Hosts, to: Hosts) => Effect.Effect<void>
  /** Keeps what is written in this direction, and the close after it, until `release`. Dials still pass. */
  readonly hold: (from: Hosts, to: Hosts) => Effect.Effect<void>
  /** Ends every fault of this direction; what waited arrives in order. */
  readonly release: (from: Hosts, to: Hosts) => Effect.Effect<void>
  /** Ends every fault. */
  readonly heal: Effect.Effect<void>
  /** Breaks every open connection between two groups, whoever dialled: both ends fail, bytes on the way are lost. */
  readonly reset: (a: Hosts, b: Hosts) => Effect.Effect<void>
  /**
   * The process at this host is killed: its connections break, who dials it is refused, and nothing that its fibers
   * still do gets out. Another may start there.
   */
  readonly crash: (host: string) => Effect.Effect<void>
  /** The machine is gone without a word: as `crash`, but to all others as if behind a partition until `heal`. */
  readonly vanish: (host: string) => Effect.Effect<void>
  /** Every connection that an end still holds, then every dial under way. */
  readonly connections: Effect.Effect<ReadonlyArray<MemoryConnection>>
  /** Waits until the connections are as the test wants them, and returns them. */
  readonly until: (
    holds: (connections: ReadonlyArray<MemoryConnection>) => boolean
  ) => Effect.Effect<ReadonlyArray<MemoryConnection>>
  /**
   * The transport of one who lives at a host. It may have further names, each a
   * path of its own to break. A name stays known after the transport is gone:
   * dialling it is then refused.
   */
  readonly transport: (
    host: string,
    ...otherNames: ReadonlyArray<string>
  ) => Effect.Effect<Transport.Transport["Service"]>
}>()("@conclave/quorum/MemoryNetwork") {}

/** Calls `arrive` when what is sent now from one host to another has got there. */
export type Travel = MemoryNet.Travel

/** A network without hosts and without faults. */
export const layer: Layer.Layer<MemoryNetwork> = Layer.sync(MemoryNetwork, () => makeUnsafe(null))

/** The same, where bytes, closes and both ways of a dial travel; only a `crash` or a `reset` is known at once. */
export const layerTravel = (travel: Travel): Layer.Layer<MemoryNetwork> =>
  Layer.sync(MemoryNetwork, () => makeUnsafe(travel))

/** The transport of one who lives at a host of the network; see `MemoryNetwork.transport`. */
export const layerTransport = (
  host: string,
  ...otherNames: ReadonlyArray<string>
): Layer.Layer<Transport.Transport, never, MemoryNetwork> =>
  Layer.effect(Transport.Transport, MemoryNetwork.use((network) => network.transport(host, ...otherNames)))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// IANA's dynamic ports begin here (RFC 6335), and no test opens the 16,384 there are.
const FIRST_FREE_PORT = 49152

const makeUnsafe = (travel: Travel | null): MemoryNetwork["Service"] => {
  let port = FIRST_FREE_PORT
  const net: MemoryNet.Net = {
    names: new Set(),
    lives: new Map(),
    faults: new Map(),
    listeners: new Map(),
    links: new Set(),
    dialing: new Set(),
    changed: Signal.make(),
    freePort: () => port++,
    travel
  }
  const setFault = (fault: MemoryPipe.Fault | undefined) => (from: Hosts, to: Hosts) =>
    Effect.sync(() => {
      for (const key of directions(from, to)) {
        if (fault === undefined) net.faults.delete(key)
        else net.faults.set(key, fault)
      }
      settle(net)
    })
  const cut = setFault("Cut")
  const connections = (): ReadonlyArray<MemoryConnection> => [...Array.from(net.links, describe), ...net.dialing]
  return MemoryNetwork.of({
    partition: (a, b) => Effect.andThen(cut(a, b), cut(b, a)),
    partitionOneWay: cut,
    drop: setFault("Dropped"),
    hold: setFault("Held"),
    release: setFault(undefined),
    heal: Effect.sync(() => {
      net.faults.clear()
      settle(net)
    }),
    reset: (a, b) =>
      Effect.sync(() => {
        const broken = new Set([...directions(a, b), ...directions(b, a)])
        MemoryNet.resetWhere(net, ({ from, to }) => broken.has(direction(from.host, to.host)))
      }),
    crash: (host) =>
      Effect.sync(() => {
        MemoryNet.bury(net, MemoryNet.die(net, host))
        net.changed.wake()
      }),
    vanish: (host) =>
      Effect.suspend(() => {
        const names = MemoryNet.die(net, host)
        const others = Array.from(net.names).filter((name) => !names.includes(name))
        return Effect.andThen(cut(names, others), cut(others, names))
      }),
    connections: Effect.sync(connections),
    until: (holds) => Effect.map(net.changed.until(() => holds(connections())), connections),
    transport: (host, ...otherNames) =>
      Effect.sync(() => {
        const life: MemoryNet.Life = { names: [host, ...otherNames], alive: true }
        // A machine that is back knows nothing of connections it had.
        if (net.lives.get(host)?.alive === false) MemoryNet.bury(net, life.names)
        for (const name of life.names) net.names.add(name)
        net.lives.set(host, life)
        return Transport.Transport.of({
          dial: (address) => dial(net, host, life, address),
          listen: (address) => listen(net, life, address)
        })
      })
  })
}

const dial = Effect.fnUntraced(function*(
  net: MemoryNet.Net,
  host: string,
  life: MemoryNet.Life,
  to: Address.Address
): Effect.fn.Return<Transport.Connection, Transport.DialError, Scope.Scope> {
  const from = { host, port: net.freePort() }
  const fail = (reason: Transport.DialReason) =>
    new Transport.DialError({ address: Address.format(to), reason, cause: new Error(reason) })
  if (!isPort(to.port)) return yield* fail("Failed")
  if (!net.names.has(to.host)) return yield* fail("Unresolved")
  yield* reachable(net, from, to)
  yield* roundTrip(net, from, to)
  if (!life.alive) return yield* Effect.never
  const acceptor = net.listeners.get(Address.format(to))
  if (acceptor === undefined) return yield* fail("Refused")
  const link = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const link = MemoryLink.make({
        from,
        to,
        fault: (a, b) => net.faults.get(direction(a.host, b.host)),
        travel: (a, b) => (arrive) => net.travel === null ? arrive() : net.travel(a.host, b.host, arrive),
        onClose: (link) => {
          if (link.held.size === 0) net.links.delete(link)
          net.changed.wake()
        }
      })
      net.links.add(link)
      net.changed.wake()
      acceptor.offer(link.acceptor)
      return link
    }),
    (link) => Effect.sync(link.dialer.close)
  )
  return link.dialer.connection
})

// Waits while either direction is cut.
const reachable = (net: MemoryNet.Net, from: Address.Address, to: Address.Address) => {
  const attempt: MemoryConnection = { from: Address.format(from), to: Address.format(to), state: "Dialing" }
  const ways = [direction(from.host, to.host), direction(to.host, from.host)]
  const setDialing = (isDialing: boolean) => () => {
    if (isDialing) net.dialing.add(attempt)
    else net.dialing.delete(attempt)
    net.changed.wake()
  }
  return Effect.acquireUseRelease(
    Effect.sync(setDialing(true)),
    () => net.changed.until(() => ways.every((way) => net.faults.get(way) !== "Cut")),
    () => Effect.sync(setDialing(false))
  )
}

const roundTrip = ({ travel }: MemoryNet.Net, from: Address.Address, to: Address.Address): Effect.Effect<void> =>
  travel === null
    ? Effect.void
    : Effect.callback((resume) =>
      travel(from.host, to.host, () => travel(to.host, from.host, () => resume(Effect.void)))
    )

const listen = Effect.fnUntraced(function*(
  net: MemoryNet.Net,
  { alive, names }: MemoryNet.Life,
  asked: Address.Address
): Effect.fn.Return<Transport.Listener, Transport.ListenError, Scope.Scope> {
  const address = { host: asked.host, port: asked.port === 0 ? net.freePort() : asked.port }
  const hosts = Address.isWildcard(address) ? names : names.filter((name) => name === address.host)
  const keys = hosts.map((host) => Address.format({ host, port: address.port }))
  const fail = (problem: string) =>
    new Transport.ListenError({ address: Address.format(address), cause: new Error(problem) })
  if (!isPort(address.port)) return yield* fail("no such port")
  if (keys.length === 0 || !alive) return yield* fail("address not available")
  if (keys.some((key) => net.listeners.has(key))) return yield* fail("address already in use")
  const acceptor = yield* Acceptor.make<MemoryLink.End>({
    adopt: (end) => Effect.acquireRelease(Effect.succeed(end.connection), () => Effect.sync(end.close)),
    discard: (end) => end.close()
  })
  yield* Effect.acquireRelease(
    Effect.sync(() => keys.forEach((key) => net.listeners.set(key, acceptor))),
    () =>
      Effect.sync(() => {
        // After a crash another may listen there.
        for (const key of keys) if (net.listeners.get(key) === acceptor) net.listeners.delete(key)
      })
  )
  return { address, run: acceptor.run }
})

const settle = (net: MemoryNet.Net) => {
  for (const link of net.links) link.flow()
  net.changed.wake()
}

const describe = (link: MemoryLink.MemoryLink): MemoryConnection => ({
  from: Address.format(link.from),
  to: Address.format(link.to),
  state: link.held.size === 2 ? "Open" : "Closing"
})

const isPort = (port: number) => Number.isInteger(port) && port > 0 && port <= 65535

const direction = (from: string, to: string) => `${from} to ${to}`

const directions = (from: Hosts, to: Hosts): ReadonlyArray<string> =>
  [from].flat().flatMap((a) => [to].flat().map((b) => direction(a, b)))
