/**
 * What looks true of leadership and is not. Each is refuted by a path of the shipped code.
 */
import type { Machine } from "./Machine.ts"
import type * as Roles from "./Roles.ts"
import * as Words from "./Words.ts"

/** What may be claimed of every step. */
export interface Claim {
  readonly name: string
  /** Does this step refute it? */
  readonly refutes: (before: View, after: View) => boolean
}

/** A state, as people see it. */
export interface View {
  readonly peers: ReadonlyArray<PeerView>
  /** The epochs in which somebody has been activated. */
  readonly activated: ReadonlySet<number>
}

/** A peer of a state. */
export interface PeerView {
  readonly role: Roles.Role
  readonly lastLoggedZxid: bigint
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  /** The epoch in which it is in office, or 0. */
  readonly office: number
  /** The epoch in which it may act, or 0. */
  readonly acting: number
  /** The epoch in which it follows, or 0. */
  readonly follows: number
}

/** A state, read. */
export const view = ({ layout, roles, setting }: Machine, words: Words.Words): View => ({
  peers: Array.from({ length: layout.peers }, (_, peer): PeerView => {
    const role = roles.get(words[Words.roleAt(peer)]!)
    const disk = words[Words.diskAt(peer)]!
    return {
      role,
      lastLoggedZxid: setting.peers[peer]!.lastLoggedZxid,
      acceptedEpoch: Words.accepted(disk),
      currentEpoch: Words.current(disk),
      office: role._tag === "Leading" && role.state.zabState === "BROADCAST" ? Number(role.state.epoch) : 0,
      acting: roles.acting(words[Words.roleAt(peer)]!),
      follows: role._tag === "Following" && role.state.stage === "Following" ? Number(role.state.epoch) : 0
    }
  }),
  activated: new Set(Array.from({ length: 16 }, (_, index) => index + 1).filter((epoch) =>
    (words[0]! & 1 << epoch - 1) !== 0))
})

const newest = ({ activated }: View): number => Math.max(0, ...activated)

const isNew = (before: View, after: View): boolean => after.activated.size > before.activated.size

const added = (before: View, after: View): number =>
  Array.from(after.activated).find((epoch) => !before.activated.has(epoch)) ?? 0

const inOffice = ({ peers }: View): ReadonlyArray<PeerView> => peers.filter(({ office }) => office > 0)

const decided = ({ peers }: View): ReadonlyArray<bigint> =>
  peers.flatMap(({ role }) => (role._tag === "Leading" && role.state.decided ? [role.state.epoch] : []))

/** What looks true in fenced mode, and in leased mode too. */
export const always: ReadonlyArray<Claim> = [
  { name: "one is in office at a time", refutes: (_, after) => inOffice(after).length > 1 },
  {
    name: "epochs are activated in their order",
    refutes: (before, after) => isNew(before, after) && newest(after) === newest(before)
  },
  {
    name: "no epoch is left out",
    refutes: (_, after) => after.activated.size > 0 && newest(after) > after.activated.size
  },
  {
    name: "nobody has accepted a later epoch than that of who is in office",
    refutes: (_, after) =>
      inOffice(after).some(({ office }) => after.peers.some(({ acceptedEpoch }) => acceptedEpoch > office))
  },
  {
    name: "no two propose the same epoch",
    refutes: (_, after) => new Set(decided(after)).size < decided(after).length
  },
  {
    name: "who begins to follow follows the newest leader",
    refutes: (before, after) =>
      after.peers.some(({ follows }, peer) => before.peers[peer]!.follows < follows && follows < newest(after))
  },
  {
    name: "a current epoch on disk is one that was activated",
    refutes: (_, { activated, peers }) =>
      peers.some(({ currentEpoch }) => currentEpoch > 0 && !activated.has(currentEpoch))
  },
  {
    name: "who is activated has a quorum that supports it at that moment",
    refutes: (before, after) => {
      if (!isNew(before, after)) return false
      const epoch = BigInt(added(before, after))
      return after.peers.every(({ role }) => role._tag !== "Following" || role.state.epoch !== epoch)
    }
  },
  {
    name: "who is activated is as fresh as all others",
    refutes: (before, after) =>
      isNew(before, after) && inOffice(after).some(({ lastLoggedZxid }) =>
        after.peers.some((other) => other.lastLoggedZxid > lastLoggedZxid))
  }
]

/** What looks true of leases. */
export const leased: ReadonlyArray<Claim> = [
  {
    name: "nobody is activated while another has a lease",
    refutes: (before, after) =>
      isNew(before, after) && after.peers.some(({ acting }) => acting > 0 && acting !== added(before, after))
  },
  {
    name: "who is in office has a lease, or had one",
    refutes: (_, after) => inOffice(after).some(({ role }) => role._tag === "Leading" && !role.entered)
  }
]
