/**
 * Writes a file so that a crash leaves the old text or the new one, never a part,
 * and so that the new one stays once it was written.
 *
 * Java: `AtomicFileWritingIdiom`, which does not sync the directory.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/**
 * Replaces the text of a file, by way of `<file>.tmp`; returns when that is durable. With a `mode`, for what may hold
 * passwords, the file has exactly those permissions from its first byte on.
 */
export const write = Effect.fnUntraced(function*(file: string, text: string, mode?: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const temporary = `${file}.tmp`
  // What an earlier crash left could have other permissions, which opening would keep.
  yield* fs.remove(temporary, { force: true })
  yield* fs.open(temporary, { flag: "wx", ...(mode === undefined ? {} : { mode }) }).pipe(
    Effect.flatMap((opened) => Effect.andThen(opened.writeAll(new TextEncoder().encode(text)), opened.sync)),
    Effect.scoped,
    Effect.andThen(fs.rename(temporary, file)),
    Effect.tapError(() => Effect.ignore(fs.remove(temporary, { force: true })))
  )
  yield* flush(path.dirname(file))
})

/** Removes a file for good; that there is none is no error. */
export const remove = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* fs.remove(file, { force: true })
  yield* flush(path.dirname(file))
})

/** Waits until a file's content, or a directory's entries, are on the disk: a name is durable when its directory is. */
export const flush = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.scoped(Effect.flatMap(fs.open(file), (opened) => opened.sync))
})
