/**
 * For which hosts a certificate speaks.
 *
 * Java: `ZKHostnameVerifier`.
 */
import * as Net from "node:net"
import type { X509Certificate } from "node:crypto"

/** The names in a certificate that count. */
export interface Names {
  /** Lower-case, perhaps with a wildcard. */
  readonly dns: ReadonlyArray<string>
  /** In their shortest form. */
  readonly ips: ReadonlyArray<string>
  /** The most specific common name; counts only where there is none of the others. */
  readonly commonName: string | null
}

/** The names in a certificate. */
export const namesOf = (certificate: X509Certificate): Names => {
  const dns: Array<string> = []
  const ips: Array<string> = []
  for (const [kind, value] of alternativeNames(certificate.subjectAltName ?? "")) {
    if (kind === "DNS") dns.push(value.toLowerCase())
    if (kind === "IP Address") ips.push(normalizeIp(value))
  }
  // Several come as an array, the most specific last.
  const { CN } = certificate.toLegacyObject().subject as { readonly CN?: string | ReadonlyArray<string> }
  return { dns, ips, commonName: [CN ?? []].flat().at(-1) ?? null }
}

/** Does one of the names fit the host, a name or an address? */
export const fits = ({ commonName, dns, ips }: Names, host: string): boolean => {
  if (dns.length === 0 && ips.length === 0) return commonName !== null && matches(commonName, host)
  return Net.isIP(host) === 0 ? dns.some((pattern) => matches(pattern, host)) : ips.includes(normalizeIp(host))
}

/** The names, for people. */
export const describe = ({ commonName, dns, ips }: Names): string => {
  const all = [...dns, ...ips]
  return all.length > 0 ? all.join(", ") : commonName ?? "nobody"
}

/** An address in its shortest form; an IPv4 address within IPv6 as IPv4. What is no address stays as it is. */
export const normalizeIp = (text: string): string => {
  if (Net.isIP(text) !== 6) return text
  const { address } = new Net.SocketAddress({ address: text, family: "ipv6" })
  return address.replace(/^::ffff:(?=\d+\.)/, "")
}

// One `*`, anywhere, stands for any text without a dot, for none too.
const matches = (pattern: string, host: string): boolean => {
  const [wanted, name] = [pattern.toLowerCase(), host.toLowerCase()]
  const star = wanted.indexOf("*")
  if (star < 0) return wanted === name
  const [prefix, suffix] = [wanted.slice(0, star), wanted.slice(star + 1)]
  return name.length >= prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix) &&
    !name.slice(prefix.length, name.length - suffix.length).includes(".")
}

// `DNS:a, IP Address:1.2.3.4`; Node puts a value into JSON's quotes that could be mistaken for more than one.
const alternativeNames = (text: string): ReadonlyArray<readonly [kind: string, value: string]> =>
  Array.from(text.matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g), ([, kind = "", value = ""]) =>
    [kind, value.startsWith("\"") ? JSON.parse(value) as string : value] as const)
