import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as FileHistory from "../src/FileHistory.ts"
import * as History from "../src/History.ts"
import * as SimulatedDisk from "./SimulatedDisk.ts"

/** A disk, and the services to reach it. */
const prepare = (data: SimulatedDisk.Image, plan: SimulatedDisk.Plan = {}) => {
  const disk = SimulatedDisk.make({ data })
  const { fileSystem } = SimulatedDisk.mount(disk, plan)
  return { disk, fileSystem, layer: Layer.merge(Layer.succeed(FileSystem.FileSystem, fileSystem), Path.layer) }
}

/** What is on the disk, of which nothing is in the cache only. */
const stored = (disk: SimulatedDisk.Disk): SimulatedDisk.Image => {
  const images = SimulatedDisk.afterCrash(disk)
  assert.strictEqual(images.length, 1)
  return images[0]!
}

const files = (currentEpoch: string, acceptedEpoch: string) => ({
  data: { "version-2": { currentEpoch, acceptedEpoch } }
})

describe("FileHistory", () => {
  it.effect("of a fresh peer creates both files", () => {
    const { disk, layer } = prepare({})
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data" })
      assert.deepStrictEqual(yield* history.read, { lastLoggedZxid: 0n, currentEpoch: 0n, acceptedEpoch: 0n })
      assert.deepStrictEqual(stored(disk), files("0", "0"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("over data without epoch files has the epoch of the data", () => {
    const { disk, layer } = prepare({ "version-2": {} })
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data", lastLoggedZxid: 0x400000007n })
      const read = yield* history.read
      assert.deepStrictEqual(read, { lastLoggedZxid: 0x400000007n, currentEpoch: 4n, acceptedEpoch: 4n })
      assert.deepStrictEqual(stored(disk), files("4", "4"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("shares the directory above with replicas that make it at the same time", () => {
    const { fileSystem } = prepare({})
    const alreadyThere = (path: string) =>
      Effect.andThen(
        fileSystem.makeDirectory(path),
        Effect.fail(PlatformError.systemError({ _tag: "AlreadyExists", module: "FileSystem", method: "makeDirectory" }))
      )
    const crowded = Layer.merge(
      Layer.succeed(FileSystem.FileSystem, { ...fileSystem, makeDirectory: alreadyThere }),
      Path.layer
    )
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data/1" })
      yield* history.setAcceptedEpoch(3n)
      assert.strictEqual((yield* history.read).acceptedEpoch, 3n)
    }).pipe(Effect.provide(crowded))
  })

  it.effect("makes no directory where it may not", () => {
    const { disk, layer } = prepare({})
    return Effect.gen(function*() {
      const error = yield* Effect.flip(FileHistory.make({ dataDir: "/data", autocreate: false }))
      assert.match(error.message, /^\/data\/version-2\n {2}problem: there is no such directory, and none may be made/)
      assert.deepStrictEqual(stored(disk), { data: {} })
      yield* FileHistory.make({ dataDir: "/data" })
      yield* FileHistory.make({ dataDir: "/data", autocreate: false })
    }).pipe(Effect.provide(layer))
  })

  it.effect("makes the directories above, too", () => {
    const { disk, layer } = prepare({})
    return Effect.gen(function*() {
      yield* FileHistory.make({ dataDir: "/data/a/b" })
      const versionTwo = { "version-2": { currentEpoch: "0", acceptedEpoch: "0" } }
      assert.deepStrictEqual(stored(disk), { data: { a: { b: versionTwo } } })
    }).pipe(Effect.provide(layer))
  })

  it.effect("writes what is raised and nothing else, and never lowers it", () => {
    const { disk, layer } = prepare({ "version-2": { currentEpoch: "5", acceptedEpoch: "7" } })
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data" })
      yield* history.setAcceptedEpoch(7n)
      yield* history.setAcceptedEpoch(3n)
      yield* history.setCurrentEpoch(5n)
      assert.deepStrictEqual(stored(disk), files("5", "7"))
      yield* history.setAcceptedEpoch(10n)
      assert.deepStrictEqual(stored(disk), files("5", "10"))
      yield* history.setCurrentEpoch(10n)
      assert.deepStrictEqual(stored(disk), files("10", "10"))
      yield* history.setCurrentEpoch(12n)
      assert.deepStrictEqual(stored(disk), files("12", "12"))
      const read = yield* history.read
      assert.deepStrictEqual(read, { lastLoggedZxid: 0n, currentEpoch: 12n, acceptedEpoch: 12n })
    }).pipe(Effect.provide(layer))
  })

  it.effect("makes durable what it finds: it may have been restored a moment ago, or its writer killed", () => {
    const { disk, fileSystem, layer } = prepare({ "version-2": {} })
    return Effect.gen(function*() {
      const found = { acceptedEpoch: "12", currentEpoch: "10", "currentEpoch.tmp": "11" }
      for (const [name, text] of Object.entries(found)) {
        const file = yield* fileSystem.open(`/data/version-2/${name}`, { flag: "w" })
        yield* file.writeAll(new TextEncoder().encode(text))
      }
      assert.isAbove(SimulatedDisk.afterCrash(disk).length, 1)
      yield* FileHistory.make({ dataDir: "/data", lastLoggedZxid: 0xb00000001n })
      assert.deepStrictEqual(stored(disk), files("11", "12"))
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("finishes an interrupted renaming, without writing the number again", () => {
    const versionTwo = { currentEpoch: "3", acceptedEpoch: "4", "currentEpoch.tmp": "4" }
    const { disk, layer } = prepare({ "version-2": versionTwo })
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data", lastLoggedZxid: 0x400000001n })
      assert.strictEqual((yield* history.read).currentEpoch, 4n)
      assert.deepStrictEqual(stored(disk), files("4", "4"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("never replaces a number by one that is not whole on the disk", () =>
    Effect.gen(function*() {
      const numbers = new Set<string>()
      for (let crashAt = 1; crashAt <= 30; crashAt++) {
        const versionTwo = { currentEpoch: "3", acceptedEpoch: "14", "currentEpoch.tmp": "" }
        const { disk, fileSystem } = prepare({ "version-2": versionTwo })
        const file = yield* fileSystem.open("/data/version-2/currentEpoch.tmp", { flag: "w" })
        yield* file.writeAll(new TextEncoder().encode("14"))
        const mounted = SimulatedDisk.mount(disk, { crashAt }).fileSystem
        yield* FileHistory.make({ dataDir: "/data", lastLoggedZxid: 0x400000001n }).pipe(
          Effect.exit,
          Effect.provide(Layer.merge(Layer.succeed(FileSystem.FileSystem, mounted), Path.layer))
        )
        for (const image of SimulatedDisk.afterCrash(disk)) {
          numbers.add((image as ReturnType<typeof files>).data["version-2"].currentEpoch)
        }
      }
      assert.deepStrictEqual(numbers, new Set(["3", "14"]))
    }).pipe(Effect.scoped))

  it.effect("leaves leftovers alone and writes over them", () => {
    const versionTwo = { currentEpoch: "4", acceptedEpoch: "4", "currentEpoch.tmp": "999" }
    const { disk, layer } = prepare({ "version-2": versionTwo })
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data" })
      assert.strictEqual((yield* history.read).currentEpoch, 4n)
      assert.deepStrictEqual(stored(disk), { data: { "version-2": versionTwo } })
      yield* history.setCurrentEpoch(5n)
      assert.deepStrictEqual(stored(disk), files("5", "5"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not start over files that cannot be trusted, and changes nothing", () => {
    const versionTwo = { currentEpoch: "", acceptedEpoch: "4" }
    const { disk, layer } = prepare({ "version-2": versionTwo })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(FileHistory.make({ dataDir: "/data" }))
      assert.strictEqual(error._tag, "EpochFileError")
      assert.deepStrictEqual(stored(disk), { data: { "version-2": versionTwo } })
    }).pipe(Effect.provide(layer))
  })

  it.effect("refuses an epoch that no zxid has room for", () => {
    const { disk, layer } = prepare({})
    return Effect.gen(function*() {
      const history = yield* FileHistory.make({ dataDir: "/data" })
      yield* history.setAcceptedEpoch(2_147_483_647n)
      const error = yield* Effect.flip(history.setAcceptedEpoch(2_147_483_648n))
      assert.match(error.message, /^epoch 2147483648 cannot be written; epochs end at 2147483647/)
      assert.deepStrictEqual(stored(disk), files("0", "2147483647"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps the old epoch in memory when the new one cannot be written (ZOOKEEPER-2307)", () =>
    Effect.gen(function*() {
      const { disk, fileSystem, layer } = prepare({})
      let broken = false
      const failing = FileSystem.FileSystem.of({
        ...fileSystem,
        rename: (from, to) => (broken ? fileSystem.rename(`${from}.nothing`, to) : fileSystem.rename(from, to))
      })
      const services = Layer.merge(layer, Layer.succeed(FileSystem.FileSystem, failing))
      const history = yield* Effect.provide(FileHistory.make({ dataDir: "/data" }), services)
      broken = true
      const error = yield* Effect.flip(history.setAcceptedEpoch(1n))
      assert.strictEqual(error.what, "/data/version-2/acceptedEpoch")
      assert.instanceOf(error.cause, Error)
      yield* Effect.flip(history.setCurrentEpoch(1n))
      assert.deepStrictEqual(yield* history.read, { lastLoggedZxid: 0n, currentEpoch: 0n, acceptedEpoch: 0n })
      broken = false
      yield* history.setCurrentEpoch(1n)
      assert.deepStrictEqual(stored(disk), files("1", "1"))
    }))

  it.effect("writes one at a time, and an interruption waits for it", () =>
    Effect.gen(function*() {
      const { disk, fileSystem, layer } = prepare({})
      const renaming = yield* Latch.make()
      const mayRename = yield* Latch.make(true)
      const slow = FileSystem.FileSystem.of({
        ...fileSystem,
        rename: (from, to) =>
          Effect.andThen(renaming.open, Effect.andThen(mayRename.await, fileSystem.rename(from, to)))
      })
      const services = Layer.merge(layer, Layer.succeed(FileSystem.FileSystem, slow))
      const history = yield* Effect.provide(FileHistory.make({ dataDir: "/data" }), services)
      yield* renaming.close
      yield* mayRename.close
      const first = yield* Effect.forkChild(history.setAcceptedEpoch(9n))
      const second = yield* Effect.forkChild(history.setAcceptedEpoch(8n))
      yield* renaming.await
      const interruption = yield* Effect.forkChild(Fiber.interrupt(first))
      assert.strictEqual((yield* history.read).acceptedEpoch, 0n)
      yield* mayRename.open
      yield* Fiber.join(interruption)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(second)))
      assert.strictEqual((yield* history.read).acceptedEpoch, 9n)
      assert.deepStrictEqual(stored(disk), files("0", "9"))
    }))

  it.effect("is a Layer of History", () => {
    const { layer } = prepare({ "version-2": { currentEpoch: "5", acceptedEpoch: "7" } })
    return Effect.gen(function*() {
      const history = yield* History.History
      assert.strictEqual((yield* history.read).acceptedEpoch, 7n)
    }).pipe(Effect.provide(FileHistory.layer({ dataDir: "/data" }).pipe(Layer.provide(layer))))
  })
})

describe("a history in memory", () => {
  it.effect("accepts a current epoch, too", () =>
    Effect.gen(function*() {
      const history = yield* History.make({ currentEpoch: 3n, acceptedEpoch: 1n })
      assert.strictEqual((yield* history.read).acceptedEpoch, 3n)
      yield* history.setCurrentEpoch(5n)
      yield* history.setCurrentEpoch(4n)
      const read = yield* history.read
      assert.deepStrictEqual(read, { lastLoggedZxid: 0n, currentEpoch: 5n, acceptedEpoch: 5n })
    }))
})
