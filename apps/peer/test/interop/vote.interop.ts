/**
 * Quorums that the real servers cannot reach alone: they stay undecided until our vote arrives, and it decides.
 *
 * Their leader then waits for a quorum at the quorum port, which we do not speak, so it never serves here. That it
 * leads in the sense of the election is in its log.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Mixed from "../support/Mixed.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperLog from "../support/ZooKeeperLog.ts"
import type { ZooKeeperServer } from "../support/ZooKeeperServer.ts"

/** Waits until two real servers have told each other that they want the higher of them; two votes, no quorum. */
const undecided = async (low: ZooKeeperServer, high: ZooKeeperServer): Promise<void> => {
  const wants = (sid: bigint) => new RegExp(`n\\.sid:${sid}, n\\.state:LOOKING, n\\.leader:${high.sid},`)
  await Promise.all([low.waitForLog(wants(high.sid)), high.waitForLog(wants(low.sid))])
}

/** Starts two real servers, which stay undecided, then ours, and expects the higher real one to be elected. */
const expectOurVoteDecides = async (
  cfgs: ZooCfg.ZooCfgs,
  [low, high]: readonly [bigint, bigint],
  ours: bigint
): Promise<void> => {
  const [follower, leader] = await Mixed.startReal(cfgs, low, high)
  if (follower === undefined || leader === undefined) throw new Error("Two servers were started")
  await undecided(follower, leader)
  const before = [...follower.log(), ...leader.log()]
  assert.deepStrictEqual(before.filter((line) => Mixed.LEADING.test(line) || Mixed.FOLLOWING.test(line)), [])
  const peers = await Mixed.startOurs(cfgs, ours)
  await Promise.all([leader.waitForLog(Mixed.LEADING), follower.waitForLog(Mixed.FOLLOWING)])
  for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", high)
  const votes = ZooKeeperLog.notificationsFrom(leader.log(), ours)
  assert.isTrue(votes.some((line) => line.includes(`n.state:LOOKING, n.leader:${high},`)), votes.join("\n"))
}

describe("a majority of four, one of which never starts", () => {
  it.each([
    ["highest", 4n, [1n, 2n] as const],
    ["lowest", 1n, [2n, 3n] as const]
  ])("our vote, with the %s id, elects the higher real server", async (_, ours, real) => {
    const members = [1n, 2n, 3n, 4n].map((sid) => (sid === ours ? { sid, electable: false } : { sid }))
    await expectOurVoteDecides(await ZooCfg.write({ members }), real, ours)
  })
})

describe("weights and groups", () => {
  it("two real servers of weight 1 need our weight of 2", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }, { sid: 4n }],
      groups: [[1n, 2n, 3n, 4n]],
      // More than 6 / 2 is needed, and the fourth server never starts: 1 + 1 are too few, and 1 + 2 as well.
      weights: [[1n, 1], [2n, 1], [3n, 2], [4n, 2]]
    })
    await expectOurVoteDecides(cfgs, [1n, 2n], 3n)
  })

  it("a group of two real servers needs ours as the second group of three", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }, { sid: 4n }],
      // More than 2 / 2 groups are needed, and of the second group nobody but us starts.
      groups: [[1n, 2n], [3n], [4n]],
      weights: [[1n, 1], [2n, 1], [3n, 1], [4n, 1]]
    })
    await expectOurVoteDecides(cfgs, [1n, 2n], 3n)
  })

  it("the real servers decide without ours when it has weight 0", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n }, { sid: 2n }, { sid: 3n }],
      groups: [[1n, 2n, 3n]],
      weights: [[1n, 1], [2n, 1], [3n, 0]]
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n), Mixed.startOurs(cfgs, 3n)])
    const leader = await Mixed.serving(servers)
    // Both real votes are needed, so the higher id wins however the three are staggered.
    assert.strictEqual(leader.sid, 2n)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", 2n)
    for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
  })
})
