/**
 * Tells what becomes of configurations that come with notifications, and gives
 * those that our leader confirms to the store.
 *
 * What is adopted the core decides; when it may be written, `Reconfiguration`.
 */
import type { Settled } from "@conclave/core/Election"
import type { ConfigVerdict, Output } from "@conclave/core/ElectionOutput"
import type { Membership } from "@conclave/core/Ensemble"
import * as Explain from "@conclave/core/Explain"
import type { Notification } from "@conclave/core/Notification"
import * as Reconfiguration from "@conclave/core/Reconfiguration"
import type { Sid } from "@conclave/core/Sid"
import * as Effect from "effect/Effect"
import { MembershipStore } from "./MembershipStore.ts"

/** Keeps the membership of one peer while it runs elections. */
export interface MembershipKeeper {
  /** A search begins: what is refused is worth telling again, and what could not be stored is worth another try. */
  readonly searching: () => void
  /** Tells the log what was decided about a configuration. */
  readonly decided: (output: Output & { readonly _tag: "AdoptConfig" | "ConfigSeen" }) => Effect.Effect<void>
  /** A leader says by which configuration it leads. */
  readonly heard: (
    membership: Membership,
    notification: Pick<Notification, "config" | "from" | "leader" | "state">
  ) => void
  /** Stores the configuration in force, once, when the leader leads by it. */
  readonly settled: (state: Settled) => Effect.Effect<void>
}

/** A keeper that has heard nothing. */
export const make = (mySid: Sid): Effect.Effect<MembershipKeeper> =>
  Effect.map(MembershipStore, (store) => {
    // Nearly every message of a peer carries its configuration: each reason is told once in a search.
    const refused = new Set<ConfigVerdict>()
    let told = Reconfiguration.untold
    let stored: bigint | null = null
    return {
      searching: () => {
        refused.clear()
        stored = null
      },
      decided: Effect.fnUntraced(function*(output) {
        if (output._tag === "AdoptConfig") {
          const text = Explain.configAdopted(mySid, output)
          yield* output.verifier.servers.has(mySid) ? Effect.logInfo(text) : Effect.logWarning(text)
          return
        }
        const refusal = Explain.configRefused(output)
        if (refusal === null || refused.has(output.verdict)) return
        refused.add(output.verdict)
        yield* Effect.logWarning(refusal)
      }),
      heard: (membership, notification) => {
        told = Reconfiguration.hear(told, membership, notification)
      },
      settled: Effect.fnUntraced(function*(state) {
        const { committed } = state.membership
        if (committed.version === stored || !Reconfiguration.isConfirmed(told, state)) return
        stored = committed.version
        yield* store.committed(committed)
      })
    }
  })
