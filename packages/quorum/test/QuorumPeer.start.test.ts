import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { MemoryNetwork } from "../src/MemoryNetwork.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as Cluster from "./Cluster.ts"

const { agreeOn, networked } = Cluster

// Somebody else listens where peer 1 wants to.
const takeAddress = Effect.fnUntraced(function*(network: MemoryNetwork["Service"]) {
  const scope = yield* Scope.make()
  const transport = yield* network.transport(Cluster.host(1n))
  yield* Scope.provide(transport.listen({ host: Cluster.host(1n), port: 3888 }), scope)
  return { free: Scope.close(scope, Exit.void) }
})

// Collects what people are told.
const logging = () => {
  const logged: Array<string> = []
  return { logged, layer: Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))]) }
}

describe("a peer", () => {
  it.effect("does not start if it is not among the servers", networked(Effect.fnUntraced(function*(network) {
    const error = yield* Effect.flip(Cluster.start(3, 4n))
    assert.strictEqual(error._tag, "NotInView")
    assert.strictEqual(
      error.message,
      "My id 4 not in the peer list; add a line server.4=host:port:port, or correct myid"
    )
    assert.deepStrictEqual(yield* network.connections, [])
  })))

  it.effect("does not start with a lease that a leader could never keep", networked(Effect.fnUntraced(function*() {
    const activation = QuorumConfig.activation({ lease: { duration: 2_400 } })
    const error = yield* Effect.flip(Cluster.start(3, 1n, { activation }))
    assert.strictEqual(error._tag, "UselessLease")
    assert.include(error.message, "more than a tick and its grace, 2480 ms, and no more than 19215 ms, initLimit")
  })))

  it.effect("does not start with an election algorithm that does not exist", networked(Effect.fnUntraced(function*() {
    const error = yield* Effect.flip(Cluster.start(3, 1n, { electionAlg: 1 }))
    assert.strictEqual(error._tag, "UnsupportedElectionAlgorithm")
    assert.include(error.message, "write electionAlg=3")
  })))

  it.effect("listens where its own entry says", networked(Effect.fnUntraced(function*() {
    const one = yield* Cluster.start(3, 1n)
    assert.deepStrictEqual(one.peer.addresses, [{ host: "peer1", port: 3888 }])
    const two = yield* Cluster.start(3, 2n, { listenOnAllIPs: true })
    assert.deepStrictEqual(two.peer.addresses, [{ host: "::", port: 3888 }])
    yield* Cluster.until([one, two], agreeOn(2n))
  })))

  it.effect.each([1, 3, 5])("tries %i times to listen, a second apart, and then gives up", (electionPortBindRetry) =>
    networked(Effect.fnUntraced(function*(network) {
      yield* takeAddress(network)
      const { layer, logged } = logging()
      const starting = yield* Effect.forkScoped(
        Effect.flip(Cluster.start(3, 1n, { electionPortBindRetry })).pipe(Effect.provide(layer)),
        { startImmediately: true }
      )
      for (let second = 1; second < electionPortBindRetry; second++) {
        assert.strictEqual(logged.length, second)
        yield* TestClock.adjust("999 millis")
        assert.strictEqual(logged.length, second)
        yield* TestClock.adjust("1 millis")
      }
      const error = yield* Fiber.join(starting)
      assert.strictEqual(error._tag, "ListenError")
      const problem = "cannot listen on peer1:3888: address already in use; nobody can dial this server there: " +
        "free the address, or change the server's entry in the configuration"
      assert.deepStrictEqual(logged, [
        ...Array.from({ length: electionPortBindRetry }, () => problem),
        "no election address can be bound: this server cannot be dialled and takes no part in elections"
      ])
    }))())

  it.effect("starts when its address becomes free in time", networked(Effect.fnUntraced(function*(network) {
    const { free } = yield* takeAddress(network)
    const starting = yield* Effect.forkScoped(Cluster.start(1, 1n), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    assert.isUndefined(starting.pollUnsafe())
    yield* free
    yield* TestClock.adjust("1 second")
    yield* Cluster.until([yield* Fiber.join(starting)], agreeOn(1n))
  })))

  it.effect("tries for ever to listen if it is told so", networked(Effect.fnUntraced(function*(network) {
    const { free } = yield* takeAddress(network)
    const { layer, logged } = logging()
    const starting = yield* Effect.forkScoped(
      Cluster.start(1, 1n, { electionPortBindRetry: 0 }).pipe(Effect.provide(layer)),
      { startImmediately: true }
    )
    for (let second = 0; second < 100; second++) yield* TestClock.adjust("1 second")
    assert.strictEqual(logged.length, 101)
    yield* free
    yield* TestClock.adjust("1 second")
    yield* Cluster.until([yield* Fiber.join(starting)], agreeOn(1n))
  })))

  it.effect("that stops while it looks or leads leaves nothing behind", networked(Effect.fnUntraced(function*(network) {
    const members = yield* Cluster.startAll(3)
    yield* Cluster.until(members, agreeOn(3n))
    const lonely = QuorumVerifier.majority({ servers: [4n, 5n].map((sid) => Cluster.server(sid)) })
    const late = yield* Cluster.start(lonely, 4n)
    yield* Cluster.stays([late], 1, Cluster.allLook)
    yield* Effect.forEach([...members, late], ({ stop }) => stop)
    assert.deepStrictEqual(yield* network.connections, [])
    const stranger = yield* network.transport("stranger")
    for (const { sid } of [...members, late]) {
      const error = yield* Effect.flip(stranger.dial({ host: Cluster.host(sid), port: 3888 }))
      assert.strictEqual(error.reason, "Refused")
    }
  })))

  it.effect("that stops while it dials and is dialled leaves nothing behind", networked(Effect.fnUntraced(
    function*(network) {
      yield* network.partition(Cluster.host(1n), Cluster.host(2n))
      const [one, two] = yield* Cluster.startSome(3, [1n, 2n])
      yield* network.until((all) => all.filter(({ state }) => state === "Dialing").length === 2)
      yield* one!.stop
      yield* two!.stop
      assert.deepStrictEqual(yield* network.connections, [])
      yield* network.heal
      const again = yield* Cluster.startSome(3, [1n, 2n])
      yield* Cluster.until(again, agreeOn(2n))
    }
  )))

  it.effect("reads its history anew for every election", networked(Effect.fnUntraced(function*() {
    let lastLoggedZxid = 1n
    const one = yield* Cluster.start(3, 1n, { position: Effect.sync(() => lastLoggedZxid) })
    const others = yield* Cluster.startSome(3, [2n, 3n], { facts: { lastLoggedZxid: 5n, currentEpoch: 0n } })
    yield* Cluster.until([one, ...others], agreeOn(3n))
    lastLoggedZxid = 6n
    yield* others[1]!.stop
    yield* Cluster.until([one, others[0]!], agreeOn(1n))
    assert.strictEqual((yield* Cluster.reportOf(one)).vote.zxid, 6n)
  })))
})
