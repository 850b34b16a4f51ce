/**
 * Bytes for tests: recorded ones from `fixtures`, made ones from fields, and the
 * ways in which a stream may cut them.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"

/** The bytes of hex digits; blanks between them do not count. */
export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"))

/** Bytes as hex digits. */
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** A recorded piece: one field per line, `#` begins a comment. */
export const fixture = (name: string): Uint8Array => {
  const lines = readFileSync(join(import.meta.dirname, "..", "fixtures", `${name}.hex`), "utf8").split("\n")
  return hex(lines.map((line) => line.replace(/#.*/, "")).join(""))
}

/** A signed 32-bit field. */
export const i32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return new Uint8Array(bytes)
}

/** A signed 64-bit field. */
export const i64 = (value: number | bigint): Uint8Array => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return new Uint8Array(bytes)
}

/** A text field. */
export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"))

/** Fields in a row. */
export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** So many bytes of any kind. */
export const filler = (length: number): Uint8Array => new Uint8Array(length).fill(0xa5)

/** The bytes cut at these places. */
export const cut = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const ends = Array.from(places, (place) => place % (bytes.length + 1)).sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

/** A recorded file as it is; `fixtures/data/README.md` tells where from. */
export const dataFixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, "..", "fixtures", "data", name)))

/** One byte at a time. */
export const byteByByte = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from(bytes, (byte) => Uint8Array.of(byte))
