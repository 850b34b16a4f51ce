import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as EpochFiles from "../src/EpochFiles.ts"

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

type Files = Readonly<Record<string, string>>

/** A data directory whose `version-2` has these files. */
const dataDir = Effect.fnUntraced(function*(files: Files) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const dir = yield* fs.makeTempDirectoryScoped()
  yield* fs.makeDirectory(path.join(dir, "version-2"))
  for (const [name, text] of Object.entries(files)) yield* fs.writeFileString(path.join(dir, "version-2", name), text)
  return dir
})

const files = (current: string, accepted: string, ...names: ReadonlyArray<string>): Files => ({
  currentEpoch: current,
  acceptedEpoch: accepted,
  ...Object.fromEntries(names.map((name) => [name, ""]))
})

describe("EpochFiles.load", () => {
  it.effect.each<readonly [what: string, files: Files, current: bigint, accepted: bigint, zxid: bigint]>([
    ["nothing", {}, 0n, 0n, 0n],
    ["both epochs", files("5", "7"), 5n, 7n, 0n],
    ["a line end and blanks", files(" 5 \n6", "5\r\n"), 5n, 5n, 0n],
    ["only the accepted epoch", { acceptedEpoch: "3" }, 0n, 3n, 0n],
    ["the first snapshot", files("0", "0", "snapshot.0"), 0n, 0n, 0n],
    ["the newest snapshot", files("2", "2", "snapshot.20000000a", "snapshot.200000009"), 2n, 2n, 0x20000000an],
    ["compressed snapshots", files("1", "1", "snapshot.100000003.gz", "snapshot.100000004.snappy"), 1n, 1n,
      0x100000004n],
    ["a log later than the snapshot", files("1", "1", "snapshot.100000003", "log.100000010"), 1n, 1n, 0x10000000fn],
    ["a log older than the snapshot", files("1", "1", "snapshot.100000003", "log.100000001"), 1n, 1n, 0x100000003n],
    ["the first log of an epoch, which says nothing", files("1", "1", "log.200000001"), 1n, 1n, 0n],
    ["other files", files("0", "0", "snapshot.x", "snapshot.1.tmp", "log.", "snapshot.", "x.snapshot.1"), 0n, 0n, 0n],
    ["no epoch files over data", { "snapshot.400000001": "" }, 4n, 4n, 0x400000001n],
    ["an interrupted renaming", { ...files("3", "4", "snapshot.400000001"), "currentEpoch.tmp": "4" }, 4n, 4n,
      0x400000001n],
    ["a leftover of an older renaming", { ...files("4", "4"), "currentEpoch.tmp": "2" }, 4n, 4n, 0n]
  ])("%s", ([, found, currentEpoch, acceptedEpoch, lastLoggedZxid]) =>
    Effect.gen(function*() {
      const loaded = yield* EpochFiles.load(yield* dataDir(found))
      assert.deepStrictEqual(loaded, { currentEpoch, acceptedEpoch, lastLoggedZxid })
    }).pipe(Effect.provide(platform)))

  it.effect.each<readonly [what: string, files: Files, file: string, problem: string]>([
    ["an empty file", files("", "1"), "currentEpoch", "Found nothing in FILE"],
    ["garbage", files("1", "one"), "acceptedEpoch", "Found one in FILE"],
    ["a negative epoch", files("-1", "1"), "currentEpoch", "Found -1 in FILE"],
    ["hexadecimal", files("a", "b"), "currentEpoch", "Found a in FILE"],
    ["an epoch of more than 64 bits", files("9".repeat(30), "1"), "currentEpoch", `Found ${"9".repeat(30)} in FILE`],
    ["accepted before current", files("26", "25"), "acceptedEpoch",
      "The accepted epoch, 19 is less than the current epoch, 1a"],
    ["a lost accepted epoch", { currentEpoch: "2" }, "acceptedEpoch",
      "The accepted epoch, 0 is less than the current epoch, 2"],
    ["an epoch older than the data", files("3", "4", "snapshot.400000001"), "currentEpoch",
      "The current epoch, 3, is older than the last zxid, 17179869185"],
    ["and a leftover that is no newer", { ...files("3", "4", "snapshot.400000001"), "currentEpoch.tmp": "3" },
      "currentEpoch", "The current epoch, 3, is older than the last zxid, 17179869185"],
    ["and a leftover that is garbage", { ...files("3", "4", "snapshot.400000001"), "currentEpoch.tmp": "" },
      "currentEpoch.tmp", "Found nothing in FILE"]
  ])("refuses %s", ([, found, file, problem]) =>
    Effect.gen(function*() {
      const dir = yield* dataDir(found)
      const error = yield* Effect.flip(EpochFiles.load(dir))
      const path = `${dir}/version-2/${file}`
      assert.deepStrictEqual([error.file, error.problem], [path, problem.replace("FILE", path)])
      assert.include(error.message, error.remedy)
    }).pipe(Effect.provide(platform)))

  it.effect("a data directory without history stands at zero", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* fs.makeTempDirectoryScoped()
      assert.deepStrictEqual(yield* EpochFiles.load(dir), { currentEpoch: 0n, acceptedEpoch: 0n, lastLoggedZxid: 0n })
    }).pipe(Effect.provide(platform)))

  it.effect("takes logs from their own directory", () =>
    Effect.gen(function*() {
      const data = yield* dataDir(files("1", "1", "snapshot.100000003", "log.100000020"))
      const logs = yield* dataDir({ "log.100000010": "" })
      assert.strictEqual((yield* EpochFiles.load(data, logs)).lastLoggedZxid, 0x10000000fn)
    }).pipe(Effect.provide(platform)))

  it.effect("what cannot be read is no fresh start", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* dataDir({})
      yield* fs.makeDirectory(`${dir}/version-2/currentEpoch`)
      const error = yield* Effect.flip(EpochFiles.load(dir))
      assert.match(error.problem, /^cannot be read \(\w+\)$/)

      const file = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${file}/version-2`, "no directory")
      assert.match((yield* Effect.flip(EpochFiles.load(file))).problem, /^cannot be read \(\w+\)$/)
    }).pipe(Effect.provide(platform)))
})
