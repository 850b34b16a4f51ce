/**
 * Everything starts at once: real servers and ours decide together, and the real ones go on to serve.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as ZooCfg from "../support/ZooCfg.ts"

describe("two real servers and one of ours from cold", () => {
  // Larger ids dial smaller ones: as the highest we dial, as the lowest we are dialled, in the middle we do both.
  it.each([
    ["highest", 3n, [1n, 2n]],
    ["middle", 2n, [1n, 3n]],
    ["lowest", 1n, [2n, 3n]]
  ])("ours, with the %s id and never proposed, follows the real leader", async (_, ours, real) => {
    const cfgs = await ZooCfg.write({
      members: [...real.map((sid) => ({ sid })), { sid: ours, electable: false }]
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, ...real), Mixed.startOurs(cfgs, ours)])
    const leader = await Mixed.serving(servers)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    assert.notInclude(PeerProcess.leadersOf(peers), ours)
    for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
  })
})

describe("three real servers and two of ours from cold", () => {
  it("ours, with the highest ids, follow the real leader", async () => {
    const cfgs = await ZooCfg.write({
      members: [
        { sid: 1n },
        { sid: 2n },
        { sid: 3n },
        { sid: 4n, electable: false },
        { sid: 5n, electable: false }
      ]
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n, 3n), Mixed.startOurs(cfgs, 4n, 5n)])
    const leader = await Mixed.serving(servers)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    const leaders = PeerProcess.leadersOf(peers)
    for (const ours of [4n, 5n]) assert.notInclude(leaders, ours)
    for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
  })
})
