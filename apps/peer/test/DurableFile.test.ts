import * as DurableFile from "@conclave/quorum/DurableFile"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** The real file system, which tells what is done, in order, with the names of files alone. */
const recording = (fs: FileSystem.FileSystem, done: Array<string>): FileSystem.FileSystem => {
  const tell = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
    Effect.tap(effect, () => Effect.sync(() => void done.push(what)))
  const nameOf = (file: string) => file.slice(file.lastIndexOf("/") + 1)
  return {
    ...fs,
    open: (file, options) =>
      Effect.map(fs.open(file, options), (opened) => ({
        ...opened,
        writeAll: (bytes) => tell(`write ${nameOf(file)}`, opened.writeAll(bytes)),
        sync: tell(`sync ${nameOf(file)}`, opened.sync)
      })),
    rename: (from, to) => tell(`rename ${nameOf(from)} ${nameOf(to)}`, fs.rename(from, to)),
    remove: (file, options) => tell(`remove ${nameOf(file)}`, fs.remove(file, options))
  }
}

const inDirectory = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const dir = `${yield* fs.makeTempDirectoryScoped()}/dir`
  yield* fs.makeDirectory(dir)
  const done: Array<string> = []
  return { fs, dir, done, recorder: Effect.provideService(FileSystem.FileSystem, recording(fs, done)) }
})

describe("DurableFile", () => {
  it.effect("has a text on the disk before it takes the place of the old one, and its name after", () =>
    Effect.gen(function*() {
      const { dir, done, fs, recorder } = yield* inDirectory
      yield* DurableFile.write(`${dir}/file`, "old")
      yield* DurableFile.write(`${dir}/file`, "new").pipe(recorder)
      assert.strictEqual(yield* fs.readFileString(`${dir}/file`), "new")
      assert.deepStrictEqual(done, ["remove file.tmp", "write file.tmp", "sync file.tmp", "rename file.tmp file",
        "sync dir"])
      assert.deepStrictEqual(yield* fs.readDirectory(dir), ["file"])
    }).pipe(Effect.provide(platform)))

  it.effect("does not keep the permissions of what an earlier crash has left", () =>
    Effect.gen(function*() {
      const { dir, fs } = yield* inDirectory
      yield* fs.writeFileString(`${dir}/file.tmp`, "left", { mode: 0o644 })
      yield* DurableFile.write(`${dir}/file`, "secret", 0o600)
      assert.strictEqual(Number((yield* fs.stat(`${dir}/file`)).mode) & 0o777, 0o600)
    }).pipe(Effect.provide(platform)))

  it.effect("leaves the old text, and nothing else, where it cannot write", () =>
    Effect.gen(function*() {
      const { dir, fs } = yield* inDirectory
      yield* fs.makeDirectory(`${dir}/file`)
      yield* fs.writeFileString(`${dir}/file/kept`, "old")
      yield* Effect.flip(DurableFile.write(`${dir}/file`, "new"))
      assert.deepStrictEqual((yield* fs.readDirectory(dir, { recursive: true })).toSorted(), ["file", "file/kept"])
    }).pipe(Effect.provide(platform)))

  it.effect("removes for good, and what is not there too", () =>
    Effect.gen(function*() {
      const { dir, done, fs, recorder } = yield* inDirectory
      yield* fs.writeFileString(`${dir}/file`, "old")
      yield* Effect.andThen(DurableFile.remove(`${dir}/file`), DurableFile.remove(`${dir}/file`)).pipe(recorder)
      assert.deepStrictEqual(done, ["remove file", "sync dir", "remove file", "sync dir"])
    }).pipe(Effect.provide(platform)))
})
