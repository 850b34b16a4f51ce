/**
 * A conversation in a file: commands, and what comes of each.
 *
 *     # What this story is, and what to see in it.
 *
 *     ensemble voters=1,2,3
 *     ----
 *     majority of 1, 2, 3
 *
 *     # A remark belongs to the command below it.
 *     look 1
 *     ----
 *     1 looks for a leader
 *       ...
 *
 * A command is a verb, then words, then `key=value`. What stands between `----` and
 * the next empty line is all that it leads to. After cockroachdb/datadriven, which
 * etcd's raft is tested with.
 */

/** A command and where it stands. */
export interface Command {
  readonly verb: string
  /** What it is about, in order: `3`, `all`, `1->2`. */
  readonly words: ReadonlyArray<string>
  /** `key=value`. */
  readonly options: ReadonlyMap<string, string>
}

/** One command with the remarks before it, as they stand there. */
interface Entry {
  readonly remarks: ReadonlyArray<string>
  readonly text: string
  readonly line: number
}

/** A story, without what comes of its commands. */
export interface Script {
  readonly entries: ReadonlyArray<Entry>
  /** Remarks after the last command. */
  readonly rest: ReadonlyArray<string>
}

const RULE = "----"

/** Reads a file, and forgets what came of its commands. */
export const parse = (text: string): Script => {
  const entries: Array<Entry> = []
  let remarks: Array<string> = []
  let isOutput = false
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    if (line === RULE) isOutput = true
    else if (isOutput) isOutput = line !== ""
    else if (line === "" || line.startsWith("#")) remarks.push(line)
    else {
      entries.push({ remarks, text: line, line: index + 1 })
      remarks = []
    }
  }
  return { entries, rest: remarks }
}

/** Performs the commands in order, and writes the file as it should be. Fails with the line of a command that does. */
export const perform = ({ entries, rest }: Script, run: (command: Command) => ReadonlyArray<string>): string => {
  const parts = entries.flatMap(({ line, remarks, text }) => {
    try {
      return [...remarks, text, RULE, ...run(commandOf(text)), ""]
    } catch (cause) {
      throw new Error(`line ${line}: ${text}: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  })
  return `${[...parts, ...rest].join("\n").trimEnd()}\n`
}

const commandOf = (text: string): Command => {
  const [verb = "", ...parts] = text.split(/\s+/)
  const [words, options] = [parts.filter((part) => !part.includes("=")), parts.filter((part) => part.includes("="))]
  return { verb, words, options: new Map(options.map((option) => option.split("=") as [string, string])) }
}
