import * as DynamicConfig from "@conclave/core/DynamicConfig"
import type { QuorumVerifier } from "@conclave/core/QuorumVerifier"
import { MembershipStore } from "@conclave/quorum/MembershipStore"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as DynamicFiles from "../src/DynamicFiles.ts"
import * as ZooConfigFile from "../src/ZooConfigFile.ts"

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const line = (sid: number, role = "participant") => `server.${sid}=zoo-${sid}:2888:3888:${role};0.0.0.0:2181`

/** The members 1 to `size`, in this version. */
const members = (size: number, version: string): QuorumVerifier => {
  const lines = Array.from({ length: size }, (_, index) => line(index + 1))
  const text = [...lines, `version=${version}`].join("\n")
  return Result.getOrThrow(DynamicConfig.parse(text, { standaloneEnabled: true, multiAddress: false }))
}

const lines = (size: number): string => Array.from({ length: size }, (_, index) => line(index + 1)).join("\n")

const zooCfg = (dir: string, ...more: ReadonlyArray<string>): string =>
  [`dataDir=${dir}`, "initLimit=10", "syncLimit=5", "# ours", ...more, ""].join("\n")

const started = ["reconfigEnabled=true", "clientPort=2181", ...lines(3).split("\n")]

/** A directory with this `zoo.cfg` and a `myid`. */
const install = Effect.fnUntraced(function*(more: ReadonlyArray<string> = started, mode?: number) {
  const fs = yield* FileSystem.FileSystem
  const dir = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
  yield* fs.writeFileString(`${dir}/zoo.cfg`, zooCfg(dir, ...more))
  yield* fs.writeFileString(`${dir}/myid`, "1\n")
  if (mode !== undefined) yield* fs.chmod(`${dir}/zoo.cfg`, mode)
  return dir
})

/** The store of a peer that starts from the `zoo.cfg` there. */
const open = Effect.fnUntraced(function*(dir: string) {
  const config = yield* ZooConfigFile.load(`${dir}/zoo.cfg`)
  return yield* Effect.provide(MembershipStore, DynamicFiles.layer(config))
})

const read = (file: string) => FileSystem.FileSystem.use((fs) => fs.readFileString(file))

const names = Effect.fnUntraced(function*(dir: string) {
  const fs = yield* FileSystem.FileSystem
  return (yield* fs.readDirectory(dir)).filter((name) => name !== "myid").toSorted()
})

const files = <A, E>(test: Effect.Effect<A, E, Layer.Success<typeof platform> | Scope.Scope>) => () =>
  Effect.provide(test, platform)

