import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { MalformedNotification } from "../src/CodecError.ts"
import type { Notification, ToSend } from "../src/Notification.ts"
import * as NotificationCodec from "../src/NotificationCodec.ts"
import { concat, filler, fixture, i32, i64, utf8 } from "./support/Bytes.ts"

const trio = [1, 2, 3].map((n) => `server.${n}=127.0.0.1:2288${n}:2388${n}:participant\n`).join("") + "version=0"

const read = (bytes: Uint8Array) => Result.getOrThrow(NotificationCodec.decode(7n, bytes))

const refused = (bytes: Uint8Array): MalformedNotification["reason"] | "accepted" => {
  const decoded = NotificationCodec.decode(7n, bytes)
  return Result.isFailure(decoded) ? decoded.failure.reason : "accepted"
}

/** The fields that every form has. */
const oldest = concat(i32(1), i64(2), i64(0x5_0000_0003n), i64(4))

/** And those of the newer forms. */
const newer = (version: number, ...more: ReadonlyArray<Uint8Array>) => concat(oldest, i64(6), i32(version), ...more)

const expected = (fields: Partial<Notification>): Notification => ({
  from: 7n,
  version: 2,
  state: "FOLLOWING",
  leader: 2n,
  zxid: 0x5_0000_0003n,
  electionEpoch: 4n,
  peerEpoch: 6n,
  config: null,
  ...fields
})

describe("what a real server sends", () => {
  it("first, is read and written byte for byte", () => {
    const toSend: ToSend = {
      to: 1n,
      state: "LOOKING",
      leader: 3n,
      zxid: 0n,
      electionEpoch: 1n,
      peerEpoch: 0n,
      config: trio
    }
    const payload = fixture("frame-first").subarray(4)
    assert.deepStrictEqual(NotificationCodec.encode(toSend), payload)
    const { to: _, ...fields } = toSend
    assert.deepStrictEqual(read(payload), { from: 7n, version: 2, ...fields })
  })

  it.each(["frame-first", "frame-looking", "frame-leading"])("as recorded in %s is written as it was read", (name) => {
    const payload = fixture(name).subarray(4)
    const { config, from: _, state, version: __, ...vote } = read(payload)
    assert(state !== "UNKNOWN" && config !== null)
    assert.deepStrictEqual(NotificationCodec.encode({ to: 1n, state, config, ...vote }), payload)
  })

  it("within a larger buffer is read from its own place", () => {
    const payload = fixture("frame-leading").subarray(4)
    const buffer = concat(filler(5), payload, filler(5))
    assert.deepStrictEqual(read(buffer.subarray(5, 5 + payload.length)), read(payload))
  })
})

