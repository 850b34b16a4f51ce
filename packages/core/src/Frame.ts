/**
 * Frames on an election connection: a signed 32-bit length, big endian, and that
 * many bytes; nothing else, no heartbeat, no goodbye.
 *
 * Java: `QuorumCnxManager.SendWorker.send`, `RecvWorker.run`.
 */
import * as Result from "effect/Result"
import { MalformedFrame } from "./CodecError.ts"
import { viewOf } from "./internal/bytes.ts"
import * as Pieces from "./internal/pieces.ts"

/** The largest payload, 512 KiB. Java: QuorumCnxManager.PACKETMAXSIZE. */
export const PACKET_MAX_SIZE = 524_288

const HEADER_SIZE = 4

/** What has arrived of a frame that is not complete yet; at most 4 + `PACKET_MAX_SIZE` bytes less one. */
export interface Rest {
  readonly pieces: Pieces.Pieces
  /** How many bytes the frame has with its length; the length's own until that is known. */
  readonly needed: number
}

/** Nothing has arrived. */
export const empty: Rest = { pieces: Pieces.empty, needed: HEADER_SIZE }

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
  const pieces = Pieces.append(rest.pieces, chunk)
  if (pieces.size < rest.needed) return Result.succeed({ payloads: [], rest: { pieces, needed: rest.needed } })
  const bytes = Pieces.join(pieces)
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
  return Result.succeed({ payloads, rest: { pieces: Pieces.append(Pieces.empty, bytes.subarray(offset)), needed } })
}

/** What has arrived, in one piece. Copies, unless it is one already. */
export const join = ({ pieces }: Rest): Uint8Array => Pieces.join(pieces)
