/**
 * A peer's configuration, as a standard `zoo.cfg` and the files beside it give
 * it.
 *
 * Nothing is read here: `parse` takes the text of `zoo.cfg` and says which other
 * files it needs, `complete` takes those. `ZooConfigFile` reads them. Whatever
 * would stop ZooKeeper stops us, with the line and a remedy; what ZooKeeper knows
 * and Conclave has no use for is passed over; what nobody knows is a warning.
 *
 * Keys are taken with and without the prefix `zookeeper.`. Differences from
 * ZooKeeper: `multiAddress.enabled` works in the file, `tcpKeepAlive` is on unless
 * turned off, `myid` may be surrounded by blanks, numbers that ZooKeeper would
 * replace by a default are errors.
 *
 * Java: `QuorumPeerConfig`.
 */
import type { TlsOptions } from "@conclave/quorum-node/TlsOptions"
import type { QuorumVerifier } from "@conclave/core/QuorumVerifier"
import type { RuleSetName } from "@conclave/core/Rules"
import type { Sid } from "@conclave/core/Sid"
import * as Snapshot from "@conclave/core/Snapshot"
import * as Result from "effect/Result"
import * as ZooActivation from "./ZooActivation.ts"
import * as ZooAuth from "./ZooAuth.ts"
import type { ZooConfigError } from "./ZooConfigError.ts"
import * as ZooKeys from "./ZooKeys.ts"
import * as ZooMembership from "./ZooMembership.ts"
import * as ZooSettings from "./ZooSettings.ts"
import * as ZooTls from "./ZooTls.ts"

/** What `zoo.cfg` says without the membership. Times are in milliseconds unless they are counted in ticks. */
export interface Options {
  readonly dataDir: string
  /** Where the transaction logs are; `dataDir` unless given. */
  readonly dataLogDir: string
  /** The longest record in a snapshot or log, in bytes. 1,048,575 unless given. */
  readonly juteMaxBuffer: number
  /** May logs be believed without a snapshot? Key `snapshot.trust.empty`. */
  readonly trustsEmptySnapshot: boolean
  /** May missing data directories be made? On unless turned off, key `datadir.autocreate`. */
  readonly autocreatesDirectories: boolean
  /** May an empty data directory be believed? On unless turned off, key `db.autocreate`. */
  readonly autocreatesDatabase: boolean
  /** The length of a tick. 3,000 unless given. */
  readonly tickTime: number
  /** Ticks within which a follower must connect and be in sync. */
  readonly initLimit: number
  /** Ticks within which a follower must be heard. */
  readonly syncLimit: number
  /** FastLeaderElection, the only one. */
  readonly electionAlg: 3
  /** May a newer configuration be adopted? */
  readonly reconfigEnabled: boolean
  /** May the ensemble shrink to one server that needs no other? */
  readonly standaloneEnabled: boolean
  /** Listen on every interface instead of the addresses of our own `server.N` line? */
  readonly quorumListenOnAllIPs: boolean
  /** May a server have several addresses? Needs peers that all know the handshake of 3.6. */
  readonly multiAddressEnabled: boolean
  /** With several addresses per server: is it asked whether that of a live connection still answers? */
  readonly reachabilityCheckEnabled: boolean
  /** How long the answer may take. */
  readonly reachabilityCheckTimeout: number
  /** First pause before a vote is sent again. */
  readonly minNotificationInterval: number
  /** Upper bound of that pause, which doubles. */
  readonly maxNotificationInterval: number
  /** How long a dial may take. */
  readonly cnxTimeout: number
  /** How long a new connection may take to say who it is. A tick times `syncLimit` unless given. */
  readonly quorumCnxnTimeout: number
  /** How often binding the election port is tried; 0 for ever. */
  readonly electionPortBindRetry: number
  /** How many handshakes may be in progress at a time; at least 20. */
  readonly quorumCnxnThreadsSize: number
  /** Probe idle connections? On unless turned off, otherwise than in ZooKeeper: a vanished host is noticed. */
  readonly tcpKeepAlive: boolean
  /** TLS between the servers; nothing where they dial and accept plain connections alone. */
  readonly tls: TlsOptions | null
  /** How leaders are activated. */
  readonly activation: ZooActivation.ZooActivation
  /** May this voter be proposed? Key `conclave.electable`. */
  readonly electable: boolean
  /** Whether and how servers authenticate, keys `quorum.auth.*`. */
  readonly auth: ZooAuth.ZooAuth | null
  /** By whose decisions elections go, key `conclave.rules`. */
  readonly rules: RuleSetName
}

