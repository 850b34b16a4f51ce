/**
 * Which election algorithm a peer runs, and that it runs only once.
 *
 * Java: `QuorumPeer.createElectionAlgorithm`, `startLeaderElection`.
 */
import type { Membership } from "@conclave/core/Ensemble"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as QuorumCnxManager from "./QuorumCnxManager.ts"
import type { QuorumConfig } from "./QuorumConfig.ts"
import type { ListenError, Transport } from "./Transport.ts"

/** The number of FastLeaderElection, the only algorithm there is. */
export const FAST_LEADER_ELECTION = 3

/** An election algorithm that does not exist, or does not any more. Our configuration is at fault. */
export class UnsupportedElectionAlgorithm
  extends Schema.TaggedError<UnsupportedElectionAlgorithm>()("UnsupportedElectionAlgorithm", {
    electionAlg: Schema.Finite
  })
{
  override get message(): string {
    const what = removed[this.electionAlg] ?? "is not an election algorithm"
    return `electionAlg=${this.electionAlg} ${what}; write electionAlg=3 (FastLeaderElection), or leave the line out`
  }
}

const removed: Record<number, string> = {
  0: "was the original election over UDP, removed in ZooKeeper 3.6",
  1: "was FastLeaderElection over UDP, removed in ZooKeeper 3.6",
  2: "was FastLeaderElection over authenticated UDP, removed in ZooKeeper 3.6"
}

/** Creates the connection manager that an election algorithm needs, one at a time. */
export interface ElectionAlgorithm {
  /**
   * Starts the algorithm of this number. If one is running its manager is halted
   * first, so that its addresses are free and its connections closed.
   */
  readonly create: (
    electionAlg: number,
    membership: Membership
  ) => Effect.Effect<
    QuorumCnxManager.QuorumCnxManager,
    UnsupportedElectionAlgorithm | ListenError,
    QuorumConfig | Transport
  >
}

/** No algorithm runs yet; what runs at the end of the scope is halted. */
export const make: Effect.Effect<ElectionAlgorithm, never, Scope.Scope> = Effect.map(Effect.scope, (parent) => {
  let running: Scope.Closeable | undefined
  const halt = Effect.suspend(() => (running === undefined ? Effect.void : Scope.close(running, Exit.void)))
  return {
    create: Effect.fnUntraced(function*(electionAlg, membership) {
      if (electionAlg !== FAST_LEADER_ELECTION) return yield* new UnsupportedElectionAlgorithm({ electionAlg })
      if (running !== undefined) {
        yield* Effect.logWarning("an election is running already; its connection manager is halted")
      }
      yield* halt
      const scope = yield* Scope.fork(parent)
      running = scope
      return yield* Scope.provide(QuorumCnxManager.make(membership), scope)
    })
  }
})
