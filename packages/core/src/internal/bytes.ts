/** UTF-8 as Java reads it: malformed input becomes U+FFFD, and a byte order mark is a character. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const encoder = new TextEncoder()

/** Bytes to text; never fails. */
export const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Text to bytes. */
export const encodeText = (text: string): Uint8Array => encoder.encode(text)

/** A view of these bytes and no others. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
