/**
 * What a peer wrote down about epochs and transactions before it was started.
 *
 * Read only. The two epoch files are promises to the ensemble: a peer that has
 * them and cannot read them does not start again from zero, it does not start.
 *
 * The last logged zxid comes from file names, and is therefore a lower bound;
 * reading the logs themselves comes with the epoch persistence. A peer over
 * ZooKeeper's own data must not be elected with it.
 *
 * Java: QuorumPeer.loadDataBase.
 */
import * as Zxid from "@conclave/core/Zxid"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"

/** An epoch file or data directory that cannot be trusted, so that the peer must not start. */
export class EpochFileError extends Schema.TaggedError<EpochFileError>()("EpochFileError", {
  file: Schema.String,
  problem: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}\n  problem: ${this.problem}\n  to do:   ${this.remedy}`
  }
}

/** Where a peer stands when it starts. A fresh one stands at zero. */
export interface Epochs {
  /** The epoch of the last leader that brought us in sync. */
  readonly currentEpoch: bigint
  /** The newest epoch of a leader we promised to follow. */
  readonly acceptedEpoch: bigint
  /** A lower bound of the last transaction in the data directory, from the names of its files. */
  readonly lastLoggedZxid: Zxid.Zxid
}

/**
 * The epochs and the last zxid in a data directory. A missing file has the epoch
 * of the last zxid, 0 for a fresh peer. `currentEpoch.tmp` counts if `currentEpoch`
 * is older than the data and it is not: then its renaming was interrupted.
 */
export const load = Effect.fn("EpochFiles.load")(function*(dataDir: string, dataLogDir: string = dataDir) {
  const path = yield* Path.Path
  const directory = path.join(dataDir, "version-2")
  const file = (name: string) => path.join(directory, name)
  const names = yield* list(directory)
  const logNames = dataLogDir === dataDir ? names : yield* list(path.join(dataLogDir, "version-2"))
  const lastLoggedZxid = lastZxid(names, logNames)
  const dataEpoch = Zxid.epochOf(lastLoggedZxid)

  let currentEpoch = (yield* readEpoch(file("currentEpoch"))) ?? dataEpoch
  if (dataEpoch > currentEpoch) {
    const renamed = yield* readEpoch(file("currentEpoch.tmp"))
    if (renamed === undefined || renamed < dataEpoch) {
      return yield* new EpochFileError({
        file: file("currentEpoch"),
        problem: `The current epoch, ${hex(currentEpoch)}, is older than the last zxid, ${lastLoggedZxid}`,
        remedy: "restore the epoch files that belong to this data, or empty the data directory but for myid"
      })
    }
    currentEpoch = renamed
  }
  const acceptedEpoch = (yield* readEpoch(file("acceptedEpoch"))) ?? dataEpoch
  if (acceptedEpoch < currentEpoch) {
    return yield* new EpochFileError({
      file: file("acceptedEpoch"),
      problem: `The accepted epoch, ${hex(acceptedEpoch)} is less than the current epoch, ${hex(currentEpoch)}`,
      remedy: "restore the epoch files that belong together, or empty the data directory but for myid"
    })
  }
  return { currentEpoch, acceptedEpoch, lastLoggedZxid } satisfies Epochs
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const hex = (epoch: bigint): string => epoch.toString(16)

const unreadable = (file: string) => (error: PlatformError) =>
  new EpochFileError({
    file,
    problem: `cannot be read (${error.reason._tag})`,
    remedy: "let the user of this process read it; it is not started over, since others count on what it says"
  })

const list = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readDirectory(directory).pipe(
    Effect.catchIf(isNotFound, () => Effect.succeed<ReadonlyArray<string>>([])),
    Effect.mapError(unreadable(directory))
  )
})

/** The epoch in a file's first line, blanks around it ignored; nothing if there is no such file. */
const readEpoch = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file).pipe(
    Effect.catchIf(isNotFound, () => Effect.void),
    Effect.mapError(unreadable(file))
  )
  if (text === undefined) return undefined
  const line = (text.split(/\r\n|\r|\n/)[0] ?? "").trim()
  if (/^\+?\d{1,18}$/.test(line)) return BigInt(line.replace("+", ""))
  return yield* new EpochFileError({
    file,
    problem: `Found ${line === "" ? "nothing" : line} in ${file}`,
    remedy: "restore the file: it holds an epoch in decimal, and others count on what it says"
  })
})

const isNotFound = (error: PlatformError): boolean => error.reason._tag === "NotFound"

/**
 * A snapshot holds everything up to the zxid in its name. A log begins with the
 * zxid in its name, which may not have reached the disk; the one before it did,
 * unless the log is the first of its epoch.
 */
const lastZxid = (names: ReadonlyArray<string>, logNames: ReadonlyArray<string>): Zxid.Zxid => {
  const snapshots = zxidsIn(names, /^snapshot\.([0-9a-f]{1,16})(?:\.gz|\.snappy)?$/)
  const logs = zxidsIn(logNames, /^log\.([0-9a-f]{1,16})$/)
    .filter((zxid) => Zxid.counterOf(zxid) > 1n)
    .map((zxid) => zxid - 1n)
  return [...snapshots, ...logs].reduce((last, zxid) => (zxid > last ? zxid : last), 0n)
}

const zxidsIn = (names: ReadonlyArray<string>, pattern: RegExp): ReadonlyArray<Zxid.Zxid> =>
  names.flatMap((name) => {
    const digits = pattern.exec(name)?.[1]
    return digits === undefined ? [] : [BigInt.asIntN(64, BigInt(`0x${digits}`))]
  })
