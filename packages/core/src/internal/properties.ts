/**
 * The syntax of Java properties, in which ZooKeeper writes its configuration:
 * files and notifications alike.
 *
 * Natural lines are joined where one ends in an odd number of backslashes, blank
 * lines and lines that begin with `#` or `!` vanish, the key ends at the first
 * unescaped `=`, `:` or blank. Java: `Properties.load`.
 */
import * as Result from "effect/Result"

/** One key with its value, unescaped, and where it stands. */
export interface Property {
  readonly key: string
  readonly value: string
  /** The natural line on which the key begins, from 1. */
  readonly line: number
  /** Lines that gave the same key before; this one counts. */
  readonly earlier: ReadonlyArray<number>
}

/** The only thing that can be wrong with the syntax: a `\u` without four hex digits. */
export interface MalformedProperty {
  readonly line: number
  readonly problem: string
}

/** The properties of a text by key, in the order in which the keys first appear; the last value of a key counts. */
export const parse = (text: string): Result.Result<ReadonlyMap<string, Property>, MalformedProperty> => {
  const properties = new Map<string, Property & { readonly earlier: Array<number> }>()
  for (const { line, content } of logicalLines(text)) {
    const [rawKey, rawValue] = splitAtSeparator(content)
    const key = unescape(rawKey)
    const value = unescape(rawValue)
    if (key === undefined || value === undefined) {
      return Result.fail({ line, problem: "Malformed \\uxxxx encoding; write four hexadecimal digits after \\u" })
    }
    const before = properties.get(key)
    // The list moves on to the entry that counts: copying it each time would be quadratic in what a peer sends.
    const earlier = before?.earlier ?? []
    if (before !== undefined) earlier.push(before.line)
    properties.set(key, { key, value, line, earlier })
  }
  return Result.succeed(properties)
}

interface LogicalLine {
  readonly line: number
  readonly content: string
}

const logicalLines = (text: string): ReadonlyArray<LogicalLine> => {
  const lines: Array<LogicalLine> = []
  let joined = ""
  let start = 0
  let continues = false
  // Java never sees the very last line end: a backslash before it counts as one at the end of the text.
  for (const [index, natural] of text.replace(/(?<!\r)\n$|\r$/, "").split(/\r\n|\r|\n/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, "")
    // A logical line that is still empty may yet turn out a comment: Java looks only at what it has joined so far.
    if (joined === "") {
      start = index + 1
      if (/^[#!]/.test(content)) {
        continues = false
        continue
      }
    }
    continues = endsInContinuation(content)
    joined += continues ? content.slice(0, -1) : content
    if (continues || joined === "") continue
    lines.push({ line: start, content: joined })
    joined = ""
  }
  if (continues) lines.push({ line: start, content: joined })
  return lines
}

const endsInContinuation = (content: string): boolean => {
  let end = content.length
  while (end > 0 && content[end - 1] === "\\") end--
  return (content.length - end) % 2 === 1
}

const splitAtSeparator = (content: string): readonly [key: string, value: string] => {
  let end = 0
  while (end < content.length && !/[=: \t\f]/.test(content[end]!)) end += content[end] === "\\" ? 2 : 1
  end = Math.min(end, content.length)
  const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(content.slice(end))![0]
  return [content.slice(0, end), content.slice(end + separator.length)]
}

const unescape = (text: string): string | undefined => {
  let malformed = false
  const plain = text.replace(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, hex: string | undefined, char: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (char === "u") malformed = true
    return controls.get(char) ?? char
  })
  return malformed ? undefined : plain
}

const controls: ReadonlyMap<string, string> = new Map([["t", "\t"], ["n", "\n"], ["r", "\r"], ["f", "\f"]])
