/** The part of the connection manager's contract that is about addresses: where it listens, and whom it finds where. */
import type { Address, Connection, Transport } from "@conclave/quorum/Transport"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import {
  address,
  call,
  closedSilently,
  connected,
  converse,
  hello,
  listen,
  next,
  type Place,
  PORT,
  reader,
  type Register,
  send,
  start,
  storyOf,
  storyWhen
} from "./CnxManagerHarness.ts"
import { text } from "./TransportHarness.ts"

// Two homes of servers 1 and 2; nobody else lives at 21 and 22.
const both = (place: Place, sid: bigint): ReadonlyArray<Address> => [address(place, sid), address(place, sid + 20n)]

// The transport of a server that lives at both.
const bothHomes = (place: Place, sid: bigint) => place.transport(place.host(sid), place.host(sid + 20n))

const gaveUp = ({ host, port }: Address) => `gave up listening on ${host}:${port}; the other addresses still serve`

const isTaken = ({ host, port }: Address) => (line: string) => line.startsWith(`cannot listen on ${host}:${port}: `)

/** Where a manager listens. */
export const listening = (promises: Register) => {
  promises("on every address of its own entry", Effect.fnUntraced(function*(place) {
    const addresses = both(place, 2n)
    const two = yield* start(place, 2n, { addresses: { 2: addresses }, transport: yield* bothHomes(place, 2n) })
    assert.deepStrictEqual(two.manager.addresses, addresses)
    for (const at of [2n, 22n]) {
      const client = yield* call(place, at)
      yield* client.write(hello({ sid: 100n + at }))
      yield* connected(two, ...(at === 2n ? [102n] : [102n, 122n]))
    }
  }))

  for (const taken of [0, 1]) {
    promises(`where it can, while its address ${taken} is taken, and there too when it is free`, Effect.fnUntraced(
      function*(place, logged) {
        const addresses = both(place, 2n)
        const transport = yield* bothHomes(place, 2n)
        const holder = yield* Scope.make()
        yield* Scope.provide(transport.listen(addresses[taken]!), holder)
        const two = yield* start(place, 2n, { addresses: { 2: addresses }, transport })
        assert.deepStrictEqual(two.manager.addresses, [addresses[1 - taken]!])
        const client = yield* call(place, taken === 0 ? 22n : 2n)
        yield* client.write(hello({ sid: 9n }))
        yield* connected(two, 9n)
        yield* Scope.close(holder, Exit.void)
        const late = yield* Effect.retry(call(place, taken === 0 ? 2n : 22n), {
          while: isRefused,
          schedule: Schedule.spaced("10 millis")
        })
        yield* late.write(hello({ sid: 8n }))
        yield* connected(two, 8n, 9n)
        assert.deepStrictEqual(logged.map(isTaken(addresses[taken]!)), [true])
      }
    ))
  }

  promises("where it can, and says when it gives up the rest", Effect.fnUntraced(function*(place, logged) {
    const addresses = both(place, 2n)
    const transport = yield* bothHomes(place, 2n)
    yield* transport.listen(addresses[0]!)
    const two = yield* start(place, 2n, { addresses: { 2: addresses }, transport, electionPortBindRetry: 1 })
    assert.deepStrictEqual(two.manager.addresses, [addresses[1]!])
    const client = yield* call(place, 22n)
    yield* client.write(hello({ sid: 9n }))
    yield* connected(two, 9n)
    assert.strictEqual(logged.length, 2)
    assert.isTrue(isTaken(addresses[0]!)(logged[0]!))
    assert.strictEqual(logged[1], gaveUp(addresses[0]!))
  }))

  promises("nowhere: it does not start, and says what that means", Effect.fnUntraced(function*(place, logged) {
    const addresses = both(place, 2n)
    const transport = yield* bothHomes(place, 2n)
    for (const one of addresses) yield* transport.listen(one)
    const options = { addresses: { 2: addresses }, transport, electionPortBindRetry: 1 }
    const error = yield* Effect.flip(start(place, 2n, options))
    assert.strictEqual(error._tag, "ListenError")
    assert.match(error.message, /: address already in use.*; nobody can dial this server there: free the address/)
    assert.include(logged, gaveUp(addresses[0]!))
    assert.include(
      logged,
      "no election address can be bound: this server cannot be dialled and takes no part in elections"
    )
  }))

  promises("nowhere if no configuration knows it: it does not start", Effect.fnUntraced(function*(place) {
    const error = yield* Effect.flip(start(place, 9n))
    assert.strictEqual(error._tag, "ListenError")
    assert.include(error.message, "no configuration has an entry for server 9")
  }))

  promises("nowhere if its transport dies: it does not start", Effect.fnUntraced(function*(place) {
    const transport = yield* place.transport(place.host(2n))
    const bugs = [
      () => Effect.die(new Error("a bug")),
      () => {
        throw new Error("a bug")
      }
    ]
    for (const listen of bugs) {
      const options = { transport: { ...transport, listen }, electionPortBindRetry: 1 }
      const error = yield* Effect.flip(start(place, 2n, options))
      assert.strictEqual(error._tag, "ListenError")
      assert.include(error.message, `cannot listen on ${place.host(2n)}:3888: a bug`)
    }
  }))

  promises("on all interfaces at the ports of its entry, if it is told so", Effect.fnUntraced(function*(place) {
    // Any free port, because every place is on this machine.
    const own = both(place, 2n).map(({ host }) => ({ host, port: 0 }))
    const two = yield* start(place, 2n, {
      addresses: { 2: own },
      transport: yield* bothHomes(place, 2n),
      listenOnAllIPs: true
    })
    const [all, ...others] = two.manager.addresses
    assert.deepStrictEqual([all!.host, ...others], ["::"])
    const elsewhere = yield* place.transport(place.host(99n))
    for (const at of [2n, 22n]) {
      const client = yield* elsewhere.dial({ host: place.host(at), port: all!.port })
      yield* client.write(hello({ sid: 100n + at }))
      yield* connected(two, ...(at === 2n ? [102n] : [102n, 122n]))
    }
  }))
}

