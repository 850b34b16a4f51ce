import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Snappy from "../src/Snappy.ts"
import * as Snapshot from "../src/Snapshot.ts"
import { byteByByte, concat, dataFixture, hex, i32, toHex, utf8 } from "./support/Bytes.ts"

const header = hex("82534e4150505900 00000001 00000001")

const block = (bytes: Uint8Array) => concat(i32(bytes.length), bytes)

/** What a stream in these pieces contains. */
const read = (pieces: ReadonlyArray<Uint8Array>) => {
  let reading = Snappy.start
  const content: Array<Uint8Array> = []
  for (const piece of pieces) {
    const decoded = Snappy.decode(reading, piece)
    if (Result.isFailure(decoded)) return { reason: decoded.failure.reason, offset: decoded.failure.offset }
    content.push(...decoded.success.content)
    reading = decoded.success.reading
  }
  return concat(...content)
}

const contents = (...blocks: ReadonlyArray<string>) => read([concat(header, ...blocks.map((text) => block(hex(text))))])

const recorded = dataFixture("snapshot.100000007.snappy")

describe("Snappy", () => {
  it.each([["whole", [recorded]], ["byte by byte", byteByByte(recorded)]])(
    "reads a snapshot of a real server, %s",
    (_, pieces) => {
      const content = read(pieces)
      if (!(content instanceof Uint8Array)) throw new Error(content.reason)
      const progress = Result.getOrThrow(Snapshot.decode(Snapshot.start("File"), content))
      if (progress._tag === "Done") throw new Error("A file is whole when it ends")
      assert.strictEqual(Result.getOrThrow(Snapshot.end(progress.reading)).nodes, 9)
    }
  )

  it.each<readonly [what: string, blocks: ReadonlyArray<string>, content: Uint8Array]>([
    ["nothing", [], utf8("")],
    ["an empty block", ["00"], utf8("")],
    ["a literal", ["03 08 616263"], utf8("abc")],
    ["two blocks", ["01 00 61", "01 00 62"], utf8("ab")],
    ["a literal with its length in one byte", [`3d f0 3c ${"61".repeat(61)}`], utf8("a".repeat(61))],
    ["a literal with its length in two bytes", [`ac02 f4 2b01 ${"61".repeat(300)}`], utf8("a".repeat(300))],
    ["a literal with its length in three bytes", ["01 f8 000000 61"], utf8("a")],
    ["a literal with its length in four bytes", ["01 fc 00000000 61"], utf8("a")],
    ["a short copy, which repeats itself", ["0a 04 6162 11 02"], utf8("ababababab")],
    ["a copy with an offset of two bytes", ["05 08 616263 06 0300"], utf8("abcab")],
    ["a copy with an offset of four bytes", ["05 08 616263 07 03000000"], utf8("abcab")],
    ["a short copy from far away", [`a102 f4 1c01 ${"62".repeat(284)} 61 21 1d`],
      utf8(`${"b".repeat(284)}abbbb`)]
  ])("reads %s", (_, blocks, content) => {
    assert.deepStrictEqual(contents(...blocks), content)
  })

  it.each<readonly [what: string, bytes: Uint8Array, reason: Snappy.MalformedSnappy["reason"], offset: number]>([
    ["another beginning", concat(utf8("ZKSN"), new Uint8Array(12)), "BadMagic", 0],
    ["a block without length", concat(header, i32(0)), "BadLength", 16],
    ["a negative block", concat(header, i32(-1)), "BadLength", 16],
    ["a block that is too large", concat(header, i32(Snappy.BLOCK_MAX + 1)), "BadLength", 16]
  ])("refuses %s", (_, bytes, reason, offset) => {
    assert.deepStrictEqual(read([bytes]), { reason, offset })
  })

  it.each<readonly [what: string, block: string]>([
    ["a content that is too large", "818040"],
    ["a content of 32 gigabytes", "ffffffff7f"],
    ["a length without end", "ffffffffffff"],
    ["less than it says", "04 08 616263"],
    ["more than it says", "02 08 616263"],
    ["a literal that is not there", "03 08 6162"],
    ["a literal of four gigabytes", "03 fc ffffffff 61"],
    ["a copy of nothing", "05 01 01"],
    ["a copy from before the beginning", "05 00 61 01 02"],
    ["a copy of itself without distance", "05 00 61 01 00"],
    ["a copy beyond the end", "02 00 61 01 01"],
    ["a copy that is cut", "05 00 61 02 01"]
  ])("refuses a block with %s", (_, text) => {
    assert.deepStrictEqual(contents(text), { reason: "BadBlock", offset: 20 })
  })

  it("never throws, and never writes more than a block, whatever one bit is wrong", () => {
    for (let index = 16; index < recorded.length; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = recorded.slice()
        changed[index] = changed[index]! ^ (1 << bit)
        const content = read([changed])
        assert.isTrue(!(content instanceof Uint8Array) || content.length <= Snappy.BLOCK_MAX, toHex(changed))
      }
    }
  })

  it("says in words what is wrong and where", () => {
    const error = new Snappy.MalformedSnappy({ reason: "BadBlock", offset: 20 })
    assert.strictEqual(error.message, "a block cannot be decompressed, at byte 20")
  })
})
