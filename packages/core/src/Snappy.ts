/**
 * Reads what ZooKeeper compresses with Snappy: the stream of snappy-java, block by block.
 *
 *     8 bytes   82 "SNAPPY" 00
 *     i32       version, i32 the oldest that can read it
 *     blocks    i32 n, then n bytes: a varint length, and literals and copies that make so many bytes
 *
 * Java: `org.xerial.snappy.SnappyOutputStream`; the block is Snappy's own raw format.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Fields from "./internal/fields.ts"

/** A stream that is not Snappy's, or was changed. */
export class MalformedSnappy extends Schema.TaggedError<MalformedSnappy>()("MalformedSnappy", {
  reason: Schema.Literals(["BadMagic", "BadLength", "BadBlock"]),
  /** Where in the compressed stream the field begins that is wrong. */
  offset: Schema.Int
}) {
  override get message(): string {
    return `${problems[this.reason]}, at byte ${this.offset}`
  }
}

const problems = {
  BadMagic: "it does not begin as Snappy does",
  BadLength: `a block is not within 1..${1 << 20} bytes`,
  BadBlock: "a block cannot be decompressed"
} as const

/** The largest block, compressed or not. Ours: ZooKeeper writes blocks of 32 KiB. */
export const BLOCK_MAX = 1 << 20

/** How far a stream is read. */
export interface Reading extends Fields.Position {
  readonly part: "Header" | "Size" | "Block"
  readonly length: number
  readonly content: ReadonlyArray<Uint8Array>
}

/** The beginning of a stream. */
export const start: Reading = { ...Fields.start, part: "Header", length: 0, content: [] }

/** Takes the next chunk and gives what the blocks it completes contain. */
export const decode = (
  reading: Reading,
  chunk: Uint8Array
): Result.Result<
  { readonly content: ReadonlyArray<Uint8Array>; readonly reading: Reading },
  MalformedSnappy
> =>
  Result.mapBoth(Fields.feed(format, reading, chunk), {
    onFailure: ({ offset, problem }) => new MalformedSnappy({ reason: problem, offset }),
    onSuccess: ({ state }) => ({ content: state.content, reading: { ...state, content: [] } })
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const MAGIC = 0x82534e4150505900n

const format: Fields.Format<Reading, MalformedSnappy["reason"]> = {
  size: ({ length, part }) => (part === "Header" ? 16 : part === "Size" ? 4 : length),
  read: (draft, view, at) => {
    switch (draft.part) {
      case "Header":
        if (view.getBigUint64(at) !== MAGIC) return "BadMagic"
        draft.part = "Size"
        return null
      case "Size":
        draft.length = view.getInt32(at)
        if (draft.length < 1 || draft.length > BLOCK_MAX) return "BadLength"
        draft.part = "Block"
        return null
      case "Block": {
        const block = decompress(new Uint8Array(view.buffer, view.byteOffset + at, draft.length))
        if (block === null) return "BadBlock"
        draft.content = [...draft.content, block]
        draft.part = "Size"
        return null
      }
    }
  }
}

/** The content of a raw block; `null` unless it is exactly as long as it says. */
const decompress = (input: Uint8Array): Uint8Array | null => {
  let at = 0
  /** The next so many bytes as a number, the lowest first; what is missing is 0. */
  const number = (bytes: number): number => {
    let value = 0
    for (let index = 0; index < bytes; index++) value += (input[at++] ?? 0) * 2 ** (8 * index)
    return value
  }
  let length = 0
  for (let shift = 0, more = true; more; shift += 7) {
    const byte = number(1)
    if (shift > 28) return null
    length += (byte & 0x7f) * 2 ** shift
    more = byte >= 0x80
  }
  if (length > BLOCK_MAX) return null
  const output = new Uint8Array(length)
  let end = 0
  while (at < input.length) {
    const tag = number(1)
    const kind = tag & 3
    let size = (tag >> 2) + 1
    if (kind === 0) {
      if (size > 60) size = number(size - 60) + 1
      if (at + size > input.length || end + size > length) return null
      output.set(input.subarray(at, at + size), end)
      at += size
    } else {
      if (kind === 1) size = ((tag >> 2) & 7) + 4
      const back = kind === 1 ? ((tag >> 5) << 8) + number(1) : number(kind === 2 ? 2 : 4)
      if (back === 0 || back > end || at > input.length || end + size > length) return null
      // Byte by byte: a copy may overlap what it writes.
      for (let index = end; index < end + size; index++) output[index] = output[index - back]!
    }
    end += size
  }
  return end === length ? output : null
}
