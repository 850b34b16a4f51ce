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
  /** The connection over which this went is gone; one that has come since stays. */
  readonly down: (sid: bigint, traffic: Traffic) => void
  /** Remembers a failure; says whether it is another one than the last. */
  readonly failed: (sid: bigint, failure: Omit<Failure, "count">) => boolean
  /** Remembers nothing more of this peer. */
  readonly forget: (sid: bigint) => void
  /**
   * Counts a connection that was turned away. Says whether that is news: the 1st, 2nd, 4th, 8th time and so on that it
   * happens to somebody at this host for this reason, so that a flood of them does not become a flood of lines.
   */
  readonly rejected: (reason: string, host?: string | null) => boolean
  /** What is known now of each peer. */
  readonly stories: () => ReadonlyArray<PeerStory>
  /** How many connections were turned away, by reason. */
  readonly rejections: () => ReadonlyMap<string, number>
}

/** Hosts and reasons that are remembered of those turned away: more than honest servers there are, 31 times a few. */
const TURNED_AWAY_MAX = 100

/** An empty book. */
export const make = (): LinkBook => {
  const links = new Map<bigint, LinkStory>()
  const failures = new Map<bigint, Failure>()
  // Whose last failure came after their last connection.
  const failing = new Set<bigint>()
  const rejections = new Map<string, number>()
  // By reason and host; who was turned away last comes last.
  const turnedAway = new Map<string, number>()
  return {
    up: (sid, link) => {
      links.set(sid, link)
      failing.delete(sid)
    },
    down: (sid, traffic) => {
      if (links.get(sid)?.traffic === traffic) links.delete(sid)
    },
    failed: (sid, failure) => {
      const last = failures.get(sid)
      const same = last?.reason === failure.reason && last.message === failure.message && failing.has(sid)
      failures.set(sid, { ...failure, count: same ? last.count + 1 : 1 })
      failing.add(sid)
      return !same
    },
    forget: (sid) => {
      links.delete(sid)
      failures.delete(sid)
      failing.delete(sid)
    },
    rejected: (reason, host = null) => {
      rejections.set(reason, (rejections.get(reason) ?? 0) + 1)
      const who = `${reason} ${host}`
      const times = (turnedAway.get(who) ?? 0) + 1
      turnedAway.delete(who)
      turnedAway.set(who, times)
      const [longestAgo = who] = turnedAway.keys()
      if (turnedAway.size > TURNED_AWAY_MAX) turnedAway.delete(longestAgo)
      return Number.isInteger(Math.log2(times))
    },
    stories: () =>
      Array.from(new Set([...links.keys(), ...failures.keys()]), (sid) => ({
        sid,
        link: copyOf(links.get(sid)),
        failure: failures.get(sid) ?? null
      })),
    rejections: () => new Map(rejections)
  }
}

// What is told must not change afterwards.
const copyOf = (link: LinkStory | undefined): LinkStory | null =>
  link === undefined ? null : { ...link, traffic: { ...link.traffic } }

/** Nothing has gone over a connection yet. */
export const noTraffic = (): Traffic => ({ framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0 })
