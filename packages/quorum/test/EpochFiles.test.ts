import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as EpochFiles from "../src/EpochFiles.ts"
import * as SimulatedDisk from "./SimulatedDisk.ts"

type Files = Readonly<Record<string, SimulatedDisk.Image>>

const directory = "/data/version-2"

const load = (files: Files, lastLoggedZxid: bigint) => {
  const { fileSystem } = SimulatedDisk.mount(SimulatedDisk.make({ data: { "version-2": files } }))
  return EpochFiles.load(directory, lastLoggedZxid).pipe(
    Effect.provide(Layer.merge(Layer.succeed(FileSystem.FileSystem, fileSystem), Path.layer))
  )
}

const files = (currentEpoch: string, acceptedEpoch: string): Files => ({ currentEpoch, acceptedEpoch })

const both: ReadonlyArray<EpochFiles.Name> = ["currentEpoch", "acceptedEpoch"]

describe("EpochFiles.load", () => {
  type More = Partial<EpochFiles.Loaded>

  it.effect.each<readonly [what: string, files: Files, zxid: bigint, current: bigint, accepted: bigint, more: More]>([
    ["nothing", {}, 0n, 0n, 0n, { missing: both }],
    ["nothing over a database that is not trusted", {}, -1n, 0n, 0n, { missing: both }],
    ["both epochs", files("5", "7"), 0n, 5n, 7n, {}],
    ["a line end and blanks", files(" 5 \n6", "5\r\n"), 0n, 5n, 5n, {}],
    ["a sign", files("+5", "5"), 0n, 5n, 5n, {}],
    ["the largest epoch", files("2147483647", "2147483647"), 0n, 2147483647n, 2147483647n, {}],
    ["only the accepted epoch", { acceptedEpoch: "3" }, 0n, 0n, 3n, { missing: ["currentEpoch"] }],
    ["only the current epoch, which is that of the data", { currentEpoch: "4" }, 0x400000001n, 4n, 4n,
      { missing: ["acceptedEpoch"] }],
    ["no epoch files over data", {}, 0x400000001n, 4n, 4n, { missing: both }],
    ["an interrupted renaming", { ...files("3", "4"), "currentEpoch.tmp": "4" }, 0x400000001n, 4n, 4n,
      { interrupted: true }],
    ["leftovers of older renamings", { ...files("4", "4"), "currentEpoch.tmp": "2", "acceptedEpoch.tmp": "9" }, 0n, 4n,
      4n, {}],
    ["leftovers without number", { ...files("4", "4"), "currentEpoch.tmp": "", "acceptedEpoch.tmp": "x" },
      0x400000001n, 4n, 4n, {}]
  ])("%s", ([, found, lastLoggedZxid, currentEpoch, acceptedEpoch, more]) =>
    Effect.gen(function*() {
      const loaded = yield* load(found, lastLoggedZxid)
      assert.deepStrictEqual(loaded, { currentEpoch, acceptedEpoch, missing: [], interrupted: false, ...more })
    }))

  it.effect.each<readonly [what: string, files: Files, zxid: bigint, file: string, problem: string]>([
    ["an empty file", files("", "1"), 0n, "currentEpoch", "Found nothing in FILE"],
    ["zeros", files("1", "\0"), 0n, "acceptedEpoch", "Found \0 in FILE"],
    ["garbage", files("1", "one"), 0n, "acceptedEpoch", "Found one in FILE"],
    ["a negative epoch", files("-1", "1"), 0n, "currentEpoch", "Found -1 in FILE"],
    ["hexadecimal", files("a", "b"), 0n, "currentEpoch", "Found a in FILE"],
    ["an epoch of 32 bits", files("2147483648", "1"), 0n, "currentEpoch", "Found 2147483648 in FILE"],
    ["an epoch of more than 64 bits", files("9".repeat(30), "1"), 0n, "currentEpoch",
      `Found ${"9".repeat(30)} in FILE`],
    ["accepted before current", files("26", "25"), 0n, "acceptedEpoch",
      "The accepted epoch, 19 is less than the current epoch, 1a"],
    ["a lost accepted epoch", { currentEpoch: "2" }, 0n, "acceptedEpoch",
      "The accepted epoch, 0 is less than the current epoch, 2"],
    ["an epoch older than the data", files("3", "4"), 0x400000001n, "currentEpoch",
      "The current epoch, 3, is older than the last zxid, 17179869185"],
    ["and a leftover that is no newer", { ...files("3", "4"), "currentEpoch.tmp": "3" }, 0x400000001n, "currentEpoch",
      "The current epoch, 3, is older than the last zxid, 17179869185"],
    ["and a leftover that is garbage", { ...files("3", "4"), "currentEpoch.tmp": "" }, 0x400000001n, "currentEpoch.tmp",
      "Found nothing in FILE"],
    ["what is no file", { currentEpoch: {} }, 0n, "currentEpoch", "cannot be read (BadResource)"]
  ])("refuses %s", ([, found, lastLoggedZxid, file, problem]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(load(found, lastLoggedZxid))
      const path = `${directory}/${file}`
      assert.deepStrictEqual([error.file, error.problem], [path, problem.replace("FILE", path)])
      assert.include(error.message, error.remedy)
    }))
})
