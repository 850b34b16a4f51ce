/**
 * Which protocols and cipher suites are offered, by the names that ZooKeeper's
 * configuration has for them.
 */
import * as Tls from "node:tls"

/** The versions of TLS that are spoken, by the names Java and Node share; the older ones are broken (RFC 8996). */
export const protocols = ["TLSv1.2", "TLSv1.3"] as const

/** A version of TLS. */
export type Protocol = typeof protocols[number]

/** Is this the name of a version that is spoken? */
export const isProtocol = (name: string): name is Protocol => (protocols as ReadonlyArray<string>).includes(name)

/**
 * What ZooKeeper 3.8.0 offers on Java 9 and later, in its order, and after it the
 * suites of TLS 1.3, of which its list has none. Java: X509Util.
 */
export const defaults: ReadonlyArray<string> = [
  ...["AES128-GCM-SHA256", "AES256-GCM-SHA384"].flatMap((cipher) => [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`]),
  ...["AES128-SHA256", "AES128-SHA", "AES256-SHA384", "AES256-SHA"].flatMap((cipher) =>
    [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`]),
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256"
]

/** The name by which Node knows a suite, given Java's or OpenSSL's; nothing if Node does not know it. */
export const toOpenSsl = (name: string): string | undefined =>
  [name, fromJava(name)].find((candidate) => known.has(candidate.toLowerCase()))

const known = new Set(Tls.getCiphers())

// TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 is ECDHE-RSA-AES128-SHA256, TLS_RSA_WITH_... is AES128-SHA256 alone. The
// suites of TLS 1.3 are called the same by both.
const fromJava = (name: string): string => {
  const [exchange, cipher] = name.replace(/^(TLS|SSL)_/, "").split("_WITH_")
  if (exchange === undefined || cipher === undefined) return name
  const short = cipher
    .replace(/^CHACHA20_POLY1305_SHA256$/, "CHACHA20-POLY1305")
    .replace(/^AES_(\d+)_CBC_/, "AES$1-")
    .replace(/^AES_(\d+)_/, "AES$1-")
    .replaceAll("_", "-")
  return exchange === "RSA" ? short : `${exchange.replaceAll("_", "-")}-${short}`
}
