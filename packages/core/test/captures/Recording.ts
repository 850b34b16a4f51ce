/**
 * The recordings beside this file as values: who connected to whom, what went
 * over each connection in which TCP segments, and what the recorder said it was.
 * The README tells the format.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import type { Sid } from "../../src/Sid.ts"
import { hex } from "../support/Bytes.ts"

/** Which ports were listened to: those of elections, or those of leaders. */
export type Port = "recorded" | "recorded-quorum"

const folder = (port: Port): string => join(import.meta.dirname, port)

/** One message on the wire. */
export interface Message {
  /** What it is, as the recorder read it; no code under test had a part in that. */
  readonly told: string
  /** Its bytes, one piece for each TCP segment. */
  readonly segments: ReadonlyArray<Uint8Array>
}

/** One connection. */
export interface Connection {
  /** Who accepted it, or would have. */
  readonly acceptor: Sid
  /** Who dialled; `null` where nobody listened, so that nobody said who it was. */
  readonly opener: Sid | null
  /** What the opener said. */
  readonly opened: ReadonlyArray<Message>
  /** What the acceptor said. */
  readonly accepted: ReadonlyArray<Message>
}

/** One capture. */
export interface Recording {
  /** The membership as it stood in the servers' files. */
  readonly configured: string
  /** The configuration texts that occur in it, by the letters by which its messages name them. */
  readonly configs: ReadonlyMap<string, string>
  readonly connections: ReadonlyArray<Connection>
}

/** The names of all recordings. */
export const names = (port: Port = "recorded"): ReadonlyArray<string> =>
  readdirSync(folder(port)).map((file) => basename(file, ".txt")).sort()

/** Reads one recording; throws at a line that it does not understand. */
export const load = (name: string, port: Port = "recorded"): Recording => {
  const text = readFileSync(join(folder(port), `${name}.txt`), "utf8")
  let configured = ""
  const configs = new Map<string, string>()
  const connections: Array<Connection> = []
  for (const { head, tail } of paragraphs(text)) {
    const [, letter] = /^config ([A-Z])$/.exec(head) ?? []
    const [, acceptor, opener] = /^connection to (\d+)(?: from (\d+)|, refused)$/.exec(head) ?? []
    const [, direction, told] = /^([<>]) (.+)$/.exec(head) ?? []
    if (head === "configured") configured = tail.join("\n")
    else if (letter !== undefined) configs.set(letter, tail.join("\n"))
    else if (acceptor !== undefined) {
      const sid = opener === undefined ? null : BigInt(opener)
      connections.push({ acceptor: BigInt(acceptor), opener: sid, opened: [], accepted: [] })
    } else if (direction !== undefined && told !== undefined) {
      addMessage(connections, direction, { told, segments: tail.map(hex) })
    } else throw new Error(`${name}: what is "${head}"?`)
  }
  return { configured, configs, connections }
}

const addMessage = (connections: Array<Connection>, direction: string, message: Message): void => {
  const last = connections.pop()
  if (last === undefined) throw new Error(`"${message.told}" stands before any connection`)
  connections.push(
    direction === ">"
      ? { ...last, opened: [...last.opened, message] }
      : { ...last, accepted: [...last.accepted, message] }
  )
}

/** The lines that begin at the margin, each with the indented lines after it. */
const paragraphs = (text: string): ReadonlyArray<{ readonly head: string; readonly tail: ReadonlyArray<string> }> => {
  const found: Array<{ readonly head: string; readonly tail: Array<string> }> = []
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue
    if (line.startsWith("  ")) found.at(-1)?.tail.push(line.slice(2))
    else found.push({ head: line, tail: [] })
  }
  return found
}
