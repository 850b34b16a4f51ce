/**
 * Keeps the membership in the files in which ZooKeeper keeps it, so that either can
 * be started from what the other wrote: `<zoo.cfg>.dynamic.<version>` with the
 * configuration in force, to which `zoo.cfg` points, `<zoo.cfg>.dynamic.next` with
 * one that is pending, and `<zoo.cfg>.bak`, how `zoo.cfg` was while it listed the
 * members itself.
 *
 * The dynamic file is whole before `zoo.cfg` points to it, so a crash leaves the one
 * configuration or the other. A pending one is removed when one as new is in force.
 *
 * Java: QuorumPeer.setQuorumVerifier, setLastSeenQuorumVerifier;
 * QuorumPeerConfig.writeDynamicConfig, editStaticConfig, backupOldConfig.
 */
import * as DynamicConfig from "@conclave/core/DynamicConfig"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as DurableFile from "@conclave/quorum/DurableFile"
import { MembershipStore } from "@conclave/quorum/MembershipStore"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as StaticFile from "./StaticFile.ts"
import type { ZooConfig } from "./ZooConfig.ts"

/** The name of the file with a pending configuration. Java: nextDynamicConfigFileSuffix. */
export const nextFile = (configFile: string): string => `${configFile}.dynamic.next`

/** The part of a configuration that says what is in the files already. */
export type Kept = Pick<ZooConfig, "file" | "mySid" | "verifier" | "lastSeen" | "reconfigEnabled">

/** The files of a peer as its store; without `reconfigEnabled` nothing is ever written. */
export const layer = (config: Kept): Layer.Layer<never, never, FileSystem.FileSystem | Path.Path> =>
  config.reconfigEnabled ? Layer.effect(MembershipStore, make(config)) : Layer.empty

/** A `zoo.cfg` that was changed meanwhile, so that it cannot be read. */
class UnreadableConfig extends Schema.TaggedError<UnreadableConfig>()("UnreadableConfig", {
  file: Schema.String,
  line: Schema.Finite,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.file}, line ${this.line}: ${this.problem}`
  }
}

const make = Effect.fnUntraced(function*(config: Kept) {
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const lock = yield* Semaphore.make(1)
  let committed = config.verifier.version
  let lastSeen = config.lastSeen?.version ?? committed

  const write = <E extends { readonly message: string }>(
    verifier: QuorumVerifier.QuorumVerifier,
    writing: Effect.Effect<void, E, FileSystem.FileSystem | Path.Path>
  ) =>
    writing.pipe(
      Effect.catch(({ message }) => Effect.logError(notWritten(config.file, verifier, message))),
      Effect.provideContext(context),
      // Between the steps of one write nobody may begin another, nor leave it half done.
      Effect.uninterruptible,
      lock.withPermits(1)
    )

  return {
    committed: (verifier: QuorumVerifier.QuorumVerifier) =>
      write(
        verifier,
        Effect.suspend(() =>
          verifier.version <= committed
            ? Effect.void
            : Effect.gen(function*() {
              yield* point(config, verifier, yield* writeDynamic(config.file, verifier))
              committed = verifier.version
              if (lastSeen > committed) return
              lastSeen = committed
              yield* DurableFile.remove(nextFile(config.file))
            })
        )
      ),
    lastSeen: (verifier: QuorumVerifier.QuorumVerifier) =>
      write(
        verifier,
        Effect.suspend(() =>
          verifier.version <= lastSeen || verifier.version <= committed
            ? Effect.void
            : Effect.map(
              DurableFile.write(nextFile(config.file), DynamicConfig.fileText(verifier, { withVersion: true })),
              () => void (lastSeen = verifier.version)
            )
        )
      )
  }
})

const writeDynamic = Effect.fnUntraced(function*(configFile: string, verifier: QuorumVerifier.QuorumVerifier) {
  const fs = yield* FileSystem.FileSystem
  const file = `${configFile}.dynamic.${QuorumVerifier.versionText(verifier)}`
  yield* DurableFile.write(file, DynamicConfig.fileText(verifier, { withVersion: false }))
  return yield* fs.realPath(file)
})

/** Lets `zoo.cfg` point to a dynamic file. It is read anew: somebody may have edited it since the start. */
const point = Effect.fnUntraced(function*(
  { file, mySid }: Kept,
  verifier: QuorumVerifier.QuorumVerifier,
  dynamicConfigFile: string
) {
  const fs = yield* FileSystem.FileSystem
  // Where `zoo.cfg` is a link, the link stays and its target is written.
  const target = yield* fs.realPath(file)
  const mode = Number((yield* fs.stat(target)).mode) & 0o777
  const text = yield* fs.readFileString(target)
  const parsed = yield* Effect.mapError(
    Effect.fromResult(StaticFile.parse(text)),
    ({ line, problem }) => new UnreadableConfig({ file, line, problem })
  )
  const namesClientAddress = (verifier.servers.get(mySid)?.clientAddress ?? null) !== null
  if (parsed.hasMembers) yield* DurableFile.write(`${file}.bak`, text, mode)
  yield* DurableFile.write(target, parsed.edited({ dynamicConfigFile, namesClientAddress }), mode)
})

const notWritten = (file: string, verifier: QuorumVerifier.QuorumVerifier, problem: string): string =>
  `configuration ${QuorumVerifier.versionText(verifier)} cannot be written beside ${file}: ${problem}; ` +
  "this server goes on with it in memory, but would start from the older one: " +
  "let it write that directory, or write the servers to the file by hand"
