/**
 * What happened to an ensemble under faults, one line of JSON each, all in one file and by one clock.
 *
 * Every process appends to that file itself, one write a line, so a process that is killed loses nothing it has done.
 * The clock is CLOCK_MONOTONIC, which all processes of a machine share.
 */
import { writeSync } from "node:fs"
import * as Json from "../../src/Json.ts"

/** One line. `at` is in milliseconds. `process` tells the incarnations of a server apart. */
export type Entry = Work | Status | Fault

/** A step of guarded work. */
export interface Work {
  /** `start`: its first step. `beat`: it goes on. `end`: its finalizer. */
  readonly kind: "start" | "beat" | "end"
  readonly at: number
  readonly sid: bigint
  readonly process: number
  readonly epoch: bigint
}

/** Where a peer stands, after every change. */
export interface Status {
  readonly kind: "status"
  readonly at: number
  readonly sid: bigint
  readonly process: number
  readonly state: "LOOKING" | "FOLLOWING" | "LEADING" | "OBSERVING"
  readonly epoch: bigint | null
  readonly leader: bigint | null
  readonly reason: string
}

/** Something was done to the ensemble, or undone. */
export interface Fault {
  readonly kind: "fault"
  readonly at: number
  readonly what: string
  /** Who may lead from now on, being in touch with a majority in which everybody is; nobody if there is none. */
  readonly able: ReadonlyArray<bigint>
}

/** Now, by the clock of all entries. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

const WIDE = new Set(["sid", "epoch", "leader", "able"])

/** Appends a line to a file that was opened for appending. */
export const append = (file: number, entry: Entry): void => {
  writeSync(file, `${Json.stringify(entry)}\n`)
}

/** Reads a line. */
export const parse = (line: string): Entry =>
  JSON.parse(line, function(this: unknown, key, value) {
    if (Array.isArray(this)) return BigInt(value)
    return WIDE.has(key) && typeof value === "number" ? BigInt(value) : value
  })

/** A line for people, with the time since `origin`. */
export const format = (entry: Entry, origin: number): string => {
  const at = `${(entry.at - origin).toFixed(1).padStart(10)} ms`
  switch (entry.kind) {
    case "fault":
      return `${at}  *** ${entry.what}; may lead: ${entry.able.join(" ") || "nobody"}`
    case "status": {
      const detail = entry.epoch === null ? entry.reason : `${entry.leader} in epoch ${entry.epoch}`
      return `${at}  server ${entry.sid} ${entry.state} ${detail}`
    }
    default:
      return `${at}  server ${entry.sid} ${entry.kind} in epoch ${entry.epoch}`
  }
}
