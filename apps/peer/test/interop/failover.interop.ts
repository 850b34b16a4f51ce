/**
 * The real leader dies without a word, and the servers that are left need our votes to decide again.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Transcript from "../support/Transcript.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

// A real leader whose followers are ours waits initLimit ticks for them in vain: 30 s, to look at it in peace.
const PATIENT = { tickTime: 500, initLimit: 60, syncLimit: 10 }

describe("the real leader is killed", () => {
  it("one real server and ours elect the real one, and the killed one joins it when it comes back", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }],
      keys: PATIENT
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n), Mixed.startOurs(cfgs, 3n)])
    const killed = await Mixed.serving(servers)
    const left = servers.find((server) => server !== killed)
    if (left === undefined) throw new Error("Two servers were started")
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", killed.sid)
    const from = left.log().length
    await killed.kill()
    // Two votes of three are needed and only one real server is left, so ours must have been counted.
    await left.waitForLog(Mixed.LEADING, from)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", left.sid)
    const back = await ZooKeeperServer.start(cfgs(killed.sid))
    const leader = await Mixed.serving([left, back])
    assert.strictEqual(leader.sid, left.sid)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", left.sid)
    assert.notInclude(PeerProcess.leadersOf(peers), 3n)
    for (const server of [left, back]) assert.deepStrictEqual(server.complaints(), [])
  })

  it("two real servers and two of ours elect one of the real ones", async () => {
    const cfgs = await ZooCfg.write({
      members: [
        { sid: 1n, electable: false },
        { sid: 2n },
        { sid: 3n },
        { sid: 4n },
        { sid: 5n, electable: false }
      ],
      keys: PATIENT
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, 2n, 3n, 4n), Mixed.startOurs(cfgs, 1n, 5n)])
    const killed = await Mixed.serving(servers)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", killed.sid)
    const left = servers.filter((server) => server !== killed)
    const from = left.map((server) => server.log().length)
    await killed.kill()
    // Three votes of five are needed and two real servers are left.
    const leader = await Transcript.poll("one of the real servers leads again", [], 45_000, async () =>
      left.find((server, index) => server.log().slice(from[index]).some((line) => Mixed.LEADING.test(line))))
    const follower = left.find((server) => server !== leader)
    await follower?.waitForLog(Mixed.FOLLOWING, from[left.indexOf(follower)])
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    const leaders = PeerProcess.leadersOf(peers)
    for (const ours of [1n, 5n]) assert.notInclude(leaders, ours)
    for (const server of left) assert.deepStrictEqual(server.complaints(), [])
  })
})
