/**
 * ZooKeeper's transaction logs: how far one goes. The transactions themselves are checked and passed over.
 *
 *     header     i32 'ZKLG', i32 version, i64 dbid
 *     entries    i64 Adler-32 of the transaction, i32 length, the transaction, 'B'
 *     padding    zeros, which read as an entry of length 0
 *
 * A transaction begins with i64 client, i32 cxid, i64 zxid, i64 time, i32 type. The server that wrote the log may have
 * been killed in the middle of an entry: that ends the log, and is no error. An entry that is whole and does not fit
 * its checksum is one, even the last: something else than a crash has changed it.
 *
 * Java: `FileTxnLog`, `FileTxnLog.FileTxnIterator`, `Util.readTxnBytes`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Adler32 from "./internal/adler32.ts"
import * as Fields from "./internal/fields.ts"
import { MAX_BUFFER } from "./Snapshot.ts"
import type { Zxid } from "./Zxid.ts"

/** A log that cannot be read to its end. A server over it does not start: what it has confirmed may be in the rest. */
export class MalformedTxnLog extends Schema.TaggedError<MalformedTxnLog>()("MalformedTxnLog", {
  reason: Schema.Literals(["NoHeader", "BadMagic", "BadLength", "BadChecksum"]),
  /** Where in the file the field begins that is wrong. */
  offset: Schema.Int
}) {
  override get message(): string {
    return `${problems[this.reason]}, at byte ${this.offset}`
  }
}

const problems = {
  NoHeader: "the log is shorter than its header",
  BadMagic: "no transaction log: it does not begin with ZKLG",
  BadLength: "a length is negative or beyond jute.maxbuffer; if larger nodes are allowed, set it here too",
  BadChecksum: "CRC check failed: a transaction does not fit its checksum"
} as const

/** Why a log ends where it does: the file does, or the entry before the padding was the last, or one is torn. */
export type Ending = "EndOfFile" | "Padding" | "Torn"

/** How far a log goes. */
export interface Extent {
  /** The highest zxid in it; nothing if it holds no whole entry. */
  readonly lastZxid: Zxid | null
  readonly ending: Ending
  /** Where the last whole entry ends. */
  readonly offset: number
}

/** How far a log is read. */
export interface Reading extends Fields.Position {
  readonly maxLength: number
  readonly part: Part
  /** Of the present entry: its checksum, how long it is without the fields that are read, its zxid. */
  readonly checksum: bigint
  readonly length: number
  readonly zxid: Zxid
  readonly extent: Extent
}

type Part = "Header" | "Entry" | "Txn" | "Mark" | "Done"

/** It is known how far the log goes; the rest of the file does not matter. */
export interface Done {
  readonly _tag: "Done"
  readonly extent: Extent
}

/** The end is known, or more is needed. */
export type Progress = Done | { readonly _tag: "NeedMore"; readonly reading: Reading }

/** The beginning of a log. `maxBuffer` is `jute.maxbuffer` in bytes. */
export const start = (maxBuffer: number = MAX_BUFFER): Reading => ({
  ...Fields.start,
  maxLength: 2 * maxBuffer,
  part: "Header",
  checksum: 0n,
  length: 0,
  zxid: 0n,
  extent: { lastZxid: null, ending: "EndOfFile", offset: 0 }
})

/** Takes the next chunk of the file. */
export const decode = (reading: Reading, chunk: Uint8Array): Result.Result<Progress, MalformedTxnLog> =>
  Result.map(
    Result.mapError(Fields.feed(format, reading, chunk), ({ offset, problem }) =>
      new MalformedTxnLog({ reason: problem, offset })),
    ({ state }): Progress =>
      state.part === "Done" ? { _tag: "Done", extent: state.extent } : { _tag: "NeedMore", reading: state }
  )

/** The file has ended. A log of length 0 was about to be begun, and holds nothing. */
export const end = ({ extent, held, offset, part }: Reading): Result.Result<Done, MalformedTxnLog> => {
  const size = offset + held.length
  if (part === "Header" && size > 0) return Result.fail(new MalformedTxnLog({ reason: "NoHeader", offset: size }))
  const ending = size === extent.offset ? "EndOfFile" : "Torn"
  return Result.succeed({ _tag: "Done", extent: { ...extent, ending } })
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Reason = MalformedTxnLog["reason"]
type Draft = Fields.Draft<Reading>

const MAGIC = 0x5a4b4c47
const HEADER_SIZE = 16
// Client, cxid and zxid; the header of a transaction has 12 bytes more.
const TXN_READ_SIZE = 20
const TXN_HEADER_SIZE = 32
const MARK = 0x42

const sizes: Record<Part, number> = { Header: HEADER_SIZE, Entry: 12, Txn: TXN_READ_SIZE, Mark: 1, Done: 0 }

const stop = (draft: Draft, ending: Ending): null => {
  draft.extent = { ...draft.extent, ending }
  draft.part = "Done"
  return null
}

const readEntry = (draft: Draft, view: DataView, at: number): Reason | null => {
  const length = view.getInt32(at + 8)
  if (length === 0) return stop(draft, "Padding")
  if (length < 0 || length > draft.maxLength) return "BadLength"
  if (length < TXN_HEADER_SIZE) return stop(draft, "Torn")
  draft.checksum = view.getBigInt64(at)
  draft.length = length
  draft.adler = Adler32.EMPTY
  draft.part = "Txn"
  return null
}

const readMark = (draft: Draft, view: DataView, at: number, before: number): Reason | null => {
  if (view.getUint8(at) !== MARK) return stop(draft, "Torn")
  if (draft.checksum !== BigInt(before)) return "BadChecksum"
  const { lastZxid } = draft.extent
  draft.extent = {
    ...draft.extent,
    lastZxid: lastZxid === null || draft.zxid > lastZxid ? draft.zxid : lastZxid,
    offset: draft.offset
  }
  draft.part = "Entry"
  return null
}

const format: Fields.Format<Reading, Reason> = {
  size: ({ part }) => sizes[part],
  read: (draft, view, at, before) => {
    switch (draft.part) {
      case "Header":
        if (view.getInt32(at) !== MAGIC) return "BadMagic"
        draft.extent = { ...draft.extent, offset: HEADER_SIZE }
        draft.part = "Entry"
        return null
      case "Entry":
        return readEntry(draft, view, at)
      case "Txn":
        draft.zxid = view.getBigInt64(at + 12)
        draft.skip = draft.length - TXN_READ_SIZE
        draft.part = "Mark"
        return null
      case "Mark":
        return readMark(draft, view, at, before)
      case "Done":
        return null
    }
  }
}
