import { assert, describe, it } from "@effect/vitest"
import * as Challenge from "../src/Challenge.ts"
import { MAX_VALUE, MIN_VALUE } from "../src/Sid.ts"

const sids = [MIN_VALUE, -2n, -1n, 0n, 1n, 2n, 255n, 1n << 53n, (1n << 53n) + 1n, MAX_VALUE - 1n, MAX_VALUE]

const pairs = sids.flatMap((self) => sids.map((that) => [self, that] as const))

describe("Challenge (Java: startConnection, handleConnection)", () => {
  it("of every two peers, the one with the larger sid dials, and that connection stays", () => {
    for (const [self, that] of pairs) {
      if (self === that) continue
      const larger = self > that
      assert.strictEqual(Challenge.onDialed(self, that), larger ? "Keep" : "Yield", `${self} dialled ${that}`)
      assert.strictEqual(Challenge.onAccepted(self, that), larger ? "DialBack" : "Keep", `${that} dialled ${self}`)
    }
  })

  it("both ends of a connection agree about it", () => {
    for (const [dialer, acceptor] of pairs) {
      if (dialer === acceptor) continue
      const kept = Challenge.onDialed(dialer, acceptor) === "Keep"
      assert.strictEqual(Challenge.onAccepted(acceptor, dialer), kept ? "Keep" : "DialBack")
    }
  })

  it("who calls itself by our sid is refused", () => {
    for (const sid of sids) assert.strictEqual(Challenge.onAccepted(sid, sid), "Self")
  })
})
