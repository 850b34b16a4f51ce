/**
 * One process that was started here, and what it has said. It is killed when this process exits, at the latest.
 *
 * Only processes started here are ever signalled, by the handle they were started with.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import * as Transcript from "./Transcript.ts"

/** How a process ended: by its own exit code, or by a signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running process, or one that has ended. */
export interface Spawned {
  readonly stdout: Transcript.Transcript
  readonly stderr: Transcript.Transcript
  /** Settles once the process has ended and everything it printed is in the transcripts. */
  readonly exited: Promise<Exit>
  readonly isRunning: () => boolean
  /** How it ended, or nothing while it runs. */
  readonly outcome: () => Exit | undefined
  readonly write: (line: string) => void
  /** Reads its stdout no longer, as if whoever did were gone. */
  readonly closeStdout: () => void
  /** Sends a signal. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Sends a signal and waits for the end of the process. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Exit>
}

/** What to start. */
export interface Command {
  readonly label: string
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

const EXIT_TIMEOUT_MS = 15_000

const running = new Set<ChildProcess>()

process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")))

const record = (stream: Readable, transcript: Transcript.Transcript): void => {
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", transcript.append)
}

const exitOf = (handle: ChildProcess): Promise<Exit> =>
  new Promise((resolve, reject) => {
    handle.once("error", reject)
    handle.once("close", (code, signal) => resolve({ code, signal }))
  })

/** Waits for the end of a process, for a bounded time. */
export const ended = async (child: Spawned, timeoutMs = EXIT_TIMEOUT_MS): Promise<Exit> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Still running after ${timeoutMs} ms\n${Transcript.tail(child.stderr)}`))
    }, timeoutMs)
  })
  return Promise.race([child.exited, late]).finally(() => clearTimeout(timer))
}

/** Starts a process with piped streams. */
export const start = ({ args, cwd, env, file, label }: Command): Spawned => {
  const stdout = Transcript.make(`${label} stdout`)
  const stderr = Transcript.make(`${label} stderr`)
  const handle = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], env: env ?? process.env, ...(cwd && { cwd }) })
  running.add(handle)
  // A write may cross the end of the process; what matters then is the exit, which the test sees.
  handle.stdin.on("error", () => undefined)
  record(handle.stdout, stdout)
  record(handle.stderr, stderr)
  let outcome: Exit | undefined
  const exited = exitOf(handle).finally(() => running.delete(handle)).then((exit) => {
    outcome = exit
    // A line of its own, so that whoever waits for output that can no longer come is told at once.
    stderr.append(`*** ended: code ${exit.code}, signal ${exit.signal}`)
    return exit
  })
  exited.catch((cause) => stderr.append(`*** could not be started: ${cause}`))
  const child: Spawned = {
    stdout,
    stderr,
    exited,
    isRunning: () => running.has(handle),
    outcome: () => outcome,
    write: (line) => void handle.stdin.write(`${line}\n`),
    closeStdout: () => void handle.stdout.destroy(),
    signal: (signal) => void handle.kill(signal),
    kill: (signal) => {
      handle.kill(signal)
      return ended(child)
    }
  }
  return child
}
