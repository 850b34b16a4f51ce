import { assert, describe, it } from "@effect/vitest"
import type { ConfigVerdict } from "../src/ElectionOutput.ts"
import * as Rules from "../src/Rules.ts"
import * as Peer from "./support/Peer.ts"
import { ignored, majority, p, timer } from "./support/Peer.ts"

const committed = majority([1, 2, 3, 4, 5], { version: 5 })

/** What becomes of a configuration that `from` sends, and whether the search goes on. */
const offer = (
  rules: Partial<Rules.Rules>,
  config: string,
  { from = 2, ...options }: Partial<Peer.Options> & { readonly from?: number } = {}
) => {
  const peer = Peer.make({
    mySid: 1,
    verifier: committed,
    reconfigEnabled: true,
    ...options,
    rules: { ...Rules.zookeeper, ...rules }
  })
  peer.look()
  const outputs = peer.hears(from, "OBSERVING", p(2), 1, { config })
  const seen = outputs.find((output) => output._tag === "ConfigSeen")
  return {
    verdict: seen?.verdict,
    version: seen?.version,
    restarted: outputs.some(({ _tag }) => _tag === "Restart"),
    adopted: peer.state().membership.committed.version === 6n,
    rest: outputs.filter((output) => output !== seen)
  }
}

const refused = (verdict: ConfigVerdict) => ({ verdict, version: 6n, restarted: false, adopted: false })

const taken = { verdict: "Adopted", version: 6n, restarted: true, adopted: true } as const

const newer = (voters: ReadonlyArray<number>, observers: ReadonlyArray<number> = []) =>
  majority(voters, { version: 6, observers }).text

describe("configOnlyIfEnabled", () => {
  const config = newer([1, 2, 3])

  it("off: with reconfiguration disabled, a newer configuration restarts the election without being adopted", () => {
    const offered = offer({ configOnlyIfEnabled: false }, config, { reconfigEnabled: false })
    assert.deepInclude(offered, { verdict: "ReconfigDisabled", restarted: true, adopted: false })
  })

  it("off: but not that of a leader that a quorum has activated, which would come after each activation", () => {
    const peer = Peer.make({ mySid: 1, verifier: committed, rules: Rules.zookeeper })
    peer.look()
    const outputs = peer.event({ _tag: "ConfigActivated", from: 2n, config })
    assert.deepStrictEqual(outputs.map(({ _tag }) => _tag), ["ConfigSeen"])
    assert.strictEqual(peer.state()._tag, "Looking")
  })

  it("on: it is ignored, and the message counts", () => {
    const offered = offer({ configOnlyIfEnabled: true }, config, { reconfigEnabled: false })
    assert.deepInclude(offered, refused("ReconfigDisabled"))
    assert.deepStrictEqual(offered.rest, [
      ignored("SenderObserving", 2, "OBSERVING", p(2), 1, { config }),
      timer("Notification", 200)
    ])
  })

  it("on: with reconfiguration enabled it is adopted as ever", () => {
    assert.deepInclude(offer({ configOnlyIfEnabled: true }, config), taken)
  })
})

describe("configFromVotersOnly", () => {
  it("off: a stranger's configuration is adopted", () => {
    assert.deepInclude(offer({ configFromVotersOnly: false }, newer([1, 2, 3]), { from: 9 }), taken)
  })

  it("on: it is refused, and the stranger is answered as ever", () => {
    const offered = offer({ configFromVotersOnly: true }, newer([1, 2, 3]), { from: 9 })
    assert.deepInclude(offered, refused("SenderNotVoter"))
    assert.deepStrictEqual(offered.rest.map(({ _tag }) => _tag), ["Send", "Ignored"])
  })

  it("on: a voter's is adopted, and that of a voter of the pending configuration", () => {
    assert.deepInclude(offer({ configFromVotersOnly: true }, newer([1, 2, 3])), taken)
    const lastSeen = majority([1, 2, 9], { version: 6 })
    const offered = offer({ configFromVotersOnly: true }, newer([1, 2, 9]), { from: 9, lastSeen })
    assert.deepInclude(offered, taken)
  })
})

describe("configKeepsQuorum", () => {
  const rows: ReadonlyArray<readonly [what: string, config: string, verdict: ConfigVerdict]> = [
    ["without voters", "version=6", "NoVoters"],
    ["without a majority of the present voters", newer([1, 2, 6, 7, 8]), "LosesMajority"]
  ]

  it.each(rows)("off: one %s is adopted", (_, config) => {
    assert.deepInclude(offer({ configKeepsQuorum: false }, config), taken)
  })

  it.each(rows)("on: one %s is refused", (_, config, verdict) => {
    assert.deepInclude(offer({ configKeepsQuorum: true }, config), refused(verdict))
  })

  it("on: half of the present voters are not enough", () => {
    const verifier = majority([1, 2, 3, 4], { version: 5 })
    assert.deepInclude(offer({ configKeepsQuorum: true }, newer([1, 2, 6, 7]), { verifier }), refused("LosesMajority"))
    assert.deepInclude(offer({ configKeepsQuorum: true }, newer([1, 2, 3, 7]), { verifier }), taken)
  })

  it("on: one with a majority of them is adopted, even if we only observe in it", () => {
    assert.deepInclude(offer({ configKeepsQuorum: true }, newer([2, 3, 4], [1])), taken)
  })

  it("on: a member may be removed, and who is about to be added is not in it yet", () => {
    for (const mySid of [1, 9]) {
      assert.deepInclude(offer({ configKeepsQuorum: true }, newer([2, 3, 4, 5]), { mySid }), taken)
    }
  })
})
