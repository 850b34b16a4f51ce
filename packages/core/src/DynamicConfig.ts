/**
 * The membership of the ensemble as text: `server.N`, `group.G` and `weight.N`
 * lines and a `version`, as files hold it and notifications carry it.
 *
 * Everything ZooKeeper answers with an error, checked or not, is an InvalidConfig
 * here: in the original a text from the network can end the thread that receives
 * notifications. The opposite direction is the `text` of a verifier.
 *
 * Three texts that Java takes are refused, because no quorum rule follows from
 * them: an id given twice in two spellings (`server.1` and `server.01`, where the
 * order of a hash table decides), a group of nobody, and a server without any
 * address.
 *
 * Java: QuorumPeer.configFromString, QuorumPeerConfig.parseDynamicConfig.
 */
import * as Result from "effect/Result"
import { InvalidConfig } from "./InvalidConfig.ts"
import { parseLong, trim } from "./internal/javaNumber.ts"
import * as properties from "./internal/properties.ts"
import type { QuorumServer } from "./QuorumServer.ts"
import * as QuorumVerifier from "./QuorumVerifier.ts"
import * as ServerLine from "./ServerLine.ts"

/** What the text does not say, but its meaning depends on. */
export interface Options extends ServerLine.Options {
  /** May the ensemble shrink to one server that needs no other? Java: `standaloneEnabled`. */
  readonly standaloneEnabled: boolean
  /** The oracle's file, when there is one. It makes every configuration a majority with oracle. */
  readonly oraclePath?: string | undefined
}

/** A key with its value and the lines on which it stands. */
export type Entry = properties.Property

/** A text that is not in properties syntax, and the line at fault. */
export type MalformedEntry = properties.MalformedProperty

/**
 * The entries of a configuration file or text, in properties syntax, by key.
 * Blanks at the ends of keys and values stay, except those before a value.
 */
export const entries: (text: string) => Result.Result<ReadonlyMap<string, Entry>, MalformedEntry> = properties.parse

/** Is this a key of the membership: `server.*`, `group*`, `weight*`? `version` is not, a static file may hold it. */
export const isMembershipKey = (key: string): boolean =>
  key.startsWith("server.") || key.startsWith("group") || key.startsWith("weight")

/**
 * The verifier a configuration text describes. Any other key than those of the
 * membership and `version` is an error. A text without members is a configuration
 * of version 0, or of the version it gives.
 */
export const parse = (
  text: string,
  options: Options
): Result.Result<QuorumVerifier.QuorumVerifier, InvalidConfig> =>
  Result.gen(function*() {
    const found = yield* Result.mapError(
      entries(text),
      ({ line, problem }) => new InvalidConfig({ key: `line ${line}`, problem })
    )
    for (const raw of found.keys()) {
      const key = trim(raw)
      if (!isMembershipKey(key) && key !== "version") {
        return yield* invalid(
          key,
          `Unrecognised parameter: ${key}; only server.N, group.G, weight.N and version may be here`
        )
      }
    }
    return yield* fromEntries(found.values(), options)
  })

/**
 * The verifier that the membership keys and the `version` among the entries
 * describe; other keys are passed over. Java: QuorumPeerConfig.parseDynamicConfig.
 */
export const fromEntries = (
  entries: Iterable<Entry>,
  options: Options
): Result.Result<QuorumVerifier.QuorumVerifier, InvalidConfig> =>
  Result.gen(function*() {
    const all = Array.from(entries)
    const hierarchical = all.some(({ key }) => isHierarchyKey(trim(key)))
    const members = { servers: yield* parseServers(all, options), version: yield* parseVersion(all) }
    const verifier: QuorumVerifier.QuorumVerifier = options.oraclePath !== undefined
      ? QuorumVerifier.oracle({ ...members, oraclePath: options.oraclePath })
      : hierarchical
      ? yield* QuorumVerifier.hierarchical({ ...members, ...(yield* parseHierarchy(all)) })
      : QuorumVerifier.majority(members)
    return yield* checkVoters(verifier, options)
  })

/**
 * The text of a dynamic configuration file: the lines of the configuration in the order of their characters, without a
 * line end after the last. The committed configuration has its version in the name of its file, and only a pending
 * one in a line. Java: QuorumPeerConfig.writeDynamicConfig.
 */