describe("the configuration in force", () => {
  it.effect("moves out of zoo.cfg into a file of its own, and is read back", files(Effect.gen(function*() {
    const dir = yield* install()
    const before = yield* read(`${dir}/zoo.cfg`)
    const store = yield* open(dir)
    yield* store.committed(members(4, "100000002"))
    assert.deepStrictEqual(yield* names(dir), ["zoo.cfg", "zoo.cfg.bak", "zoo.cfg.dynamic.100000002"])
    assert.strictEqual(yield* read(`${dir}/zoo.cfg.bak`), before)
    assert.strictEqual(yield* read(`${dir}/zoo.cfg.dynamic.100000002`), lines(4))
    const pointer = `dynamicConfigFile=${dir}/zoo.cfg.dynamic.100000002`
    assert.strictEqual(yield* read(`${dir}/zoo.cfg`), zooCfg(dir, "reconfigEnabled=true", pointer))
    const again = yield* ZooConfigFile.load(`${dir}/zoo.cfg`)
    assert.deepStrictEqual([again.verifier, again.lastSeen], [members(4, "100000002"), null])
  })))

  it.effect("is followed by the next, and the first zoo.cfg is remembered", files(Effect.gen(function*() {
    const dir = yield* install()
    const before = yield* read(`${dir}/zoo.cfg`)
    const store = yield* open(dir)
    yield* store.committed(members(4, "5"))
    yield* (yield* open(dir)).committed(members(5, "6"))
    assert.strictEqual(yield* read(`${dir}/zoo.cfg.bak`), before)
    assert.deepStrictEqual((yield* ZooConfigFile.load(`${dir}/zoo.cfg`)).verifier, members(5, "6"))
    assert.include(yield* read(`${dir}/zoo.cfg`), "# ours")
  })))

  it.effect.each(["5", "4"])("is not written again, nor an older one (%s)", (version) => files(Effect.gen(function*() {
    const dir = yield* install()
    const store = yield* open(dir)
    yield* store.committed(members(4, "5"))
    const before = yield* names(dir)
    yield* FileSystem.FileSystem.use((fs) => fs.remove(`${dir}/zoo.cfg`))
    yield* store.committed(members(3, version))
    assert.deepStrictEqual(yield* names(dir), before.filter((name) => name !== "zoo.cfg"))
  }))())

  it.effect("stays where it is without reconfigEnabled", files(Effect.gen(function*() {
    const dir = yield* install(lines(3).split("\n"))
    const store = yield* open(dir)
    yield* store.committed(members(4, "5"))
    yield* store.lastSeen(members(4, "6"))
    assert.deepStrictEqual(yield* names(dir), ["zoo.cfg"])
  })))

  it.effect("keeps secret what zoo.cfg keeps secret", files(Effect.gen(function*() {
    const dir = yield* install(started, 0o600)
    yield* (yield* open(dir)).committed(members(4, "5"))
    const modes = yield* Effect.forEach(["zoo.cfg", "zoo.cfg.bak"], (name) =>
      FileSystem.FileSystem.use((fs) => Effect.map(fs.stat(`${dir}/${name}`), ({ mode }) => Number(mode) & 0o777)))
    assert.deepStrictEqual(modes, [0o600, 0o600])
  })))

  it.effect("leaves a link in place, and writes what it leads to", files(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* install()
    yield* fs.makeDirectory(`${dir}/etc`)
    yield* fs.symlink(`${dir}/zoo.cfg`, `${dir}/etc/zoo.cfg`)
    yield* (yield* open(`${dir}/etc`)).committed(members(4, "5"))
    assert.strictEqual(yield* fs.readLink(`${dir}/etc/zoo.cfg`), `${dir}/zoo.cfg`)
    assert.deepStrictEqual((yield* ZooConfigFile.load(`${dir}/zoo.cfg`)).verifier, members(4, "5"))
  })))

  it.effect("counts what was edited since the start", files(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* install()
    const store = yield* open(dir)
    yield* fs.writeFileString(`${dir}/zoo.cfg`, zooCfg(dir, ...started, "tickTime=77"))
    yield* store.committed(members(4, "5"))
    assert.strictEqual((yield* ZooConfigFile.load(`${dir}/zoo.cfg`)).tickTime, 77)
  })))
})

describe("a configuration that is pending", () => {
  it.effect("is kept until one as new is in force, across restarts", files(Effect.gen(function*() {
    const dir = yield* install()
    yield* (yield* open(dir)).committed(members(3, "5"))
    const store = yield* open(dir)
    yield* store.lastSeen(members(4, "6"))
    assert.strictEqual(yield* read(`${dir}/zoo.cfg.dynamic.next`), `${lines(4)}\nversion=6`)
    const again = yield* ZooConfigFile.load(`${dir}/zoo.cfg`)
    assert.deepStrictEqual([again.verifier, again.lastSeen], [members(3, "5"), members(4, "6")])
    yield* (yield* open(dir)).committed(members(4, "6"))
    assert.notInclude(yield* names(dir), "zoo.cfg.dynamic.next")
  })))

  it.effect("outlives an older one that comes into force", files(Effect.gen(function*() {
    const dir = yield* install()
    const store = yield* open(dir)
    yield* store.lastSeen(members(4, "8"))
    yield* store.committed(members(3, "6"))
    assert.include(yield* names(dir), "zoo.cfg.dynamic.next")
    yield* store.committed(members(5, "9"))
    assert.notInclude(yield* names(dir), "zoo.cfg.dynamic.next")
  })))

  it.effect.each(["8", "7", "5"])("is not displaced by an older one (%s)", (version) => files(Effect.gen(function*() {
    const dir = yield* install()
    yield* (yield* open(dir)).committed(members(3, "5"))
    yield* (yield* open(dir)).lastSeen(members(4, "8"))
    yield* (yield* open(dir)).lastSeen(members(5, version))
    assert.strictEqual(yield* read(`${dir}/zoo.cfg.dynamic.next`), `${lines(4)}\nversion=8`)
  }))())

  it.effect("that cannot be read keeps the peer from starting", files(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* install()
    yield* (yield* open(dir)).committed(members(3, "5"))
    yield* fs.makeDirectory(`${dir}/zoo.cfg.dynamic.next`)
    const error = yield* Effect.flip(ZooConfigFile.load(`${dir}/zoo.cfg`))
    assert.strictEqual(error.file, `${dir}/zoo.cfg.dynamic.next`)
  })))
})

