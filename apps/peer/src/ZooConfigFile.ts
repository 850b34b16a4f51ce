/**
 * Reads a `zoo.cfg`, the `myid` in its data directory, the dynamic file it names,
 * and beside that the file of a configuration that was on its way.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as DynamicFiles from "./DynamicFiles.ts"
import * as ZooConfig from "./ZooConfig.ts"
import { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooMembership from "./ZooMembership.ts"
import type { Override } from "./ZooSettings.ts"

/** How a configuration is loaded. */
export interface LoadOptions {
  /** Values that replace those of the file, by key. */
  readonly overrides?: ReadonlyMap<string, Override> | undefined
}

/**
 * The configuration in a file and the files it names. Relative names are those of
 * the working directory, as in ZooKeeper. Java: QuorumPeerConfig.parse.
 */
export const load = Effect.fn("ZooConfigFile.load")(function*(file: string, options: LoadOptions = {}) {
  const path = yield* Path.Path
  const text = yield* read(file, { key: null, remedy: "name an existing configuration file, usually zoo.cfg" })
  const draft = yield* Effect.fromResult(ZooConfig.parse(text, { file, overrides: options.overrides }))
  const { dynamicConfigFile } = draft
  const dynamic = dynamicConfigFile === null ? null : {
    file: dynamicConfigFile,
    text: yield* read(dynamicConfigFile, {
      key: "dynamicConfigFile",
      remedy: `correct dynamicConfigFile in ${file}, or remove it and list the servers there`
    })
  }
  const myidFile = path.join(draft.options.dataDir, "myid")
  const myid = {
    file: myidFile,
    text: yield* read(myidFile, {
      key: "myid",
      missing: "myid file is missing",
      remedy: "create it with the N of this server's server.N line as its only content; " +
        `its place follows from dataDir in ${file}`
    })
  }
  const next = dynamic === null || !draft.options.reconfigEnabled ? null : yield* readNext(DynamicFiles.nextFile(file))
  return yield* Effect.fromResult(ZooConfig.complete(draft, { myid, dynamic, next }))
})

// Only that there is none is harmless: who saw a configuration must not decide as if it had not.
const readNext = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const about = { key: null, remedy: ZooMembership.NEXT_REMEDY }
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => true))) return null
  return { file, text: yield* read(file, about) }
})

const read = Effect.fnUntraced(function*(
  file: string,
  about: { readonly key: string | null; readonly missing?: string; readonly remedy: string }
) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(fs.readFileString(file), (error: PlatformError) => {
    const missing = error.reason._tag === "NotFound" ? about.missing ?? "there is no such file" : undefined
    return new ZooConfigError({
      file,
      line: null,
      key: about.key,
      text: null,
      problem: missing ?? `the file cannot be read (${error.reason._tag})`,
      remedy: about.remedy
    })
  })
})
