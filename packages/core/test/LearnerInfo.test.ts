import { assert, describe, it } from "@effect/vitest"
import * as LearnerInfo from "../src/LearnerInfo.ts"
import { concat, filler, hex, toHex } from "./support/Bytes.ts"
import * as Random from "./support/Random.ts"

const zookeeper = "0000000000000003 00010000 0000000000000000"
const ours = "434f4e43 000003e8"

describe("a learner's information", () => {
  it.each<readonly [what: string, info: LearnerInfo.LearnerInfo, bytes: string]>([
    ["of a real server", { sid: 3n, protocolVersion: 0x10000, configVersion: 0n, ours: null }, zookeeper],
    ["of ours, after which the original does not look", {
      sid: 3n,
      protocolVersion: 0x10000,
      configVersion: 0n,
      ours: { lease: 1000 }
    }, zookeeper + ours],
    ["with extreme numbers", {
      sid: -(2n ** 63n),
      protocolVersion: -1,
      configVersion: 2n ** 63n - 1n,
      ours: { lease: 0 }
    }, "8000000000000000 ffffffff 7fffffffffffffff 434f4e43 00000000"]
  ])("%s is written and read", (_, info, text) => {
    assert.strictEqual(toHex(LearnerInfo.encode(info)), toHex(hex(text)))
    assert.deepStrictEqual(LearnerInfo.decode(hex(text)), info)
  })

  it.each<readonly [length: number, protocolVersion: number, configVersion: bigint]>([
    [8, 1, 0n],
    [11, 1, 0n],
    [12, 0x10000, 0n],
    [19, 0x10000, 0n],
    [20, 0x10000, 5n],
    [27, 0x10000, 5n]
  ])("of %d bytes is taken as far as it goes", (length, protocolVersion, configVersion) => {
    const bytes = hex("0000000000000003 00010000 0000000000000005 434f4e43 00000001").subarray(0, length)
    assert.deepStrictEqual(LearnerInfo.decode(bytes), { sid: 3n, protocolVersion, configVersion, ours: null })
  })

  it("without a sid is none", () => {
    assert.isNull(LearnerInfo.decode(null))
    for (const length of [0, 1, 7]) assert.isNull(LearnerInfo.decode(filler(length)))
  })

  it.each<readonly [what: string, bytes: string, lease: number | undefined]>([
    ["the mark alone", "434f4e43", undefined],
    ["another mark", "434f4e44 000003e8", undefined],
    ["less than none", "434f4e43 ffffffff", 0],
    ["more after it", "434f4e43 00000007 ffff", 7]
  ])("with %s after it", (_, bytes, lease) => {
    assert.strictEqual(LearnerInfo.decode(hex(zookeeper + bytes))?.ours?.lease, lease)
    assert.strictEqual(LearnerInfo.decodeLeader(hex("00010000" + bytes))?.ours?.lease, lease)
  })
})

describe("a leader's information", () => {
  it.each<readonly [what: string, info: LearnerInfo.LeaderInfo, bytes: string]>([
    ["of a real server", { protocolVersion: 0x10000, ours: null }, "00010000"],
    ["of ours", { protocolVersion: 0x10000, ours: { lease: 1000 } }, `00010000 ${ours}`]
  ])("%s is written and read", (_, info, text) => {
    assert.strictEqual(toHex(LearnerInfo.encodeLeader(info)), toHex(hex(text)))
    assert.deepStrictEqual(LearnerInfo.decodeLeader(hex(text)), info)
  })

  it("of less than four bytes is none", () => {
    assert.isNull(LearnerInfo.decodeLeader(null))
    for (const length of [0, 3]) assert.isNull(LearnerInfo.decodeLeader(filler(length)))
  })
})

describe("an epoch in an ACKEPOCH", () => {
  it.each<readonly [epoch: bigint, bytes: string, read: bigint]>([
    [0n, "00000000", 0n],
    [-1n, "ffffffff", -1n],
    [2n ** 31n - 1n, "7fffffff", 2n ** 31n - 1n],
    // Which is why no epoch may be as high.
    [2n ** 31n, "80000000", -(2n ** 31n)],
    [2n ** 32n + 7n, "00000007", 7n]
  ])("%d has 32 bits", (epoch, text, read) => {
    assert.strictEqual(toHex(LearnerInfo.encodeEpoch(epoch)), text)
    assert.strictEqual(LearnerInfo.decodeEpoch(hex(text)), read)
  })

  it("is not there in less, and more after it is passed over", () => {
    assert.isNull(LearnerInfo.decodeEpoch(null))
    assert.isNull(LearnerInfo.decodeEpoch(filler(3)))
    assert.strictEqual(LearnerInfo.decodeEpoch(hex("00000007 ff")), 7n)
  })
})

describe("any bytes", () => {
  it("have a result, which is written to the same bytes as far as they mean anything", () => {
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = Random.make(seed)
      const noise = Uint8Array.from({ length: random.below(40) }, () => random.below(256))
      const bytes = random.percent(50) ? noise : concat(noise.subarray(0, 20), hex(ours), noise)
      const learner = LearnerInfo.decode(bytes)
      if (learner !== null && bytes.length >= 20) {
        const again = LearnerInfo.encode(learner)
        assert.strictEqual(toHex(again), toHex(bytes.subarray(0, again.length)), `seed ${seed}`)
      }
      LearnerInfo.decodeLeader(bytes)
      LearnerInfo.decodeEpoch(bytes)
    }
  })
})
