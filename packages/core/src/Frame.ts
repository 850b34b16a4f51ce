/**
 * Frames on an election connection: a signed 32-bit length, big endian, and that
 * many bytes; nothing else, no heartbeat, no goodbye.
 *
 * Java: `QuorumCnxManager.SendWorker.send`, `RecvWorker.run`.
 */
import * as Result from "effect/Result"
import { MalformedFrame } from "./CodecError.ts"
import { viewOf } from "./internal/bytes.ts"

/** The largest payload, 512 KiB. Java: QuorumCnxManager.PACKETMAXSIZE. */
export const PACKET_MAX_SIZE = 524_288

const HEADER_SIZE = 4

/**
 * What has arrived of a frame that is not complete yet; at most 4 + `PACKET_MAX_SIZE`
 * bytes less one. A piece is joined with those before it only when it is as long,
 * so that a frame in many small pieces takes little more time, and little more
 * memory, than one in few.
 */
export interface Rest {
  readonly size: number
  /** How many bytes the frame has with its length; the length's own until that is known. */
  readonly needed: number
  readonly pieces: Pieces | null
}

interface Pieces {
  readonly last: Uint8Array
  readonly before: Pieces | null
}

/** Nothing has arrived. */
export const empty: Rest = { size: 0, needed: HEADER_SIZE, pieces: null }

/** The payload with its length before it, in one piece, so that it can be one write. */
export const encode = (payload: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(HEADER_SIZE + payload.length)
  viewOf(frame).setInt32(0, payload.length)
  frame.set(payload, HEADER_SIZE)
  return frame
}

/**
 * Takes the next piece of the stream and gives the payloads it completes and what
 * is left over. Payloads that lie within the piece are views of it, not copies.
 * Fails at the first bad length; frames completed before it in the same piece are
 * lost with the connection.
 */
export const decode = (
  rest: Rest,
  chunk: Uint8Array
): Result.Result<{ readonly payloads: ReadonlyArray<Uint8Array>; readonly rest: Rest }, MalformedFrame> => {
  const pieces = chunk.length === 0 ? rest.pieces : append(rest.pieces, chunk)
  const size = rest.size + chunk.length
  if (size < rest.needed) return Result.succeed({ payloads: [], rest: { size, needed: rest.needed, pieces } })
  const bytes = join({ size, needed: rest.needed, pieces })
  const view = viewOf(bytes)
  const payloads: Array<Uint8Array> = []
  let offset = 0
  let needed = HEADER_SIZE
  while (bytes.length - offset >= HEADER_SIZE) {
    const length = view.getInt32(offset)
    if (length < 1 || length > PACKET_MAX_SIZE) return Result.fail(new MalformedFrame({ length }))
    const end = offset + HEADER_SIZE + length
    if (end > bytes.length) {
      needed = HEADER_SIZE + length
      break
    }
    payloads.push(bytes.subarray(offset + HEADER_SIZE, end))
    offset = end
  }
  const left = bytes.subarray(offset)
  const pending = left.length === 0 ? null : { last: left, before: null }
  return Result.succeed({ payloads, rest: { size: left.length, needed, pieces: pending } })
}

// The pieces get shorter towards the end, so there are few, and a byte is copied about as often as there are pieces.
const append = (pieces: Pieces | null, chunk: Uint8Array): Pieces => {
  let last = chunk
  let before = pieces
  for (; before !== null && before.last.length <= last.length; before = before.before) {
    const joined = new Uint8Array(before.last.length + last.length)
    joined.set(before.last)
    joined.set(last, before.last.length)
    last = joined
  }
  return { last, before }
}

/** What has arrived, in one piece. Copies, unless it is one already. */
export const join = ({ pieces, size }: Rest): Uint8Array => {
  if (pieces !== null && pieces.before === null) return pieces.last
  const whole = new Uint8Array(size)
  let end = size
  for (let piece = pieces; piece !== null; piece = piece.before) {
    end -= piece.last.length
    whole.set(piece.last, end)
  }
  return whole
}
