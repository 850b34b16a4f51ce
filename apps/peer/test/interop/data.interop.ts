/**
 * What real servers leave on disk means to us what it means to them, and the other way round.
 */
import * as EpochFiles from "@conclave/quorum/EpochFiles"
import * as FileHistory from "@conclave/quorum/FileHistory"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import * as DataDirectory from "../../src/DataDirectory.ts"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperClient from "../support/ZooKeeperClient.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const sids = [1n, 2n, 3n]

const versionTwo = ({ dataDir }: ZooCfg.ZooCfg): string => join(dataDir, "version-2")

/** All files of a directory and what is in them. */
const contents = async (directory: string) => {
  const names = (await readdir(directory)).toSorted()
  return Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), "hex")]))
}

/** Where we would stand over this data. */
const ourReading = ({ dataDir }: ZooCfg.ZooCfg) =>
  Effect.gen(function*() {
    const zxid = yield* DataDirectory.lastLoggedZxid({
      dataDir,
      dataLogDir: dataDir,
      juteMaxBuffer: 1_048_575,
      trustsEmptySnapshot: false,
      autocreatesDatabase: true
    })
    const { acceptedEpoch, currentEpoch } = yield* EpochFiles.load(join(dataDir, "version-2"), zxid)
    return { zxid, currentEpoch, acceptedEpoch }
  }).pipe(Effect.provide(platform), Effect.runPromise)

/** The first vote that a real server casts after its start, for itself with what it has. */
const firstVote = async (server: ZooKeeperServer.ZooKeeperServer) => {
  const { sid } = server
  const line = await server.waitForLog(new RegExp(` n\\.sid:${sid}, n\\.state:LOOKING, n\\.leader:${sid}, `))
  const [, currentEpoch, zxid] = /n\.peerEpoch:(0x[0-9a-f]+), n\.zxid:(0x[0-9a-f]+)/.exec(line) ?? []
  if (currentEpoch === undefined || zxid === undefined) throw new Error(`No vote: ${line}`)
  return { zxid: BigInt(zxid), currentEpoch: BigInt(currentEpoch) }
}

/**
 * Starts real servers and kills them again and again while they write, so many times; once more if one of them leaves
 * its client without an answer for good, as happens once in a while. Gives how often they were started.
 */
const live = async (cfgs: ZooCfg.ZooCfgs, javaOptions: ReadonlyArray<string>, rounds: number): Promise<number> => {
  let round = 0
  for (let written = 0; written < rounds && round <= rounds;) {
    round++
    const servers = await Promise.all(sids.map((sid) => ZooKeeperServer.start(cfgs(sid), javaOptions)))
    const leader = await Mixed.serving(servers)
    const writing = ZooKeeperClient.createNodes(cfgs(leader.sid).clientPort, `round-${round}`, 25)
    written += await writing.then(() => 1, () => 0)
    // Whoever is in the middle of a write is killed in the middle of it.
    const more = ZooKeeperClient.createNodes(cfgs(leader.sid).clientPort, `more-${round}`, 100_000)
    await Promise.all([more.catch(() => undefined), ...servers.map((server) => server.kill())])
  }
  return round
}

describe("a real server's data", () => {
  it.each<readonly [what: string, javaOptions: ReadonlyArray<string>, name: RegExp]>([
    ["plain", [], /^snapshot\.[1-9a-f][0-9a-f]*$/],
    ["compressed", ["-Dzookeeper.snapshot.compression.method=gz"], /^snapshot\.[1-9a-f][0-9a-f]*\.gz$/],
    ["Snappy", ["-Dzookeeper.snapshot.compression.method=snappy"], /^snapshot\.[1-9a-f][0-9a-f]*\.snappy$/]
  ])("with %s snapshots is read by us as by itself", async (_, javaOptions, name) => {
    const cfgs = await ZooCfg.write({ members: sids.map((sid) => ({ sid })), keys: { snapCount: 20 } })
    const lives = await live(cfgs, javaOptions, 2)
    const ours = await Promise.all(sids.map((sid) => ourReading(cfgs(sid))))
    for (const { acceptedEpoch } of ours) assert.strictEqual(acceptedEpoch, BigInt(lives))
    // A session and 25 nodes were confirmed, which takes two of three; the third may have been killed before.
    const counters = ours.map(({ zxid }) => Number(zxid & 0xffff_ffffn))
    assert.isAtLeast(counters.filter((counter) => counter >= 26).length, 2, counters.join())
    const names = await Promise.all(sids.map((sid) => readdir(versionTwo(cfgs(sid)))))
    assert.isTrue(names.flat().some((file) => name.test(file)), names.flat().join())
    const servers = await Promise.all(sids.map((sid) => ZooKeeperServer.start(cfgs(sid), javaOptions)))
    const theirs = await Promise.all(servers.map(firstVote))
    assert.deepStrictEqual(theirs, ours.map(({ currentEpoch, zxid }) => ({ zxid, currentEpoch })))
  })

  it("is untouched by a peer of ours over it, and serves the real server again", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }],
      keys: { snapCount: 20 }
    })
    await live(cfgs, [], 1)
    const before = await contents(versionTwo(cfgs(3n)))
    const servers = await Mixed.startReal(cfgs, 1n, 2n)
    const leader = await Mixed.serving(servers)
    const peer = await PeerProcess.start(cfgs(3n))
    await Mixed.holds(peer, "FOLLOWING", leader.sid)
    await peer.kill("SIGTERM")
    assert.deepStrictEqual(await contents(versionTwo(cfgs(3n))), before)
    const back = await ZooKeeperServer.start(cfgs(3n))
    assert.strictEqual((await Mixed.serving([...servers, back])).sid, leader.sid)
  })
})

describe("our epoch files", () => {
  it("are read by real servers, whose next epoch is higher than all we have accepted", async () => {
    const cfgs = await ZooCfg.write({ members: sids.map((sid) => ({ sid })) })
    // Whichever two begin without the third, one of them has accepted 12.
    const promised = [[5n, 12n], [5n, 12n], [4n, 4n]] as const
    await Promise.all(promised.map(([currentEpoch, acceptedEpoch], index) =>
      Effect.gen(function*() {
        const history = yield* FileHistory.make({ dataDir: cfgs(sids[index]!).dataDir })
        yield* history.setAcceptedEpoch(acceptedEpoch)
        yield* history.setCurrentEpoch(currentEpoch)
      }).pipe(Effect.provide(platform), Effect.runPromise)))
    const servers = await Mixed.startReal(cfgs, ...sids)
    assert.deepStrictEqual(
      await Promise.all(servers.map(firstVote)),
      promised.map(([currentEpoch]) => ({ zxid: 0n, currentEpoch }))
    )
    // The one with the highest id has the lowest epoch.
    assert.notStrictEqual((await Mixed.serving(servers)).sid, 3n)
    await Promise.all(servers.map((server) => server.kill()))
    for (const sid of sids) {
      const { acceptedEpoch, currentEpoch } = await ourReading(cfgs(sid))
      assert.deepStrictEqual({ currentEpoch, acceptedEpoch }, { currentEpoch: 13n, acceptedEpoch: 13n })
    }
  })
})
