/**
 * How far the data goes that a ZooKeeper server has left in its directories.
 *
 * They are only read: no snapshot is written, no log is cut or deleted, and the file `initialize` stays where it is. So
 * a real server can be started over them again, and finds what it left. It must not run at the same time.
 *
 * Snapshots and logs are read from end to end, as ZooKeeper reads them, a chunk at a time: a torn or changed file is
 * noticed, and a large one costs time but no memory.
 *
 * Java: `FileTxnSnapLog.restore`, `FileSnap.deserialize`.
 */
import * as DataDirectory from "@conclave/core/DataDirectory"
import * as Snappy from "@conclave/core/Snappy"
import * as Snapshot from "@conclave/core/Snapshot"
import * as TxnLog from "@conclave/core/TxnLog"
import * as EpochFiles from "@conclave/quorum/EpochFiles"
import * as NodeStream from "@effect/platform-node-shared/NodeStream"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createGunzip } from "node:zlib"

/** A data directory that cannot be read to its end, so that the peer must not start. */
export class DataDirectoryError extends Schema.TaggedError<DataDirectoryError>()("DataDirectoryError", {
  file: Schema.String,
  problem: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}\n  problem: ${this.problem}\n  to do:   ${this.remedy}`
  }
}

/** Where the data is, and what of it may be believed. */
export interface Options {
  /** Snapshots are in its `version-2`. */
  readonly dataDir: string
  /** Logs are in its `version-2`, and `initialize` beside that. */
  readonly dataLogDir: string
  /** Longest record in bytes. Java: jute.maxbuffer. */
  readonly juteMaxBuffer: number
  /** May logs be believed without a snapshot? Java: zookeeper.snapshot.trust.empty. */
  readonly trustsEmptySnapshot: boolean
  /** May empty directories be believed? Java: zookeeper.db.autocreate. */
  readonly autocreatesDatabase: boolean
}

/**
 * The last zxid in the data: 0 if there is none, or `UNTRUSTED` if an empty directory must not be believed. Fails where
 * ZooKeeper would not start; what it merely complains about is a warning in the log.
 */
export const lastLoggedZxid = Effect.fn("DataDirectory.lastLoggedZxid")(function*(options: Options) {
  const path = yield* Path.Path
  const snapshotDirectory = EpochFiles.directoryOf(path, options.dataDir)
  const logDirectory = EpochFiles.directoryOf(path, options.dataLogDir)
  const names = yield* list(snapshotDirectory)
  const apart = snapshotDirectory !== logDirectory
  const logNames = apart ? yield* list(logDirectory) : names
  if (apart) {
    yield* refuseMisplaced(snapshotDirectory, DataDirectory.logs(names), "logs", "dataLogDir")
    yield* refuseMisplaced(logDirectory, DataDirectory.snapshots(logNames), "snapshots", "dataDir")
  }
  const logs = DataDirectory.logs(logNames)
  const snapshot = yield* newestSnapshot(snapshotDirectory, DataDirectory.snapshots(names), options.juteMaxBuffer)
  const from = snapshot ?? (yield* withoutSnapshot(options, logDirectory, logs.length > 0))
  let last = from
  for (const { name } of DataDirectory.logsAfter(logs, from)) {
    const end = yield* endOfLog(path.join(logDirectory, name), options.juteMaxBuffer)
    if (end !== null && end > last) last = end
  }
  return last
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const unreadable = (file: string) => (error: PlatformError) =>
  new DataDirectoryError({
    file,
    problem: `cannot be read (${error.reason._tag})`,
    remedy: "let the user of this process read it; without it nobody knows how far the data goes"
  })

const list = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readDirectory(directory).pipe(
    Effect.catchIf(({ reason }) => reason._tag === "NotFound", () => Effect.succeed<ReadonlyArray<string>>([])),
    Effect.mapError(unreadable(directory))
  )
})

const refuseMisplaced = (
  directory: string,
  files: ReadonlyArray<DataDirectory.NamedFile>,
  what: string,
  key: string
): Effect.Effect<void, DataDirectoryError> =>
  files.length === 0 ? Effect.void : Effect.fail(
    new DataDirectoryError({
      file: directory,
      problem: `there are ${what} in it, ${files[0]!.name} among them, but ${key} names another directory`,
      remedy: "check dataDir and dataLogDir, or move the files to where they belong"
    })
  )

const withoutSnapshot = Effect.fnUntraced(function*(options: Options, logDirectory: string, hasLogs: boolean) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const initialize = path.join(options.dataLogDir, "initialize")
  const marked = yield* Effect.mapError(fs.exists(initialize), unreadable(initialize))
  const zxid = DataDirectory.withoutSnapshot({
    hasLogs,
    trustsEmptySnapshot: options.trustsEmptySnapshot,
    trustsEmptyDatabase: options.autocreatesDatabase || marked
  })
  if (Option.isSome(zxid)) return zxid.value
  return yield* new DataDirectoryError({
    file: logDirectory,
    problem: "No snapshot found, but there are log entries. Something is broken!",
    remedy: "restore the snapshots, or write snapshot.trust.empty=true if there never were any"
  })
})

/** The zxid of the newest snapshot that loads; nothing if none looks as if it would. */
const newestSnapshot = Effect.fnUntraced(
  function*(directory: string, files: ReadonlyArray<DataDirectory.SnapshotFile>, maxBuffer: number) {
    const path = yield* Path.Path
    let tried = 0
    for (const { codec, name, zxid } of files) {
      const file = path.join(directory, name)
      if (tried === DataDirectory.SNAPSHOTS_MAX) break
      if (!(yield* looksWhole(file, codec))) continue
      tried++
      const problem = yield* checkSnapshot(file, codec, maxBuffer)
      if (problem === null) return zxid
      yield* Effect.logWarning(`${file} is passed over: ${problem}`)
    }
    if (tried === 0) return null
    return yield* new DataDirectoryError({
      file: directory,
      problem: `none of the snapshots can be loaded (${tried} tried; the log tells what is wrong with each)`,
      remedy: "restore a snapshot, or empty the data directory but for myid: a leader will send the data again"
    })
  }
)

const looksWhole = Effect.fnUntraced(function*(file: string, codec: DataDirectory.Codec) {
  const fs = yield* FileSystem.FileSystem
  const read = Effect.gen(function*() {
    const open = yield* fs.open(file)
    const size = Number((yield* open.stat).size)
    const head = new Uint8Array(DataDirectory.HEAD_SIZE)
    const tail = new Uint8Array(DataDirectory.TAIL_SIZE)
    const headSize = yield* open.read(head, { position: 0n })
    const tailAt = Math.max(size - DataDirectory.TAIL_SIZE, 0)
    const tailSize = yield* open.read(tail, { position: BigInt(tailAt) })
    return { head: head.subarray(0, headSize), tail: tail.subarray(0, tailSize) }
  })
  return DataDirectory.looksWhole(codec, yield* Effect.mapError(Effect.scoped(read), unreadable(file)))
})

/** What is wrong with a snapshot, if anything. */
const checkSnapshot = Effect.fnUntraced(function*(file: string, codec: DataDirectory.Codec, maxBuffer: number) {
  const fs = yield* FileSystem.FileSystem
  const stored = Stream.mapError(fs.stream(file), ({ message }) => message)
  const read = scan(decompressed[codec](stored), Snapshot.start("File", maxBuffer), Snapshot.decode, Snapshot.end)
  return yield* Effect.match(Effect.tap(read, ({ nodes }) => Effect.logDebug(`${file} holds ${nodes} nodes`)), {
    onSuccess: () => null,
    onFailure: (problem) => (typeof problem === "string" ? problem : problem.message)
  })
})

type Bytes = Stream.Stream<Uint8Array, string>

const decompressed: Record<DataDirectory.Codec, (stored: Bytes) => Bytes> = {
  Plain: (stored) => stored,
  Gzip: (stored) =>
    NodeStream.pipeThroughDuplex(stored, {
      evaluate: () => createGunzip(),
      onError: (cause) => `it cannot be decompressed (${String(cause)})`
    }),
  Snappy: (stored) =>
    Stream.suspend(() => {
      let reading = Snappy.start
      return stored.pipe(
        Stream.mapEffect((chunk) =>
          Effect.fromResult(Snappy.decode(reading, chunk)).pipe(
            Effect.mapError(({ message }) => `it cannot be decompressed (${message})`),
            Effect.map((decoded) => {
              reading = decoded.reading
              return decoded.content
            })
          )
        ),
        Stream.flattenIterable
      )
    })
}

/** The highest zxid in a log, if there is any. */
const endOfLog = Effect.fnUntraced(function*(file: string, maxBuffer: number) {
  const fs = yield* FileSystem.FileSystem
  const stored = Stream.mapError(fs.stream(file), unreadable(file))
  const { extent } = yield* scan(stored, TxnLog.start(maxBuffer), TxnLog.decode, TxnLog.end).pipe(
    Effect.catchTag("MalformedTxnLog", ({ message }) =>
      new DataDirectoryError({
        file,
        problem: message,
        remedy: "restore the log, or empty the data directory but for myid: a leader will send the data again"
      }))
  )
  yield* Effect.logDebug(`${file} ends at byte ${extent.offset} (${extent.ending})`)
  return extent.lastZxid
})

/** Reads a stream chunk by chunk, as far as is needed. */
const scan = <Reading, Done extends { readonly _tag: "Done" }, E, E2>(
  chunks: Stream.Stream<Uint8Array, E>,
  start: Reading,
  decode: (
    reading: Reading,
    chunk: Uint8Array
  ) => Result.Result<Done | { readonly _tag: "NeedMore"; readonly reading: Reading }, E2>,
  end: (reading: Reading) => Result.Result<Done, E2>
): Effect.Effect<Done, E | E2> =>
  Effect.suspend(() => {
    let progress: Done | { readonly _tag: "NeedMore"; readonly reading: Reading } = { _tag: "NeedMore", reading: start }
    const next = (chunk: Uint8Array) =>
      progress._tag === "NeedMore"
        ? Effect.map(Effect.fromResult(decode(progress.reading, chunk)), (after) => {
          progress = after
          return after._tag === "NeedMore"
        })
        : Effect.succeed(false)
    const finish = Effect.suspend(() =>
      progress._tag === "NeedMore" ? Effect.fromResult(end(progress.reading)) : Effect.succeed(progress)
    )
    return Effect.andThen(Stream.runForEachWhile(chunks, next), finish)
  })
