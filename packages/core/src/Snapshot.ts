/**
 * ZooKeeper's snapshots, from a file or as a leader sends them: checked from end to end, and passed over. Nothing of
 * the tree is kept, so a snapshot of any size costs a few bytes; what counts is whether it would load.
 *
 *     header         file only  i32 'ZKSN', i32 version, i64 dbid
 *     sessions       i32 n, then n times: i64 id, i32 timeout
 *     ACL cache      i32 n, then n times: i64 key, i32 m, then m times: i32 perms, ustring scheme, ustring id
 *     nodes          ustring path, buffer data, i64 ACL key, 60 bytes of stat; the first path is empty (the root)
 *     end            ustring "/"
 *     seal           file only  i64 Adler-32 of all that is before, ustring "/"
 *     digest         file only, may be missing  i64 zxid, i32 version, i64 digest, and a seal
 *     last zxid      file only, may be missing  i64, and a seal
 *     signature      wire only  ustring "BenWasHere"
 *
 * Not checked, otherwise than by loading it: that each node has a parent, and that ACL keys are in the cache.
 *
 * Java: `FileSnap`, `SnapStream`, `SerializeUtils.deserializeSnapshot`, `DataTree.deserialize`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Adler32 from "./internal/adler32.ts"
import { encodeText, viewOf } from "./internal/bytes.ts"
import * as Fields from "./internal/fields.ts"

/** A snapshot that would not load. Of a file, the next older one may; on the wire, the sender is to blame. */
export class MalformedSnapshot extends Schema.TaggedError<MalformedSnapshot>()("MalformedSnapshot", {
  reason: Schema.Literals([
    "BadMagic", "BadCount", "BadLength", "NoRoot", "BadChecksum", "BadSignature", "Truncated"
  ]),
  /** Where in the stream, decompressed, the field begins that is wrong. */
  offset: Schema.Int
}) {
  override get message(): string {
    return `${problems[this.reason]}, at byte ${this.offset}`
  }
}

const problems = {
  BadMagic: "no snapshot: it does not begin with ZKSN",
  BadCount: "a number of sessions or ACLs is negative",
  BadLength: "a length is negative or beyond jute.maxbuffer; if larger nodes are allowed, set it here too",
  NoRoot: "the first node is not the root",
  BadChecksum: "the checksum does not fit the content",
  BadSignature: "the snapshot does not end with BenWasHere",
  Truncated: "the snapshot ends too early"
} as const

/** From a file, with header and seals, or as SNAP on the quorum port, with a signature. */
export type Form = "File" | "Wire"

/** The default of `jute.maxbuffer` in bytes, 1 MiB less one. Java: BinaryInputArchive.maxBuffer. */
export const MAX_BUFFER = 1_048_575

/** How far a snapshot is read. */
export interface Reading extends Fields.Position {
  readonly form: Form
  /** The longest text or buffer. Java: jute.maxbuffer, and as much again as its extra size. */
  readonly maxLength: number
  readonly part: Part
  /** Entries of the ACL cache that are still to come, and ACLs of the present one. */
  readonly entries: number
  readonly acls: number
  /** Nodes so far. */
  readonly nodes: number
}

type Part =
  | "Header" | "Sessions" | "AclCache" | "AclEntry" | "Acl" | "AclId" | "Path" | "Slash" | "Data" | "Seal" | "Tail"
  | "Signature" | "Done"

/** A whole snapshot was read. */
export interface Done {
  readonly _tag: "Done"
  readonly nodes: number
  /** On the wire, the bytes of whatever follows. */
  readonly rest: Uint8Array
}

/** It is whole, or more is needed. */
export type Progress = Done | { readonly _tag: "NeedMore"; readonly reading: Reading }

/** The beginning of a snapshot. `maxBuffer` is `jute.maxbuffer` in bytes. */
export const start = (form: Form, maxBuffer: number = MAX_BUFFER): Reading => ({
  ...Fields.start,
  form,
  maxLength: 2 * maxBuffer,
  part: form === "File" ? "Header" : "Sessions",
  entries: 0,
  acls: 0,
  nodes: 0
})

/** Takes the next chunk. A file may go on after its seal, so it is whole only when `end` says so. */
export const decode = (reading: Reading, chunk: Uint8Array): Result.Result<Progress, MalformedSnapshot> =>
  Result.map(
    Result.mapError(Fields.feed(format, reading, chunk), ({ offset, problem }) =>
      new MalformedSnapshot({ reason: problem, offset })),
    ({ rest, state }): Progress =>
      state.part === "Done" ? { _tag: "Done", nodes: state.nodes, rest } : { _tag: "NeedMore", reading: state }
  )

