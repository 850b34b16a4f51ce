import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { gunzipSync } from "node:zlib"
import * as Adler32 from "../src/internal/adler32.ts"
import * as Snapshot from "../src/Snapshot.ts"
import { byteByByte, concat, cut, dataFixture, filler, hex, i32, i64, toHex, utf8 } from "./support/Bytes.ts"

/** What reading these pieces comes to, the end of the stream included if it is waited for. */
const read = (form: Snapshot.Form, pieces: ReadonlyArray<Uint8Array>, maxBuffer?: number) => {
  let reading = Snapshot.start(form, maxBuffer)
  for (const piece of pieces) {
    const progress = Snapshot.decode(reading, piece)
    if (Result.isFailure(progress)) return told(progress.failure)
    if (progress.success._tag === "Done") return { nodes: progress.success.nodes, rest: toHex(progress.success.rest) }
    reading = progress.success.reading
  }
  return Result.match(Snapshot.end(reading), { onFailure: told, onSuccess: ({ nodes }) => ({ nodes }) })
}

const told = ({ offset, reason }: Snapshot.MalformedSnapshot) => ({ reason, offset })

const file = (...parts: ReadonlyArray<Uint8Array>) => read("File", [concat(...parts)])

const seal = (before: Uint8Array) => concat(before, i64(Adler32.update(Adler32.EMPTY, before)), text("/"))

const text = (value: string) => concat(i32(utf8(value).length), utf8(value))

const header = concat(utf8("ZKSN"), i32(2), i64(-1))
const acl = (scheme: string, id: string) => concat(i32(31), text(scheme), text(id))
const node = (path: string, data: Uint8Array = i32(-1)) => concat(text(path), data, i64(1), filler(60))
const nothing = concat(i32(0), i32(0))
const root = node("")
const body = concat(header, nothing, root, node("/a", text("data")), text("/"))
const sealed = seal(body)
const digest = concat(i64(7), i32(2), i64(0x1234))

const recorded = dataFixture("snapshot.100000007")
const wire = dataFixture("snap.wire")

describe("a snapshot of a real server", () => {
  it("is read whole, and byte by byte", () => {
    assert.deepStrictEqual(read("File", [recorded]), { nodes: 9 })
    assert.deepStrictEqual(read("File", byteByByte(recorded)), { nodes: 9 })
  })

  it("is read when it was compressed", () => {
    assert.deepStrictEqual(read("File", [gunzipSync(dataFixture("snapshot.100000007.gz"))]), { nodes: 9 })
  })

  it("as sent by a leader is read whole, and byte by byte, and gives back what follows", () => {
    assert.deepStrictEqual(read("Wire", [wire]), { nodes: 7, rest: "" })
    assert.deepStrictEqual(read("Wire", byteByByte(wire)), { nodes: 7, rest: "" })
    assert.deepStrictEqual(read("Wire", [concat(wire, hex("0000000a 01"))]), { nodes: 7, rest: "0000000a01" })
  })

  it("is noticed to have one bit wrong, wherever it is, but for the text of a seal", () => {
    // The last bytes of the two seals are read by nobody: it is their checksum that counts.
    const sealEnds = [recorded.length, recorded.length - 33]
    const unread = new Set(sealEnds.flatMap((end) => [1, 2, 3, 4, 5].map((back) => end - back)))
    const unnoticed = recorded.map((byte, index) => {
      const changed = recorded.slice()
      changed[index] = byte ^ 1
      return "nodes" in file(changed) ? 1 : 0
    }).reduce<Array<number>>((found, missed, index) => (missed === 1 ? [...found, index] : found), [])
    assert.deepStrictEqual(unnoticed.filter((index) => !unread.has(index)), [])
  })

  it("cut anywhere is too short, but where its digest ends early", () => {
    const bodyEnd = recorded.length - 33
    for (let size = 0; size < recorded.length; size++) {
      const outcome = file(recorded.subarray(0, size))
      if (size >= bodyEnd && size < bodyEnd + 20) assert.deepStrictEqual(outcome, { nodes: 9 }, `${size}`)
      else assert.deepStrictEqual(outcome, { reason: "Truncated", offset: size }, `${size}`)
    }
  })

  it("as sent by a leader and cut anywhere is too short", () => {
    for (let size = 0; size < wire.length; size++) {
      assert.deepStrictEqual(read("Wire", [wire.subarray(0, size)]), { reason: "Truncated", offset: size })
    }
  })

  it.prop("reads the same in any pieces", [Arbitrary.schema(Schema.Array(Schema.Int))], ([places]) => {
    const pieces = cut(recorded, places.map(Math.abs))
    assert.deepStrictEqual(read("File", pieces), { nodes: 9 })
  })
})