export const fileText = (verifier: QuorumVerifier.QuorumVerifier, { withVersion }: { withVersion: boolean }): string =>
  verifier.text.split("\n").filter((line) => withVersion || !line.startsWith("version=")).toSorted().join("\n")

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const invalid = (key: string, problem: string) => Result.fail(new InvalidConfig({ key, problem }))

// A prefix and nothing more: `groupFoo` makes a configuration hierarchical, and then is an error.
const isHierarchyKey = (key: string): boolean => key.startsWith("group") || key.startsWith("weight")

const parseServers = (
  entries: ReadonlyArray<Entry>,
  options: Options
): Result.Result<ReadonlyArray<QuorumServer>, InvalidConfig> =>
  Result.map(
    parseNumbered(entries, "server.", (sid, { value }) => ServerLine.parse(sid, value, options)),
    (servers) => Array.from(servers.values())
  )

const parseHierarchy = (
  entries: ReadonlyArray<Entry>
): Result.Result<QuorumVerifier.Hierarchy, InvalidConfig> =>
  Result.gen(function*() {
    const groups = yield* parseNumbered(entries, "group", (_, entry) => parseGroup(entry))
    const weights = yield* parseNumbered(entries, "weight", (_, { key, value }) => parseInteger(key, value, "a weight"))
    return { groups, weights }
  })

const parseGroup = ({ key, value }: Entry): Result.Result<ReadonlyArray<bigint>, InvalidConfig> =>
  Result.gen(function*() {
    const pieces = value.split(":")
    while (pieces.length > 1 && pieces.at(-1) === "") pieces.pop()
    const sids: Array<bigint> = []
    for (const piece of pieces) sids.push(yield* parseInteger(key, piece, "a server id (group.G=sid:sid:...)"))
    return sids
  })

const parseVersion = (entries: ReadonlyArray<Entry>): Result.Result<bigint, InvalidConfig> => {
  const entry = entries.find(({ key }) => key === "version")
  return entry === undefined
    ? Result.succeed(0n)
    : Result.fromOption(parseLong(entry.value, 16), () =>
      new InvalidConfig({
        key: "version",
        problem: `For input string: "${entry.value}"; a version is a hexadecimal number of 64 bits, without 0x`
      }))
}

/** The entries whose key is the prefix and, after its first dot, a number, by that number. */
const parseNumbered = <A>(
  entries: ReadonlyArray<Entry>,
  prefix: string,
  parseValue: (number: bigint, entry: Entry) => Result.Result<A, InvalidConfig>
): Result.Result<ReadonlyMap<bigint, A>, InvalidConfig> =>
  Result.gen(function*() {
    const found = new Map<bigint, A>()
    for (const entry of entries) {
      if (!entry.key.startsWith(prefix)) continue
      const number = yield* parseInteger(entry.key, entry.key.slice(entry.key.indexOf(".") + 1), "what follows the dot")
      if (found.has(number)) {
        return yield* invalid(entry.key, `${number} is given twice, in different spellings; remove one of the lines`)
      }
      found.set(number, yield* parseValue(number, entry))
    }
    return found
  })

const parseInteger = (key: string, text: string, what: string): Result.Result<bigint, InvalidConfig> =>
  Result.fromOption(parseLong(text, 10), () =>
    new InvalidConfig({ key, problem: `For input string: "${text}"; ${what} is a decimal number of 64 bits` }))

const checkVoters = (
  verifier: QuorumVerifier.QuorumVerifier,
  { standaloneEnabled }: Options
): Result.Result<QuorumVerifier.QuorumVerifier, InvalidConfig> => {
  const voters = verifier.voters.size
  const observers = verifier.servers.size - voters
  if (voters === 0 && !standaloneEnabled) {
    return invalid(
      "standaloneEnabled",
      "standaloneEnabled = false then number of participants should be >0; name at least one server.N that votes"
    )
  }
  if (voters === 0 && observers > 0) {
    return invalid("server", "Observers w/o participants is an invalid configuration; let a server.N be a participant")
  }
  if (voters === 1 && standaloneEnabled && observers > 0) {
    return invalid(
      "server",
      "Observers w/o quorum is an invalid configuration; add a participant or set standaloneEnabled=false"
    )
  }
  return Result.succeed(verifier)
}
