/**
 * How `zoo.cfg` reads after the membership has moved to a file of its own.
 *
 * ZooKeeper writes all settings anew, in the order of a hash table and without
 * comments. Here the lines that stay are left as they are.
 *
 * Java: `QuorumPeerConfig.editStaticConfig`.
 */
import * as DynamicConfig from "@conclave/core/DynamicConfig"
import * as Result from "effect/Result"
import * as ZooKeys from "./ZooKeys.ts"

/** What the file must say from now on. */
export interface Edit {
  /** The absolute name of the file with the members. */
  readonly dynamicConfigFile: string
  /** Does our entry there name the client address? Then `clientPort` must not stand here too. */
  readonly namesClientAddress: boolean
}

/** A `zoo.cfg` taken apart. */
export interface StaticFile {
  /** Does it list members itself? */
  readonly hasMembers: boolean
  readonly edited: (edit: Edit) => string
}

/** Takes the text of a `zoo.cfg` apart. */
export const parse = (text: string): Result.Result<StaticFile, DynamicConfig.MalformedEntry> =>
  Result.map(DynamicConfig.entries(text), (entries) => {
    const settings = Array.from(entries.values(), ({ earlier, key, line }) => ({
      key: ZooKeys.withoutPrefix(key.trim()),
      lines: [...earlier, line]
    }))
    return {
      hasMembers: settings.some(({ key }) => DynamicConfig.isMembershipKey(key)),
      edited: (edit) => {
        const gone = settings.filter(({ key }) => moves(key, edit)).flatMap(({ lines }) => lines)
        return `${ended(without(text, new Set(gone)))}dynamicConfigFile=${escape(edit.dynamicConfigFile)}\n`
      }
    }
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const moves = (key: string, { namesClientAddress }: Edit): boolean =>
  DynamicConfig.isMembershipKey(key) ||
  key.startsWith("dynamicConfigFile") ||
  key.startsWith("peerType") ||
  (namesClientAddress && key.startsWith("clientPort"))

// A setting goes on over the next line where one ends in a backslash that is not itself escaped.
const without = (text: string, gone: ReadonlySet<number>): string => {
  let removing = false
  return text.split(/(?<=\r\n|\n|\r(?!\n))/).filter((line, index) => {
    removing = removing || gone.has(index + 1)
    const removed = removing
    removing &&= continues(line)
    return !removed
  }).join("")
}

const continues = (line: string): boolean => /\\*$/.exec(line.replace(/[\r\n]+$/, ""))![0].length % 2 === 1

// What is appended must begin a line, and that line must not continue another.
const ended = (text: string): string => {
  if (text === "") return text
  const last = text.slice(text.replace(/(\r\n|\n|\r)$/, "").search(/[^\r\n]*$/))
  return `${text}${/[\r\n]$/.test(last) ? "" : "\n"}${continues(last) ? "\n" : ""}`
}

// Java reads these files as Latin-1, Conclave as UTF-8; both read this.
const escape = (path: string): string =>
  path.replaceAll("\\", "\\\\").replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
