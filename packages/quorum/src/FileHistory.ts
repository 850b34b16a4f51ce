/**
 * A history whose epochs outlive the process and the machine, in a data directory of ZooKeeper's format.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Ref from "effect/Ref"
import * as Semaphore from "effect/Semaphore"
import * as DurableFile from "./DurableFile.ts"
import * as EpochFiles from "./EpochFiles.ts"
import * as History from "./History.ts"

/** Where the epochs are, and how far the data goes that belong to them. */
export interface Options {
  /** Java: dataDir. The files are in its `version-2`, which is made if it is missing. */
  readonly dataDir: string
  /** How far the log goes. Its epoch is what a peer without epoch files has accepted. 0 unless given. */
  readonly lastLoggedZxid?: bigint
  /** May directories be made? Unless `false`. Java: zookeeper.datadir.autocreate. */
  readonly autocreate?: boolean
}

/**
 * The history in a data directory. What is missing there is created; what cannot be trusted is an `EpochFileError`.
 * An epoch counts only when it is durable: if it cannot be written, the one before still holds. One process at a time
 * may have the directory.
 *
 * Java: QuorumPeer.loadDataBase, setAcceptedEpoch, setCurrentEpoch.
 */
export const make = Effect.fn("FileHistory.make")(function*(
  { autocreate = true, dataDir, lastLoggedZxid = 0n }: Options
) {
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const path = yield* Path.Path
  const directory = EpochFiles.directoryOf(path, dataDir)
  yield* autocreate ? Effect.mapError(makeDirectory(directory), unwritable(directory)) : requireDirectory(directory)
  const loaded = yield* EpochFiles.load(directory, lastLoggedZxid)
  yield* Effect.mapError(EpochFiles.settle(directory, loaded), unwritable(directory))
  const { acceptedEpoch, currentEpoch } = loaded
  const facts = yield* Ref.make<History.Facts>({ lastLoggedZxid, currentEpoch, acceptedEpoch })
  const lock = yield* Semaphore.make(1)

  // On disk first, then here: what was not written was not promised (ZOOKEEPER-2307).
  const raise = Effect.fnUntraced(function*(name: EpochFiles.Name, epoch: bigint) {
    if (epoch <= (yield* Ref.get(facts))[name]) return
    if (epoch > EpochFiles.EPOCH_MAX) {
      return yield* new History.HistoryError({
        what: `epoch ${epoch}`,
        remedy: `epochs end at ${EpochFiles.EPOCH_MAX}: no leader may propose it`,
        cause: null
      })
    }
    yield* Effect.mapError(EpochFiles.write(directory, name, epoch), unwritable(path.join(directory, name)))
    yield* Ref.update(facts, (facts) => ({ ...facts, [name]: epoch }))
  })

  // Not to be interrupted half-way, and one at a time.
  const perform = (effect: ReturnType<typeof raise>) =>
    Semaphore.withPermit(lock, Effect.uninterruptible(effect)).pipe(Effect.provideContext(context))

  return History.History.of({
    read: Ref.get(facts),
    setAcceptedEpoch: (epoch) => perform(raise("acceptedEpoch", epoch)),
    // Who is in sync with a leader has accepted it. A current epoch beyond that would keep us from starting again.
    setCurrentEpoch: (epoch) => perform(Effect.andThen(raise("acceptedEpoch", epoch), raise("currentEpoch", epoch)))
  })
})

/** The history in a data directory, see `make`. With it the epochs of leaders increase across restarts. */
export const layer = (
  options: Options
): Layer.Layer<
  History.History,
  EpochFiles.EpochFileError | History.HistoryError,
  FileSystem.FileSystem | Path.Path
> => Layer.effect(History.History, make(options))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Makes a directory that is there after a crash, too; `EpochFiles.settle` flushes the one that holds it. */
const makeDirectory: (
  directory: string
) => Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(function*(directory) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (yield* fs.exists(directory)) return
  const parent = path.dirname(directory)
  if (!(yield* fs.exists(parent))) {
    yield* makeDirectory(parent)
    yield* DurableFile.flush(path.dirname(parent))
  }
  // Another replica may make the directory that they share.
  yield* Effect.catchIf(fs.makeDirectory(directory), ({ reason }) => reason._tag === "AlreadyExists", () => Effect.void)
})

// Often it is on a disk of its own that was not mounted: what is beneath must not be taken for a fresh start.
const requireDirectory = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Effect.mapError(fs.exists(directory), unwritable(directory))) return
  return yield* new EpochFiles.EpochFileError({
    file: directory,
    problem: "there is no such directory, and none may be made (datadir.autocreate=false)",
    remedy: "mount the disk it is on, or make the directory; for a fresh server only"
  })
})

const unwritable = (what: string) => (cause: PlatformError) =>
  new History.HistoryError({
    what,
    remedy: "make room on the disk, or let the user of this process write there; until then no epoch is promised",
    cause
  })
