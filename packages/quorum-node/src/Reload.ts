/**
 * Notices that files have changed.
 *
 * Their directories are watched, for a file may be replaced by another; and their
 * contents are compared, also without any notice, for what a link leads to may
 * change elsewhere. Java: FileChangeWatcher, which does the first alone.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname } from "node:path"

/** How soon a change is seen of which nobody gives notice: shorter than any certificate is replaced in haste. */
const POLL_INTERVAL = "30 seconds"

/** Files are written piece by piece: so long must it be quiet before they are read. */
const QUIET_PERIOD = "100 millis"

/**
 * Runs an effect after every change of the contents of these files, until the scope
 * closes. `seen` is their fingerprint from before they were read.
 */
export const watch = Effect.fnUntraced(function*(
  files: ReadonlyArray<string>,
  seen: string,
  onChange: Effect.Effect<void>
): Effect.fn.Return<void, never, Scope.Scope> {
  const notices = yield* Queue.sliding<void>(1)
  for (const directory of new Set(files.map((file) => dirname(file)))) {
    yield* Effect.acquireRelease(
      Effect.sync(() => open(directory, () => Queue.offerUnsafe(notices, undefined))),
      (watcher) => Effect.sync(() => watcher?.close())
    )
  }
  let known = seen
  const look = Effect.gen(function*() {
    yield* Effect.timeoutOption(Queue.take(notices), POLL_INTERVAL)
    yield* Effect.sleep(QUIET_PERIOD)
    const found = yield* fingerprint(files)
    if (found === known) return
    known = found
    yield* onChange
  })
  yield* Effect.forkScoped(Effect.forever(look))
})

// A directory that cannot be watched, or that vanishes later, is left to the comparison.
const open = (directory: string, onEvent: () => void): Fs.FSWatcher | undefined => {
  try {
    return Fs.watch(directory, { persistent: false }, onEvent).on("error", onEvent)
  } catch {
    return undefined
  }
}

/** Changes whenever the contents of these files do; not to be readable is a content, too. */
export const fingerprint = (files: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.map(
    Effect.forEach(files, (file) =>
      Effect.tryPromise(() => readFile(file)).pipe(
        Effect.map((bytes) => Crypto.hash("sha256", bytes)),
        Effect.orElseSucceed(() => "unreadable")
      )),
    (hashes) => hashes.join(" ")
  )
