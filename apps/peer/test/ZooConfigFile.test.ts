import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as ZooConfigFile from "../src/ZooConfigFile.ts"

const servers = ["server.1=zoo-1:2888:3888", "server.2=zoo-2:2888:3888", "server.3=zoo-3:2888:3888"]

describe("ZooConfigFile.load", () => {
  const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

  const directory = Effect.fnUntraced(function*(files: Record<string, string>) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const dir = yield* fs.makeTempDirectoryScoped()
    for (const [name, text] of Object.entries(files)) {
      yield* fs.writeFileString(path.join(dir, name), text.replaceAll("DIR", dir))
    }
    return dir
  })
  const cfg = ["dataDir=DIR", "initLimit=10", "syncLimit=5"]

  it.effect("reads zoo.cfg and myid", () =>
    Effect.gen(function*() {
      const dir = yield* directory({ "zoo.cfg": [...cfg, ...servers].join("\n"), myid: "2\n" })
      const config = yield* ZooConfigFile.load(`${dir}/zoo.cfg`)
      assert.deepStrictEqual([config.mySid, config.dataDir, config.verifier.servers.size], [2n, dir, 3])
    }).pipe(Effect.provide(platform)))

  it.effect("reads the dynamic file", () =>
    Effect.gen(function*() {
      const dir = yield* directory({
        "zoo.cfg": [...cfg, "dynamicConfigFile=DIR/dynamic.2"].join("\n"),
        "dynamic.2": servers.join("\n"),
        myid: "3"
      })
      const config = yield* ZooConfigFile.load(`${dir}/zoo.cfg`)
      assert.deepStrictEqual([config.mySid, config.verifier.version], [3n, 2n])
    }).pipe(Effect.provide(platform)))

  it.effect("looks for myid where an override has the data", () =>
    Effect.gen(function*() {
      const text = ["dataDir=/nowhere", ...cfg.slice(1), ...servers].join("\n")
      const dir = yield* directory({ "zoo.cfg": text, myid: "1" })
      const overrides = new Map([["dataDir", { value: dir, flag: "--data-dir" }]])
      const config = yield* ZooConfigFile.load(`${dir}/zoo.cfg`, { overrides })
      assert.deepStrictEqual([config.mySid, config.dataDir], [1n, dir])
    }).pipe(Effect.provide(platform)))

  it.effect.each<readonly [what: string, files: Record<string, string>, file: string, problem: string]>([
    ["no zoo.cfg", { myid: "1" }, "zoo.cfg", "there is no such file"],
    ["no myid", { "zoo.cfg": [...cfg, ...servers].join("\n") }, "myid", "myid file is missing"],
    [
      "no dynamic file",
      { "zoo.cfg": [...cfg, "dynamicConfigFile=DIR/dynamic"].join("\n"), myid: "1" },
      "dynamic",
      "there is no such file"
    ],
    ["a fault", { "zoo.cfg": [...cfg, ...servers].join("\n"), myid: "x" }, "myid", "serverid x is not a number"]
  ])("names the file: %s", ([, files, file, problem]) =>
    Effect.gen(function*() {
      const dir = yield* directory(files)
      const error = yield* Effect.flip(ZooConfigFile.load(`${dir}/zoo.cfg`))
      assert.deepStrictEqual([error.file, error.problem], [`${dir}/${file}`, problem])
    }).pipe(Effect.provide(platform)))

  it.effect("says that a file cannot be read", () =>
    Effect.gen(function*() {
      const dir = yield* directory({ "zoo.cfg": [...cfg, ...servers].join("\n") })
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(`${dir}/myid`)
      const error = yield* Effect.flip(ZooConfigFile.load(`${dir}/zoo.cfg`))
      assert.match(error.problem, /^the file cannot be read \(\w+\)$/)
    }).pipe(Effect.provide(platform)))
})
