/**
 * The flags that commands share.
 */
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Facts } from "./PeerLayer.ts"
import * as PeerLog from "./PeerLog.ts"
import * as ZooConfigFile from "./ZooConfigFile.ts"
import type { Override } from "./ZooSettings.ts"

const logFormat = Flag.Literals("log-format", PeerLog.formats).pipe(
  Flag.withDescription("How log lines look"),
  Flag.withDefault("text" as const)
)

/** How to log. */
export const log = { logFormat }

const config = Flag.String("config").pipe(
  Flag.withAlias("c"),
  Flag.withDescription("The zoo.cfg of this server; its dataDir holds myid"),
  Flag.withMetavar("zoo.cfg")
)

const set = Flag.KeyValuePair("set").pipe(
  Flag.withDescription("A key of zoo.cfg and the value that counts instead, e.g. --set conclave.electable=false"),
  Flag.optional
)

const dataDir = Flag.String("data-dir").pipe(
  Flag.withDescription("The data directory, instead of the file's dataDir"),
  Flag.optional
)

const jaas = Flag.String("jaas").pipe(
  Flag.withDescription("The login configuration with the passwords of quorum.auth.*, as Java reads it"),
  Flag.withMetavar("FILE"),
  Flag.optional
)

/** Where to write the trace. */
export const trace = Flag.String("trace").pipe(
  Flag.withDescription("Append every decision, with its reason, to this file; conclave explain reads it"),
  Flag.withMetavar("FILE"),
  Flag.optional
)

const parseLong = (text: string): Option.Option<bigint> => {
  const matched = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text)
  if (matched === null) return Option.none()
  const value = BigInt(matched[2]!) * (matched[1] === "-" ? -1n : 1n)
  return BigInt.asIntN(64, value) === value ? Option.some(value) : Option.none()
}

const long = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description}, decimal or 0x, for experiments`),
    Flag.filterMap(parseLong, (text) => `${text} is no number of 64 bits, decimal or 0x`),
    Flag.optional
  )

/** Where the configuration is, and what counts instead of it. */
export const peer = {
  config,
  set,
  dataDir,
  jaas,
  trace,
  lastZxid: long("last-zxid", "The last logged zxid, instead of the stored one"),
  currentEpoch: long("current-epoch", "The current epoch, instead of the stored one")
}

/** What `peer` gives. */
export interface PeerFlags {
  readonly config: string
  readonly set: Option.Option<Record<string, string>>
  readonly dataDir: Option.Option<string>
  readonly jaas: Option.Option<string>
  readonly trace: Option.Option<string>
  readonly lastZxid: Option.Option<bigint>
  readonly currentEpoch: Option.Option<bigint>
}

/** How long, as `10s`, `500ms`, `2m`, or a number of seconds. */
export const timeout = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description}, as 10s, 500ms or 2m`),
    Flag.filterMap(parseDuration, (text) => `${text} is no length of time; write 10s, 500ms or 2m`),
    Flag.optional
  )

/** Loads the configuration that the flags name, with what they override, and says what is odd about it. */
export const loadConfig = Effect.fnUntraced(function*(flags: PeerFlags) {
  const overrides = new Map<string, Override>()
  for (const [key, value] of Object.entries(Option.getOrElse(flags.set, () => ({})))) {
    overrides.set(key, { value, flag: "--set" })
  }
  if (Option.isSome(flags.dataDir)) overrides.set("dataDir", { value: flags.dataDir.value, flag: "--data-dir" })
  return yield* ZooConfigFile.load(flags.config, { overrides })
})

/** The facts that the flags give. */
export const facts = ({ currentEpoch, lastZxid }: PeerFlags): Facts => ({
  ...(Option.isSome(currentEpoch) ? { currentEpoch: currentEpoch.value } : {}),
  ...(Option.isSome(lastZxid) ? { lastLoggedZxid: lastZxid.value } : {})
})

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000 }

const parseDuration = (text: string): Option.Option<Duration.Duration> => {
  const matched = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text)
  if (matched === null) return Option.none()
  return Option.some(Duration.millis(Number(matched[1]) * units[matched[2] ?? "s"]!))
}
