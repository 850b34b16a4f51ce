/** The file to which all processes append what happens, read as it grows. */
import { closeSync, openSync, readSync } from "node:fs"
import { setTimeout as delay } from "node:timers/promises"
import * as Entry from "./Entry.ts"

/** An open journal. */
export interface Journal {
  readonly file: string
  /** Everything so far, in the order of writing. */
  readonly entries: () => ReadonlyArray<Entry.Entry>
  readonly append: (entry: Entry.Entry) => void
  /** Waits until `find` answers something; `undefined` when the time is up. */
  readonly until: <A>(
    timeout: number,
    find: (entries: ReadonlyArray<Entry.Entry>) => A | undefined
  ) => Promise<A | undefined>
  readonly close: () => void
}

// A file that others append to offers nothing to subscribe to that is as soon as this.
const POLL_INTERVAL_MS = 5

const CHUNK_BYTES = 65_536

/** Opens the file, and makes it if it is missing. */
export const open = (file: string): Journal => {
  const descriptor = openSync(file, "a+")
  const entries: Array<Entry.Entry> = []
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let position = 0
  let rest = ""
  const read = () => {
    while (true) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, position)
      if (length === 0) return entries
      position += length
      const lines = (rest + chunk.toString("latin1", 0, length)).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) entries.push(Entry.parse(line))
    }
  }
  return {
    file,
    entries: read,
    append: (entry) => Entry.append(descriptor, entry),
    until: async (timeout, find) => {
      const end = Entry.now() + timeout
      while (true) {
        const found = find(read())
        if (found !== undefined || Entry.now() > end) return found
        await delay(POLL_INTERVAL_MS)
      }
    },
    close: () => closeSync(descriptor)
  }
}