/** Every operation that changes something. */
const operations = ["open", "rename", "remove"] as const

/** The real file system, of which the operation of this number fails, and all that follow: the disk is gone. */
const failing = (fs: FileSystem.FileSystem, from: number): FileSystem.FileSystem => {
  let count = 0
  const broken = { ...fs }
  for (const name of operations) {
    const real = fs[name] as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, PlatformError.PlatformError>
    const double = (...args: ReadonlyArray<unknown>) =>
      Effect.suspend(() =>
        ++count < from ? real(...args) : Effect.fail(
          PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: name, description: "disk" })
        )
      )
    Object.assign(broken, { [name]: double })
  }
  return broken
}

describe("a write that fails", () => {
  it.effect("at any point leaves a configuration to start from, is told, and is made up for later", files(
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const verifiers = new Set<bigint>()
      for (let from = 1; ; from++) {
        const dir = yield* install()
        yield* (yield* open(dir)).committed(members(3, "5"))
        yield* (yield* open(dir)).lastSeen(members(4, "6"))
        const told: Array<string> = []
        const logger = Logger.make<unknown, void>(({ logLevel, message }) => void told.push(`${logLevel} ${message}`))
        const store = yield* open(dir).pipe(Effect.provideService(FileSystem.FileSystem, failing(fs, from)))
        yield* store.committed(members(4, "6")).pipe(Effect.provide(Logger.layer([logger])))
        const { lastSeen, verifier } = yield* ZooConfigFile.load(`${dir}/zoo.cfg`)
        assert.include([5n, 6n], verifier.version)
        verifiers.add(verifier.version)
        if (verifier.version === 5n) assert.strictEqual(lastSeen?.version, 6n)
        if (told.length === 0) {
          assert.isAbove(from, 6)
          assert.deepStrictEqual([verifier.version, lastSeen], [6n, null])
          break
        }
        assert.match(told.join(), /^Error configuration 6 cannot be written .* goes on with it in memory/)
        yield* (yield* open(dir)).committed(members(4, "7"))
        assert.strictEqual((yield* ZooConfigFile.load(`${dir}/zoo.cfg`)).verifier.version, 7n)
      }
      assert.deepStrictEqual(verifiers, new Set([5n, 6n]))
    })
  ))

  it.effect("is tried again by the same peer", files(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* install()
    const store = yield* open(dir)
    yield* fs.rename(`${dir}/zoo.cfg`, `${dir}/away`)
    yield* store.committed(members(4, "5")).pipe(Effect.provide(Logger.layer([])))
    yield* fs.rename(`${dir}/away`, `${dir}/zoo.cfg`)
    yield* store.committed(members(4, "5"))
    assert.deepStrictEqual((yield* ZooConfigFile.load(`${dir}/zoo.cfg`)).verifier, members(4, "5"))
  })))

  it.effect("because zoo.cfg was broken meanwhile names the line", files(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const dir = yield* install()
    const store = yield* open(dir)
    yield* fs.writeFileString(`${dir}/zoo.cfg`, "a=1\nb=\\u12\n")
    const told: Array<unknown> = []
    const logger = Logger.make<unknown, void>(({ message }) => void told.push(message))
    yield* store.committed(members(4, "5")).pipe(Effect.provide(Logger.layer([logger])))
    assert.include(`${told}`, "zoo.cfg, line 2: Malformed")
    assert.strictEqual(yield* read(`${dir}/zoo.cfg`), "a=1\nb=\\u12\n")
  })))
})
