import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as LearnerInfo from "../src/LearnerInfo.ts"
import * as QuorumPacket from "../src/QuorumPacket.ts"
import { concat, cut, filler, hex, i32, i64, toHex, utf8 } from "./support/Bytes.ts"
import * as Random from "./support/Random.ts"
import { packetText } from "./support/Zab.ts"

/** What a stream yields that arrives in these pieces. */
const read = (pieces: ReadonlyArray<Uint8Array>) => {
  const packets: Array<string> = []
  let rest = QuorumPacket.empty
  for (const piece of pieces) {
    const decoded = QuorumPacket.decode(rest, piece)
    if (Result.isFailure(decoded)) return { packets, fault: `${decoded.failure.reason} ${decoded.failure.detail}` }
    packets.push(...decoded.success.packets.map(packetText))
    rest = decoded.success.rest
  }
  return { packets, rest: toHex(QuorumPacket.join(rest)) }
}

const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte))

const E1 = 1n << 32n

const protocolVersion = 0x10000
const info = LearnerInfo.encode({ sid: 3n, protocolVersion, configVersion: 0n, ours: null })

/** As seen on the wire of 3.8.0. */
const golden: ReadonlyArray<readonly [text: string, packet: QuorumPacket.QuorumPacket, bytes: string]> = [
  ["FOLLOWERINFO", QuorumPacket.make("FOLLOWERINFO", 0n, info),
    "0000000b 0000000000000000 00000014 0000000000000003 00010000 0000000000000000 ffffffff"],
  ["LEADERINFO", QuorumPacket.make("LEADERINFO", E1, LearnerInfo.encodeLeader({ protocolVersion, ours: null })),
    "00000011 0000000100000000 00000004 00010000 ffffffff"],
  ["ACKEPOCH", QuorumPacket.make("ACKEPOCH", 0n, LearnerInfo.encodeEpoch(0n)),
    "00000012 0000000000000000 00000004 00000000 ffffffff"],
  ["DIFF", QuorumPacket.make("DIFF", 0n), "0000000d 0000000000000000 ffffffff ffffffff"],
  ["TRUNC", QuorumPacket.make("TRUNC", E1), "0000000e 0000000100000000 ffffffff ffffffff"],
  ["ACK", QuorumPacket.make("ACK", E1), "00000003 0000000100000000 ffffffff ffffffff"],
  ["UPTODATE", QuorumPacket.make("UPTODATE", -1n), "0000000c ffffffffffffffff ffffffff ffffffff"],
  ["PING", QuorumPacket.make("PING", E1), "00000005 0000000100000000 ffffffff ffffffff"],
  ["the answer to PING", QuorumPacket.make("PING", E1, new Uint8Array(0)),
    "00000005 0000000100000000 00000000 ffffffff"],
  ["SNAP", QuorumPacket.make("SNAP", E1), "0000000f 0000000100000000 ffffffff ffffffff"]
]