const isRefused = ({ reason }: { readonly reason: string }) => reason === "Refused"

/** What is made of a peer that has several addresses. */
export const several = (promises: Register) => {
  promises("the second is dialled when nobody is at the first", Effect.fnUntraced(function*(place) {
    // A host that is known, and where nobody listens.
    yield* place.transport(place.host(21n))
    const one = yield* start(place, 1n)
    const two = yield* start(place, 2n, { addresses: { 1: both(place, 1n).toReversed() } })
    yield* send(two, 1n, "found")
    assert.strictEqual(yield* next(one), "2: found")
    assert.strictEqual((yield* storyOf(two, 1n))?.link?.remote, `${place.host(1n)}:3888`)
  }))

  promises("the second is dialled when the first is silent, which then counts no more", Effect.fnUntraced(
    function*(place) {
      const { abandoned, transport } = yield* silentAt(place, 21n)
      const one = yield* start(place, 1n)
      const two = yield* start(place, 2n, { addresses: { 1: both(place, 1n).toReversed() }, transport })
      yield* send(two, 1n, "found")
      assert.strictEqual(yield* next(one), "2: found")
      yield* Deferred.await(abandoned)
    }
  ))

  promises("are all told in a handshake, if that is switched on", Effect.fnUntraced(function*(place) {
    const expected = hello({ sid: 2n, version: -65535n, text: `${place.host(2n)}:3888|${place.host(22n)}:3888` })
    assert.strictEqual(yield* saidFirst(place, true, expected.length), text(expected))
  }))

  promises("are not told in a handshake otherwise, only the first", Effect.fnUntraced(function*(place) {
    const expected = hello({ sid: 2n, version: -65536n, text: `${place.host(2n)}:3888` })
    assert.strictEqual(yield* saidFirst(place, false, expected.length), text(expected))
  }))

  const wildcards = ["0.0.0.0:3888", "[::]:3888", "0.0.0.0:3888|[::]:3889|[0:0:0:0:0:0:0:0]:1"]
  for (const wildcard of wildcards) {
    promises(`that stand for every interface are none: ${wildcard}`, Effect.fnUntraced(function*(place, logged) {
      const two = yield* start(place, 2n)
      const accepted = yield* listen(place, 98n)
      const nowhere = yield* call(place, 2n)
      yield* nowhere.write(hello({ sid: -5n, version: -65535n, text: wildcard }))
      yield* closedSilently(nowhere)
      assert.deepStrictEqual(logged, [
        "server -5 cannot be dialled: no configuration and no handshake gives its address"
      ])
      const somewhere = yield* call(place, 2n)
      yield* somewhere.write(hello({ sid: -5n, version: -65535n, text: `${wildcard}|${place.host(98n)}:3888` }))
      yield* closedSilently(somewhere)
      yield* Queue.take(accepted)
      yield* connected(two, -5n)
    }))
  }

  promises("are changed when the one in use does not answer any more", Effect.fnUntraced(function*(place) {
    const addresses = { 1: both(place, 1n) }
    const one = yield* start(place, 1n, { addresses, transport: yield* bothHomes(place, 1n) })
    const home = yield* place.transport(place.host(2n))
    let dead = ""
    const two = yield* start(place, 2n, {
      addresses,
      multiAddress: true,
      reachabilityCheckTimeout: 50,
      transport: { ...home, dial: (to) => (to.host === dead ? Effect.never : home.dial(to)) }
    })
    yield* two.manager.want(new Set([1n]))
    yield* converse(two, one, "at the first")
    const changes = yield* two.manager.linkChanges
    for (const [from, to] of [[1n, 21n], [21n, 1n]] as const) {
      assert.strictEqual((yield* storyOf(two, 1n))?.link?.remote, `${place.host(from)}:3888`)
      dead = place.host(from)
      // Whoever sends something asks.
      yield* send(two, 1n, `from ${from}`)
      yield* storyWhen(two, 1n, ({ link }) => link?.remote === `${place.host(to)}:3888`)
      yield* converse(two, one, `at ${to}`)
      // The end of the one is told of before the beginning of the other.
      assert.strictEqual((yield* PubSub.take(changes))._tag, "Down")
      assert.strictEqual((yield* PubSub.take(changes))._tag, "Up")
    }
  }))

  promises("are not changed while the one in use answers", Effect.fnUntraced(function*(place) {
    const addresses = { 1: both(place, 1n) }
    const one = yield* start(place, 1n, { addresses, transport: yield* bothHomes(place, 1n) })
    const { asked, transport } = yield* countingProbes(place)
    const two = yield* start(place, 2n, { addresses, multiAddress: true, transport })
    yield* converse(two, one, "before")
    const changes = yield* two.manager.linkChanges
    yield* send(two, 1n, "asks")
    assert.strictEqual(yield* Queue.take(asked), place.host(1n))
    yield* converse(two, one, "after")
    assert.strictEqual(yield* PubSub.remaining(changes), 0)
    assert.isTrue((yield* two.manager.connected).has(1n))
  }))

  const unasked = [
    ["has one address", true, true, 1],
    ["has several, and nobody may have", false, true, 2],
    ["has several, and asking is switched off", true, false, 2]
  ] as const
  for (const [what, multiAddress, reachabilityCheckEnabled, count] of unasked) {
    promises(`nobody asks whether it answers who ${what}`, Effect.fnUntraced(function*(place) {
      const addresses = { 1: both(place, 1n).slice(0, count) }
      const one = yield* start(place, 1n, { addresses, transport: yield* bothHomes(place, 1n) })
      const { asked, transport } = yield* countingProbes(place)
      const two = yield* start(place, 2n, { addresses, multiAddress, reachabilityCheckEnabled, transport })
      for (const words of ["a", "b", "c"]) yield* converse(two, one, words)
      assert.strictEqual(yield* Queue.size(asked), 0)
    }))
  }
}

