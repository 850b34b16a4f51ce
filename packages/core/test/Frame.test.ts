import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Frame from "../src/Frame.ts"
import { concat, cut, filler, fixture, hex, i32, toHex } from "./support/Bytes.ts"

/** What a stream yields that arrives in these pieces. */
const read = (pieces: ReadonlyArray<Uint8Array>) => {
  const payloads: Array<string> = []
  let rest = Frame.empty
  for (const piece of pieces) {
    const decoded = Frame.decode(rest, piece)
    if (Result.isFailure(decoded)) return { payloads, length: decoded.failure.length }
    payloads.push(...decoded.success.payloads.map(toHex))
    rest = decoded.success.rest
  }
  return { payloads, rest: toHex(Frame.join(rest)) }
}

const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte))

const recorded = fixture("frame-first")
const payload = toHex(recorded.subarray(4))

describe("Frame", () => {
  it("is a length, big endian, and the payload after it", () => {
    assert.deepStrictEqual(Frame.encode(hex("0102ff")), hex("00000003 0102ff"))
    assert.deepStrictEqual(Frame.encode(hex(payload)), recorded)
  })

  it("is read whole", () => {
    assert.deepStrictEqual(read([recorded]), { payloads: [payload], rest: "" })
  })

  it("is read byte by byte", () => {
    assert.deepStrictEqual(read(byteByByte(recorded)), { payloads: [payload], rest: "" })
  })

  it("is read with the beginning of the next after it, which stays", () => {
    assert.deepStrictEqual(read([concat(recorded, hex("000001"))]), { payloads: [payload], rest: "000001" })
    assert.deepStrictEqual(read([concat(recorded, hex("00000002 aa"))]), { payloads: [payload], rest: "00000002aa" })
  })

  it("is read with others before and after it in one piece, in order", () => {
    const stream = concat(Frame.encode(hex("01")), recorded, Frame.encode(hex("0203")))
    assert.deepStrictEqual(read([stream]), { payloads: ["01", payload, "0203"], rest: "" })
    assert.deepStrictEqual(read(byteByByte(stream)), { payloads: ["01", payload, "0203"], rest: "" })
  })

  it("is read when length and payload arrive apart, as the original writes them", () => {
    assert.deepStrictEqual(read([recorded.subarray(0, 4), recorded.subarray(4)]), { payloads: [payload], rest: "" })
  })

  it("of nothing yet is nothing", () => {
    assert.deepStrictEqual(read([]), { payloads: [], rest: "" })
    assert.deepStrictEqual(read([hex(""), hex("0000")]), { payloads: [], rest: "0000" })
  })

  it("may hold 1 to 524,288 bytes (Java: PACKETMAXSIZE)", () => {
    assert.strictEqual(Frame.PACKET_MAX_SIZE, 512 * 1024)
    for (const length of [1, Frame.PACKET_MAX_SIZE]) {
      const { payloads } = read([Frame.encode(filler(length))])
      assert.deepStrictEqual(payloads.map(({ length }) => length / 2), [length])
    }
  })

  it.each([0, -1, -20, -2147483648, Frame.PACKET_MAX_SIZE + 1, 2147483647])(
    "of length %d is malformed as soon as the length is read, and so is all that follows",
    (length) => {
      assert.deepStrictEqual(read([i32(length)]), { payloads: [], length })
      assert.deepStrictEqual(read(byteByByte(concat(i32(length), filler(9)))), { payloads: [], length })
      assert.deepStrictEqual(read([recorded, i32(length)]), { payloads: [payload], length })
      assert.deepStrictEqual(read([concat(recorded, i32(length))]), { payloads: [], length })
    }
  )

  it("tells what was wrong", () => {
    const decoded = Frame.decode(Frame.empty, i32(-20))
    assert(Result.isFailure(decoded))
    assert.strictEqual(decoded.failure.message, "frame length -20 is not within 1..524288")
  })

  it("that comes byte by byte is kept in few pieces, or a slow sender could fill our memory", () => {
    let { rest } = Result.getOrThrow(Frame.decode(Frame.empty, i32(Frame.PACKET_MAX_SIZE)))
    for (let received = 0; received < 100_000; received++) {
      rest = Result.getOrThrow(Frame.decode(rest, Uint8Array.of(received))).rest
      let count = 0
      for (let piece = rest.pieces.last; piece !== null; piece = piece.before) count++
      // Each is longer than the one after it.
      assert.isAtMost(count, Math.ceil(Math.log2(rest.pieces.size + 1)))
    }
    assert.deepStrictEqual(Frame.join(rest).subarray(4), Uint8Array.from({ length: 100_000 }, (_, index) => index))
  })

  it("within a larger buffer is read from its own place", () => {
    const buffer = concat(filler(7), recorded, filler(7))
    assert.deepStrictEqual(read([buffer.subarray(7, 7 + recorded.length)]), { payloads: [payload], rest: "" })
  })

  const bytes = Arbitrary.map(
    Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))),
    (list) => Uint8Array.from(list)
  )
  const places = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))))

  it.prop("whatever the pieces, what was written is read", [Arbitrary.array(bytes), places], ([payloads, places]) => {
    const written = payloads.filter(({ length }) => length > 0)
    const stream = concat(...written.map(Frame.encode))
    assert.deepStrictEqual(read(cut(stream, places)), { payloads: written.map(toHex), rest: "" })
  })

  it.prop("whatever the bytes, the pieces change neither rest nor verdict", [bytes, places], ([noise, places]) => {
    // Small lengths, so that some of the noise is frames.
    const stream = noise.map((byte, index) => index % 5 < 3 ? 0 : byte & 3)
    const whole = read([stream])
    const pieces = read(cut(stream, places))
    assert.strictEqual(pieces.rest, whole.rest)
    assert.strictEqual(pieces.length, whole.length)
    // What was complete before the fault is lost only if it came in the same piece.
    assert.deepStrictEqual(pieces.payloads.slice(0, whole.payloads.length), whole.payloads)
  })
})
