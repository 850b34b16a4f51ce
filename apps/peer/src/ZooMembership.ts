/**
 * Who the members are and which of them we are: the part of a configuration that
 * needs more files than `zoo.cfg`.
 */
import * as Address from "@conclave/core/Address"
import * as DynamicConfig from "@conclave/core/DynamicConfig"
import type { InvalidConfig } from "@conclave/core/InvalidConfig"
import type { QuorumVerifier } from "@conclave/core/QuorumVerifier"
import * as Sid from "@conclave/core/Sid"
import * as Result from "effect/Result"
import type { Draft } from "./ZooConfig.ts"
import { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooSettings from "./ZooSettings.ts"

/** A file that was read, and its name for messages. */
export interface FileText {
  readonly file: string
  readonly text: string
}

/** The files a `zoo.cfg` needs. */
export interface Files {
  /** `<dataDir>/myid`. */
  readonly myid: FileText
  /** The file that `dynamicConfigFile` names; absent if it names none. */
  readonly dynamic: FileText | null
  /** A configuration that was seen and is not in force yet, `<zoo.cfg>.dynamic.next`; absent if there is none. */
  readonly next: FileText | null
}

/** The members, and who we are among them. */
export interface Membership {
  readonly mySid: Sid.Sid
  readonly verifier: QuorumVerifier
  readonly lastSeen: QuorumVerifier | null
  readonly warnings: ReadonlyArray<ZooSettings.Warning>
}

/** The membership of a `zoo.cfg` and its files. */
export const parse = (draft: Draft, files: Files): Result.Result<Membership, ZooConfigError> =>
  Result.gen(function*() {
    const settings = files.dynamic === null ? draft.settings : yield* readDynamic(draft, files.dynamic)
    const verifier = yield* parseVerifier(draft, settings)
    const mySid = yield* parseMyid(files.myid)
    const me = verifier.servers.get(mySid)
    if (me === undefined) {
      const key = `server.${mySid}`
      return yield* Result.fail(missingFromList(settings.file, key, files.myid, verifier))
    }
    const warnings = [...(files.dynamic === null ? [] : settings.warnings), ...adviceOnSize(draft, verifier)]
    warnings.push(...adviceOnFlags(draft), ...(yield* checkPeerType(draft, me.role)))
    warnings.push(...(yield* checkClientPort(draft, mySid, me.clientAddress)))
    return { mySid, verifier, lastSeen: yield* parseNext(draft, files.next), warnings }
  })

/** The sid in a `myid` file: its first line, without surrounding blanks. */
export const parseMyid = ({ file, text }: FileText): Result.Result<Sid.Sid, ZooConfigError> => {
  const line = text.split(/\r\n|\r|\n/)[0] ?? ""
  const digits = line.trim()
  const sid = /^[+-]?\d{1,20}$/.test(digits) ? BigInt(digits.replace("+", "")) : undefined
  return sid !== undefined && sid >= Sid.MIN_VALUE && sid <= Sid.MAX_VALUE
    ? Result.succeed(sid)
    : Result.fail(
      new ZooConfigError({
        file,
        line: 1,
        key: "myid",
        text: line,
        problem: `serverid ${digits} is not a number`,
        remedy: "let the file hold nothing but the N of this server's server.N line"
      })
    )
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const missingFromList = (
  list: string,
  key: string,
  { file, text }: FileText,
  { version }: QuorumVerifier
): ZooConfigError =>
  new ZooConfigError({
    file,
    line: 1,
    key: "myid",
    text: text.split(/\r\n|\r|\n/)[0] ?? "",
    problem: `My id ${key.slice(7)} not in the peer list of ${list}`,
    remedy: version > 0n
      ? `if the others removed this server: write ${key}=host:quorumPort:electionPort there, start it, and ` +
        "add it with reconfig -add; otherwise correct the id here"
      : `add a line ${key}=host:quorumPort:electionPort there on every server, or correct the id here`
  })

/** What to do about a file of a pending configuration that cannot be used. */
export const NEXT_REMEDY =
  "restore the file; remove it only if no reconfiguration was under way, which the other servers can tell"

const parseNext = ({ options, settings }: Draft, next: FileText | null) =>
  next === null
    ? Result.succeed(null)
    : Result.mapError(
      DynamicConfig.parse(next.text, dynamicOptions(options, settings)),
      ({ key, problem }) =>
        new ZooConfigError({
          file: next.file,
          line: null,
          key,
          text: null,
          problem: `${key}: ${problem}`,
          remedy: NEXT_REMEDY
        })
    )

const dynamicOptions = (options: Draft["options"], settings: ZooSettings.Settings): DynamicConfig.Options => ({
  standaloneEnabled: options.standaloneEnabled,
  multiAddress: options.multiAddressEnabled,
  oraclePath: settings.byKey.get("oraclePath")?.value
})

const readDynamic = (draft: Draft, dynamic: FileText): Result.Result<ZooSettings.Settings, ZooConfigError> =>
  Result.gen(function*() {
    for (const setting of draft.settings.byKey.values()) {
      if (!DynamicConfig.isMembershipKey(setting.key)) continue
      return yield* ZooSettings.fail(
        setting,
        `parameter: ${setting.key} must be in a separate dynamic config file`,
        `move the line to ${dynamic.file}, or remove the line dynamicConfigFile`
      )
    }
    const settings = yield* ZooSettings.read(dynamic.text, { file: dynamic.file })
    for (const setting of settings.byKey.values()) {
      if (DynamicConfig.isMembershipKey(setting.key)) continue
      return yield* setting.key === "version"
        ? ZooSettings.fail(
          setting,
          "dynamic file shouldn't have version inside",
          "remove the line; the version is the hexadecimal number at the end of the file's name"
        )
        : ZooSettings.fail(
          setting,
          `Unrecognised parameter: ${setting.key}`,
          `only server.N, group.G and weight.N may be here; move the line to ${draft.settings.file}`
        )
    }
    return settings
  })

/** The version of a dynamic file is the end of its name, if that is hexadecimal. Java: getVersionFromFilename. */
const versionOf = (file: string): string => /\.(0*[0-7]?[0-9a-fA-F]{1,15})$/.exec(file)?.[1] ?? "0"

const parseVerifier = (
  draft: Draft,
  settings: ZooSettings.Settings
): Result.Result<QuorumVerifier, ZooConfigError> =>
  Result.gen(function*() {
    const dynamic = settings !== draft.settings
    const entries = ZooSettings.toEntries(settings)
    const version = { key: "version", value: versionOf(settings.file), line: 0, earlier: [] }
    const options = dynamicOptions(draft.options, draft.settings)
    const verifier = DynamicConfig.fromEntries(dynamic ? [...entries, version] : entries, options)
    if (Result.isFailure(verifier)) return yield* explain(draft, settings, verifier.failure)
    if (verifier.success.servers.size > 0) return verifier.success
    return yield* ZooSettings.failAt(
      settings,
      "server.N",
      "there is no server.N line, so there is nobody to elect",
      "write one line server.N=host:quorumPort:electionPort for every member"
    )
  })

const explain = (
  draft: Draft,
  settings: ZooSettings.Settings,
  { key, problem }: InvalidConfig
): Result.Result<never, ZooConfigError> => {
  const form = key.startsWith("server.")
    ? "server.N=host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort]"
    : key.startsWith("group")
    ? "group.G=sid:sid:..., each server in one group only"
    : key.startsWith("weight")
    ? "weight.N=number"
    : "server.N lines of which enough take part, the same on every server"
  // The core names a server by its number; the file may have written it with a sign or zeros.
  const spelt = Array.from(settings.byKey.keys()).find((other) => other.replace(/\.\+?0*(?=\d)/, ".") === key)
  if (spelt === undefined && draft.settings.byKey.has(key)) {
    return ZooSettings.failAt(draft.settings, key, problem, `there must be ${form}`)
  }
  return ZooSettings.failAt(settings, spelt ?? key, problem, `there must be ${form}`)
}

/** Java says this in its log. */
const adviceOnSize = ({ options }: Draft, verifier: QuorumVerifier): ReadonlyArray<ZooSettings.Warning> => {
  const voters = verifier.voters.size
  const warn = (message: string) => [{ key: "server.N", line: null, message }]
  if (voters === 1 && options.standaloneEnabled) {
    return warn("only one server specified: ZooKeeper would run without elections, this peer elects itself")
  }
  if (voters <= 2 && verifier._tag !== "Oracle") {
    return warn("No server failure will be tolerated. You need at least 3 servers.")
  }
  return verifier._tag === "Majority" && voters % 2 === 0
    ? warn(`Non-optimal configuration, consider an odd number of servers: ${voters} outlive no more than ${voters - 1}`)
    : []
}

// What the ensemble changes is written to files, and a flag counts instead of them.
const adviceOnFlags = ({ options, settings }: Draft): ReadonlyArray<ZooSettings.Warning> =>
  Array.from(settings.byKey.values())
    .filter(({ key, line }) => line === null && (key === "dynamicConfigFile" || DynamicConfig.isMembershipKey(key)))
    .filter(() => options.reconfigEnabled)
    .map(({ key, source }) => ({
      key,
      line: null,
      message: `${key} is given by ${source}: at the next start it will count instead of what the ensemble has changed`
    }))

const checkPeerType = (
  { settings }: Draft,
  role: string
): Result.Result<ReadonlyArray<ZooSettings.Warning>, ZooConfigError> => {
  const setting = settings.byKey.get("peerType")
  if (setting === undefined) return Result.succeed([])
  const { key, line, value } = setting
  const peerType = value.toLowerCase()
  if (peerType !== "participant" && peerType !== "observer") {
    return ZooSettings.fail(
      setting,
      `Unrecognised peertype: ${value}`,
      "write peerType=participant or peerType=observer, or leave the line out: the server.N line decides"
    )
  }
  return Result.succeed(
    peerType === role
      ? []
      : [{ key, line, message: `peerType is ${peerType}, but the server list says ${role}; the list counts` }]
  )
}

/** The client port of `zoo.cfg` must be the one of our own `server.N` line, if both are there. */
const checkClientPort = (
  { settings }: Draft,
  mySid: Sid.Sid,
  listed: Address.Address | null
): Result.Result<ReadonlyArray<ZooSettings.Warning>, ZooConfigError> =>
  Result.gen(function*() {
    const limits = { fallback: 0, minimum: 0, maximum: 65535, example: 2181, unit: "a port" }
    const port = yield* ZooSettings.integer(settings, "clientPort", limits)
    const host = settings.byKey.get("clientPortAddress")
    if (port === 0) {
      if (host === undefined) return []
      return yield* ZooSettings.fail(
        host,
        "clientPortAddress is set but clientPort is not set",
        "add clientPort=2181, or remove the line"
      )
    }
    if (listed !== null && listed.port !== port) {
      return yield* ZooSettings.failAt(
        settings,
        "clientPort",
        `client address for this server (id = ${mySid}) in static config file is ${host?.value ?? "0.0.0.0"}:${port}` +
          ` is different from client address found in dynamic file: ${Address.format(listed)}`,
        `write clientPort=${listed.port}, or leave the line out: the server.${mySid} line names the port`
      )
    }
    return []
  })