/** Everything a peer must be told to run. */
export interface ZooConfig extends Options {
  /** The `zoo.cfg` itself; what is written is written beside it. */
  readonly file: string
  readonly mySid: Sid
  readonly verifier: QuorumVerifier
  /** A configuration that was about to come into force, if reconfiguration is enabled and its file is there. */
  readonly lastSeen: QuorumVerifier | null
  readonly warnings: ReadonlyArray<ZooSettings.Warning>
}

/** A `zoo.cfg` that is sound in itself, and the files it needs. */
export interface Draft {
  readonly settings: ZooSettings.Settings
  readonly options: Options
  /** The file that holds the members; if there is none, `zoo.cfg` does. */
  readonly dynamicConfigFile: string | null
  readonly warnings: ReadonlyArray<ZooSettings.Warning>
}

/** A `zoo.cfg` by its text. Java: QuorumPeerConfig.parseProperties. */
export const parse = (text: string, sources: ZooSettings.Sources): Result.Result<Draft, ZooConfigError> =>
  Result.gen(function*() {
    const settings = yield* ZooSettings.read(text, sources)
    const directories = yield* parseDirectories(settings)
    const timing = yield* parseTiming(settings)
    const switches = yield* parseSwitches(settings)
    const { bindRetry, ...network } = yield* parseNetwork(settings)
    const { tls, warnings: tlsWarnings } = yield* ZooTls.parse(settings)
    const options: Options = {
      ...directories,
      ...timing,
      ...switches,
      ...network,
      tls,
      quorumCnxnTimeout: network.quorumCnxnTimeout > 0
        ? network.quorumCnxnTimeout
        : Math.min(timing.tickTime * timing.syncLimit, ZooSettings.INTEGER_MAX),
      electionPortBindRetry: bindRetry < 0 ? 3 : bindRetry,
      electionAlg: yield* parseElectionAlg(settings),
      rules: yield* parseRules(settings),
      activation: yield* ZooActivation.parse(settings, timing),
      auth: yield* ZooAuth.parse(settings)
    }
    const warnings = [...settings.warnings, ...unknownKeys(settings), ...tlsWarnings]
    if (bindRetry < 0) {
      const line = settings.byKey.get("electionPortBindRetry")?.line ?? null
      warnings.push({ key: "electionPortBindRetry", line, message: `${bindRetry} is no number of retries; 3 counts` })
    }
    const dynamicConfigFile = settings.byKey.has("dynamicConfigFile")
      ? yield* ZooSettings.required(settings, "dynamicConfigFile", "/etc/zookeeper/zoo.cfg.dynamic")
      : null
    return { settings, options, dynamicConfigFile, warnings }
  })

/** The configuration, from a `zoo.cfg` and the files it needs. Java: QuorumPeerConfig.setupQuorumPeerConfig. */
export const complete = (
  draft: Draft,
  files: ZooMembership.Files
): Result.Result<ZooConfig, ZooConfigError> =>
  Result.map(ZooMembership.parse(draft, files), ({ warnings, ...membership }) => ({
    ...draft.options,
    ...membership,
    file: draft.settings.file,
    warnings: [...draft.warnings, ...warnings]
  }))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const parseDirectories = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    const dataDir = yield* ZooSettings.required(settings, "dataDir", "/var/lib/zookeeper")
    const hasLogDir = settings.byKey.has("dataLogDir")
    return {
      dataDir,
      dataLogDir: hasLogDir ? yield* ZooSettings.required(settings, "dataLogDir", dataDir) : dataDir,
      juteMaxBuffer: yield* ZooSettings.integer(settings, "jute.maxbuffer", {
        unit: "bytes",
        example: 4_194_304,
        minimum: 1,
        fallback: Snapshot.MAX_BUFFER
      })
    }
  })

const parseTiming = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    const ticks = { minimum: 1, unit: "ticks" }
    const millis = { minimum: 1, unit: "milliseconds" }
    const [least, most] = ["fastleader.minNotificationInterval", "fastleader.maxNotificationInterval"]
    const minNotificationInterval = yield* ZooSettings.integer(settings, least, {
      ...millis,
      fallback: 200,
      example: 200
    })
    const maxNotificationInterval = yield* ZooSettings.integer(settings, most, {
      ...millis,
      fallback: Math.max(60_000, minNotificationInterval),
      example: 60_000
    })
    if (maxNotificationInterval < minNotificationInterval) {
      return yield* ZooSettings.failAt(
        settings,
        most,
        `${maxNotificationInterval} is less than ${least}, which is ${minNotificationInterval}`,
        `make ${most} the larger of the two, or leave it out (60000)`
      )
    }
    return {
      tickTime: yield* ZooSettings.integer(settings, "tickTime", { ...millis, fallback: 3000, example: 2000 }),
      initLimit: yield* ZooSettings.integer(settings, "initLimit", { ...ticks, example: 10 }),
      syncLimit: yield* ZooSettings.integer(settings, "syncLimit", { ...ticks, example: 5 }),
      minNotificationInterval,
      maxNotificationInterval
    }
  })

