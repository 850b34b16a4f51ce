/**
 * Where the configurations of the ensemble are kept, so that a peer that starts
 * again knows them.
 *
 * Java: the files that `QuorumPeer.setQuorumVerifier` and
 * `setLastSeenQuorumVerifier` write.
 */
import type { QuorumVerifier } from "@conclave/core/QuorumVerifier"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Keeps configurations. Either returns when what it was given is durable, or when it was told to the log why it is
 * not: a peer lives on with what it has in memory.
 */
export interface MembershipStore {
  /** Keeps the configuration in force; one that is no newer than the one kept changes nothing. */
  readonly committed: (verifier: QuorumVerifier) => Effect.Effect<void>
  /** Keeps a configuration that may come into force, until one as new is; an older one changes nothing. */
  readonly lastSeen: (verifier: QuorumVerifier) => Effect.Effect<void>
}

/** Keeps nothing, unless a Layer provides a store. */
export const MembershipStore = Context.Reference<MembershipStore>("@conclave/quorum/MembershipStore", {
  defaultValue: () => ({ committed: () => Effect.void, lastSeen: () => Effect.void })
})
