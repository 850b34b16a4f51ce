import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { MalformedInitialMessage } from "../src/CodecError.ts"
import * as InitialMessage from "../src/InitialMessage.ts"
import { OBSERVER_ID } from "../src/Sid.ts"
import { concat, filler, fixture, i32, i64, utf8 } from "./support/Bytes.ts"

type Version = InitialMessage.InitialMessage["protocolVersion"]

const V1 = InitialMessage.PROTOCOL_VERSION_V1
const V2 = InitialMessage.PROTOCOL_VERSION_V2

/** A handshake with this address text. */
const hello = (text: string | Uint8Array, { length, sid = 5, version = V1 }: {
  readonly length?: number
  readonly sid?: number | bigint
  readonly version?: bigint
} = {}): Uint8Array => {
  const bytes = typeof text === "string" ? utf8(text) : text
  return concat(i64(version), i64(sid), i32(length ?? bytes.length), bytes)
}

const read = (bytes: Uint8Array) => {
  const decoded = Result.getOrThrow(InitialMessage.decode(bytes))
  assert(decoded !== null, "not complete")
  return decoded
}

const refused = (bytes: Uint8Array): MalformedInitialMessage["reason"] | "accepted" | "incomplete" => {
  const decoded = InitialMessage.decode(bytes)
  return Result.isFailure(decoded) ? decoded.failure.reason : decoded.success === null ? "incomplete" : "accepted"
}

const addresses = (text: string) => read(hello(text)).message.addresses

describe("what a real server says", () => {
  it.each<readonly [name: string, sid: bigint, protocolVersion: Version, addresses: ReadonlyArray<[string, number]>]>([
    ["initial-v1", 1n, V1, [["127.0.0.1", 15289]]],
    ["initial-v1-ipv6", 3n, V1, [["0:0:0:0:0:0:0:1", 14981]]],
    ["initial-v2", 1n, V2, [["127.0.0.1", 13376], ["127.0.1.2", 29264]]]
  ])("as recorded in %s is read, and written byte for byte", (name, sid, protocolVersion, list) => {
    const bytes = fixture(name)
    const message = { sid, addresses: list.map(([host, port]) => ({ host, port })), protocolVersion }
    assert.deepStrictEqual(read(bytes), { message, size: bytes.length })
    assert.deepStrictEqual(InitialMessage.encode({ ...message, multiAddress: protocolVersion === V2 }), bytes)
  })
})

describe("a handshake", () => {
  const bytes = fixture("initial-v2")

  it("is not complete before its last byte", () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.strictEqual(refused(bytes.subarray(0, length)), "incomplete", `${length} bytes`)
    }
  })

  it("leaves alone what follows it", () => {
    for (const more of [1, 4, 5000]) assert.deepStrictEqual(read(concat(bytes, filler(more))), read(bytes))
  })

  it("within a larger buffer is read from its own place", () => {
    const buffer = concat(filler(3), bytes, filler(3))
    assert.deepStrictEqual(read(buffer.subarray(3, 3 + bytes.length)), read(bytes))
  })

  it.each([0n, 2n, 255n, OBSERVER_ID])("of a 3.4 peer is its sid %d and nothing else", (sid) => {
    const legacy = { message: { sid, addresses: [], protocolVersion: "Legacy" as const }, size: 8 }
    assert.deepStrictEqual(read(i64(sid)), legacy)
    assert.deepStrictEqual(read(concat(i64(sid), i32(4), i32(5))), legacy)
    assert.strictEqual(refused(i64(sid).subarray(0, 7)), "incomplete")
  })

  it.each([-1n, -5n, 0n, OBSERVER_ID, -0x8000_0000_0000_0000n])("may name any sid, as %d", (sid) => {
    assert.strictEqual(read(hello("h:1", { sid })).message.sid, sid)
  })
})

describe("its addresses (Java: InitialMessage.parse, CnxManagerTest.testInitialMessage)", () => {
  it.each<readonly [text: string, expected: ReadonlyArray<readonly [host: string, port: number]>]>([
    ["10.0.0.2:3888", [["10.0.0.2", 3888]]],
    ["1.1.1.1:9999|2.2.2.2:8888|3.3.3.3:7777", [["1.1.1.1", 9999], ["2.2.2.2", 8888], ["3.3.3.3", 7777]]],
    ["zoo-1.example.com:3888", [["zoo-1.example.com", 3888]]],
    ["zoö:1", [["zoö", 1]]],
    ["[::1]:3888", [["::1", 3888]]],
    ["[2001:db8:0:0:0:0:0:1]:1|h:2", [["2001:db8:0:0:0:0:0:1", 1], ["h", 2]]],
    ["0.0.0.0:3888", []],
    ["[::]:3888", []],
    ["[0:0:0:0:0:0:0:0]:1|h:2|0.0.0.0:3", [["h", 2]]],
    ["|", []],
    ["|||", []],
    ["h:1|", [["h", 1]]],
    ["h:1|||", [["h", 1]]],
    ["h:0", [["h", 0]]],
    ["h:65535", [["h", 65535]]],
    ["h:1:", [["h", 1]]]
  ])("%j are read", (text, expected) => {
    assert.deepStrictEqual(addresses(text), expected.map(([host, port]) => ({ host, port })))
  })

  it("several are read in the first version, too", () => {
    assert.deepStrictEqual(read(hello("a:1|b:2", { version: V1 })).message.addresses.length, 2)
  })

  it.each<readonly [text: string, reason: MalformedInitialMessage["reason"]]>([
    ["what's going on here?", "BadAddress"],
    ["h", "BadAddress"],
    ["h:1:2", "BadAddress"],
    ["::1:3888", "BadAddress"],
    ["[::1", "BadAddress"],
    ["[::1]:", "BadAddress"],
    ["[::1]", "BadAddress"],
    ["a:1||b:2", "BadAddress"],
    ["|a:1", "BadAddress"],
    [":", "BadAddress"],
    ["a:1|b", "BadAddress"],
    ["h:x", "BadPort"],
    ["h: 1", "BadPort"],
    ["h:-1", "BadPort"],
    ["h:65536", "BadPort"],
    ["a:1|h:99999999999999999999", "BadPort"]
  ])("%j are refused", (text, reason) => {
    assert.strictEqual(refused(hello(text)), reason)
  })

  it("bytes that are no UTF-8 are no reason to fail otherwise than by what they mean", () => {
    assert.strictEqual(refused(hello(Uint8Array.of(0xff, 0xfe))), "BadAddress")
    const { message } = read(hello(Uint8Array.of(0xff, 0x3a, 0x31)))
    assert.deepStrictEqual(message.addresses, [{ host: "\ufffd", port: 1 }])
  })
})