describe("a snapshot file", () => {
  it("may hold sessions, ACLs without and with entries, and data of any length up to the limit", () => {
    const sessions = concat(i32(2), i64(5), i32(4000), i64(6), i32(4000))
    const acls = concat(i32(3), i64(1), i32(0), i64(2), i32(2), acl("world", "anyone"), acl("ip", ""), i64(3), i32(1),
      acl("digest", "user:secret"))
    const largest = 2 * Snapshot.MAX_BUFFER
    const nodes = concat(root, node("/a", i32(0)), node("/b"), node("/c", concat(i32(largest), filler(largest))))
    assert.deepStrictEqual(file(seal(concat(header, sessions, acls, nodes, text("/")))), { nodes: 4 })
  })

  it("may have a node with a path of one character that is not its end", () => {
    assert.deepStrictEqual(file(seal(concat(header, nothing, root, node("a"), text("/")))), { nodes: 2 })
  })

  it.each<readonly [what: string, tail: Uint8Array]>([
    ["nothing more", sealed],
    ["a digest", seal(concat(sealed, digest))],
    ["a digest and the last zxid", seal(concat(seal(concat(sealed, digest)), i64(9)))],
    ["the last zxid without a digest", seal(concat(sealed, i64(9)))],
    ["what nobody reads", concat(seal(concat(seal(concat(sealed, digest)), i64(9))), filler(99))],
    ["the last zxid, cut", concat(seal(concat(sealed, digest)), i32(0))]
  ])("may end with %s", (_, bytes) => {
    assert.strictEqual(JSON.stringify(read("File", [bytes])).startsWith("{\"nodes\":2"), true)
    assert.strictEqual(JSON.stringify(read("File", byteByByte(bytes))).startsWith("{\"nodes\":2"), true)
  })

  const from = (bytes: Uint8Array) => bytes.length
  const nodesAt = from(header) + from(nothing)

  it.each<readonly [what: string, bytes: Uint8Array, reason: Snapshot.MalformedSnapshot["reason"], offset: number]>([
    ["another magic number", concat(utf8("ZKLG"), i32(2), i64(0)), "BadMagic", 0],
    ["a negative number of sessions", concat(header, i32(-1)), "BadCount", 16],
    ["a negative size of the ACL cache", concat(header, i32(0), i32(-1)), "BadCount", 20],
    ["a negative number of ACLs", concat(header, i32(0), i32(1), i64(1), i32(-1)), "BadCount", 24],
    ["a negative scheme", concat(header, i32(0), i32(1), i64(1), i32(1), i32(31), i32(-1)), "BadLength", 36],
    ["a negative id", concat(header, i32(0), i32(1), i64(1), i32(1), i32(31), text(""), i32(-1)), "BadLength", 44],
    ["an end before the root", concat(header, nothing, text("/")), "NoRoot", nodesAt],
    ["another node before the root", concat(header, nothing, node("/a")), "NoRoot", nodesAt],
    ["a path without length", concat(header, nothing, root, i32(-1)), "BadLength", nodesAt + from(root)],
    ["a path that is too long", concat(header, nothing, root, i32(2 * Snapshot.MAX_BUFFER + 1)), "BadLength",
      nodesAt + from(root)],
    ["data of less than nothing", concat(header, nothing, text(""), i32(-2)), "BadLength", nodesAt + 4],
    ["data that is too long", concat(header, nothing, text(""), i32(2 * Snapshot.MAX_BUFFER + 1)), "BadLength",
      nodesAt + 4],
    ["a wrong checksum", concat(body, i64(1), text("/")), "BadChecksum", from(body)],
    ["a checksum of more than 32 bits", concat(body, i32(1), seal(body).subarray(-9)), "BadChecksum", from(body)],
    ["a wrong checksum of its digest", concat(sealed, digest, i64(1), text("/")), "BadChecksum", from(sealed) + 33],
    ["a wrong checksum of its last zxid", concat(seal(concat(sealed, digest)), i64(9), i64(1), text("/")),
      "BadChecksum", from(sealed)],
    ["a cut seal of its digest", concat(sealed, digest, i64(1)), "Truncated", from(sealed) + 28]
  ])("is malformed with %s", (_, bytes, reason, offset) => {
    assert.deepStrictEqual(read("File", [bytes]), { reason, offset })
    assert.deepStrictEqual(read("File", byteByByte(bytes)), { reason, offset })
  })

  it("may have longer data where jute.maxbuffer is larger", () => {
    const large = seal(concat(header, nothing, node("", concat(i32(41), filler(41))), text("/")))
    assert.deepStrictEqual(read("File", [large], 20), { reason: "BadLength", offset: nodesAt + 4 })
    assert.deepStrictEqual(read("File", [large], 21), { nodes: 1 })
  })

  it("says in words what is wrong and where", () => {
    const error = new Snapshot.MalformedSnapshot({ reason: "BadChecksum", offset: 99 })
    assert.strictEqual(error.message, "the checksum does not fit the content, at byte 99")
  })
})

describe("a snapshot on the wire", () => {
  const content = concat(nothing, root, text("/"))

  it("has neither header nor seal, and ends with a signature", () => {
    assert.deepStrictEqual(read("Wire", [concat(content, text("BenWasHere"), hex("ff"))]), { nodes: 1, rest: "ff" })
  })

  it.each(["BenWasThere", "BenWasHerd"])("is malformed with the signature %s", (signature) => {
    const bytes = concat(content, text(signature))
    assert.deepStrictEqual(read("Wire", [bytes]), { reason: "BadSignature", offset: content.length })
  })
})

describe("reading", () => {
  it("keeps no more than the beginning of a field, and leaves a state as it was", () => {
    let reading = Snapshot.start("File")
    for (const piece of cut(recorded, [100, 333, 500, 1000])) {
      const before = { ...reading }
      const progress = Result.getOrThrow(Snapshot.decode(reading, piece))
      assert.deepStrictEqual(reading, before)
      if (progress._tag === "Done") return
      reading = progress.reading
      assert.isBelow(reading.held.buffer.byteLength, 54)
    }
  })
})
