/**
 * Literal IP addresses in the one form in which Java prints them.
 *
 * Java reads the host of a configuration line into an `InetAddress` and prints
 * that, so two spellings of one address become the same text. Names stay as they
 * are written; nothing is looked up.
 */
import * as Option from "effect/Option"

/**
 * The host as Java prints it: IPv4 with four decimal parts, IPv6 uncompressed in
 * lower case, an IPv4-mapped IPv6 address as IPv4, and no host at all as
 * `localhost`. A literal with a zone (`fe80::1%eth0`) stays as it is, because its
 * form depends on the network interfaces of the host.
 * Java: InetSocketAddress.getHostString.
 */
export const normalizeHost = (host: string): string => {
  if (host === "") return "localhost"
  const address = Option.orElse(parseIPv4(host), () => parseIPv6(host))
  return Option.isSome(address) ? format(address.value) : host
}

type Groups = ReadonlyArray<number>

/** One to four parts, decimal whatever their leading zeros; the last part fills what is left. */
const parseIPv4 = (text: string): Option.Option<Groups> => {
  if (text.length > 15 || !/^\d+(\.\d+){0,3}$/.test(text)) return Option.none()
  const parts = text.split(".").map(Number)
  const last = parts.pop()!
  if (parts.some((part) => part > 255) || last >= 256 ** (4 - parts.length)) return Option.none()
  const value = parts.reduce((sum, part, index) => sum + part * 256 ** (3 - index), last)
  return Option.some([0, 0, 0, 0, 0, 0xffff, Math.floor(value / 65536), value % 65536])
}

const parseIPv6 = (text: string): Option.Option<Groups> => {
  const [head = "", tail, ...more] = text.split("::")
  if (!text.includes(":") || more.length > 0) return Option.none()
  return Option.flatMap(parseGroups(head, tail === undefined), (front) => {
    if (tail === undefined) return front.length === 8 ? Option.some(front) : Option.none()
    return Option.flatMap(parseGroups(tail, true), (back) => {
      const missing = 8 - front.length - back.length
      return missing > 0 ? Option.some([...front, ...Array<number>(missing).fill(0), ...back]) : Option.none()
    })
  })
}

const parseGroups = (text: string, mayEndInIPv4: boolean): Option.Option<Groups> => {
  if (text === "") return Option.some([])
  const pieces = text.split(":")
  const groups: Array<number> = []
  for (const [index, piece] of pieces.entries()) {
    if (/^0*[0-9a-f]{1,4}$/i.test(piece)) {
      groups.push(Number.parseInt(piece, 16))
    } else {
      const embedded = mayEndInIPv4 && index === pieces.length - 1 && /^(\d+\.){3}\d+$/.test(piece)
        ? parseIPv4(piece)
        : Option.none()
      if (Option.isNone(embedded)) return Option.none()
      groups.push(...embedded.value.slice(6))
    }
  }
  return Option.some(groups)
}

const format = (groups: Groups): string => {
  const isIPv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (!isIPv4) return groups.map((group) => group.toString(16)).join(":")
  return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]).join(".")
}