// The first bytes that a server 2 with two addresses says to server 1, as text.
const saidFirst = Effect.fnUntraced(function*(place: Place, multiAddress: boolean, length: number) {
  const accepted = yield* listen(place, 1n)
  const transport = yield* bothHomes(place, 2n)
  const two = yield* start(place, 2n, { addresses: { 2: both(place, 2n) }, multiAddress, transport })
  yield* two.manager.connectOne(1n)
  const connection: Connection = yield* Queue.take(accepted)
  return text(yield* reader(connection)(length))
})

// The transport of server 2, for which a host is silent, and the end of a dial to it.
const silentAt = Effect.fnUntraced(function*(place: Place, host: bigint) {
  const home = yield* place.transport(place.host(2n))
  const abandoned = yield* Deferred.make<void>()
  const dial: Transport["Service"]["dial"] = (to) =>
    to.host === place.host(host)
      ? Effect.onInterrupt(Effect.never, () => Deferred.succeed(abandoned, undefined))
      : home.dial(to)
  return { abandoned, transport: { ...home, dial } }
})

// The transport of server 2, and the hosts it has dialled at another port than that of the election, when that is over.
const countingProbes = Effect.fnUntraced(function*(place: Place) {
  const home = yield* place.transport(place.host(2n))
  const asked = yield* Queue.unbounded<string>()
  const dial: Transport["Service"]["dial"] = (to) =>
    to.port === PORT ? home.dial(to) : Effect.ensuring(home.dial(to), Queue.offer(asked, to.host))
  return { asked, transport: { ...home, dial } }
})
