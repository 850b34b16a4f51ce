/**
 * Golden traces as they stand in a file: one JSON text per line, gzipped or not.
 * 64-bit numbers are decimal strings, long texts are named, and what did not
 * change is left out. Reading fills all of that in.
 */
import { createReadStream } from "node:fs"
import { open } from "node:fs/promises"
import { pipeline } from "node:stream"
import { createGunzip } from "node:zlib"
import type * as Adapter from "./adapter.ts"

/** A 64-bit number in decimal digits. */
export type Long = string

/** A vote as a trace has it. */
export interface Vote {
  readonly leader: Long
  readonly zxid: Long
  readonly electionEpoch: Long
  readonly peerEpoch: Long
  readonly state: string
}

/** A frame: its hex, followed by the text named `cfg` if there is one. */
export interface Frame {
  readonly hex: string
  readonly cfg?: string
}

/** A frame sent, and to whom. */
export interface Sent extends Frame, Vote {
  readonly to: ReadonlyArray<Long>
  readonly version: number
}

/** What happened in a step. `currentVote`, `recvset`, `outofelection` are absent when unchanged. */
export interface Outcome {
  readonly sent: ReadonlyArray<Sent>
  readonly proposal: { readonly leader: Long; readonly zxid: Long; readonly peerEpoch: Long }
  readonly clock: Long
  readonly state: string
  readonly waiting: { readonly kind: string; readonly ms: number } | null
  readonly returned: null | { readonly vote: Vote | null; readonly threw?: undefined } | { readonly threw: string }
  readonly currentVote?: Vote | null
  readonly recvset?: Readonly<Record<Long, Vote>>
  readonly outofelection?: Readonly<Record<Long, Vote>>
  readonly connectAll?: number
  readonly queued?: number
  readonly restarted?: boolean
  readonly receiverDied?: string
  readonly why?: ReadonlyArray<string>
}

/** What is done to the peer, a frame not yet made whole. */
export type Input =
  | Exclude<Adapter.Step, { readonly op: "deliver" }>
  | { readonly op: "deliver"; readonly from: Long; readonly hex: string; readonly cfg?: string }

/** One recorded run of one peer. */
export interface Trace {
  readonly id: string
  readonly profile?: string
  readonly blobs: Readonly<Record<string, string>>
  readonly config: Adapter.Config
  readonly init: Outcome
  readonly steps: ReadonlyArray<{ readonly in: Input; readonly out: Outcome }>
}

/** The file is there, but does not hold traces. */
export class Unreadable extends Error {}

/** The traces of a file, one after the other, never all at once. */
export async function* read(file: string): AsyncGenerator<Trace> {
  let number = 0
  for await (const line of lines(file)) {
    number++
    if (line.trim() !== "") yield parse(line, number)
  }
}

/** The bytes of a frame. */
export const bytesOf = (trace: Trace, { cfg, hex }: Frame): Uint8Array => {
  const head = Buffer.from(hex, "hex")
  return cfg === undefined ? head : Buffer.concat([head, Buffer.from(text(trace, cfg), "utf8")])
}

/** What the peer is made from, texts in place. */
export const configOf = (trace: Trace): Adapter.Config => {
  const { lastSeenQuorum, quorum } = trace.config
  const inPlace = (named: Adapter.Quorum): Adapter.Quorum => ({ ...named, text: text(trace, named.text) })
  return {
    ...trace.config,
    quorum: inPlace(quorum),
    lastSeenQuorum: lastSeenQuorum === null ? null : inPlace(lastSeenQuorum)
  }
}

/** What is done to the peer, frames made whole. */
export const inputOf = (trace: Trace, input: Input): Adapter.Step =>
  input.op === "deliver" ? { op: "deliver", from: input.from, bytes: bytesOf(trace, input) } : input

/** The recorded outcomes, with what did not change filled in. */
export const outcomes = (trace: Trace): ReadonlyArray<Outcome> => {
  let known: Required<Pick<Outcome, "currentVote" | "recvset" | "outofelection">> = {
    currentVote: trace.init.currentVote ?? null,
    recvset: {},
    outofelection: {}
  }
  return trace.steps.map(({ out }) => {
    const { currentVote, outofelection, recvset } = { ...known, ...out }
    known = { currentVote, recvset, outofelection }
    return { ...out, ...known }
  })
}

/** The original crashed in this step, or elected nobody: nothing to imitate. */
export const isBugcompat = ({ receiverDied, restarted, returned }: Outcome): boolean =>
  receiverDied !== undefined ||
  (returned !== null && (returned.threw !== undefined || (restarted === true && returned.vote !== null)))

async function* lines(file: string): AsyncGenerator<string> {
  const gzip = await isGzip(file)
  const raw = createReadStream(file)
  // What goes wrong anywhere in the pipeline ends the loop below.
  const input = gzip ? pipeline(raw, createGunzip(), () => {}) : raw
  let rest = ""
  for await (const chunk of input.setEncoding("utf8")) {
    const pieces = (rest + chunk).split("\n")
    rest = pieces.pop()!
    yield* pieces
  }
  yield rest
}

const isGzip = async (file: string): Promise<boolean> => {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await handle.close()
  }
}

const parse = (line: string, number: number): Trace => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Unreadable(`line ${number} is not JSON`)
  }
  if (typeof value !== "object" || value === null || !("steps" in value) || !Array.isArray(value.steps)) {
    throw new Unreadable(`line ${number} is not a trace: it has no steps`)
  }
  return value as Trace
}

const text = (trace: Trace, name: string): string => {
  const found = trace.blobs[name]
  if (found === undefined) throw new Unreadable(`the trace names a text ${name} that it does not hold`)
  return found
}
