import { assert, describe, it } from "@effect/vitest"
import * as Connections from "../src/Connections.ts"
import * as Ensemble from "../src/Ensemble.ts"
import { majority, sids } from "./support/Peer.ts"

const committed = majority([1, 2, 3], { version: 5 })
const membership = Ensemble.membership({ mySid: 1n, committed })

describe("Ensemble.see (Java: setLastSeenQuorumVerifier)", () => {
  it("takes a later configuration beside the committed one: its voters vote, and both must agree", () => {
    const pending = majority([1, 2, 4], { version: 6 })
    const seen = Ensemble.see(membership, 1n, pending)
    assert.deepStrictEqual(seen.verifiers, [committed, pending])
    assert.deepStrictEqual(seen.voters, sids(1, 2, 3, 4))
    assert.strictEqual(seen.committed, committed)
  })

  it.each([4, 5])("is not changed by one of version %i, which the original would store", (version) => {
    assert.strictEqual(Ensemble.see(membership, 1n, majority([9], { version })), membership)
  })

  it("is not changed by one older than the pending one", () => {
    const seen = Ensemble.see(membership, 1n, majority([1, 2, 4], { version: 8 }))
    assert.strictEqual(Ensemble.see(seen, 1n, majority([9], { version: 7 })), seen)
  })

  it("does not change what we are", () => {
    const observes = Ensemble.membership({ mySid: 4n, committed: majority([1, 2, 3], { version: 5, observers: [4] }) })
    assert.strictEqual(Ensemble.see(observes, 4n, majority([1, 2, 4], { version: 6 })).learnerType, "observer")
  })
})

describe("a server that is removed", () => {
  const removed = Ensemble.adopt(membership, 1n, majority([2, 3], { version: 6 }))

  it("has no role and no vote, and a place where it listens", () => {
    assert.strictEqual(Ensemble.roleOf(membership, 1n), "participant")
    assert.strictEqual(Ensemble.roleOf(removed, 1n), null)
    assert.deepStrictEqual(removed.voters, sids(2, 3))
    assert.deepStrictEqual(Connections.addressesOf(removed, 1n), [{ host: "10.0.0.1", port: 3888 }])
    assert.deepStrictEqual(Connections.addressesOf(Ensemble.adopt(removed, 1n, majority([3], { version: 7 })), 1n), [
      { host: "10.0.0.1", port: 3888 }
    ])
  })

  it("is a member again when it is added", () => {
    const added = Ensemble.adopt(removed, 1n, majority([2, 3], { version: 7, observers: [1] }))
    assert.strictEqual(Ensemble.roleOf(added, 1n), "observer")
    assert.strictEqual(added.learnerType, "observer")
  })

  it("is dialled by nobody who does not know where", () => {
    const other = Ensemble.adopt(Ensemble.membership({ mySid: 2n, committed }), 2n, majority([2, 3], { version: 6 }))
    assert.deepStrictEqual(Connections.addressesOf(other, 1n), [])
  })
})
