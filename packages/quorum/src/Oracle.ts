/**
 * The oracle of an ensemble of two voters: a file that somebody outside writes,
 * to say which of the two may go on alone.
 *
 * Java: `QuorumOracleMaj.askOracle`.
 */
import type { Membership } from "@conclave/core/Ensemble"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"

/** Asks the oracle whether this peer may do without the other one. Says no unless a Layer provides one. */
export const Oracle = Context.Reference<Effect.Effect<boolean>>("@conclave/quorum/Oracle", {
  defaultValue: () => Effect.succeed(false)
})

/** Asks about this membership: only one with an oracle is worth the reading of a file, all others get a no. */
export const ask = ({ committed }: Membership): Effect.Effect<boolean> =>
  committed._tag === "Oracle" ? Effect.flatten(Effect.service(Oracle)) : Effect.succeed(false)

/** An oracle in a file, read anew for every question: yes if its first character is `1`; no if it cannot be read. */
export const layerFile = (path: string): Layer.Layer<never, never, FileSystem.FileSystem> =>
  Layer.effect(
    Oracle,
    Effect.map(FileSystem.FileSystem, (fs) =>
      fs.readFileString(path).pipe(
        Effect.map((text) => text.startsWith("1")),
        Effect.orElseSucceed(() => false)
      ))
  )
