/**
 * How the process ends.
 *
 *     0    done, or ended by SIGINT or SIGTERM in good order
 *     1    something unexpected, a history that cannot be trusted, or a login configuration that cannot be used;
 *          of `simulate` and `explore`: a property does not hold; of `conform`: a trace does not
 *     2    the configuration or the command line cannot be used, or a file that it names
 *     14   no election address could be bound (ZooKeeper's own code for it)
 *     124  `elect` found no leader in time
 *     130  a second signal, or the first one was not obeyed within three seconds
 *
 * Java: `ExitCode`.
 */
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"

/** How long the process may take to end once it was told to; a leader names a successor before it goes. */
const END_TIMEOUT_MS = 3_000

const exitCodes: Record<string, number> = {
  ListenError: 14,
  NotInView: 1,
  EpochFileError: 1,
  DataDirectoryError: 1,
  HistoryError: 1,
  InvalidJaas: 1,
  PropertyBroken: 1,
  InvalidScenario: 2,
  UnsupportedElectionAlgorithm: 2,
  UselessLease: 2,
  StoreError: 2,
  TraceFileError: 2,
  UnreadableTrace: 2,
  DoesNotConform: 1,
  ShowHelp: 2
}

/** Runs the program of this process, says what was wrong if it fails, and ends the process with its exit code. */
export const runMain = <A, E>(program: Effect.Effect<A, E>): void => {
  watchSignals()
  outliveReaders()
  NodeRuntime.runMain(Effect.tapCause(program, report), {
    disableErrorReporting: true,
    teardown: (exit) => process.exit(exitCode(exit))
  })
}

// The runtime interrupts the program at the first signal. Nobody has to wait longer than this for its end.
const watchSignals = (): void => {
  let told = false
  const onSignal = () => {
    if (told) process.exit(130)
    told = true
    setTimeout(() => process.exit(130), END_TIMEOUT_MS).unref()
  }
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
}

// Whoever reads our output may go away (EPIPE); that is no reason to leave an ensemble.
const outliveReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
}

const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return 0
  const error = Cause.squash(exit.cause)
  return exitCodes[tagOf(error)] ?? Runtime.getErrorExitCode(error)
}

const report = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Cause.squash(cause)
  // What has a tag was foreseen and explains itself; the help was printed already.
  if (tagOf(error) === "ShowHelp") return Effect.void
  const text = tagOf(error) !== "" && error instanceof Error ? error.message : Cause.pretty(cause)
  return Effect.sync(() => process.stderr.write(`conclave: ${text}\n`))
}

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""
