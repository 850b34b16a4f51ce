/**
 * `zoo.cfg` and `myid` for every member of an ensemble on loopback. Real servers and ours are given the same files;
 * only keys that one of the two does not know are added per server.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Ports from "./Ports.ts"
import * as Workspace from "./Workspace.ts"

/** Keys of a `zoo.cfg` beyond the ones every member has. */
export type Keys = Readonly<Record<string, string | number | boolean>>

/** One member of an ensemble. */
export interface Member {
  readonly sid: bigint
  readonly observer?: boolean
  /** Where it listens, at the same ports everywhere: several are several addresses. Default: `Ports.HOST`. */
  readonly hosts?: ReadonlyArray<string>
  /** `false` writes `conclave.electable=false`: votes, but is never proposed. Only ours knows the key. */
  readonly electable?: boolean
  readonly keys?: Keys
}

/** A whole ensemble. With groups or weights its quorums are hierarchical, otherwise majorities of the voters. */
export interface Ensemble {
  readonly members: ReadonlyArray<Member>
  readonly groups?: ReadonlyArray<ReadonlyArray<bigint>>
  readonly weights?: ReadonlyArray<readonly [sid: bigint, weight: number]>
  readonly keys?: Keys
}

/** Where the files of one member are and where it listens. */
export interface ZooCfg {
  readonly sid: bigint
  readonly file: string
  readonly dataDir: string
  readonly clientPort: number
  readonly quorumPort: number
  readonly electionPort: number
}

/** The written files of an ensemble, by server id. */
export type ZooCfgs = (sid: bigint) => ZooCfg

// A leader of real servers that nobody follows gives up after initLimit ticks: long enough for a starting JVM, short
// enough to be waited for. A tick of half a second also halves the time until a lost quorum is noticed.
const DEFAULT_KEYS: Keys = { tickTime: 500, initLimit: 20, syncLimit: 10 }

// The first would bind port 8080 on every address. The second keeps 64 MiB log files from being preallocated.
const REAL_SERVER_KEYS: Keys = { "admin.enableServer": false, preAllocSize: 1024 }

const place = async (directory: string, sid: bigint): Promise<ZooCfg> => {
  const home = join(directory, `server-${sid}`)
  const [clientPort = 0, quorumPort = 0, electionPort = 0] = await Ports.free(3)
  return { sid, file: join(home, "zoo.cfg"), dataDir: join(home, "data"), clientPort, quorumPort, electionPort }
}

const serverLine = ({ hosts = [Ports.HOST], observer, sid }: Member, { electionPort, quorumPort }: ZooCfg): string => {
  const addresses = hosts.map((host) => `${host.includes(":") ? `[${host}]` : host}:${quorumPort}:${electionPort}`)
  return `server.${sid}=${addresses.join("|")}${observer ? ":observer" : ""}`
}

const ownLines = (ensemble: Ensemble, member: Member, cfg: ZooCfg): ReadonlyArray<string> => {
  const keys: Keys = {
    ...DEFAULT_KEYS,
    ...REAL_SERVER_KEYS,
    dataDir: cfg.dataDir,
    clientPort: cfg.clientPort,
    clientPortAddress: Ports.HOST,
    ...(member.observer && { peerType: "observer" }),
    ...(member.electable !== undefined && { "conclave.electable": member.electable }),
    ...ensemble.keys,
    ...member.keys
  }
  return Object.entries(keys).map(([key, value]) => `${key}=${value}`)
}

/** Writes the files of every member into a fresh workspace; ports are chosen now and bound by nobody yet. */
export const write = async (ensemble: Ensemble): Promise<ZooCfgs> => {
  const { groups = [], members, weights = [] } = ensemble
  const directory = await Workspace.make()
  const placed = await Promise.all(
    members.map(async (member) => ({ member, cfg: await place(directory, member.sid) }))
  )
  const shared = [
    ...placed.map(({ cfg, member }) => serverLine(member, cfg)),
    ...groups.map((sids, index) => `group.${index + 1}=${sids.join(":")}`),
    ...weights.map(([sid, weight]) => `weight.${sid}=${weight}`)
  ]
  for (const { cfg, member } of placed) {
    await mkdir(cfg.dataDir, { recursive: true })
    await writeFile(join(cfg.dataDir, "myid"), `${member.sid}\n`)
    await writeFile(cfg.file, [...ownLines(ensemble, member, cfg), ...shared, ""].join("\n"))
  }
  return (sid) => {
    const found = placed.find(({ cfg }) => cfg.sid === sid)
    if (found === undefined) throw new Error(`No server ${sid} in this ensemble`)
    return found.cfg
  }
}

/** Changes keys of a member that is to be started again; what is `null` is left out from now on. */
export const change = async ({ file }: ZooCfg, keys: Readonly<Record<string, Keys[string] | null>>): Promise<void> => {
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n")
  const kept = lines.filter((line) => !Object.keys(keys).some((key) => line.startsWith(`${key}=`)))
  const added = Object.entries(keys).filter(([, value]) => value !== null).map(([key, value]) => `${key}=${value}`)
  await writeFile(file, [...kept, ...added, ""].join("\n"))
}
