/**
 * The files `currentEpoch` and `acceptedEpoch` of a data directory: what they say together, and how one is written.
 *
 * They are promises to the ensemble. A peer that has them and cannot read them does not start again from zero, it does
 * not start. Whenever the machine stops there is the old number or the new one, and the new one once it was written.
 *
 * Java: QuorumPeer.loadDataBase, readLongFromFile, writeLongToFile.
 */
import * as Zxid from "@conclave/core/Zxid"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as DurableFile from "./DurableFile.ts"

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

/** The two files. */
export type Name = "currentEpoch" | "acceptedEpoch"

/** The largest epoch: a zxid has 32 bits for it, and so have the packets that announce it, with a sign. */
export const EPOCH_MAX = 0x7fff_ffffn

/** What a peer promised before it was started. A fresh one has promised nothing: both are 0. */
export interface Epochs {
  /** The epoch of the last leader that brought us in sync. */
  readonly currentEpoch: bigint
  /** The newest epoch of a leader we promised to follow. */
  readonly acceptedEpoch: bigint
}

/** What the files say, and what is to be done before it can be relied on. */
export interface Loaded extends Epochs {
  /** The files that do not exist. They have the epoch of the data, 0 if there is none. */
  readonly missing: ReadonlyArray<Name>
  /** `currentEpoch` is that of `currentEpoch.tmp`, the renaming of which was interrupted. */
  readonly interrupted: boolean
}

/** The directory in a `dataDir` that holds epochs, snapshots and logs. Java: FileTxnSnapLog.VERSION. */
export const directoryOf = (path: Path.Path, dataDir: string): string => path.join(dataDir, "version-2")

/**
 * Reads both files of a directory, of which the data ends with this zxid. A missing file has the epoch of that zxid.
 * `currentEpoch.tmp` counts if `currentEpoch` is older than the data and it is not: then its renaming was interrupted.
 * Changes nothing.
 */
export const load = Effect.fn("EpochFiles.load")(function*(directory: string, lastLoggedZxid: Zxid.Zxid) {
  const path = yield* Path.Path
  const file = (name: string) => path.join(directory, name)
  const epochOfData = Zxid.epochOf(lastLoggedZxid)
  // What is not trusted has the zxid -1, and no epoch.
  const dataEpoch = epochOfData > 0n ? epochOfData : 0n
  const current = yield* readEpoch(file("currentEpoch"))
  const accepted = yield* readEpoch(file("acceptedEpoch"))
  const interrupted = dataEpoch > (current ?? dataEpoch)
  const currentEpoch = interrupted ? yield* readEpoch(file("currentEpoch.tmp")) : current ?? dataEpoch
  if (currentEpoch === undefined || currentEpoch < dataEpoch) {
    return yield* new EpochFileError({
      file: file("currentEpoch"),
      problem: `The current epoch, ${hex(current ?? 0n)}, is older than the last zxid, ${lastLoggedZxid}`,
      remedy: "restore the epoch files that belong to this data, or empty the data directory but for myid"
    })
  }
  const acceptedEpoch = accepted ?? dataEpoch
  if (acceptedEpoch < currentEpoch) {
    return yield* new EpochFileError({
      file: file("acceptedEpoch"),
      problem: `The accepted epoch, ${hex(acceptedEpoch)} is less than the current epoch, ${hex(currentEpoch)}`,
      remedy: "restore the epoch files that belong together, or empty the data directory but for myid"
    })
  }
  const missing: ReadonlyArray<Name> = [
    ...(current === undefined ? ["currentEpoch" as const] : []),
    ...(accepted === undefined ? ["acceptedEpoch" as const] : [])
  ]
  return { currentEpoch, acceptedEpoch, missing, interrupted } satisfies Loaded
})

/** Writes one file; it is durable when this returns. */
export const write = (directory: string, name: Name, epoch: bigint) =>
  Effect.flatMap(Path.Path, (path) => DurableFile.write(path.join(directory, name), `${epoch}`))

/**
 * Makes durable what was loaded, and writes what was missing. Somebody may have been killed who had written it and not
 * flushed it yet, so that it can be read now, and be gone when the machine stops.
 */
export const settle = Effect.fnUntraced(function*(directory: string, loaded: Loaded) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = (name: string) => path.join(directory, name)
  yield* DurableFile.flush(path.dirname(directory))
  if (loaded.interrupted) {
    yield* DurableFile.flush(file("currentEpoch.tmp"))
    yield* fs.rename(file("currentEpoch.tmp"), file("currentEpoch"))
  }
  for (const name of names) if (!loaded.missing.includes(name)) yield* DurableFile.flush(file(name))
  yield* DurableFile.flush(directory)
  for (const name of loaded.missing) yield* write(directory, name, loaded[name])
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const names: ReadonlyArray<Name> = ["currentEpoch", "acceptedEpoch"]

const hex = (epoch: bigint): string => epoch.toString(16)

/** The epoch in a file's first line, blanks around it ignored; nothing if there is no such file. */
const readEpoch = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file).pipe(
    Effect.catchIf(isNotFound, () => Effect.void),
    Effect.mapError(({ reason }) =>
      new EpochFileError({
        file,
        problem: `cannot be read (${reason._tag})`,
        remedy: "let the user of this process read it; it is not started over, since others count on what it says"
      })
    )
  )
  if (text === undefined) return undefined
  const line = (text.split(/\r\n|\r|\n/)[0] ?? "").trim()
  const epoch = /^\+?\d{1,18}$/.test(line) ? BigInt(line.replace("+", "")) : undefined
  if (epoch !== undefined && epoch <= EPOCH_MAX) return epoch
  return yield* new EpochFileError({
    file,
    problem: `Found ${line === "" ? "nothing" : line} in ${file}`,
    remedy: `restore the file: it holds an epoch, 0 to ${EPOCH_MAX} in decimal, and others count on what it says`
  })
})

const isNotFound = (error: PlatformError): boolean => error.reason._tag === "NotFound"
