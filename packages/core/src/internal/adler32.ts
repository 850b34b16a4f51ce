/**
 * Adler-32, as ZooKeeper seals its files with it. Java: `java.util.zip.Adler32`.
 */

/** The checksum of nothing. */
export const EMPTY = 1

// The largest prime below 2^16, and how many bytes can be added before a sum needs more than 32 bits. RFC 1950.
const BASE = 65_521
const RUN_MAX = 5_552

/** The checksum of what had the checksum `adler` with these bytes after it; unsigned 32 bits. */
export const update = (adler: number, bytes: Uint8Array): number => {
  let low = adler & 0xffff
  let high = adler >>> 16
  for (let start = 0; start < bytes.length; start += RUN_MAX) {
    const end = Math.min(start + RUN_MAX, bytes.length)
    for (let index = start; index < end; index++) {
      low += bytes[index]!
      high += low
    }
    low %= BASE
    high %= BASE
  }
  return ((high << 16) | low) >>> 0
}
