import { assert, describe, it } from "@effect/vitest"
import * as Ensemble from "../src/Ensemble.ts"
import * as Leader from "../src/Leader.ts"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"

const servers = [QuorumServer.make(1n, { host: "127.0.0.1", quorumPort: 2888, electionPort: 3888 })]

const options: Leader.Options = {
  mySid: 1n,
  membership: Ensemble.membership({ mySid: 1n, committed: QuorumVerifier.majority({ servers }) }),
  ticks: Ensemble.defaultTicks,
  lease: { duration: 50, grace: 10, clockDrift: 0.01 },
  acceptForeign: false
}

/** A leader in office whose lease lasts until 50. */
const inOffice: Leader.State = {
  ...Leader.make(options, { currentEpoch: 0n, lastLoggedZxid: 0n, acceptedEpoch: 0n }, null),
  zabState: "BROADCAST",
  leaseUntil: 50
}

describe("a lease", () => {
  it("is extended while it has not run out", () => {
    const [state, outputs] = Leader.step(options, inOffice, { _tag: "HalfTick", at: 49 })
    assert.strictEqual(state.leaseUntil, 99)
    assert.deepStrictEqual(outputs.map(({ _tag }) => _tag), ["LeaseExtended", "SetTimer"])
  })

  it("that has run out is not, and ends office", () => {
    const [state, outputs] = Leader.step(options, inOffice, { _tag: "HalfTick", at: 50 })
    assert.strictEqual(state.zabState, "OVER")
    assert.deepStrictEqual(outputs, [{ _tag: "SteppedDown", reason: "LeaseExpired", successor: null }])
  })
})
