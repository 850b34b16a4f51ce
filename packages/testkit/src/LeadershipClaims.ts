/**
 * What looks true of leadership and is not: each is refuted by a path of the shipped code, the shortest there is.
 *
 * Whoever builds on leadership must not rely on any of it.
 */
import type { Claim, PeerView, View } from "./internal/explorer/leadership/Claims.ts"
import * as Setting from "./internal/explorer/leadership/Setting.ts"

/** What looks true, and where it is refuted. */
export interface FalseClaim {
  readonly says: string
  /** Does this step refute it? */
  readonly refutes: Claim["refutes"]
  readonly options: Setting.Options
}

/** What is explored to refute a claim: nothing else is asked. */
export const optionsOf = ({ options, refutes, says }: FalseClaim): Setting.Options => ({
  ...options,
  progress: false,
  claims: [{ name: says, refutes }]
})

const newest = ({ activated }: View): number => Math.max(0, ...activated)

const isNew = (before: View, after: View): boolean => after.activated.size > before.activated.size

const added = (before: View, after: View): number =>
  Array.from(after.activated).find((epoch) => !before.activated.has(epoch)) ?? 0

const inOffice = ({ peers }: View): ReadonlyArray<PeerView> => peers.filter(({ office }) => office > 0)

const decided = ({ peers }: View): ReadonlyArray<bigint> =>
  peers.flatMap(({ role }) => (role._tag === "Leading" && role.state.decided ? [role.state.epoch] : []))

const fenced: Setting.Options = {
  peers: Setting.alike(3),
  lease: null,
  bounds: { ...Setting.none, terms: 2, dials: 2 }
}

const leased: Setting.Options = { ...fenced, lease: Setting.defaultLease }

const unequal: Setting.Options = {
  ...fenced,
  peers: fenced.peers.map((peer) => (peer.sid === 3n ? { ...peer, lastLoggedZxid: 5n } : peer))
}

const resigning: Setting.Options = { ...fenced, bounds: { ...fenced.bounds, resignations: 1 } }

/** All of them, each under a name. */
export const claims = {
  one: {
    says: "one is in office at a time",
    options: fenced,
    refutes: (_, after) => inOffice(after).length > 1
  },
  order: {
    says: "epochs are activated in their order",
    options: fenced,
    refutes: (before, after) => isNew(before, after) && newest(after) === newest(before)
  },
  gap: {
    says: "no epoch is left out",
    options: fenced,
    refutes: (_, after) => after.activated.size > 0 && newest(after) > after.activated.size
  },
  accepted: {
    says: "nobody has accepted a later epoch than that of who is in office",
    options: fenced,
    refutes: (_, after) =>
      inOffice(after).some(({ office }) => after.peers.some(({ acceptedEpoch }) => acceptedEpoch > office))
  },
  proposal: {
    says: "no two propose the same epoch",
    options: fenced,
    refutes: (_, after) => new Set(decided(after)).size < decided(after).length
  },
  newest: {
    says: "who begins to follow follows the newest leader",
    options: resigning,
    refutes: (before, after) =>
      after.peers.some(({ follows }, peer) => before.peers[peer]!.follows < follows && follows < newest(after))
  },
  current: {
    says: "a current epoch on disk is one that was activated",
    options: fenced,
    refutes: (_, { activated, peers }) =>
      peers.some(({ currentEpoch }) => currentEpoch > 0 && !activated.has(currentEpoch))
  },
  support: {
    says: "who is activated has a quorum that supports it at that moment",
    options: fenced,
    refutes: (before, after) => {
      if (!isNew(before, after)) return false
      const epoch = BigInt(added(before, after))
      return after.peers.every(({ role }) => role._tag !== "Following" || role.state.epoch !== epoch)
    }
  },
  fresh: {
    says: "who is activated is as fresh as all others",
    options: unequal,
    refutes: (before, after) =>
      isNew(before, after) && inOffice(after).some(({ lastLoggedZxid }) =>
        after.peers.some((other) => other.lastLoggedZxid > lastLoggedZxid))
  },
  lease: {
    says: "nobody is activated while another has a lease",
    options: leased,
    refutes: (before, after) =>
      isNew(before, after) && after.peers.some(({ acting }) => acting > 0 && acting !== added(before, after))
  },
  granted: {
    says: "who is in office has a lease, or had one",
    options: leased,
    refutes: (_, after) => inOffice(after).some(({ role }) => role._tag === "Leading" && !role.entered)
  }
} satisfies Readonly<Record<string, FalseClaim>>

/** The name of a claim. */
export type ClaimName = keyof typeof claims
