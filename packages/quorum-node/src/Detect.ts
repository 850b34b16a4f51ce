/**
 * Tells TLS from plain bytes by the first five of them.
 *
 * A plain handshake of a peer begins with `ff ff`, one of 3.4 with the zeros of a
 * small sid, and neither looks like a TLS record.
 */

/** What the first bytes of a connection show. `Undecided`: more of them are needed. */
export type Detected = "Tls" | "Plain" | "Undecided"

/** A TLS record begins with its type, two bytes of version, and its length. */
export const HEADER_SIZE = 5

/**
 * What begins like this? A TLS record has a known type, the major version 3, and is
 * not empty. A byte that cannot be TLS decides at once. Java:
 * UnifiedServerSocket.detectMode, Netty's SslHandler.isEncrypted, which look only
 * once; older ones see TLS in an SSL 2 greeting too.
 */
export const detect = (head: Uint8Array): Detected => {
  const [type, major, , high, low] = head
  if (type !== undefined && (type < FIRST_TYPE || type > LAST_TYPE)) return "Plain"
  if (major !== undefined && major !== MAJOR_VERSION) return "Plain"
  if (high === undefined || low === undefined) return "Undecided"
  return high === 0 && low === 0 ? "Plain" : "Tls"
}

// change_cipher_spec, alert, handshake, application_data, heartbeat (RFC 8446 B.1, RFC 6520).
const FIRST_TYPE = 20
const LAST_TYPE = 24

// Of SSL 3.0 and every TLS there is.
const MAJOR_VERSION = 3