describe("a packet", () => {
  it.each(golden)("%s is written as the original writes it, and read whole and byte by byte", (_, packet, text) => {
    const bytes = hex(text)
    assert.strictEqual(toHex(QuorumPacket.encode(packet)), toHex(bytes))
    for (const pieces of [[bytes], byteByByte(bytes)]) {
      assert.deepStrictEqual(read(pieces), { packets: [packetText(packet)], rest: "" })
    }
    const { packets } = Result.getOrThrow(QuorumPacket.decode(QuorumPacket.empty, bytes))
    assert.deepStrictEqual(packets, [packet])
  })

  it("of every type has its code", () => {
    const types = ["REQUEST", "PROPOSAL", "ACK", "COMMIT", "PING", "REVALIDATE", "SYNC", "INFORM", "COMMITANDACTIVATE",
      "NEWLEADER", "FOLLOWERINFO", "UPTODATE", "DIFF", "TRUNC", "SNAP", "OBSERVERINFO", "LEADERINFO", "ACKEPOCH",
      "INFORMANDACTIVATE"] as const
    const codes = types.map((type) => hex(toHex(QuorumPacket.encode(QuorumPacket.make(type, 0n)))).at(3))
    assert.deepStrictEqual(codes, types.map((_, index) => index + 1))
  })

  it.each([0, 20, -1, 2 ** 31 - 1])("of type %d is read, and of no known type", (code) => {
    assert.deepStrictEqual(read([concat(i32(code), i64(7), i32(-1), i32(-1))]), { packets: ["UNKNOWN 0.7"], rest: "" })
  })

  it("of no known type is written with a code that nobody knows either", () => {
    const bytes = QuorumPacket.encode({ type: "UNKNOWN", zxid: 7n, data: null })
    assert.deepStrictEqual(read([bytes]), { packets: ["UNKNOWN 0.7"], rest: "" })
  })

  it("says who asks, which is read over", () => {
    const ids = [i32(2), i32(2), utf8("ip"), i32(4), filler(4), i32(-1), i32(0)]
    const bytes = concat(i32(1), i64(-1), i32(1), filler(1), ...ids)
    for (const pieces of [[bytes], byteByByte(bytes)]) {
      assert.deepStrictEqual(read(pieces), { packets: ["REQUEST -1 a5"], rest: "" })
    }
    const none = concat(i32(3), i64(1), i32(-1), i32(0))
    assert.deepStrictEqual(read([none, bytes]), { packets: ["ACK 0.1", "REQUEST -1 a5"], rest: "" })
  })

  it("is followed by others, and by the beginning of one, which stays", () => {
    const [, ping] = [golden[0]!, QuorumPacket.encode(QuorumPacket.make("PING", E1))]
    assert.deepStrictEqual(read([concat(ping, ping, ping.subarray(0, 19))]), {
      packets: ["PING 1.0", "PING 1.0"],
      rest: toHex(ping.subarray(0, 19))
    })
  })

  it("within a larger buffer is read from its own place", () => {
    const bytes = QuorumPacket.encode(golden[0]![1])
    const buffer = concat(filler(7), bytes, filler(7))
    assert.deepStrictEqual(read([buffer.subarray(7, 7 + bytes.length)]), read([bytes]))
  })
})

describe("a snapshot", () => {
  const snap = QuorumPacket.encode(QuorumPacket.make("SNAP", E1))
  const ping = QuorumPacket.encode(QuorumPacket.make("PING", E1))

  it("is not read: what comes after SNAP in the same piece is left over", () => {
    // As packets these bytes could not be read.
    const snapshot = concat(i64(0), i32(-5), i32(-7), filler(99))
    assert.deepStrictEqual(read([concat(ping, snap, snapshot)]), {
      packets: ["PING 1.0", "SNAP 1.0"],
      rest: toHex(snapshot)
    })
  })

  it("even if it looks like a packet", () => {
    assert.deepStrictEqual(read([concat(snap, ping)]), { packets: ["SNAP 1.0"], rest: toHex(ping) })
  })
})

describe("lengths that cannot be", () => {
  const head = concat(i32(5), i64(0))
  const max = QuorumPacket.DATA_MAX

  it.each([-2, -(2 ** 31), max + 1, 2 ** 31 - 1])("data of %d bytes, as soon as that can be read", (length) => {
    const bytes = concat(head, i32(length), i32(0))
    assert.deepStrictEqual(read([bytes]), { packets: [], fault: `BadLength ${length}` })
    assert.deepStrictEqual(read(byteByByte(bytes)), { packets: [], fault: `BadLength ${length}` })
  })

  it.each([-2, QuorumPacket.AUTHINFO_MAX + 1, 2 ** 31 - 1])("%d who ask", (count) => {
    assert.deepStrictEqual(read([concat(head, i32(-1), i32(count))]), { packets: [], fault: `BadCount ${count}` })
  })

  it.each([-2, max, 2 ** 31 - 1])("a scheme of %d bytes", (length) => {
    const bytes = concat(head, i32(-1), i32(1), i32(length))
    assert.deepStrictEqual(read([bytes]), { packets: [], fault: `BadLength ${length}` })
  })

  it("many who ask with much each, which together are more than data may be", () => {
    const each = concat(i32(100_000), filler(100_000))
    const ids = Array.from({ length: 21 }, () => each)
    assert.deepStrictEqual(read([concat(head, i32(-1), i32(64), ...ids)]), { packets: [], fault: "BadLength 100000" })
    // Not more than that is ever waited for.
    let rest = QuorumPacket.empty
    for (const piece of [concat(head, i32(-1), i32(64)), ...ids.slice(0, 20)]) {
      rest = Result.getOrThrow(QuorumPacket.decode(rest, piece)).rest
      assert.isAtMost(rest.needed, 20 + max)
    }
  })

  it("the longest that can be, can be", () => {
    const data = filler(max)
    const { packets } = Result.getOrThrow(
      QuorumPacket.decode(QuorumPacket.empty, QuorumPacket.encode(QuorumPacket.make("PROPOSAL", 1n, data)))
    )
    assert.deepStrictEqual(packets[0]?.data?.length, max)
    const asked = concat(head, i32(-1), i32(64), ...Array.from({ length: 128 }, () => concat(i32(2), filler(2))))
    assert.deepStrictEqual(read([asked]), { packets: ["PING 0.0"], rest: "" })
  })

  it("are told with whose fault it is", () => {
    const decoded = QuorumPacket.decode(QuorumPacket.empty, concat(head, i32(-2), i32(0)))
    assert(Result.isFailure(decoded))
    assert.match(decoded.failure.message, /^a length in a packet at the quorum port is not within -1\.\.2097150.*: -2$/)
  })
})

