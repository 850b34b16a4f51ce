/**
 * The value of a `server.N` line: where a member listens, whether it votes, and
 * where its clients go.
 *
 * ```
 * value  := one { "|" one } [ ";" client ]
 * one    := host ":" quorumPort ":" electionPort [ ":" role ]
 * role   := participant | observer
 * client := port | host ":" port
 * ```
 *
 * Names are not resolved here. Literal addresses take the form in which ZooKeeper
 * prints them. The opposite direction is QuorumServer.format.
 *
 * Java: QuorumServer.initializeWithAddressString.
 */
import * as Result from "effect/Result"
import * as Address from "./Address.ts"
import { InvalidConfig } from "./InvalidConfig.ts"
import { trim } from "./internal/javaNumber.ts"
import { normalizeHost } from "./internal/literalAddress.ts"
import type { LearnerType, QuorumServer, ServerAddress } from "./QuorumServer.ts"
import type { Sid } from "./Sid.ts"

/** What the line may use. */
export interface Options {
  /** May a server have several addresses, separated by `|`? Peers before 3.6 do not understand them. */
  readonly multiAddress: boolean
}

/**
 * The member that `server.<sid>=<value>` describes. A third part, by which newer
 * ZooKeepers name a secure client port, is refused as ZooKeeper 3.8 does, and so
 * is a line with no address at all, which Java takes.
 */
export const parse = (
  sid: Sid,
  value: string,
  options: Options
): Result.Result<QuorumServer, InvalidConfig> =>
  Result.mapError(
    parseValue(sid, value, options),
    (problem) => new InvalidConfig({ key: `server.${sid}`, problem })
  )

const parseValue = (sid: Sid, value: string, { multiAddress }: Options): Result.Result<QuorumServer, string> =>
  Result.gen(function*() {
    const [list = "", client, ...more] = split(value, ";")
    const texts = split(list, "|")
    if (more.length > 0 || texts.length === 0) return yield* Result.fail(wrongForm(value))
    if (texts.length > 1 && !multiAddress) {
      return yield* Result.fail(
        `Multiple address feature is disabled, but multiple addresses were specified for sid ${sid}; ` +
          "set multiAddress.enabled=true on every member, or give one address"
      )
    }
    const clientAddress = client === undefined ? null : yield* parseClient(value, client)
    const addresses = new Map<string, ServerAddress>()
    let role: LearnerType | undefined
    for (const text of texts) {
      const one = yield* parseOne(sid, value, text)
      if (role !== undefined && one.role !== undefined && role !== one.role) {
        return yield* Result.fail(
          `Multiple addresses should have similar roles: ${role} vs ${one.role}; give the role once, after any address`
        )
      }
      role ??= one.role
      // Java keeps addresses in sets: what is written twice is there once.
      const { electionPort, host, quorumPort } = one.address
      addresses.set(`${host} ${quorumPort} ${electionPort}`, one.address)
    }
    return { sid, role: role ?? "participant", addresses: Array.from(addresses.values()), clientAddress }
  })

const parseOne = (
  sid: Sid,
  value: string,
  text: string
): Result.Result<{ readonly address: ServerAddress; readonly role: LearnerType | undefined }, string> =>
  Result.gen(function*() {
    const [host, quorum, election, role, ...more] = yield* Address.split(text)
    if (host === undefined || quorum === undefined || election === undefined || more.length > 0) {
      return yield* Result.fail(wrongForm(value))
    }
    const quorumPort = yield* parsePort(host, quorum)
    const electionPort = yield* parsePort(host, election)
    if (quorumPort === electionPort) {
      return yield* Result.fail(
        `Client and election port must be different! Please update the configuration file on server.${sid}; ` +
          `quorum port and election port are both ${quorumPort}`
      )
    }
    return {
      address: { host: normalizeHost(host), quorumPort, electionPort },
      role: role === undefined ? undefined : yield* parseRole(role)
    }
  })

const parseClient = (value: string, text: string): Result.Result<Address.Address, string> =>
  Result.gen(function*() {
    const [first = "", second, ...more] = yield* Address.split(text)
    if (more.length > 0) return yield* Result.fail(wrongForm(value))
    return second === undefined
      ? { host: "0.0.0.0", port: yield* parsePort("0.0.0.0", first) }
      : { host: normalizeHost(first), port: yield* parsePort(first, second) }
  })

const parsePort = (host: string, text: string): Result.Result<number, string> =>
  Result.mapError(Address.parsePort(text), (problem) => `Address unresolved: ${host}:${text}; ${problem}`)

const parseRole = (text: string): Result.Result<LearnerType, string> => {
  const role = trim(text).toLowerCase()
  return role === "participant" || role === "observer"
    ? Result.succeed(role)
    : Result.fail(`Unrecognised peertype: ${text}; write participant or observer`)
}

const wrongForm = (value: string): string =>
  `${value} does not have the form server_config or server_config;client_config, where server_config is ` +
  "host:quorumPort:electionPort[:role], several separated by '|', IPv6 literals in brackets, " +
  "and client_config is port or host:port"

// Java's String.split: trailing empty pieces vanish, and of separators only nothing is left.
const split = (text: string, separator: string): ReadonlyArray<string> => {
  const pieces = text.split(separator)
  if (pieces.length > 1) while (pieces.at(-1) === "") pieces.pop()
  return pieces
}
