/**
 * Where a peer can be reached: a host, by name or literal, and a port.
 *
 * Nothing here resolves a name; that is the transport's work, anew for every
 * attempt.
 */
import * as Result from "effect/Result"
import { normalizeHost } from "./internal/literalAddress.ts"

/** A host (a name, an IPv4 literal, or an IPv6 literal without brackets) and a TCP port, 0 to 65535. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `host:port`, with brackets around a host that contains a colon. */
export const format = (address: Address): string => `${formatHost(address.host)}:${address.port}`

/** The host as it stands before a port: IPv6 literals in brackets. */
export const formatHost = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/**
 * Splits `host:port:port…` into its pieces; an IPv6 literal must stand in
 * brackets. Trailing empty pieces vanish, and after a closing bracket exactly one
 * character is skipped, whatever it is. Java: ConfigUtils.getHostAndPort.
 */
export const split = (text: string): Result.Result<ReadonlyArray<string>, string> => {
  if (!text.startsWith("[")) return Result.succeed(splitJava(text))
  const close = text.indexOf("]")
  if (close < 0) return Result.fail(`${text} starts with '[' but has no closing ']'`)
  const host = text.slice(1, close)
  if (close + 1 === text.length) return Result.succeed([host])
  if (close + 2 === text.length) return Result.fail(`${text} doesn't have a port after colon`)
  return Result.succeed([host, ...splitJava(text.slice(close + 2))])
}

/** Is this the address that means every interface, `0.0.0.0` or `::` in any spelling? Names are never wildcards. */
export const isWildcard = (address: Address): boolean => wildcards.has(normalizeHost(address.host))

/** All interfaces, IPv6 and IPv4, once for each port of these. Java: getWildcardAddresses. */
export const onAllInterfaces = (addresses: ReadonlyArray<Address>): ReadonlyArray<Address> =>
  Array.from(new Set(addresses.map(({ port }) => port)), (port) => ({ host: "::", port }))

const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "0:0:0:0:0:0:0:0"])

/** A decimal port, 0 to 65535. */
export const parsePort = (text: string): Result.Result<number, string> => {
  if (!/^[+-]?\d+$/.test(text)) return Result.fail(`${text} is not a port number`)
  // Adding zero turns the -0 of "-0" into 0.
  const port = Number(text) + 0
  return port >= 0 && port <= 65535 ? Result.succeed(port) : Result.fail(`port ${text} is outside 0..65535`)
}

// Java's String.split drops trailing empty strings, but keeps a lone empty one.
const splitJava = (text: string): ReadonlyArray<string> => {
  const pieces = text.split(":")
  while (pieces.length > 1 && pieces.at(-1) === "") pieces.pop()
  return pieces
}
