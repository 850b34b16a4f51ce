/**
 * One process started by a test, which never outlives that test.
 *
 * It is killed when the test finishes, passed or failed, and when the test runner itself exits. When the test fails,
 * what it said is printed.
 */
import { onTestFailed, onTestFinished } from "vitest"
import * as Spawned from "./Spawned.ts"
import * as Transcript from "./Transcript.ts"

/** How a process ended. */
export type Exit = Spawned.Exit

/** A running process, or one that has ended. */
export type Child = Spawned.Spawned

/** Waits for the end of a process, for a bounded time. */
export const ended = Spawned.ended

const FAILED_TAIL_LINES = 60

const printTails = (transcripts: ReadonlyArray<Transcript.Transcript>): void => {
  for (const transcript of transcripts) {
    if (transcript.lines.length > 0) console.error(Transcript.tail(transcript, FAILED_TAIL_LINES))
  }
}

/** Starts a process with piped streams and ends it, at the latest, with the running test. */
export const start = (command: Spawned.Command): Child => {
  // Registered first: when the test is over already these throw, and nothing is started that nobody would end.
  let child: Child | undefined
  onTestFinished(async () => {
    if (child?.isRunning() === true) await child.kill("SIGKILL")
  })
  onTestFailed(() => {
    if (child !== undefined) printTails([child.stdout, child.stderr])
  })
  child = Spawned.start(command)
  return child
}
