/**
 * What looks true of connections and is not: claims, each with two peers of which it is refuted. The core as shipped is
 * explored, and the shortest way to the contrary is told.
 *
 * Whoever builds on connections must not rely on any of it.
 */
import type { Claim, PeerView, View } from "./internal/explorer/connections/Claims.ts"
import * as Setting from "./internal/explorer/connections/Setting.ts"

/** What looks true, and where it is refuted. */
export interface FalseClaim {
  readonly says: string
  /** Does this step refute it? `null` where the claim is that connections come to rest, however fast timers are. */
  readonly refutes: Claim["refutes"] | null
  readonly options: Setting.Options
}

/** What is explored to refute a claim: nothing else is asked. */
export const optionsOf = ({ options, refutes, says }: FalseClaim): Setting.Options =>
  refutes === null
    ? { ...options, asks: "Chase" }
    : { ...options, asks: "Nothing", claims: [{ name: says, refutes }] }

const two: Setting.Options = { peers: Setting.voters(2), bounds: Setting.none }

/** By the rules of the original, and a network that is faster than timers. */
const original: Setting.Options = { ...two, peers: Setting.voters(2, "zookeeper"), timers: "Patient" }

const isLinked = ({ links }: PeerView): boolean => links.size > 0

const standings = ({ peers }: View) => peers.flatMap(({ links }) => Array.from(links.values()))

const isShared = (view: View): boolean => standings(view).includes("Shared")

const losesOne = (before: View, after: View): boolean =>
  before.peers.some((peer, index) => isLinked(peer) && !isLinked(after.peers[index]!))

/** All of them, each under a name. */
export const claims = {
  shared: {
    says: "the connection that one has the other has, too",
    options: two,
    refutes: (_, after) => standings(after).includes("Alone")
  },
  same: {
    says: "where both have a connection it is the same one",
    options: two,
    refutes: (_, after) => after.peers.every(isLinked) && !isShared(after)
  },
  one: {
    says: "at a host there is one open connection with another",
    options: two,
    refutes: (_, after) => after.peers.some(({ open }) => Array.from(open.values()).some((count) => count > 1))
  },
  lasts: {
    says: "the connection that both have lasts until something breaks",
    options: { ...two, timers: "Patient" },
    refutes: (before, after) => isShared(before) && !isShared(after)
  },
  original: {
    says: "by the rules of the original, too, who is connected stays so until something breaks",
    options: original,
    refutes: losesOne
  },
  kept: {
    says: "by ours who is connected stays so until something breaks",
    options: { ...two, timers: "Patient" },
    refutes: losesOne
  },
  member: {
    says: "a member's connection is with that member",
    options: { ...two, bounds: { ...Setting.none, strangers: 1 } },
    refutes: (before, after) => isShared(before) && standings(after).includes("Stranger")
  },
  rest: {
    says: "by the rules of the original, too, connections come to rest however soon who is to ask again does so",
    options: { ...original, timers: "Any" },
    refutes: null
  }
} as const satisfies Record<string, FalseClaim>

/** The name of a claim. */
export type ClaimName = keyof typeof claims
