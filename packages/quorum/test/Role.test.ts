import * as Ensemble from "@conclave/core/Ensemble"
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as History from "../src/History.ts"
import { MembershipStore } from "../src/MembershipStore.ts"
import { MemoryNetwork } from "../src/MemoryNetwork.ts"
import * as Office from "../src/Office.ts"
import * as Pledges from "../src/Pledges.ts"
import * as QuorumAuth from "../src/QuorumAuth.ts"
import * as QuorumConfig from "../src/QuorumConfig.ts"
import * as Role from "../src/Role.ts"
import type { RoleContext } from "../src/RoleContext.ts"
import * as Cluster from "./Cluster.ts"

const committed = QuorumVerifier.majority({ servers: [Cluster.server(1n)] })
const membership = Ensemble.membership({ mySid: 1n, committed })

const elected: ElectedReason = { _tag: "Quorum", supporters: new Set([1n]), runnerUp: null, ground: null }

const settled: Parameters<Role.Role["begin"]>[0] = {
  _tag: "Settled",
  state: "LEADING",
  supporters: new Set([1n]),
  membership,
  absent: new Map(),
  logicalClock: 1n,
  proposal: { leader: 1n, zxid: 0n, peerEpoch: 0n },
  currentVote: { leader: 1n, zxid: 0n, peerEpoch: 0n, electionEpoch: 1n, version: 2, state: "LEADING" }
}

/** The only voter of its ensemble, which leads as soon as it is elected. */
const alone = Effect.fnUntraced(function*(
  offer: (report: Role.Report) => Effect.Effect<unknown>,
  history?: RoleContext["history"]
) {
  const config = { ...QuorumConfig.defaults, ensemble: Ensemble.make({ mySid: 1n }), membership }
  const network = yield* MemoryNetwork
  const context: RoleContext = {
    config,
    activation: QuorumConfig.activation(),
    transport: yield* network.transport("peer1"),
    auth: QuorumAuth.none,
    history: history ?? (yield* History.make()),
    office: yield* Office.make({ sid: 1n }),
    pledges: Pledges.make(null),
    store: yield* MembershipStore
  }
  return yield* Role.make(context, offer)
})

describe("a role", () => {
  it.effect("ends though nobody has room for its reports", Cluster.networked(Effect.fnUntraced(function*() {
    const reporting = yield* Deferred.make<void>()
    const role = yield* alone(() => Effect.andThen(Deferred.succeed(reporting, undefined), Effect.never))
    yield* role.begin(settled, elected)
    yield* Deferred.await(reporting)
    yield* role.end({ _tag: "Stopped" })
  })))

  it.effect("reports its own defects", Cluster.networked(Effect.fnUntraced(function*() {
    const died = yield* Deferred.make<Role.Event>()
    const broken = { ...(yield* History.make()), read: Effect.die("no history") }
    const role = yield* alone(({ event }) => Deferred.succeed(died, event), broken)
    yield* role.begin(settled, elected)
    assert.strictEqual((yield* Deferred.await(died))._tag, "Died")
    yield* role.end({ _tag: "Stopped" })
  })))

  it.effect("that is given up is silent", Cluster.networked(Effect.fnUntraced(function*() {
    const events: Array<string> = []
    const active = yield* Deferred.make<void>()
    const role = yield* alone(({ event }) =>
      Effect.andThen(Effect.sync(() => events.push(event._tag)), Deferred.succeed(active, undefined)))
    yield* role.begin(settled, elected)
    yield* Deferred.await(active)
    yield* Fiber.join(yield* Effect.forkChild(role.end({ _tag: "Stopped" })))
    assert.deepStrictEqual(events, ["Activated"])
  })))
})
