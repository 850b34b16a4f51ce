/**
 * A `conclave` process under test: `peer --control`, whose events and commands are lines of its standard streams, and
 * the commands that run and end.
 */
import { delimiter, dirname } from "node:path"
import { fileURLToPath } from "node:url"
import * as Child from "./Child.ts"
import * as Transcript from "./Transcript.ts"
import type { ZooCfg } from "./ZooCfg.ts"

/** One line of a peer's standard output. What is 64 bits wide in the protocol is a `bigint` here. */
export interface PeerEvent {
  readonly event?: string
  readonly sid?: bigint
  readonly state?: string
  readonly leader?: bigint
  readonly zxid?: bigint
  readonly electionEpoch?: bigint
  readonly peerEpoch?: bigint
  /** In which a quorum has activated the leader; `null` in a status while there is none. */
  readonly epoch?: bigint | null
  readonly reason?: string
  readonly supporters?: ReadonlyArray<number>
  readonly elapsedMs?: number
  readonly addresses?: ReadonlyArray<string>
  readonly configuration?: { readonly version: string; readonly role: string | null; readonly note: string | null }
  readonly connections?: ReadonlyArray<Connection>
  readonly rejections?: Readonly<Record<string, number>>
}

/** What a status tells of the connections with one other peer. */
export interface Connection {
  readonly sid: bigint
  readonly connected: boolean
  readonly dialedBy: "Us" | "Them" | null
  readonly remote: string | null
  readonly sinceMs: number | null
  readonly framesSent: number
  readonly framesReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly failure: { readonly reason: string; readonly message: string; readonly count: number } | null
}

/** A running `conclave peer --control`. */
export interface PeerProcess {
  readonly sid: bigint
  readonly child: Child.Child
  /** Everything it has reported so far, in order. */
  readonly events: () => ReadonlyArray<PeerEvent>
  /** The first event from number `from` (default 0) on that is as asked; fails at once when the process ends. */
  readonly waitFor: (what: string, accept: (event: PeerEvent) => boolean, from?: number) => Promise<PeerEvent>
  /** Asks for its present status and returns the answer. */
  readonly status: () => Promise<PeerEvent>
  readonly send: (command: "look" | "status" | "stop") => void
  readonly kill: (signal: NodeJS.Signals) => Promise<Child.Exit>
}

/** The longest any election of ours may take here; they take far below a second on an idle machine. */
export const ELECTION_TIMEOUT_MS = 20_000

const PROGRAM = fileURLToPath(new URL("../../bin/conclave", import.meta.url))

const WIDE = new Set(["sid", "leader", "zxid", "electionEpoch", "peerEpoch", "epoch"])

// The program runs on the very node that runs the tests, whatever else is installed.
const ENVIRONMENT = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` }

/** Reads one line of output; throws when it is not JSON or a 64-bit field is not a whole number. */
export const parse = (line: string): PeerEvent =>
  JSON.parse(line, (key, value) => WIDE.has(key) && value !== null ? BigInt(value) : value)

/** Runs `conclave` with the given arguments, and perhaps more in its environment. */
export const command = (label: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): Child.Child =>
  Child.start({ label, file: PROGRAM, args, env: { ...ENVIRONMENT, ...env } })

/** Starts a peer from its `zoo.cfg`, perhaps with more in its environment, and waits until it listens. */
export const start = async (
  cfg: ZooCfg,
  args: ReadonlyArray<string> = [],
  env: NodeJS.ProcessEnv = {}
): Promise<PeerProcess> => {
  const child = command(`peer ${cfg.sid}`, ["peer", "--config", cfg.file, "--control", ...args], env)
  const events = () => child.stdout.lines.map(parse)
  const peer: PeerProcess = {
    sid: cfg.sid,
    child,
    events,
    waitFor: (what, accept, from = 0) =>
      Transcript.until(`peer ${cfg.sid}: ${what}`, [child.stdout, child.stderr], ELECTION_TIMEOUT_MS, () => {
        const found = events().slice(from).find(accept)
        if (found === undefined && child.outcome() !== undefined) {
          throw new Error(`Peer ${cfg.sid} ended before: ${what}\n${Transcript.tail(child.stderr)}`)
        }
        return found
      }),
    status: () => {
      const from = events().length
      child.write("status")
      return peer.waitFor("status", ({ event }) => event === "status", from)
    },
    send: child.write,
    kill: child.kill
  }
  await peer.waitFor("ready", ({ event }) => event === "ready")
  return peer
}

/** Asks for the status until it is as wanted, and gives that status; each time is an answer of its own. */
export const statusWhen = (
  peer: PeerProcess,
  what: string,
  accept: (status: PeerEvent) => boolean | Promise<boolean>
): Promise<PeerEvent> => {
  const outputs = [peer.child.stdout, peer.child.stderr]
  return Transcript.poll(`peer ${peer.sid}: ${what}`, outputs, ELECTION_TIMEOUT_MS, async () => {
    const status = await peer.status()
    return (await accept(status)) ? status : undefined
  })
}

/** What a status tells of the connections with this peer. */
export const connectionWith = ({ connections = [] }: PeerEvent, sid: bigint): Connection => {
  const found = connections.find((connection) => connection.sid === sid)
  if (found === undefined) throw new Error(`Nothing is told of server ${sid}`)
  return found
}

/** How often a peer has begun to look for a leader. */
export const lookings = (peer: PeerProcess): number => peer.events().filter(({ event }) => event === "looking").length

/** The decision that stands at a peer: its latest, unless it is looking again. */
export const standing = (peer: PeerProcess): PeerEvent | undefined => {
  const last = peer.events().findLast(({ event }) => event === "elected" || event === "looking")
  return last?.event === "elected" ? last : undefined
}

/** Waits until a quorum has activated a leader at this peer, of an epoch above that one. */
export const activated = (peer: PeerProcess, above = 0n): Promise<PeerEvent> =>
  peer.waitFor(`a leader of an epoch above ${above}`, ({ epoch, event }) =>
    event === "activated" && epoch !== undefined && epoch !== null && epoch > above)

/** Every leader that any of these peers has ever decided for, first to last. */
export const leadersOf = (peers: ReadonlyArray<PeerProcess>): ReadonlyArray<bigint | undefined> =>
  peers.flatMap((peer) => peer.events().filter(({ event }) => event === "elected").map(({ leader }) => leader))

/**
 * Waits until every one of these peers, and no one else, holds to the same leader among them, and the leader itself
 * knows that it leads. A decision for a peer that is gone does not count.
 */
export const agreement = (peers: ReadonlyArray<PeerProcess>): Promise<bigint> => {
  const transcripts = peers.flatMap(({ child }) => [child.stdout, child.stderr])
  return Transcript.until("agreement on one leader", transcripts, ELECTION_TIMEOUT_MS, () => {
    const decisions = peers.map(standing)
    const leader = decisions[0]?.leader
    const agreed = decisions.every((decision, index) =>
      decision?.leader === leader && decision?.state === (peers[index]?.sid === leader ? "LEADING" : "FOLLOWING")
    )
    return agreed && peers.some(({ sid }) => sid === leader) ? leader : undefined
  })
}
