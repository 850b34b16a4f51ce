import * as Conformance from "@conclave/core/Conformance"
import * as Trace from "@conclave/core/Trace"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as PlatformError from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as TraceFile from "../src/TraceFile.ts"
import type { TraceSink } from "../src/TraceSink.ts"

/** A file in memory, on a disk that a test fills up. */
interface Disk {
  text: string
  /** Bytes that are written before it is full; all of them while it is `null`. */
  room: number | null
}

const full = PlatformError.systemError({
  _tag: "Unknown",
  module: "File",
  method: "writeAll",
  description: "disk full"
})

const fileSystem = (disk: Disk) => {
  const file: Partial<FileSystem.File> = {
    stat: Effect.sync(() => ({ size: BigInt(disk.text.length) }) as never),
    writeAll: (bytes) =>
      Effect.suspend(() => {
        const { room } = disk
        const written = room === null ? bytes : bytes.subarray(0, room)
        disk.text += new TextDecoder().decode(written)
        return room === null ? Effect.void : Effect.fail(full)
      })
  }
  return FileSystem.layerNoop({ open: () => Effect.succeed(file as FileSystem.File) })
}

const step = (ms: number, text = ""): Trace.Step => ({
  _tag: "Step",
  ms,
  wall: ms,
  sid: 1n,
  reducer: "election",
  instance: 1,
  event: { _tag: "ConfigActivated", from: 1n, config: text },
  outputs: []
})

const linesOf = ({ text }: Disk) => text.trim().split("\n")

const tick = TestClock.adjust("200 millis")

/** A test with a trace file that is open, and what the log told of it. */
const traced = (
  test: (sink: TraceSink, disk: Disk, scope: Scope.Closeable) => Effect.Effect<void>,
  before = ""
) => () => {
  const disk: Disk = { text: before, room: null }
  const told: Array<string> = []
  const logger = Logger.make<unknown, void>(({ message }) => void told.push(String(message)))
  return Effect.gen(function*() {
    const scope = yield* Scope.make()
    const sink = yield* Scope.provide(TraceFile.make("/t"), scope)
    yield* test(sink, disk, scope)
    yield* Scope.close(scope, Exit.void)
    return told
  }).pipe(Effect.provide([fileSystem(disk), Logger.layer([logger])]), Effect.map((told) => ({ told, disk })))
}

describe("a trace file", () => {
  it.effect(
    "begins with the version, is written every moment, and to the last line when it is closed",
    traced((sink, disk, scope) =>
      Effect.gen(function*() {
        sink.write(step(1))
        assert.strictEqual(disk.text, "")
        yield* tick
        assert.deepStrictEqual(linesOf(disk), [Trace.header, step(1)].map(Trace.encode))
        sink.write(step(2))
        yield* Scope.close(scope, Exit.void)
        const all = [Trace.header, step(1), step(2)].map((line) => `${Trace.encode(line)}\n`)
        assert.strictEqual(disk.text, all.join(""))
      })
    )
  )

  it.effect(
    "goes on in a file whose last line broke off",
    traced(
      (sink, disk) =>
        Effect.gen(function*() {
          sink.write(step(1))
          yield* tick
          assert.deepStrictEqual(linesOf(disk), [
            ...[Trace.header, step(7)].map(Trace.encode),
            "{\"_tag\":",
            ...[Trace.header, step(1)].map(Trace.encode)
          ])
        }),
      `${Trace.encode(Trace.header)}\n${Trace.encode(step(7))}\n{"_tag":`
    )
  )

  it.effect("on a full disk has a gap that it tells of; that is said once", () =>
    Effect.gen(function*() {
      const { disk, told } = yield* traced((sink, disk) =>
        Effect.gen(function*() {
          sink.write(step(1))
          yield* tick
          disk.room = 5
          for (const ms of [2, 3, 4]) {
            sink.write(step(ms))
            yield* tick
          }
          sink.write(step(5))
          disk.room = null
          yield* tick
          sink.write(step(6))
          yield* tick
        }))()
      assert.strictEqual(told.length, 1)
      assert.match(told[0]!, /the trace cannot be written to \/t: .*disk full/)
      const lines = linesOf(disk)
      const expected = [Trace.header, step(1)].map(Trace.encode)
      assert.deepStrictEqual(lines.slice(0, 2), expected)
      // What was written before the disk was full, three times, each on a line of its own.
      assert.deepStrictEqual(lines.slice(-3), [
        Trace.encode({ _tag: "Lost", ms: 5, wall: 5, lines: 3 }),
        ...[step(5), step(6)].map(Trace.encode)
      ])
      assert.deepStrictEqual(lines.slice(2, -3).filter((line) => !Trace.encode(step(2)).startsWith(line)), [])
    }))

  it.effect("that cannot be written from the start has its header all the same", () =>
    Effect.gen(function*() {
      const { disk } = yield* traced((sink, disk) =>
        Effect.gen(function*() {
          disk.room = 0
          sink.write(step(1))
          yield* tick
          disk.room = null
          yield* tick
        }))()
      assert.deepStrictEqual(linesOf(disk), [
        Trace.encode(Trace.header),
        Trace.encode({ _tag: "Lost", ms: 1, wall: 1, lines: 1 })
      ])
      assert.isNull(Conformance.check(linesOf(disk)).fault)
    }))

  it.effect("keeps no more than it may while the disk is slow, and tells how much is missing", () =>
    Effect.gen(function*() {
      const large = "x".repeat(TraceFile.KEPT_MAX / 4)
      const { disk } = yield* traced((sink) =>
        Effect.sync(() => {
          for (let ms = 1; ms <= 9; ms++) sink.write(step(ms, large))
          sink.write(step(10))
        }))()
      const kept = linesOf(disk).slice(1).map((line) => (JSON.parse(line) as { ms: number; lines?: number }))
      assert.deepStrictEqual(kept.map(({ ms }) => ms), [1, 2, 3, 10, 10])
      assert.deepStrictEqual(kept.map(({ lines }) => lines), [undefined, undefined, undefined, 6, undefined])
      assert.isAtMost(disk.text.length, TraceFile.KEPT_MAX + 200)
    }))
})
