/**
 * Reads a long stream field by field without keeping it: a field is looked at when it
 * is complete, what stands between fields is passed over, and everything goes into a
 * checksum on the way. Between two chunks only the beginning of one field is kept.
 */
import * as Result from "effect/Result"
import * as Adler32 from "./adler32.ts"
import { viewOf } from "./bytes.ts"

/** Where a reader stands. A format adds what it has to remember. */
export interface Position {
  /** The offset of the field that comes next, or of what is passed over before it. */
  readonly offset: number
  /** How many bytes to pass over before the next field. */
  readonly skip: number
  /** The beginning of the next field. */
  readonly held: Uint8Array
  /** The checksum of what was passed over and read so far. */
  readonly adler: number
}

/** The beginning of a stream. */
export const start: Position = { offset: 0, skip: 0, held: new Uint8Array(), adler: Adler32.EMPTY }

/** A format. Both functions get the same draft of the state, which `read` may change. */
export interface Format<State extends Position, Problem> {
  /** The length of the field that comes next; 0 when nothing more is wanted. */
  readonly size: (draft: Draft<State>) => number
  /** Takes the field at `at`; `before` is the checksum of everything before it. */
  readonly read: (draft: Draft<State>, view: DataView, at: number, before: number) => Problem | null
}

/** A state while a chunk is read. */
export type Draft<State> = { -readonly [Key in keyof State]: State[Key] }

/** What is wrong, and where the field begins that says so. */
export interface Wrong<Problem> {
  readonly problem: Problem
  readonly offset: number
}

/** A state, and what of the chunk nobody wanted. */
export interface Fed<State> {
  readonly state: State
  readonly rest: Uint8Array
}

/** Takes the next chunk of the stream. The state that is given stays as it is. */
export const feed = <State extends Position, Problem>(
  format: Format<State, Problem>,
  state: State,
  chunk: Uint8Array
): Result.Result<Fed<State>, Wrong<Problem>> => {
  const draft: Draft<State> = { ...state }
  const bytes = state.held.length === 0 ? chunk : join(state.held, chunk)
  const view = viewOf(bytes)
  draft.held = start.held
  let at = 0
  while (true) {
    const passed = Math.min(draft.skip, bytes.length - at)
    take(draft, bytes, at, at + passed)
    draft.skip -= passed
    at += passed
    const size = draft.skip > 0 ? 1 : format.size(draft)
    if (size === 0) return Result.succeed({ state: draft, rest: bytes.subarray(at) })
    if (bytes.length - at < size) {
      // A copy, so that a few bytes do not keep a whole chunk.
      draft.held = bytes.slice(at)
      return Result.succeed({ state: draft, rest: start.held })
    }
    const { adler: before, offset } = draft
    take(draft, bytes, at, at + size)
    const problem = format.read(draft, view, at, before)
    if (problem !== null) return Result.fail({ problem, offset })
    at += size
  }
}

const take = (draft: Draft<Position>, bytes: Uint8Array, from: number, to: number): void => {
  if (from === to) return
  draft.adler = Adler32.update(draft.adler, bytes.subarray(from, to))
  draft.offset += to - from
}

const join = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const joined = new Uint8Array(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}
