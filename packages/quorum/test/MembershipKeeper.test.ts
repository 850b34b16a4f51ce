import * as Election from "@conclave/core/Election"
import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as Vote from "@conclave/core/Vote"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as MembershipKeeper from "../src/MembershipKeeper.ts"
import { MembershipStore } from "../src/MembershipStore.ts"
import * as Cluster from "./Cluster.ts"

const verifier = (version: bigint) =>
  QuorumVerifier.majority({ version, servers: Cluster.sids(1, 3).map((sid) => Cluster.server(sid)) })

/** Peer 1 as the leader by the configuration of this version. */
const leading = (version: bigint): Election.Settled => ({
  _tag: "Settled",
  state: "LEADING",
  membership: Ensemble.membership({ mySid: 1n, committed: verifier(version) }),
  logicalClock: 1n,
  proposal: { leader: 1n, zxid: 0n, peerEpoch: 0n },
  currentVote: Vote.make({ leader: 1n, zxid: 0n, peerEpoch: 0n }, 1n),
  absent: new Map(),
  supporters: new Set()
})

describe("MembershipKeeper", () => {
  it.effect("stores a configuration once, and again in the next search: it may not have succeeded", () =>
    Effect.gen(function*() {
      const versions: Array<bigint> = []
      const store = {
        committed: ({ version }: QuorumVerifier.QuorumVerifier) => Effect.sync(() => void versions.push(version)),
        lastSeen: () => Effect.void
      }
      const keeper = yield* Effect.provideService(MembershipKeeper.make(1n), MembershipStore, store)
      for (const version of [5n, 5n, 6n, 6n]) yield* keeper.settled(leading(version))
      assert.deepStrictEqual(versions, [5n, 6n])
      keeper.searching()
      yield* keeper.settled(leading(6n))
      assert.deepStrictEqual(versions, [5n, 6n, 6n])
    }))

  it.effect("tells a reason for refusing once in a search", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => void told.push(`${logLevel} ${message}`))
      const keeper = yield* MembershipKeeper.make(1n)
      const refused = (verdict: "LosesMajority" | "SenderNotVoter") =>
        keeper.decided({ _tag: "ConfigSeen", from: 2n, version: 6n, verdict, problem: null }).pipe(
          Effect.provide(Logger.layer([logger]))
        )
      for (const verdict of ["LosesMajority", "SenderNotVoter", "LosesMajority"] as const) yield* refused(verdict)
      assert.lengthOf(told, 2)
      keeper.searching()
      yield* refused("LosesMajority")
      assert.lengthOf(told, 3)
      assert.match(told[2]!, /^Warn configuration 6 from server 2 is not adopted: no majority/)
    }))
})
