/**
 * Traces of the peers of a test, checked when it ends: every step that a process took must be one that the core takes.
 */
import * as Conformance from "@conclave/core/Conformance"
import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import type { ZooCfg } from "./ZooCfg.ts"

/** Where a peer writes its trace. All its processes append to the same file. */
export const fileOf = ({ file }: Pick<ZooCfg, "file">): string => join(dirname(file), "trace.ndjson")

/** Reads a trace as it is by now. */
export const read = async (file: string): Promise<ReadonlyArray<string>> => (await readFile(file, "utf8")).split("\n")

/**
 * Fails the running test at its end unless this trace conforms. What is registered last is done first: so this goes
 * before the process is started, that it may be gone by then, and after its directory is made.
 */
export const conformsAtEnd = (file: string): void =>
  onTestFinished(async () => {
    // A peer that could not be started may not have come as far as its trace.
    const lines = await read(file).catch(() => [])
    if (lines.every((line) => line === "")) return
    const { fault } = Conformance.check(lines)
    if (fault !== null) throw new Error(`The trace ${file} does not conform\n${Conformance.describe(fault)}`)
  })
