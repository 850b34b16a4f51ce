/**
 * Traces of the peers of a test: every step that a process took must be one that the core takes.
 */
import * as Conformance from "@conclave/core/Conformance"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { ZooCfg } from "./ZooCfg.ts"

/** Where a peer writes its trace. All its processes append to the same file. */
export const fileOf = ({ file }: Pick<ZooCfg, "file">): string => join(dirname(file), "trace.ndjson")

/** The lines of a trace as it is by now. */
export const read = (file: string): ReadonlyArray<string> => readFileSync(file, "utf8").split("\n")

/**
 * Throws unless this trace conforms, and gives the number of steps in it: none for a peer that did not come as far as
 * writing one.
 */
export const check = (file: string): number => {
  if (!existsSync(file)) return 0
  // Of a process that was killed at once there may be a file, and nothing in it yet.
  const lines = read(file)
  if (lines.every((line) => line === "")) return 0
  const { fault, steps } = Conformance.check(lines)
  if (fault !== null) throw new Error(`The trace ${file} does not conform\n${Conformance.describe(fault)}`)
  return steps
}
