/**
 * Networks for an ensemble: loopback, or one of the test's own in which links fail.
 *
 * The latter has a network namespace for each server and one for a switch between them, which leads nowhere else. The
 * servers' neighbour tables are fixed, so who may send to whom is a table entry: with a wrong hardware address the
 * packets go to nobody, silently and in that direction alone. Needs root, and `ip` of iproute2.
 */
import { execFileSync } from "node:child_process"
import * as Ports from "../support/Ports.ts"
import type { Voter } from "./Settings.ts"

/** A network of servers 1 to n. */
export interface Network {
  readonly voters: Readonly<Record<string, Voter>>
  /** What has to stand before a command so that it runs at that server. */
  readonly at: (sid: bigint) => ReadonlyArray<string>
  /** Nothing passes but what this says; in each direction for itself. */
  readonly allow: (passes: (from: bigint, to: bigint) => boolean) => void
  /** Pulls the cable of that server, or puts it in again. */
  readonly plug: (sid: bigint, isIn: boolean) => void
  readonly close: () => void
}

/** Loopback, in which no link fails. */
export const loopback = async (size: number): Promise<Network> => {
  const hosts = Ports.hosts(size)
  const [quorumPort = 0, electionPort = 0] = await Ports.free(2)
  const entries = hosts.map((host, index): [string, Voter] => [`${index + 1}`, { host, quorumPort, electionPort }])
  const impossible = () => {
    throw new Error("links of loopback do not fail")
  }
  const voters = Object.fromEntries(entries)
  return { voters, at: () => [], allow: impossible, plug: impossible, close: () => undefined }
}

/** Why there can be no namespaces here; `null` if there can. */
export const obstacle = (): string | null => {
  const name = `${prefix}-try`
  try {
    ip(["netns add " + name])
    try {
      ip([`link add ${UPLINK} type bridge`, "link add near type veth peer name far"], name)
    } finally {
      ip([`netns del ${name}`])
    }
    return null
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.trim().split("\n").at(-1) : cause
    return `network namespaces need root, iproute2 and a kernel with veth and bridges: ${problem}`
  }
}

/** A network in namespaces. They are removed when it is closed, or the process exits. */
export const namespaces = (size: number): Network => {
  const sids = Array.from({ length: size }, (_, index) => BigInt(index + 1))
  const names = new Map(sids.map((sid) => [sid, `${prefix}-${sid}`]))
  const hub = `${prefix}-hub`
  const nameOf = (sid: bigint) => names.get(sid) ?? ""
  const remove = () => {
    process.off("exit", remove)
    for (const name of [...names.values(), hub]) {
      try {
        ip([`netns del ${name}`])
      } catch {
        // It was not made, or is gone already.
      }
    }
  }
  process.on("exit", remove)
  try {
    ip([hub, ...names.values()].map((name) => `netns add ${name}`))
    ip([
      `link add ${UPLINK} type bridge`,
      `link set ${UPLINK} up`,
      ...sids.flatMap((sid) => [
        `link add port${sid} type veth peer name eth0 netns ${nameOf(sid)}`,
        `link set port${sid} master ${UPLINK} up`
      ])
    ], hub)
    for (const sid of sids) {
      ip([
        `link set eth0 address ${hardware(sid)}`,
        "link set lo up",
        "link set eth0 up",
        `address add ${hostOf(sid)}/24 dev eth0`
      ], nameOf(sid))
    }
  } catch (cause) {
    remove()
    throw cause
  }
  const voter = (sid: bigint): Voter => ({ host: hostOf(sid), quorumPort: 2888, electionPort: 3888 })
  const network: Network = {
    voters: Object.fromEntries(sids.map((sid) => [`${sid}`, voter(sid)])),
    at: (sid) => ["ip", "netns", "exec", nameOf(sid)],
    allow: (passes) => {
      for (const from of sids) {
        ip(sids.filter((to) => to !== from).map((to) =>
          `neigh replace ${hostOf(to)} lladdr ${passes(from, to) ? hardware(to) : NOBODY} dev eth0 nud permanent`
        ), nameOf(from))
      }
    },
    plug: (sid, isIn) => ip([`link set port${sid} ${isIn ? "up" : "down"}`], hub),
    close: remove
  }
  network.allow(() => true)
  return network
}

// -----------------------------------------------------------------------------

/** Of this process alone. */
const prefix = `conclave${process.pid}`

const UPLINK = "switch0"

/** A hardware address that nobody has. */
const NOBODY = "02:00:00:00:00:ff"

const hardware = (sid: bigint): string => `02:00:00:00:00:${sid.toString(16).padStart(2, "0")}`

const hostOf = (sid: bigint): string => `10.77.0.${sid}`

const ip = (commands: ReadonlyArray<string>, namespace?: string): void => {
  const at = namespace === undefined ? [] : ["-n", namespace]
  execFileSync("ip", [...at, "-batch", "-"], { input: commands.join("\n"), stdio: ["pipe", "ignore", "pipe"] })
}
