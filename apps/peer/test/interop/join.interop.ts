/**
 * A peer of ours comes to an ensemble that has decided: it takes part without disturbing anybody.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperLog from "../support/ZooKeeperLog.ts"

describe("ours joins two real servers that serve", () => {
  it.each([["highest", 3n, [1n, 2n]], ["lowest", 1n, [2n, 3n]]])(
    "with the %s id it follows the sitting leader, again and again, and nobody elects anew",
    async (_, ours, real) => {
      const cfgs = await ZooCfg.write({
        members: [...real.map((sid) => ({ sid })), { sid: ours, electable: false }]
      })
      const servers = await Mixed.startReal(cfgs, ...real)
      const leader = await Mixed.serving(servers)
      const before = servers.map((server) => ZooKeeperLog.elections(server.log()))
      const peer = await PeerProcess.start(cfgs(ours))
      await Mixed.holds(peer, "FOLLOWING", leader.sid)
      for (const _again of [1, 2, 3]) {
        const from = peer.events().length
        peer.send("look")
        const elected = await peer.waitFor("elected again", ({ event }) => event === "elected", from)
        assert.strictEqual(elected.leader, leader.sid)
        assert.strictEqual(elected.state, "FOLLOWING")
      }
      const still = await Mixed.serving(servers)
      assert.strictEqual(still.sid, leader.sid)
      assert.deepStrictEqual(servers.map((server) => ZooKeeperLog.elections(server.log())), before)
      for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
    }
  )
})
