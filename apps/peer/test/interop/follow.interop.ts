/**
 * At the quorum port of a real leader: our observer follows it, our voter does not, because it keeps no data.
 */
import * as NodeTransport from "@conclave/quorum-node/NodeTransport"
import * as History from "@conclave/quorum/History"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import { Tenure } from "@conclave/quorum/Tenure"
import * as TraceFile from "@conclave/quorum/TraceFile"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Ports from "../support/Ports.ts"
import * as Traces from "../support/Traces.ts"
import * as Transcript from "../support/Transcript.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperClient from "../support/ZooKeeperClient.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const epochOf = async ({ clientPort }: ZooCfg.ZooCfg): Promise<bigint> => {
  const [, zxid] = /^Zxid: (0x[0-9a-f]+)$/m.exec(await ZooKeeperServer.fourLetterWord(clientPort, "srvr")) ?? []
  return BigInt(zxid ?? 0) >> 32n
}

describe("at the quorum port of a real leader", () => {
  it("our observer reads over its snapshot, follows it, and the next one when it is killed", async () => {
    const members = [{ sid: 1n }, { sid: 2n }, { sid: 3n }, { sid: 4n, observer: true }]
    const cfgs = await ZooCfg.write({ members })
    const servers = await Mixed.startReal(cfgs, 1n, 2n, 3n)
    const leader = await Mixed.serving(servers)
    await ZooKeeperClient.createNodes(cfgs(leader.sid).clientPort, "before", 50)
    const [observer] = await Mixed.startOurs(cfgs, 4n)
    const first = await PeerProcess.activated(observer!)
    assert.deepStrictEqual([first.state, first.leader], ["OBSERVING", leader.sid])
    assert.strictEqual(first.epoch, await epochOf(cfgs(leader.sid)))
    // What it is told now it need not keep; but it answers pings, or would be given up after syncLimit ticks.
    await ZooKeeperClient.createNodes(cfgs(leader.sid).clientPort, "after", 50)
    await leader.kill()
    const second = await PeerProcess.activated(observer!, first.epoch!)
    assert.strictEqual(second.state, "OBSERVING")
    const left = servers.filter(({ sid }) => sid !== leader.sid)
    assert.strictEqual(second.leader, (await Mixed.serving(left)).sid)
    assert.isAbove(PeerProcess.lookings(observer!), 1)
  })

  it("our voter votes for it and promises nothing", async () => {
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }] })
    const [servers, [voter]] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n), Mixed.startOurs(cfgs, 3n)])
    const leader = await Mixed.serving(servers)
    await Mixed.holds(voter!, "FOLLOWING", leader.sid)
    await Transcript.until("it says why", [voter!.child.stderr], PeerProcess.ELECTION_TIMEOUT_MS, () =>
      voter!.child.stderr.lines.find((line) => line.includes("can vote for and not follow")))
    assert.isNull((await voter!.status()).epoch)
    assert.deepStrictEqual(voter!.events().filter(({ event }) => event === "activated"), [])
  })
})

describe("real followers of a leader of ours", () => {
  it("come in sync, because all that it says to them is ZooKeeper's", async () => {
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }, { sid: 3n }] })
    const voters = Object.fromEntries([1n, 2n, 3n].map((sid) => {
      const { electionPort, quorumPort } = cfgs(sid)
      return [`${sid}`, { host: Ports.HOST, electionPort, quorumPort }]
    }))
    const ticks = { tickTime: 500, initLimit: 20, syncLimit: 10 }
    const activation = QuorumConfig.activation({ ticks, acceptForeign: true })
    const trace = Traces.fileOf(cfgs(3n))
    const peer = QuorumPeer.layer.pipe(Layer.provide([
      QuorumConfig.layerVoters(3n, voters, { activation }),
      History.layer(),
      NodeTransport.layerTcp(),
      TraceFile.layer(Option.some(trace)).pipe(Layer.provide(NodeFileSystem.layer))
    ]))
    await Effect.gen(function*() {
      const servers = yield* Effect.promise(() => Mixed.startReal(cfgs, 1n, 2n))
      const modes = yield* Effect.promise(() =>
        Promise.all(servers.map((server) => server.waitForMode("follower"))))
      assert.deepStrictEqual(modes, ["follower", "follower"])
      const status = yield* Tenure.use(({ status }) => status)
      assert.strictEqual(status._tag, "LEADING")
      // They follow on for longer than a leader may be silent.
      for (const server of servers) yield* Effect.promise(() => server.waitForMode("follower"))
    }).pipe(Effect.provide(peer), Effect.runPromise)
    assert.isAbove(Traces.check(trace), 0)
  })
})
