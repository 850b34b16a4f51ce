/**
 * Observers on either side: they learn who leads and have no voice.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Mixed from "../support/Mixed.ts"
import * as ZooCfg from "../support/ZooCfg.ts"

describe("observers", () => {
  it("a real observer serves in an ensemble in which ours votes", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }, { sid: 4n, observer: true }]
    })
    const [servers, [observer], peers] = await Promise.all([
      Mixed.startReal(cfgs, 1n, 2n),
      Mixed.startReal(cfgs, 4n),
      Mixed.startOurs(cfgs, 3n)
    ])
    const leader = await Mixed.serving(servers)
    assert.strictEqual(await observer?.waitForMode("observer"), "observer")
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
  })

  it.each([["highest", 3n, [1n, 2n]], ["lowest", 1n, [2n, 3n]]])(
    "ours, with the %s id, observes the leader that two real servers elect",
    async (_, ours, real) => {
      const cfgs = await ZooCfg.write({
        members: [...real.map((sid) => ({ sid })), { sid: ours, observer: true }]
      })
      const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, ...real), Mixed.startOurs(cfgs, ours)])
      const leader = await Mixed.serving(servers)
      // Two voters need each other, so the higher id wins; a counted observer could have made it the lower one.
      assert.strictEqual(leader.sid, real[1])
      for (const peer of peers) await Mixed.holds(peer, "OBSERVING", leader.sid)
      for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
    }
  )
})