/** The stream has ended. Of a file, what may be missing at its end may be missing. */
export const end = (reading: Reading): Result.Result<Done, MalformedSnapshot> => {
  const reason = reading.part === "Tail" ? checkTail(reading.held, reading.adler) : "Truncated"
  return reason === null
    ? Result.succeed({ _tag: "Done", nodes: reading.nodes, rest: new Uint8Array() })
    : Result.fail(new MalformedSnapshot({ reason, offset: reading.offset + reading.held.length }))
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Reason = MalformedSnapshot["reason"]
type Draft = Fields.Draft<Reading>

const MAGIC = 0x5a4b534e
const SESSION_SIZE = 12
// The ACL key and the stat.
const NODE_FIXED_SIZE = 68
const SEAL_SIZE = 13
const DIGEST_SIZE = 20
const ZXID_SIZE = 8
// All that may follow the first seal. What is beyond it nobody reads.
const TAIL_SIZE = DIGEST_SIZE + SEAL_SIZE + ZXID_SIZE + SEAL_SIZE

const signature = encodeText("\0\0\0\nBenWasHere")

const sizes: Record<Part, number> = {
  Header: 16,
  Sessions: 4,
  AclCache: 4,
  AclEntry: 12,
  Acl: 8,
  AclId: 4,
  Path: 4,
  Slash: 1,
  Data: 4,
  Seal: SEAL_SIZE,
  Tail: TAIL_SIZE,
  Signature: signature.length,
  Done: 0
}

/** Goes on with `part` after so many bytes. */
const next = (draft: Draft, part: Part, skip = 0): null => {
  draft.part = part
  draft.skip = skip
  return null
}

const isLength = (draft: Draft, length: number): boolean => length >= 0 && length <= draft.maxLength

/** Goes on after a text or buffer of this length, and so many bytes more. */
const pass = (draft: Draft, length: number, part: Part, more = 0): Reason | null =>
  isLength(draft, length) ? next(draft, part, length + more) : "BadLength"

const nextAcl = (draft: Draft): null => {
  if (draft.acls > 0) {
    draft.acls--
    return next(draft, "Acl")
  }
  if (draft.entries === 0) return next(draft, "Path")
  draft.entries--
  return next(draft, "AclEntry")
}

const readPath = (draft: Draft, length: number): Reason | null => {
  // The root comes first, and its path is empty.
  if (draft.nodes === 0 && length !== 0) return "NoRoot"
  return length === 1 ? next(draft, "Slash") : pass(draft, length, "Data")
}

const readers: Record<Part, (draft: Draft, view: DataView, at: number, before: number) => Reason | null> = {
  Header: (draft, view, at) => (view.getInt32(at) === MAGIC ? next(draft, "Sessions") : "BadMagic"),
  Sessions: (draft, view, at) => {
    const count = view.getInt32(at)
    return count < 0 ? "BadCount" : next(draft, "AclCache", count * SESSION_SIZE)
  },
  AclCache: (draft, view, at) => {
    draft.entries = view.getInt32(at)
    return draft.entries < 0 ? "BadCount" : nextAcl(draft)
  },
  AclEntry: (draft, view, at) => {
    draft.acls = view.getInt32(at + 8)
    return draft.acls < 0 ? "BadCount" : nextAcl(draft)
  },
  Acl: (draft, view, at) => pass(draft, view.getInt32(at + 4), "AclId"),
  AclId: (draft, view, at) => {
    const length = view.getInt32(at)
    if (!isLength(draft, length)) return "BadLength"
    nextAcl(draft)
    draft.skip = length
    return null
  },
  Path: (draft, view, at) => readPath(draft, view.getInt32(at)),
  // A path of one character is the end, or else a node.
  Slash: (draft, view, at) =>
    next(draft, view.getUint8(at) !== 0x2f ? "Data" : draft.form === "File" ? "Seal" : "Signature"),
  Data: (draft, view, at) => {
    const length = view.getInt32(at)
    draft.nodes++
    // A node may have no data at all.
    return pass(draft, length === -1 ? 0 : length, "Path", NODE_FIXED_SIZE)
  },
  Seal: (draft, view, at, before) =>
    view.getBigInt64(at) === BigInt(before) ? next(draft, "Tail") : "BadChecksum",
  Tail: (draft, view, at, before) => {
    draft.part = "Done"
    return checkTail(new Uint8Array(view.buffer, view.byteOffset + at, TAIL_SIZE), before)
  },
  Signature: (draft, view, at) =>
    signature.every((byte, index) => view.getUint8(at + index) === byte) ? next(draft, "Done") : "BadSignature",
  Done: () => null
}

const format: Fields.Format<Reading, Reason> = {
  size: ({ part }) => sizes[part],
  read: (draft, view, at, before) => readers[draft.part](draft, view, at, before)
}

/**
 * What follows the first seal, of a stream with this checksum so far. A part that ends early is missing, and may be;
 * its seal may not. Who writes no digests may write the last zxid alone.
 */
const checkTail = (tail: Uint8Array, adler: number): Reason | null => {
  if (isSealed(tail, ZXID_SIZE, adler)) return null
  for (const recordEnd of [DIGEST_SIZE, DIGEST_SIZE + SEAL_SIZE + ZXID_SIZE]) {
    if (tail.length < recordEnd) return null
    if (tail.length < recordEnd + SEAL_SIZE) return "Truncated"
    if (!isSealed(tail, recordEnd, adler)) return "BadChecksum"
  }
  return null
}

const isSealed = (tail: Uint8Array, at: number, adler: number): boolean =>
  tail.length >= at + SEAL_SIZE &&
  viewOf(tail).getBigInt64(at) === BigInt(Adler32.update(adler, tail.subarray(0, at)))