describe("what is wrong is said as early as it can be known", () => {
  it.each([-65530n, -65537n, -1n, -0x8000_0000_0000_0000n])("version %d after eight bytes", (version) => {
    assert.strictEqual(refused(i64(version)), "UnknownVersion")
    assert.strictEqual(refused(hello("h:1", { version })), "UnknownVersion")
  })

  it.each([0, -1, 2049, 1_048_576, 2147483647, -2147483648])("length %d after twenty", (length) => {
    const bytes = hello("", { length })
    assert.strictEqual(refused(bytes), "BadLength")
    assert.strictEqual(refused(bytes.subarray(0, 19)), "incomplete")
  })

  it.each([1, 2048])("length %d is none of it", (length) => {
    assert.strictEqual(refused(hello("", { length })), "incomplete")
    const text = `${"h".repeat(Math.max(0, length - 2))}:1`.slice(-length)
    assert.strictEqual(refused(hello(text)), length === 1 ? "BadAddress" : "accepted")
  })

  it("and nobody need read more than the longest handshake", () => {
    assert.strictEqual(InitialMessage.MAX_SIZE, 2068)
    assert.notStrictEqual(refused(hello(filler(2048))), "incomplete")
  })

  it("in words", () => {
    const decoded = InitialMessage.decode(hello("h:65536"))
    assert(Result.isFailure(decoded))
    assert.strictEqual(decoded.failure.message, "bad port number in the handshake: port 65536 is outside 0..65535")
  })
})

describe("our own", () => {
  const list = [{ host: "h", port: 1 }, { host: "::1", port: 2 }]

  it("tells all addresses in the second version, the first one in the first", () => {
    const sid = 7n
    assert.deepStrictEqual(
      InitialMessage.encode({ sid, addresses: list, multiAddress: true }),
      hello("h:1|[::1]:2", { sid, version: V2 })
    )
    assert.deepStrictEqual(
      InitialMessage.encode({ sid, addresses: list, multiAddress: false }),
      hello("h:1", { sid, version: V1 })
    )
  })

  it("tells as many addresses as the others read, in their order", () => {
    const long = { host: "h".repeat(1000), port: 1 }
    const addresses = [long, long, long, ...list]
    const bytes = InitialMessage.encode({ sid: 7n, addresses, multiAddress: true })
    assert.deepStrictEqual(read(bytes).message.addresses, [long, long, ...list])
    // 2,048 bytes are the address and its port; é takes two of them.
    for (const [host, told] of [["é".repeat(1023), 1], [`${"é".repeat(1023)}h`, 0]] as const) {
      const bytes = InitialMessage.encode({ sid: 7n, addresses: [{ host, port: 1 }], multiAddress: false })
      assert.strictEqual(read(bytes).message.addresses.length, told)
    }
  })

  it("without an address is one that everybody reads", () => {
    const bytes = InitialMessage.encode({ sid: 7n, addresses: [], multiAddress: false })
    assert.deepStrictEqual(bytes, hello("|", { sid: 7n }))
    assert.deepStrictEqual(read(bytes).message.addresses, [])
  })

  const host = Arbitrary.schema(Schema.Literals(["h", "10.0.0.1", "zoo-1.example.com", "::1", "2001:db8::7", "zoö"]))
  const port = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 })))
  const several = Arbitrary.array(Arbitrary.all({ host, port }), { minLength: 1, maxLength: 5 })
  const sid = Arbitrary.map(Arbitrary.schema(Schema.BigInt), (value) => BigInt.asIntN(64, value))

  it.prop("is read as it was meant", [several, sid, Schema.Boolean], ([addresses, sid, multiAddress]) => {
    const bytes = InitialMessage.encode({ sid, addresses, multiAddress })
    assert.deepStrictEqual(read(concat(bytes, filler(3))), {
      message: {
        sid,
        addresses: multiAddress ? addresses : addresses.slice(0, 1),
        protocolVersion: multiAddress ? V2 : V1
      },
      size: bytes.length
    })
  })

  const piece = Arbitrary.schema(
    Schema.Literals(["h", ":", "|", "1", "[", "]", "65536", "0.0.0.0", "::", "\0", "é", ""])
  )

  it.prop("any bytes have a result, and a prefix never another fault", [Arbitrary.array(piece)], ([pieces]) => {
    const bytes = hello(pieces.join(""))
    const whole = refused(bytes)
    assert.notStrictEqual(whole, "incomplete")
    for (let length = 0; length < bytes.length; length++) {
      const prefix = refused(bytes.subarray(0, length))
      assert.isTrue(prefix === "incomplete" || prefix === whole)
    }
  })
})
