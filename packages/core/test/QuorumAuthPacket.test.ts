import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as QuorumAuthPacket from "../src/QuorumAuthPacket.ts"
import { concat, cut, filler, hex, i32, toHex, utf8 } from "./support/Bytes.ts"

const MAGIC = hex("5f2435013501edcc")

const packet = (status: number, token: Uint8Array, length = token.length) =>
  concat(MAGIC, i32(status), i32(length), token)

const read = (bytes: Uint8Array) => {
  const decoded = Result.getOrThrow(QuorumAuthPacket.decode(bytes))
  assert(decoded !== null, "not complete")
  return decoded
}

const outcome = (bytes: Uint8Array): string => {
  const decoded = QuorumAuthPacket.decode(bytes)
  if (Result.isFailure(decoded)) return decoded.failure.message
  return decoded.success === null ? "incomplete" : "accepted"
}

describe("a packet", () => {
  it.each<readonly [what: string, packet: QuorumAuthPacket.QuorumAuthPacket, bytes: string]>([
    ["that begins", { status: "InProgress", token: new Uint8Array(0) }, "5f2435013501edcc 00000000 00000000"],
    ["with a token", { status: "Success", token: utf8("ab") }, "5f2435013501edcc 00000001 00000002 6162"],
    ["that refuses", { status: "Error", token: new Uint8Array(0) }, "5f2435013501edcc ffffffff 00000000"],
    ["without a token", { status: "InProgress", token: null }, "5f2435013501edcc 00000000 ffffffff"]
  ])("%s is written and read", (_, packet, text) => {
    const bytes = hex(text)
    assert.strictEqual(toHex(QuorumAuthPacket.encode(packet)), toHex(bytes))
    assert.deepStrictEqual(read(bytes), { packet, size: bytes.length })
  })

  const bytes = packet(0, utf8("token"))

  it("is not complete before its last byte", () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.strictEqual(outcome(bytes.subarray(0, length)), "incomplete", `${length} bytes`)
    }
  })

  it("leaves alone what follows it", () => {
    for (const more of [1, 4, 5000]) assert.deepStrictEqual(read(concat(bytes, filler(more))), read(bytes))
  })

  it("within a larger buffer is read from its own place", () => {
    const buffer = concat(filler(3), bytes, filler(3))
    assert.deepStrictEqual(read(buffer.subarray(3, 3 + bytes.length)), read(bytes))
  })

  it.each([2, -2, 7, 2 ** 31 - 1])("of status %d is an error", (status) => {
    assert.strictEqual(read(packet(status, utf8("x"))).packet.status, "Error")
  })
})

describe("what cannot be", () => {
  it.each([-2, 2_097_151, 2 ** 31 - 1, -(2 ** 31)])("a token of %d bytes, known from its length alone", (length) => {
    assert.strictEqual(
      outcome(packet(0, new Uint8Array(0), length)),
      `token length of an authentication packet is not within -1..2097150: ${length}`
    )
  })

  it("a token of 2097150 bytes can be", () => {
    assert.strictEqual(outcome(packet(0, filler(2_097_150))), "accepted")
  })

  it("another beginning, known from the first byte that differs", () => {
    for (let at = 0; at < MAGIC.length; at++) {
      const other = MAGIC.with(at, MAGIC[at]! ^ 1)
      assert.match(outcome(other.subarray(0, at + 1)), /begins with other bytes/)
      assert.isFalse(QuorumAuthPacket.isNext(other.subarray(0, at + 1)))
      assert.strictEqual(outcome(other.subarray(0, at)), "incomplete")
    }
  })
})

describe("who looks whether a packet is next", () => {
  it("knows after eight bytes", () => {
    for (const size of [0, 1, 7]) assert.isNull(QuorumAuthPacket.isNext(MAGIC.subarray(0, size)))
    assert.isTrue(QuorumAuthPacket.isNext(MAGIC))
    assert.isTrue(QuorumAuthPacket.isNext(concat(MAGIC, filler(9))))
  })

  it("takes neither a frame nor a handshake for one", () => {
    assert.isFalse(QuorumAuthPacket.isNext(i32(40)))
    assert.isFalse(QuorumAuthPacket.isNext(hex("ffff")))
  })
})

describe("properties", () => {
  const status = Schema.Literals(["InProgress", "Success", "Error"])
  const bytes = Arbitrary.map(
    Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))),
    (values) => Uint8Array.from(values)
  )
  const place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))

  it.prop("what is written is read, however it is cut", [status, bytes, place], ([status, token, place]) => {
    const written = QuorumAuthPacket.encode({ status, token })
    assert.deepStrictEqual(read(written).packet, { status, token })
    const [head = written] = cut(written, [place])
    assert.strictEqual(outcome(head), head.length < written.length ? "incomplete" : "accepted")
  })

  it.prop("any bytes have a result", [bytes], ([bytes]) => {
    for (const some of [bytes, concat(MAGIC, bytes)]) assert.isString(outcome(some))
  })
})
