import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as ElectionAlgorithm from "../src/ElectionAlgorithm.ts"
import * as MemoryNetwork from "../src/MemoryNetwork.ts"
import type { QuorumCnxManager } from "../src/QuorumCnxManager.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as Cluster from "./Cluster.ts"

const { networked, sids } = Cluster

const committed = QuorumVerifier.majority({ servers: sids(1, 3).map((sid) => Cluster.server(sid)) })

// Starts algorithms as the peer of this id, and says where it lives.
const creator = (mySid: bigint) => {
  const membership = Ensemble.membership({ mySid, committed })
  const layer = Layer.mergeAll(
    QuorumConfig.layer({ ensemble: Ensemble.make({ mySid }), membership }),
    MemoryNetwork.layerTransport(Cluster.host(mySid))
  )
  return Effect.map(ElectionAlgorithm.make, ({ create }) => (electionAlg: number) =>
    Effect.provide(create(electionAlg, membership), layer, { local: true }))
}

const connected = (manager: QuorumCnxManager, sid: bigint) =>
  Effect.scoped(Effect.gen(function*() {
    const changes = yield* manager.linkChanges
    while (!(yield* manager.connected).has(sid)) yield* PubSub.take(changes)
  }))

describe("an election algorithm", () => {
  it.effect("is number 3", networked(Effect.fnUntraced(function*() {
    const create = yield* creator(1n)
    const { addresses, recvQueue, toSend } = yield* create(3)
    assert.deepStrictEqual(addresses, [{ host: "peer1", port: 3888 }])
    yield* toSend(1n, new Uint8Array([7]))
    assert.deepStrictEqual(yield* Queue.take(recvQueue), { sid: 1n, payload: new Uint8Array([7]) })
  })))

  it.effect.each([
    [0, "was the original election over UDP, removed in ZooKeeper 3.6"],
    [1, "was FastLeaderElection over UDP, removed in ZooKeeper 3.6"],
    [2, "was FastLeaderElection over authenticated UDP, removed in ZooKeeper 3.6"],
    [7, "is not an election algorithm"],
    [-1, "is not an election algorithm"]
  ] as const)("is not number %i, and the refusal tells what to write", ([electionAlg, what]) =>
    networked(Effect.fnUntraced(function*(network) {
      const create = yield* creator(1n)
      const error = yield* Effect.flip(create(electionAlg))
      assert.strictEqual(error._tag, "UnsupportedElectionAlgorithm")
      assert.strictEqual(
        error.message,
        `electionAlg=${electionAlg} ${what}; write electionAlg=3 (FastLeaderElection), or leave the line out`
      )
      const stranger = yield* network.transport("stranger")
      const nobody = yield* Effect.flip(stranger.dial({ host: "peer1", port: 3888 }))
      assert.strictEqual(nobody._tag, "DialError")
    }))())

  it.effect("that starts twice halts the first, and takes its address", networked(Effect.fnUntraced(function*(network) {
    const logged: Array<string> = []
    const logger = Logger.make(({ message }) => void logged.push(String(message)))
    const createTwo = yield* creator(2n)
    const createOne = yield* creator(1n)
    const first = yield* createTwo(3)
    const one = yield* createOne(3)
    yield* first.connectOne(1n)
    yield* connected(one, 2n)

    const second = yield* createTwo(3).pipe(Effect.provide(Logger.layer([logger])))
    assert.deepStrictEqual(logged, ["an election is running already; its connection manager is halted"])
    assert.deepStrictEqual(second.addresses, first.addresses)
    yield* network.until((all) => all.length === 0)
    assert.deepStrictEqual(yield* one.connected, new Set())

    yield* one.toSend(2n, new Uint8Array([9]))
    assert.deepStrictEqual(yield* Queue.take(second.recvQueue), { sid: 1n, payload: new Uint8Array([9]) })
    assert.strictEqual(yield* Queue.size(first.recvQueue), 0)
    yield* network.until((all) => all.length === 1)
  })))

  it.effect("that is refused leaves the running one alone", networked(Effect.fnUntraced(function*() {
    const create = yield* creator(1n)
    const { recvQueue, toSend } = yield* create(3)
    yield* Effect.flip(create(2))
    yield* toSend(1n, new Uint8Array([7]))
    assert.strictEqual((yield* Queue.take(recvQueue)).sid, 1n)
  })))

  it.effect("ends with the scope it was made in", networked(Effect.fnUntraced(function*(network) {
    const scope = yield* Scope.make()
    const create = yield* Scope.provide(creator(1n), scope)
    yield* create(3)
    yield* create(3)
    yield* Scope.close(scope, Exit.void)
    const transport = yield* network.transport("peer1")
    yield* transport.listen({ host: "peer1", port: 3888 })
  })))
})
