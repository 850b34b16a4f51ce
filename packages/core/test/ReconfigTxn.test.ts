import { assert, describe, it } from "@effect/vitest"
import * as ReconfigTxn from "../src/ReconfigTxn.ts"
import { concat, filler, hex, i32 } from "./support/Bytes.ts"

const text = "server.1=127.0.0.1:2888:3888:participant\nversion=100000003"
const encoder = new TextEncoder()
const buffer = (bytes: Uint8Array) => concat(i32(bytes.length), bytes)
const designated = hex("0000000000000002")
const header = (type: number) => concat(hex("0100000000000001 00000007 0000000100000003 0000018c00000000"), i32(type))
const whole = concat(designated, header(16), buffer(encoder.encode("/zookeeper/config")), buffer(encoder.encode(text)))

describe("a change of the ensemble", () => {
  it("has the configuration as the data that is written", () => {
    assert.strictEqual(ReconfigTxn.configIn(concat(whole, i32(-1), filler(12))), text)
  })

  it("is none if it is another transaction, or nothing", () => {
    const other = concat(designated, header(5), buffer(encoder.encode("/a")), buffer(encoder.encode(text)))
    assert.isNull(ReconfigTxn.configIn(other))
    assert.isNull(ReconfigTxn.configIn(null))
  })

  it("is none wherever it is cut, or if a length cannot be", () => {
    for (let length = 0; length < whole.length; length++) {
      assert.isNull(ReconfigTxn.configIn(whole.subarray(0, length)), `${length}`)
    }
    for (const length of [-1, 0x7fff_ffff]) {
      assert.isNull(ReconfigTxn.configIn(concat(designated, header(16), i32(length), encoder.encode(text))))
    }
  })
})