describe("the forms (Java: WorkerReceiver.run)", () => {
  it.each<readonly [what: string, bytes: Uint8Array, fields: Partial<Notification>]>([
    ["28 bytes: the epoch is the zxid's", oldest, { version: 0, peerEpoch: 5n }],
    [
      "28 bytes with a negative zxid: the epoch is negative",
      concat(i32(1), i64(2), i64(-1), i64(4)),
      { version: 0, zxid: -1n, peerEpoch: -1n }
    ],
    ["40 bytes: version 0", newer(1), { version: 0 }],
    ["40 bytes: version 0, whatever they say", newer(2), { version: 0 }],
    ["41 bytes of version -5: what follows is ignored", newer(-5, filler(1)), { version: -5 }],
    ["44 bytes of version 0 with a length", newer(0, i32(7)), { version: 0 }],
    ["44 bytes of version 1 with a length", newer(1, i32(7)), { version: 1 }],
    ["60 bytes of version 1", newer(1, filler(20)), { version: 1 }],
    ["44 bytes of version 2 without a text", newer(2, i32(0)), { config: "" }],
    ["version 2 with a text", newer(2, i32(3), utf8("a=b")), { config: "a=b" }],
    ["version 2 with more after its text", newer(2, i32(3), utf8("a=bcd")), { config: "a=b" }],
    ["version 3 is read as 2, with three bytes after it", newer(3, i32(0), filler(3)), { version: 3, config: "" }],
    ["version 9, too", newer(9, i32(1), utf8("x")), { version: 9, config: "x" }],
    ["a text beyond ASCII", newer(2, i32(6), utf8("é😀")), { config: "é😀" }],
    ["a text that is no UTF-8", newer(2, i32(2), Uint8Array.of(0xff, 0x41)), { config: "\ufffdA" }],
    ["a text with a byte order mark", newer(2, i32(4), utf8("\ufeffa")), { config: "\ufeffa" }]
  ])("%s", (_, bytes, fields) => {
    assert.deepStrictEqual(read(bytes), expected(fields))
  })

  it.each<readonly [what: string, bytes: Uint8Array, reason: MalformedNotification["reason"]]>([
    ["nothing", filler(0), "TooShort"],
    ["12 bytes", concat(i32(0), i64(0)), "TooShort"],
    ["27 bytes", oldest.subarray(0, 27), "TooShort"],
    ["29 bytes", newer(2).subarray(0, 29), "Truncated"],
    ["30 bytes", newer(2).subarray(0, 30), "Truncated"],
    ["36 bytes, as 3.4.0 to 3.4.5 sent", newer(2).subarray(0, 36), "Truncated"],
    ["39 bytes", newer(2).subarray(0, 39), "Truncated"],
    ["41 bytes of version 2", newer(2, filler(1)), "Truncated"],
    ["43 bytes of version 2", newer(2, filler(3)), "Truncated"],
    ["a negative length", newer(2, i32(-123), filler(4)), "BadConfigLength"],
    ["the smallest length", newer(2, i32(-2147483648)), "BadConfigLength"],
    ["a length of 10,000", newer(2, i32(10_000), filler(29)), "BadConfigLength"],
    ["a length of 100 and no text", newer(2, i32(100)), "BadConfigLength"],
    ["a length within the message, but not within its text", newer(2, i32(40)), "ConfigTruncated"],
    ["a text that lacks one byte", newer(2, i32(4), filler(3)), "ConfigTruncated"],
    ["version 3 is read as 2", newer(3, i32(1)), "ConfigTruncated"]
  ])("refuses %s", (_, bytes, reason) => {
    assert.strictEqual(refused(bytes), reason)
  })

  it("says what is wrong, and how much there was", () => {
    const decoded = NotificationCodec.decode(7n, newer(2, i32(-1)))
    assert(Result.isFailure(decoded))
    assert.strictEqual(
      decoded.failure.message,
      "notification announces a configuration length that is negative or larger than itself (44 bytes)"
    )
  })

  it.each([
    [0, "LOOKING"],
    [1, "FOLLOWING"],
    [2, "LEADING"],
    [3, "OBSERVING"],
    [4, "UNKNOWN"],
    [9, "UNKNOWN"],
    [-1, "UNKNOWN"]
  ] as const)("state code %d is %s", (code, state) => {
    assert.strictEqual(read(concat(i32(code), oldest.subarray(4))).state, state)
  })

  it("every prefix of a message is refused, or one of the old forms", () => {
    const whole = newer(2, i32(3), utf8("a=b"))
    const accepted = Array.from(whole.keys()).filter((length) => refused(whole.subarray(0, length)) === "accepted")
    assert.deepStrictEqual(accepted, [28, 40])
  })

  it("every message with more after it is read as without, but for the old forms", () => {
    const whole = newer(2, i32(3), utf8("a=b"))
    for (let more = 1; more < 64; more++) assert.deepStrictEqual(read(concat(whole, filler(more))), read(whole))
  })
})

describe("properties", () => {
  const long = Arbitrary.map(Arbitrary.schema(Schema.BigInt), (value) => BigInt.asIntN(64, value * 0x9e37_79b9_7f4an))
  const message = Arbitrary.all({
    to: long,
    state: Arbitrary.schema(Schema.Literals(["LOOKING", "FOLLOWING", "LEADING", "OBSERVING"])),
    leader: long,
    zxid: long,
    electionEpoch: long,
    peerEpoch: long,
    // A half of a surrogate pair has no bytes of its own.
    config: Arbitrary.map(Arbitrary.schema(Schema.String), (text) => text.toWellFormed())
  })

  it.prop("what is written is read, whatever it is", [message], ([toSend]) => {
    const { to: _, ...fields } = toSend
    assert.deepStrictEqual(read(NotificationCodec.encode(toSend)), { from: 7n, version: 2, ...fields })
  })

  const byte = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
  const bytes = Arbitrary.map(Arbitrary.array(byte, { maxLength: 70 }), (list) => Uint8Array.from(list))

  it.prop("any bytes have a result", [bytes, byte], ([bytes, version]) => {
    if (bytes.length >= 40) bytes.set([0, 0, 0, version & 3], 36)
    if (bytes.length >= 44) bytes.set([0, 0, 0], 40)
    const decoded = NotificationCodec.decode(7n, bytes)
    if (Result.isSuccess(decoded)) assert.isTrue(bytes.length >= 28)
    else assert.strictEqual(decoded.failure.size, bytes.length)
  })
})
