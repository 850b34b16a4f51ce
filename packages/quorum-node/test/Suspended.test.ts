/**
 * A real process that does not run until its lease is over, and whose sockets and timers are all due when it runs on:
 * guarded work takes no step after the lease.
 */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"

interface Line {
  readonly name: string
  /** By the clock of the machine that only runs forward, which its processes share. */
  readonly at: bigint
}

/** A worker, the end of its lease, and its lines as they come. */
const start = async (...args: ReadonlyArray<string>) => {
  const path = new URL("suspendedWorker.ts", import.meta.url).pathname
  const worker: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [path, ...args], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const lines: Array<Line> = []
  const waiting = new Set<() => void>()
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()))
  createInterface({ input: worker.stdout }).on("line", (line) => {
    const words = line.split(" ")
    lines.push({ name: words.slice(0, -1).join(" "), at: BigInt(words.at(-1)!) })
    waiting.forEach((look) => look())
  })
  const seen = (holds: (line: Line) => boolean): Promise<Line> =>
    new Promise((resolve) => {
      const look = () => {
        const found = lines.find(holds)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const ready = await seen(({ name }) => name.startsWith("until"))
  return {
    worker,
    lines,
    seen: (name: string, from = 0n) => seen((line) => line.name === name && line.at >= from),
    until: BigInt(ready.name.split(" ")[1]!),
    send: () => void worker.stdin.write("line\n"),
    stop: () => {
      worker.kill("SIGKILL")
      return ended
    }
  }
}

/** Steps, of whichever work, taken at or after an instant. */
const stepsFrom = (lines: ReadonlyArray<Line>, instant: bigint) =>
  lines.filter(({ at, name }) => (name === "line" || name === "tick") && at >= instant)

const passed = async (instant: bigint) => {
  while (process.hrtime.bigint() < instant) {
    await new Promise((resolve) => setTimeout(resolve, Number((instant - process.hrtime.bigint()) / 1_000_000n) + 1))
  }
}

describe("guarded work of a process", { timeout: 20_000 }, () => {
  it("that is suspended until its lease is over takes no step when it is continued", async () => {
    const { lines, seen, send, stop, until, worker } = await start("3000")
    try {
      send()
      await seen("line")
      await seen("tick")
      worker.kill("SIGSTOP")
      send()
      await passed(until)
      worker.kill("SIGCONT")
      await seen("line-ended")
      await seen("tick-ended")
      assert.deepStrictEqual(stepsFrom(lines, until), [])
    } finally {
      await stop()
    }
  })

  it("that is suspended for a while goes on within its lease", async () => {
    const { seen, send, stop, worker } = await start("60000")
    try {
      send()
      await seen("line")
      worker.kill("SIGSTOP")
      send()
      const continued = process.hrtime.bigint()
      worker.kill("SIGCONT")
      await seen("line", continued)
      await seen("tick", continued)
    } finally {
      await stop()
    }
  })

  it("whose event loop is blocked until its lease is over takes no step afterwards", async () => {
    const { lines, seen, send, stop, until } = await start("3000", "busy")
    try {
      send()
      await seen("busy")
      send()
      await seen("line-ended")
      await seen("tick-ended")
      assert.deepStrictEqual(stepsFrom(lines, until), [])
      assert.isNotEmpty(lines.filter(({ name }) => name === "line"))
    } finally {
      await stop()
    }
  })
})
