/**
 * A ZooKeeper data directory, by the names of its files: which snapshots to try in which order, which logs to read
 * after one, and what it means when there is none. Reading them is up to `Snapshot` and `TxnLog`.
 *
 * The last logged zxid is that of the newest snapshot that loads, or of a transaction after it in the logs. A snapshot
 * may already contain later transactions, which the logs then have, too.
 *
 * Java: `FileSnap.findNValidSnapshots`, `FileTxnSnapLog.restore`, `FileTxnLog.FileTxnIterator`.
 */
import * as Option from "effect/Option"
import { parseLong } from "./internal/javaNumber.ts"
import { UNTRUSTED, type Zxid } from "./Zxid.ts"

/** A file of which the name tells a zxid: up to which a snapshot goes for sure, with which a log begins. */
export interface NamedFile {
  readonly name: string
  readonly zxid: Zxid
}

/** How a snapshot is compressed, by the end of its name. Java: SnapStream.StreamMode. */
export type Codec = "Plain" | "Gzip" | "Snappy"

/** A snapshot that may be tried. */
export interface SnapshotFile extends NamedFile {
  readonly codec: Codec
}

/** How many snapshots are tried, of those that look whole. Java: FileSnap.deserialize. */
export const SNAPSHOTS_MAX = 100

/** The snapshots among these names, the newest first. */
export const snapshots = (names: ReadonlyArray<string>): ReadonlyArray<SnapshotFile> =>
  named(names, "snapshot")
    .map((file) => ({ ...file, codec: codecOf(file.name) }))
    .toSorted((a, b) => (a.zxid < b.zxid ? 1 : a.zxid > b.zxid ? -1 : 0))

/** The logs among these names, the oldest first. */
export const logs = (names: ReadonlyArray<string>): ReadonlyArray<NamedFile> =>
  named(names, "log").toSorted((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : 0))

/** Of these logs, oldest first, those that may hold transactions after `snapshot`. The one before may go on so far. */
export const logsAfter = (files: ReadonlyArray<NamedFile>, snapshot: Zxid): ReadonlyArray<NamedFile> =>
  files.slice(Math.max(files.findLastIndex(({ zxid }) => zxid <= snapshot), 0))

/** How many bytes of a file `looksWhole` needs, from its beginning and from its end. */
export const HEAD_SIZE = 8
/** See `HEAD_SIZE`. */
export const TAIL_SIZE = 5

/** Is it worth while to read this snapshot? One that was being written when its server died is not. */
export const looksWhole = (codec: Codec, file: { readonly head: Uint8Array; readonly tail: Uint8Array }): boolean => {
  switch (codec) {
    case "Plain":
      return file.head.length === HEAD_SIZE && begins(file.tail, [0, 0, 0, 1, 0x2f])
    case "Gzip":
      return begins(file.head, [0x1f, 0x8b])
    case "Snappy":
      return begins(file.head, [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
  }
}

/** What there is beside the snapshots, and what the administrator allows. */
export interface Surroundings {
  readonly hasLogs: boolean
  /** May logs be believed without a snapshot? Java: zookeeper.snapshot.trust.empty. */
  readonly trustsEmptySnapshot: boolean
  /** May an empty directory be believed? Java: zookeeper.db.autocreate, or the file `initialize`. */
  readonly trustsEmptyDatabase: boolean
}

/**
 * With which zxid a directory without any snapshot begins: 0, or `UNTRUSTED` for a peer that must not vote before a
 * leader has given it a history; nothing if there are logs to which the beginning is missing.
 */
export const withoutSnapshot = (
  { hasLogs, trustsEmptyDatabase, trustsEmptySnapshot }: Surroundings
): Option.Option<Zxid> => {
  if (hasLogs) return trustsEmptySnapshot ? Option.some(0n) : Option.none()
  return Option.some(trustsEmptyDatabase ? 0n : UNTRUSTED)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** The zxid is what stands between the first dot and the second, whatever comes after. Java: Util.getZxidFromName. */
const named = (names: ReadonlyArray<string>, prefix: string): ReadonlyArray<NamedFile> =>
  names.flatMap((name) => {
    const [before, digits = ""] = name.split(".")
    const zxid = before === prefix ? parseLong(digits, 16) : Option.none()
    return Option.isSome(zxid) && zxid.value >= 0n ? [{ name, zxid: zxid.value }] : []
  })

const codecOf = (name: string): Codec => {
  switch (name.slice(name.lastIndexOf(".") + 1).toLowerCase()) {
    case "gz":
      return "Gzip"
    case "snappy":
      return "Snappy"
    default:
      return "Plain"
  }
}

const begins = (bytes: Uint8Array, expected: ReadonlyArray<number>): boolean =>
  expected.every((byte, index) => bytes[index] === byte)
