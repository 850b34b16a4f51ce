/**
 * What a peer has promised outlives its process: in files, of its own directory.
 */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as FileHistory from "@conclave/quorum/FileHistory"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Workspace from "./support/Workspace.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const recorded = (name: string): Promise<Uint8Array> =>
  readFile(new URL(`../../../packages/core/test/fixtures/data/${name}`, import.meta.url))

/** The files of a peer that may be started, and of another that only it can be better than. */
const peerFiles = async () => {
  const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }] })
  const directory = join(cfgs(1n).dataDir, "version-2")
  return { cfg: cfgs(1n), other: cfgs(2n), directory, epoch: (name: string) => readFile(join(directory, name), "utf8") }
}

/** The history with which the first of two peers wins over the second, which has none and the higher id. */
const wins = async (cfg: ZooCfg.ZooCfg, other: ZooCfg.ZooCfg, args: ReadonlyArray<string> = []) => {
  const [peer] = await Promise.all([PeerProcess.start(cfg, args), PeerProcess.start(other)])
  const { leader, peerEpoch, zxid } = await peer.waitFor("elected", ({ event }) => event === "elected")
  assert.strictEqual(leader, 1n)
  return { zxid, peerEpoch }
}

describe("the history in a real directory", () => {
  it("is written so that a later one reads it", async () => {
    const dataDir = join(await Workspace.make(), "deep", "data")
    const write = Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir })
      yield* history.setAcceptedEpoch(7n)
      yield* history.setCurrentEpoch(6n)
    })
    await Effect.runPromise(Effect.provide(write, platform))
    const directory = join(dataDir, "version-2")
    assert.deepStrictEqual((await readdir(directory)).toSorted(), ["acceptedEpoch", "currentEpoch"])
    assert.strictEqual(await readFile(join(directory, "acceptedEpoch"), "utf8"), "7")
    assert.strictEqual(await readFile(join(directory, "currentEpoch"), "utf8"), "6")
    const again = Effect.flatMap(FileHistory.make({ dataDir }), ({ read }) => read)
    const read = await Effect.runPromise(Effect.provide(again, platform))
    assert.deepStrictEqual(read, { lastLoggedZxid: 0n, currentEpoch: 6n, acceptedEpoch: 7n })
  })

  it("is not lowered by a directory that lets nobody write", async () => {
    const dataDir = await Workspace.make()
    const program = Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir })
      // What stands where the temporary file should be written cannot be opened for writing, by nobody.
      yield* Effect.promise(() => mkdir(join(dataDir, "version-2", "acceptedEpoch.tmp")))
      const error = yield* Effect.flip(history.setAcceptedEpoch(7n))
      return [error.message, (yield* history.read).acceptedEpoch] as const
    })
    const [message, acceptedEpoch] = await Effect.runPromise(Effect.provide(program, platform))
    assert.match(message, /acceptedEpoch cannot be written: .*; make room on the disk/)
    assert.strictEqual(acceptedEpoch, 0n)
  })
})

describe("a peer", { timeout: TEST_TIMEOUT_MS }, () => {
  it("that is fresh creates both files", async () => {
    const { cfg, epoch } = await peerFiles()
    await PeerProcess.start(cfg)
    assert.deepStrictEqual([await epoch("currentEpoch"), await epoch("acceptedEpoch")], ["0", "0"])
  })

  it("votes with the zxid and the epoch of a real server's data", async () => {
    const { cfg, directory, other } = await peerFiles()
    await mkdir(directory)
    for (const name of ["snapshot.100000007", "log.100000001", "log.200000001"]) {
      await writeFile(join(directory, name), await recorded(name))
    }
    assert.deepStrictEqual(await wins(cfg, other), { zxid: 0x200000005n, peerEpoch: 2n })
  })

  it("with a pretended history writes nothing", async () => {
    const { cfg, other } = await peerFiles()
    const history = await wins(cfg, other, ["--current-epoch", "7", "--last-zxid", "0x700000001"])
    assert.deepStrictEqual(history, { zxid: 0x700000001n, peerEpoch: 7n })
    assert.deepStrictEqual(await readdir(cfg.dataDir), ["myid"])
  })

  it.each([
    ["a torn epoch file", "acceptedEpoch", "", /acceptedEpoch\n {2}problem: Found nothing in/],
    ["a torn snapshot and no other", "snapshot.5", "ZKSN\0\0\0\0\0\0\x01/", /none of the snapshots can be loaded/]
  ])("over %s does not start, and says why", async (_, name, content, problem) => {
    const { cfg, directory } = await peerFiles()
    await mkdir(directory)
    await writeFile(join(directory, name), content)
    const child = PeerProcess.command("refused", ["peer", "--config", cfg.file])
    assert.deepStrictEqual(await Child.ended(child), { code: 1, signal: null })
    assert.match(child.stderr.lines.join("\n"), problem)
    assert.deepStrictEqual(await readdir(directory), [name])
  })
})
