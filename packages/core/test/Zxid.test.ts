import { assert, describe, it } from "@effect/vitest"
import * as Zxid from "../src/Zxid.ts"

describe("Zxid (Java: ZxidUtils)", () => {
  it.each<readonly [zxid: bigint, epoch: bigint, counter: bigint, text: string]>([
    [0n, 0n, 0n, "0x0"],
    [1n, 0n, 1n, "0x1"],
    [0x1_0000_0000n, 1n, 0n, "0x100000000"],
    [0x5_ffff_ffffn, 5n, 0xffff_ffffn, "0x5ffffffff"],
    [0x7fff_ffff_ffff_ffffn, 0x7fff_ffffn, 0xffff_ffffn, "0x7fffffffffffffff"],
    [-1n, -1n, 0xffff_ffffn, "0xffffffffffffffff"],
    [-0x8000_0000_0000_0000n, -0x8000_0000n, 0n, "0x8000000000000000"]
  ])("%d is epoch %d, counter %d, %s", (zxid, epoch, counter, text) => {
    assert.strictEqual(Zxid.epochOf(zxid), epoch)
    assert.strictEqual(Zxid.counterOf(zxid), counter)
    assert.strictEqual(Zxid.format(zxid), text)
    assert.strictEqual(Zxid.make(epoch, counter), zxid)
  })

  it("takes 32 bits of the counter and of the epoch", () => {
    assert.strictEqual(Zxid.make(1n, -1n), 0x1_ffff_ffffn)
    assert.strictEqual(Zxid.make(0x1_0000_0002n, 3n), 0x2_0000_0003n)
  })
})
