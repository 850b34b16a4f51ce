import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Adler32 from "../src/internal/adler32.ts"
import * as TxnLog from "../src/TxnLog.ts"
import { byteByByte, concat, cut, dataFixture, filler, i32, i64, utf8 } from "./support/Bytes.ts"

/** What reading these pieces comes to, the end of the file included. */
const read = (pieces: ReadonlyArray<Uint8Array>, maxBuffer?: number) => {
  let reading = TxnLog.start(maxBuffer)
  for (const piece of pieces) {
    const progress = TxnLog.decode(reading, piece)
    if (Result.isFailure(progress)) return told(progress.failure)
    if (progress.success._tag === "Done") return progress.success.extent
    reading = progress.success.reading
  }
  return Result.match(TxnLog.end(reading), { onFailure: told, onSuccess: ({ extent }) => extent })
}

const told = ({ offset, reason }: TxnLog.MalformedTxnLog) => ({ reason, offset })

const header = concat(utf8("ZKLG"), i32(2), i64(0))

const txn = (zxid: bigint, record = filler(10)) => concat(i64(5), i32(1), i64(zxid), i64(0), i32(-1), record)

const entry = (bytes: Uint8Array, checksum = Adler32.update(Adler32.EMPTY, bytes), mark = "B") =>
  concat(i64(checksum), i32(bytes.length), bytes, utf8(mark))

const first = entry(txn(0x100000001n))
const second = entry(txn(0x100000002n))
const both = header.length + first.length + second.length

const recorded: ReadonlyArray<readonly [name: string, extent: TxnLog.Extent]> = [
  ["log.100000001", { lastZxid: 0x100000007n, ending: "Padding", offset: 756 }],
  // Of its five transactions three are errors, which count.
  ["log.200000001", { lastZxid: 0x200000005n, ending: "Padding", offset: 285 }]
]

describe("a log of a real server", () => {
  it.each(recorded)("%s is read whole, and byte by byte", (name, extent) => {
    const bytes = dataFixture(name)
    assert.deepStrictEqual(read([bytes]), extent)
    assert.deepStrictEqual(read(byteByByte(bytes)), extent)
  })

  it.prop("reads the same in any pieces", [Arbitrary.schema(Schema.Array(Schema.Int))], ([places]) => {
    const [name, extent] = recorded[0]!
    assert.deepStrictEqual(read(cut(dataFixture(name), places.map(Math.abs))), extent)
  })

  it("cut anywhere ends with its last whole entry", () => {
    const bytes = dataFixture("log.100000001")
    const ends = [16, 77, 179, 308, 437, 566, 695, 756]
    for (let size = 16; size <= 756; size++) {
      const count = ends.findLastIndex((end) => end <= size)
      const ending = ends[count] === size ? "EndOfFile" : "Torn"
      const lastZxid = count === 0 ? null : 0x100000000n + BigInt(count)
      assert.deepStrictEqual(read([bytes.subarray(0, size)]), { lastZxid, ending, offset: ends[count]! }, `${size}`)
    }
  })

  it("with one bit wrong in a transaction or its checksum is refused, the last one too", () => {
    const bytes = dataFixture("log.100000001")
    for (const [at, size] of [[16, 48], [695, 48]] as const) {
      for (const index of [at, at + 7, at + 12, at + 12 + size - 1]) {
        const changed = bytes.slice()
        changed[index] = changed[index]! ^ 1
        assert.deepStrictEqual(read([changed]), { reason: "BadChecksum", offset: at + 12 + size })
      }
    }
  })
})

describe("a log", () => {
  it.each<readonly [what: string, bytes: Uint8Array, extent: TxnLog.Extent]>([
    ["of no length holds nothing", utf8(""), { lastZxid: null, ending: "EndOfFile", offset: 0 }],
    ["that was only begun holds nothing", header, { lastZxid: null, ending: "EndOfFile", offset: 16 }],
    ["with padding after the header holds nothing", concat(header, new Uint8Array(50)),
      { lastZxid: null, ending: "Padding", offset: 16 }],
    ["ends at the end of the file", concat(header, first, second),
      { lastZxid: 0x100000002n, ending: "EndOfFile", offset: both }],
    ["ends at its padding, however short", concat(header, first, second, new Uint8Array(5)),
      { lastZxid: 0x100000002n, ending: "Torn", offset: both }],
    ["ends before an entry without its mark", concat(header, first, second, entry(txn(9n), 1, "\0")),
      { lastZxid: 0x100000002n, ending: "Torn", offset: both }],
    ["ends before an entry that is no transaction", concat(header, first, second, entry(filler(31))),
      { lastZxid: 0x100000002n, ending: "Torn", offset: both }],
    ["goes on with nothing after its end", concat(header, first, new Uint8Array(12), second),
      { lastZxid: 0x100000001n, ending: "Padding", offset: header.length + first.length }],
    ["may go backwards: the highest counts", concat(header, second, first),
      { lastZxid: 0x100000002n, ending: "EndOfFile", offset: both }],
    ["may have negative zxids", concat(header, entry(txn(-5n))),
      { lastZxid: -5n, ending: "EndOfFile", offset: header.length + first.length }],
    ["may have a transaction without record", concat(header, entry(txn(7n, utf8("")))),
      { lastZxid: 7n, ending: "EndOfFile", offset: 16 + 45 }]
  ])("%s", (_, bytes, extent) => {
    assert.deepStrictEqual(read([bytes]), extent)
    assert.deepStrictEqual(read(byteByByte(bytes)), extent)
  })

  it.each<readonly [what: string, bytes: Uint8Array, reason: TxnLog.MalformedTxnLog["reason"], offset: number]>([
    ["shorter than its header", header.subarray(0, 15), "NoHeader", 15],
    ["of one byte", header.subarray(0, 1), "NoHeader", 1],
    ["with another magic number", concat(utf8("ZKSN"), i32(2), i64(0)), "BadMagic", 0],
    ["with a negative length", concat(header, i64(0), i32(-1)), "BadLength", 16],
    ["with a length beyond the limit", concat(header, first, i64(0), i32(2 * 1_048_575 + 1)), "BadLength",
      16 + first.length],
    ["with a wrong checksum", concat(header, entry(txn(1n), 1)), "BadChecksum", 16 + 12 + 42]
  ])("%s is malformed", (_, bytes, reason, offset) => {
    assert.deepStrictEqual(read([bytes]), { reason, offset })
    assert.deepStrictEqual(read(byteByByte(bytes)), { reason, offset })
  })

  it("may have longer entries where jute.maxbuffer is larger", () => {
    assert.deepStrictEqual(read([concat(header, first)], 20), { reason: "BadLength", offset: 16 })
    assert.strictEqual("lastZxid" in read([concat(header, first)], 21), true)
  })

  it("says in words what is wrong and where", () => {
    const error = new TxnLog.MalformedTxnLog({ reason: "BadChecksum", offset: 99 })
    assert.strictEqual(error.message, "CRC check failed: a transaction does not fit its checksum, at byte 99")
  })
})
