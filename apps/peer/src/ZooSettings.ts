/**
 * The settings of a configuration file, each with the place where it was made,
 * so that whatever turns out wrong with one can be pointed at.
 */
import * as DynamicConfig from "@conclave/core/DynamicConfig"
import * as Result from "effect/Result"
import { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooKeys from "./ZooKeys.ts"

/** One setting, trimmed, and where it was made. */
export interface Setting {
  readonly key: string
  readonly value: string
  /** The file, or the flag of the command line. */
  readonly source: string
  /** The line in the file, from 1; none for a flag. */
  readonly line: number | null
  /** The line itself, or the flag with its value. */
  readonly text: string
}

/** Something an operator should know, but with which the peer runs. */
export interface Warning {
  readonly key: string
  readonly line: number | null
  readonly message: string
}

/** The settings of one file by key, the key without the prefix `zookeeper.`. */
export interface Settings {
  readonly file: string
  readonly byKey: ReadonlyMap<string, Setting>
  readonly warnings: ReadonlyArray<Warning>
}

/** A value given elsewhere, which counts instead of the file's. */
export interface Override {
  readonly value: string
  /** The flag as its user wrote it, `--data-dir`. */
  readonly flag: string
}

/** Where the settings come from. */
export interface Sources {
  /** The name of the file, for messages. */
  readonly file: string
  /** Values that replace those of the file, by key. */
  readonly overrides?: ReadonlyMap<string, Override> | undefined
}

/**
 * The settings of a text in Java's properties syntax. A key given twice is a
 * warning, and the last one counts; a member, group or weight given twice is an
 * error, where ZooKeeper would silently lose the first.
 */
export const read = (text: string, sources: Sources): Result.Result<Settings, ZooConfigError> =>
  Result.gen(function*() {
    const { file } = sources
    const lines = text.split(/\r\n|\r|\n/)
    const entries = yield* Result.mapError(DynamicConfig.entries(text), ({ line, problem }) =>
      new ZooConfigError({
        file,
        line,
        key: null,
        text: withoutPassword(lines[line - 1] ?? ""),
        problem,
        remedy: "write the character itself, or \\u and its four hexadecimal digits"
      }))
    const byKey = new Map<string, Setting>()
    const warnings: Array<Warning> = []
    for (const entry of entries.values()) {
      const { line } = entry
      const key = ZooKeys.withoutPrefix(entry.key.trim())
      const setting = { key, value: entry.value.trim(), source: file, line, text: lines[line - 1] ?? "" }
      const earlier = [...entry.earlier, ...(byKey.has(key) ? [byKey.get(key)!.line] : [])]
      if (earlier.length > 0) {
        const message = `${key} is given on line ${earlier.join(", ")} too`
        if (DynamicConfig.isMembershipKey(key)) {
          return yield* fail(setting, message, "keep one of the lines; if both servers exist, number them differently")
        }
        warnings.push({ key, line, message: `${message}; line ${line} counts` })
      }
      byKey.set(key, setting)
    }
    for (const [key, { flag, value }] of sources.overrides ?? []) {
      byKey.set(key, { key, value: value.trim(), source: flag, line: null, text: `${flag} ${value}` })
    }
    return { file, byKey, warnings }
  })

// A line that cannot be read may hold a password; nobody needs to see it to correct it.
const withoutPassword = (line: string): string => line.replace(/(password\s*[=:\s]).*/i, "$1...")

/** The settings as the core wants them. */
export const toEntries = (settings: Settings): ReadonlyArray<DynamicConfig.Entry> =>
  Array.from(settings.byKey.values(), ({ key, line, value }) => ({ key, value, line: line ?? 0, earlier: [] }))

/** Refuses a setting that was made. */
export const fail = (setting: Setting, problem: string, remedy: string): Result.Result<never, ZooConfigError> => {
  const { key, line, source, text } = setting
  return Result.fail(new ZooConfigError({ file: source, line, key, text, problem, remedy }))
}

/** Refuses settings for what one of them says, or for what they all lack. */
export const failAt = (
  settings: Settings,
  key: string,
  problem: string,
  remedy: string
): Result.Result<never, ZooConfigError> => {
  const setting = settings.byKey.get(key)
  return setting === undefined
    ? Result.fail(new ZooConfigError({ file: settings.file, line: null, key, text: null, problem, remedy }))
    : fail(setting, problem, remedy)
}

/** The text of a setting that may not be missing or empty. */
export const required = (
  settings: Settings,
  key: string,
  example: string
): Result.Result<string, ZooConfigError> => {
  const value = settings.byKey.get(key)?.value ?? ""
  return value === ""
    ? failAt(settings, key, `${key} is not set`, `write a line such as ${key}=${example}`)
    : Result.succeed(value)
}

/** A setting that is `true` or `false`, in any case. */
export const boolean = (
  settings: Settings,
  key: string,
  fallback: boolean
): Result.Result<boolean, ZooConfigError> => {
  const setting = settings.byKey.get(key)
  switch (setting?.value.toLowerCase()) {
    case undefined:
      return Result.succeed(fallback)
    case "true":
      return Result.succeed(true)
    case "false":
      return Result.succeed(false)
    default:
      return failAt(
        settings,
        key,
        `Invalid option ${setting?.value} for ${key}. Choose 'true' or 'false.'`,
        `write ${key}=true or ${key}=false, or leave the line out (${fallback})`
      )
  }
}

/** What a setting that is a whole number may be. */
export interface IntegerOptions {
  /** The value where there is no such line; without it the line must be there. */
  readonly fallback?: number
  readonly minimum: number
  readonly maximum?: number
  /** A sensible value, and of what: `10`, `ticks`. */
  readonly example: number
  readonly unit: string
}

/** The largest number a setting can hold. Java: `Integer.MAX_VALUE`. */
export const INTEGER_MAX = 2_147_483_647

/** A setting that is a whole number in decimal. */
export const integer = (
  settings: Settings,
  key: string,
  { example, fallback, maximum = INTEGER_MAX, minimum, unit }: IntegerOptions
): Result.Result<number, ZooConfigError> => {
  const setting = settings.byKey.get(key)
  if (setting === undefined && fallback !== undefined) return Result.succeed(fallback)
  return Result.flatMap(required(settings, key, `${example}`), (text) => {
    const value = /^[+-]?\d{1,20}$/.test(text) ? Number(text) + 0 : Number.NaN
    const remedy = `write a whole number of ${unit} from ${minimum} to ${maximum}, for example ${key}=${example}`
    if (Number.isNaN(value)) return failAt(settings, key, `${text} is not a whole number`, remedy)
    return value < minimum || value > maximum
      ? failAt(settings, key, `${key} is ${text}, outside ${minimum} to ${maximum}`, remedy)
      : Result.succeed(value)
  })
}
