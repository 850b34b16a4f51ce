/**
 * What has arrived of something that is not complete yet. A piece is joined with
 * those before it only when it is as long, so that much in many small pieces takes
 * little more time, and little more memory, than in few.
 */

/** The pieces, the last one first, and how many bytes they are together. */
export interface Pieces {
  readonly size: number
  readonly last: Piece | null
}

interface Piece {
  readonly bytes: Uint8Array
  readonly before: Piece | null
}

/** Nothing has arrived. */
export const empty: Pieces = { size: 0, last: null }

/** One more piece. The pieces get shorter towards the end, so there are few, and a byte is copied about as often. */
export const append = ({ last, size }: Pieces, chunk: Uint8Array): Pieces => {
  if (chunk.length === 0) return { size, last }
  let bytes = chunk
  let before = last
  for (; before !== null && before.bytes.length <= bytes.length; before = before.before) {
    const joined = new Uint8Array(before.bytes.length + bytes.length)
    joined.set(before.bytes)
    joined.set(bytes, before.bytes.length)
    bytes = joined
  }
  return { size: size + chunk.length, last: { bytes, before } }
}

/** All of it in one piece. Copies, unless it is one already. */
export const join = ({ last, size }: Pieces): Uint8Array => {
  if (last !== null && last.before === null) return last.bytes
  const whole = new Uint8Array(size)
  let end = size
  for (let piece = last; piece !== null; piece = piece.before) {
    end -= piece.bytes.length
    whole.set(piece.bytes, end)
  }
  return whole
}
