import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import * as DataDirectory from "../src/DataDirectory.ts"

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

type Content = string | Uint8Array

type Files = Readonly<Record<string, Content>>

/** A file that a real server wrote; the README beside it tells how. */
const recorded = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../packages/core/test/fixtures/data/${name}`, import.meta.url))

const snapshot = recorded("snapshot.100000007")
const firstLog = recorded("log.100000001")
const secondLog = recorded("log.200000001")

/** The bytes with one of them changed. */
const changed = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[at] = copy[at]! ^ 1
  return copy
}

/** A data directory whose `version-2` has these files. */
const dataDir = Effect.fnUntraced(function*(files: Files) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  yield* fs.makeDirectory(`${directory}/version-2`)
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
    yield* fs.writeFile(`${directory}/version-2/${name}`, bytes)
  }
  return directory
})

const optionsFor = (directory: string): DataDirectory.Options => ({
  dataDir: directory,
  dataLogDir: directory,
  juteMaxBuffer: 1_048_575,
  trustsEmptySnapshot: false,
  autocreatesDatabase: true
})

/** The last zxid in these files, and what was warned of, paths shortened to names. */
const read = Effect.fnUntraced(function*(files: Files, more: Partial<DataDirectory.Options> = {}) {
  const directory = yield* Effect.orDie(dataDir(files))
  const warnings: Array<string> = []
  const logger = Logger.make(({ message }) => {
    warnings.push(String(message).replace(`${directory}/version-2/`, ""))
  })
  const lastZxid = yield* DataDirectory.lastLoggedZxid({ ...optionsFor(directory), ...more }).pipe(
    Effect.provide(Logger.layer([logger])),
    Effect.mapError(({ file, problem, remedy }) => ({ file: file.replace(directory, ""), problem, remedy }))
  )
  return { lastZxid, warnings }
})

describe("the last zxid", () => {
  it.effect.each<readonly [what: string, files: Files, lastZxid: bigint]>([
    ["nothing", {}, 0n],
    ["other files", { currentEpoch: "5", "snapshot.x": snapshot, "x.log.1": firstLog }, 0n],
    ["a snapshot", { "snapshot.100000007": snapshot }, 0x100000007n],
    ["a compressed snapshot", { "snapshot.100000007.gz": recorded("snapshot.100000007.gz") }, 0x100000007n],
    ["one compressed otherwise", { "snapshot.100000007.snappy": recorded("snapshot.100000007.snappy") }, 0x100000007n],
    ["a snapshot, whose name counts and not what it was called", { "snapshot.9": snapshot }, 9n],
    ["a snapshot and its log", { "snapshot.100000007": snapshot, "log.100000001": firstLog }, 0x100000007n],
    ["a snapshot and a later log", { "snapshot.100000007": snapshot, "log.200000001": secondLog }, 0x200000005n],
    ["all that was left", {
      "snapshot.100000007": snapshot,
      "log.100000001": firstLog,
      "log.200000001": secondLog
    }, 0x200000005n],
    ["a log that is older than the snapshot, and not read", {
      "snapshot.100000007": snapshot,
      "log.1": "no log at all",
      "log.100000001": firstLog
    }, 0x100000007n],
    ["a snapshot that goes further than its log", { "snapshot.200000009": snapshot, "log.200000001": secondLog },
      0x200000009n],
    ["a log that goes on behind the snapshot", { "snapshot.1": snapshot, "log.1": firstLog }, 0x100000007n],
    ["a torn log and the next", {
      "snapshot.100000007": snapshot,
      "log.100000001": firstLog.subarray(0, 700),
      "log.200000001": secondLog.subarray(0, 200)
    }, 0x200000003n],
    ["a log that was about to be begun", { "snapshot.100000007": snapshot, "log.200000001": "" }, 0x100000007n]
  ])("of %s", ([, files, lastZxid]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(files), { lastZxid, warnings: [] })
    }).pipe(Effect.provide(platform)))

  it.effect.each<readonly [what: string, files: Files, warning: RegExp]>([
    ["changed", { "snapshot.200000001": changed(snapshot, 600) },
      /^snapshot\.200000001 is passed over: the checksum does not fit the content, at byte \d+$/],
    ["cut, which is worth no warning", { "snapshot.200000001": snapshot.subarray(0, 64) }, /^$/],
    ["compressed and changed", { "snapshot.200000001.gz": gzipSync(changed(snapshot, 600)) },
      /^snapshot\.200000001\.gz is passed over: the checksum does not fit/],
    ["compressed and cut", { "snapshot.200000001.gz": gzipSync(snapshot).subarray(0, 200) },
      /^snapshot\.200000001\.gz is passed over: it cannot be decompressed \(.*unexpected end of file\)$/],
    ["in Snappy and changed", { "snapshot.200000001.snappy": changed(recorded("snapshot.100000007.snappy"), 20) },
      /^snapshot\.200000001\.snappy is passed over: it cannot be decompressed \(a block cannot be decompressed, at/]
  ])("is from the snapshot before, if the newest is %s", ([, files, warning]) =>
    Effect.gen(function*() {
      const { lastZxid, warnings } = yield* read({ ...files, "snapshot.100000007": snapshot, "snapshot.5": snapshot })
      assert.strictEqual(lastZxid, 0x100000007n)
      assert.match(warnings.join("\n"), warning)
    }).pipe(Effect.provide(platform)))

  it.effect("with the logs in their own directory", () =>
    Effect.gen(function*() {
      const dataLogDir = yield* dataDir({ "log.200000001": secondLog })
      const { lastZxid } = yield* read({ "snapshot.100000007": snapshot }, { dataLogDir })
      assert.strictEqual(lastZxid, 0x200000005n)
    }).pipe(Effect.provide(platform)))

  it.effect("of directories that do not exist", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const options = { ...optionsFor(`${directory}/a`), dataLogDir: `${directory}/b` }
      assert.strictEqual(yield* DataDirectory.lastLoggedZxid(options), 0n)
    }).pipe(Effect.provide(platform)))

  it.effect("of logs without a snapshot, where they are believed", () =>
    Effect.gen(function*() {
      const files = { "log.100000001": firstLog, "log.200000001": secondLog }
      const { lastZxid } = yield* read(files, { trustsEmptySnapshot: true })
      assert.strictEqual(lastZxid, 0x200000005n)
    }).pipe(Effect.provide(platform)))

  it.effect("of an empty directory is not trusted where it may not be, unless it was marked, and the mark stays", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* dataDir({})
      const options = { ...optionsFor(directory), autocreatesDatabase: false }
      assert.strictEqual(yield* DataDirectory.lastLoggedZxid(options), -1n)
      yield* fs.writeFileString(`${directory}/initialize`, "")
      assert.strictEqual(yield* DataDirectory.lastLoggedZxid(options), 0n)
      assert.isTrue(yield* fs.exists(`${directory}/initialize`))
    }).pipe(Effect.provide(platform)))

  it.effect("is found without changing anything", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const files = { "snapshot.100000007": changed(snapshot, 600), "log.200000001": "", "snapshot.5": snapshot }
      const directory = yield* dataDir(files)
      yield* DataDirectory.lastLoggedZxid(optionsFor(directory))
      const left = yield* fs.readDirectory(`${directory}/version-2`)
      assert.deepStrictEqual(left.toSorted(), Object.keys(files).toSorted())
    }).pipe(Effect.provide(platform)))
})

describe("a peer does not start", () => {
  it.effect.each<readonly [what: string, files: Files, file: string, problem: RegExp]>([
    ["over logs without a snapshot", { "log.100000001": firstLog }, "/version-2",
      /^No snapshot found, but there are log entries/],
    ["if no snapshot loads", { "snapshot.7": changed(snapshot, 600), "snapshot.6": changed(snapshot, 700) },
      "/version-2", /^none of the snapshots can be loaded \(2 tried/],
    ["over a log that was changed", { "snapshot.1": snapshot, "log.1": changed(firstLog, 90) }, "/version-2/log.1",
      /^CRC check failed: a transaction does not fit its checksum, at byte \d+$/],
    ["over a log that is none", { "snapshot.1": snapshot, "log.2": snapshot }, "/version-2/log.2",
      /^no transaction log: it does not begin with ZKLG/],
    ["over a log shorter than its header", { "snapshot.1": snapshot, "log.2": "ZKLG" }, "/version-2/log.2",
      /^the log is shorter than its header/]
  ])("%s", ([, files, file, problem]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read(files))
      assert.strictEqual(error.file, file)
      assert.match(error.problem, problem)
      assert.isNotEmpty(error.remedy)
    }).pipe(Effect.provide(platform)))

  it.effect("if snapshots and logs are in each other's directories", () =>
    Effect.gen(function*() {
      const dataLogDir = yield* dataDir({})
      const error = yield* Effect.flip(read({ "log.1": firstLog }, { dataLogDir }))
      assert.match(error.problem, /^there are logs in it, log\.1 among them, but dataLogDir names another directory$/)
      const other = yield* dataDir({ "snapshot.1": snapshot })
      const second = yield* Effect.flip(read({}, { dataLogDir: other }))
      assert.match(second.problem, /^there are snapshots in it, snapshot\.1 among them, but dataDir names another/)
    }).pipe(Effect.provide(platform)))

  it.effect("if what is there cannot be read", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${directory}/version-2`, "no directory")
      const error = yield* Effect.flip(DataDirectory.lastLoggedZxid(optionsFor(directory)))
      assert.match(error.message, /version-2\n {2}problem: cannot be read \(\w+\)\n {2}to do: {3}let the user/)
    }).pipe(Effect.provide(platform)))
})