const parseSwitches = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    return {
      reconfigEnabled: yield* ZooSettings.boolean(settings, "reconfigEnabled", false),
      standaloneEnabled: yield* ZooSettings.boolean(settings, "standaloneEnabled", true),
      quorumListenOnAllIPs: yield* ZooSettings.boolean(settings, "quorumListenOnAllIPs", false),
      multiAddressEnabled: yield* ZooSettings.boolean(settings, "multiAddress.enabled", false),
      reachabilityCheckEnabled: yield* ZooSettings.boolean(settings, "multiAddress.reachabilityCheckEnabled", true),
      tcpKeepAlive: yield* ZooSettings.boolean(settings, "tcpKeepAlive", true),
      trustsEmptySnapshot: yield* ZooSettings.boolean(settings, "snapshot.trust.empty", false),
      autocreatesDirectories: yield* ZooSettings.boolean(settings, "datadir.autocreate", true),
      autocreatesDatabase: yield* ZooSettings.boolean(settings, "db.autocreate", true),
      electable: yield* ZooSettings.boolean(settings, "conclave.electable", true)
    }
  })

/** The size of ZooKeeper's pool of connection threads, which the key can only enlarge. Java: QuorumPeerConfig. */
const THREADS_MIN = 20

const parseNetwork = (settings: ZooSettings.Settings) =>
  Result.gen(function*() {
    const millis = { unit: "milliseconds", example: 5000 }
    const any = -ZooSettings.INTEGER_MAX - 1
    const threads = yield* ZooSettings.integer(settings, "quorum.cnxn.threads.size", {
      unit: "threads",
      example: THREADS_MIN,
      minimum: any,
      fallback: THREADS_MIN
    })
    return {
      quorumCnxnThreadsSize: Math.max(threads, THREADS_MIN),
      reachabilityCheckTimeout: yield* ZooSettings.integer(settings, "multiAddress.reachabilityCheckTimeoutMs", {
        unit: "milliseconds",
        example: 1000,
        minimum: 1,
        fallback: 1000
      }),
      cnxTimeout: yield* ZooSettings.integer(settings, "cnxTimeout", { ...millis, minimum: 1, fallback: 5000 }),
      quorumCnxnTimeout: yield* ZooSettings.integer(settings, "quorumCnxnTimeoutMs", {
        ...millis,
        minimum: any,
        fallback: -1
      }),
      bindRetry: yield* ZooSettings.integer(settings, "electionPortBindRetry", {
        unit: "retries",
        example: 3,
        minimum: any,
        fallback: 3
      })
    }
  })

const parseElectionAlg = (settings: ZooSettings.Settings): Result.Result<3, ZooConfigError> => {
  const setting = settings.byKey.get("electionAlg")
  if (setting === undefined || /^\+?0*3$/.test(setting.value)) return Result.succeed(3)
  const removed = /^[012]$/.test(setting.value)
    ? ` ${setting.value} was an election over UDP, removed in ZooKeeper 3.6.`
    : ""
  return ZooSettings.fail(
    setting,
    `Invalid electionAlg value. Only 3 is supported.${removed}`,
    "write electionAlg=3 or leave the line out; every server of the ensemble must then use 3"
  )
}

const parseRules = (settings: ZooSettings.Settings): Result.Result<RuleSetName, ZooConfigError> => {
  const setting = settings.byKey.get("conclave.rules")
  switch (setting?.value) {
    case undefined:
    case "conclave":
      return Result.succeed("conclave")
    case "zookeeper":
      return Result.succeed("zookeeper")
    default:
      return ZooSettings.failAt(
        settings,
        "conclave.rules",
        `${setting?.value} is no set of rules`,
        "write conclave.rules=conclave, conclave.rules=zookeeper, or leave the line out (conclave)"
      )
  }
}

const unknownKeys = (settings: ZooSettings.Settings): ReadonlyArray<ZooSettings.Warning> =>
  Array.from(settings.byKey.values())
    .filter(({ key }) => !ZooKeys.isKnown(key))
    .map(({ key, line }) => ({
      key,
      line,
      message: `neither ZooKeeper nor Conclave knows ${key}; the line has no effect, is it misspelt?`
    }))
