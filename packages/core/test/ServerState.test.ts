import { assert, describe, it } from "@effect/vitest"
import * as ServerState from "../src/ServerState.ts"

describe("ServerState (Java: QuorumPeer.ServerState)", () => {
  it.each([["LOOKING", 0], ["FOLLOWING", 1], ["LEADING", 2], ["OBSERVING", 3]] as const)("%s is %d", (state, code) => {
    assert.strictEqual(ServerState.toCode(state), code)
    assert.strictEqual(ServerState.fromCode(code), state)
  })

  it.each([-1, 4, 9, 2147483647, -2147483648])("%d is none", (code) => {
    assert.strictEqual(ServerState.fromCode(code), undefined)
  })
})
