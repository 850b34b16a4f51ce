import { assert, describe, it } from "@effect/vitest"
import { deflateSync } from "node:zlib"
import * as Adler32 from "../src/internal/adler32.ts"
import { cut, utf8 } from "./support/Bytes.ts"

/** What zlib says: a zlib stream ends in this checksum. */
const zlibSays = (bytes: Uint8Array): number => deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4)

describe("Adler-32", () => {
  it.each<readonly [what: string, bytes: Uint8Array]>([
    ["nothing", utf8("")],
    ["text", utf8("Wikipedia")],
    ["the longest run without reduction, all ones", new Uint8Array(5_552).fill(255)],
    ["one more", new Uint8Array(5_553).fill(255)],
    ["a lot", Uint8Array.from({ length: 100_000 }, (_, index) => index * 7)]
  ])("of %s is what zlib says, whole and in pieces", (_, bytes) => {
    assert.strictEqual(Adler32.update(Adler32.EMPTY, bytes), zlibSays(bytes))
    assert.strictEqual(cut(bytes, [1, 5_552, 77_777]).reduce(Adler32.update, Adler32.EMPTY), zlibSays(bytes))
  })

  it("is never negative", () => {
    assert.isAbove(Adler32.update(Adler32.EMPTY, new Uint8Array(300).fill(255)), 0x7fff_ffff)
  })
})