describe("memory", () => {
  it("what comes byte by byte is kept in few pieces, or a slow sender could fill it", () => {
    const size = 100_000
    const bytes = QuorumPacket.encode(QuorumPacket.make("PROPOSAL", 1n, filler(2 * size)))
    let rest = QuorumPacket.empty
    for (const byte of bytes.subarray(0, size)) {
      rest = Result.getOrThrow(QuorumPacket.decode(rest, Uint8Array.of(byte))).rest
      let count = 0
      for (let piece = rest.pieces.last; piece !== null; piece = piece.before) count++
      // Each is longer than the one after it.
      assert.isAtMost(count, Math.ceil(Math.log2(rest.pieces.size + 1)))
    }
    assert.deepStrictEqual(QuorumPacket.join(rest), bytes.subarray(0, size))
    assert.strictEqual(rest.needed, bytes.length)
  })
})

describe("any bytes", () => {
  /** Packets, noise, and packets in which a few bytes are noise. */
  const stream = (random: Random.Random): Uint8Array => {
    const parts = Array.from({ length: 1 + random.below(4) }, () => {
      const packet = QuorumPacket.encode({ ...random.pick(golden)[1], zxid: random.long() })
      if (random.percent(20)) return Uint8Array.from({ length: random.below(40) }, () => random.below(256))
      return random.percent(50) ? packet : packet.map((byte) => random.percent(4) ? random.below(256) : byte)
    })
    return concat(...parts)
  }

  it("have a result, and the pieces change neither what is read nor the verdict", () => {
    const kinds = new Set<string>()
    for (let seed = 1; seed <= 3_000; seed++) {
      const random = Random.make(seed)
      const bytes = stream(random)
      const whole = read([bytes])
      const pieces = read(byteByByte(bytes))
      kinds.add(whole.fault?.split(" ")[0] ?? (whole.rest === "" ? "complete" : "incomplete"))
      // A fault loses what was complete before it in the same piece; after SNAP the next piece is read as packets.
      if (pieces.packets.some((text) => text.startsWith("SNAP"))) continue
      assert.deepStrictEqual(whole.fault, pieces.fault, `seed ${seed}`)
      if (whole.fault === undefined) assert.deepStrictEqual(pieces, whole, `seed ${seed}`)
    }
    assert.deepStrictEqual(kinds, new Set(["complete", "incomplete", "BadLength", "BadCount"]))
  })

  const byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
  const bytes = Arbitrary.map(Arbitrary.array(Arbitrary.schema(byte)), (list) => Uint8Array.from(list))
  const places = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))))

  it.prop("of data are read as they were written", [Arbitrary.array(bytes), places], ([list, places]) => {
    const packets = list.map((data, index) => QuorumPacket.make("PROPOSAL", BigInt(index) - 2n, data))
    const stream = concat(...packets.map(QuorumPacket.encode))
    assert.deepStrictEqual(read(cut(stream, places)), { packets: packets.map(packetText), rest: "" })
  })
})
