/**
 * What is remembered of connections: with whom there is one and since when, what
 * went over it, what was wrong the last time, and how many were turned away and
 * why. For people and monitoring; nothing is decided from it.
 */
import type { DialReason } from "./Transport.ts"

/** What is known of the connections with one peer. */
export interface PeerStory {
  readonly sid: bigint
  /** The connection there is. */
  readonly link: LinkStory | null
  /** What was wrong when there was none last. Stays until something else goes wrong. */
  readonly failure: Failure | null
}

/** One connection. */
export interface LinkStory {
  readonly dialedBy: "Us" | "Them"
  /** The far end, `host:port`. */
  readonly remote: string
  /** When it came up, in milliseconds since 1970. */
  readonly since: number
  readonly traffic: Readonly<Traffic>
}

/** What went over a connection, handshake not counted. Mutable, with one writer for each direction. */
export interface Traffic {
  framesSent: number
  bytesSent: number
  framesReceived: number
  bytesReceived: number
}

/** A connection that could not be made, or that was lost. */
export interface Failure {
  readonly reason: DialReason | "Lost"
  readonly message: string
  /** When, in milliseconds since 1970. */
  readonly at: number
  /** How often in a row. */
  readonly count: number
}

/** The memory of one connection manager. */
export interface LinkBook {
  readonly up: (sid: bigint, link: LinkStory) => void
  readonly down: (sid: bigint) => void
  /** Remembers a failure; says whether it is another one than the last. */
  readonly failed: (sid: bigint, failure: Omit<Failure, "count">) => boolean
  /** Remembers nothing more of this peer. */
  readonly forget: (sid: bigint) => void
  /** Counts a connection that was turned away. */
  readonly rejected: (reason: string) => void
  readonly stories: () => ReadonlyArray<PeerStory>
  /** How many connections were turned away, by reason. */
  readonly rejections: () => ReadonlyMap<string, number>
}

/** An empty book. */
export const make = (): LinkBook => {
  const links = new Map<bigint, LinkStory>()
  const failures = new Map<bigint, Failure>()
  const rejections = new Map<string, number>()
  return {
    up: (sid, link) => links.set(sid, link),
    down: (sid) => links.delete(sid),
    failed: (sid, failure) => {
      const last = failures.get(sid)
      const same = last !== undefined && last.reason === failure.reason && last.message === failure.message
      failures.set(sid, { ...failure, count: same ? last.count + 1 : 1 })
      return !same
    },
    forget: (sid) => {
      links.delete(sid)
      failures.delete(sid)
    },
    rejected: (reason) => rejections.set(reason, (rejections.get(reason) ?? 0) + 1),
    stories: () =>
      Array.from(new Set([...links.keys(), ...failures.keys()]), (sid) => ({
        sid,
        link: links.get(sid) ?? null,
        failure: failures.get(sid) ?? null
      })),
    rejections: () => rejections
  }
}

/** Nothing has gone over a connection yet. */
export const noTraffic = (): Traffic => ({ framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0 })
