/**
 * States as people see them, for whoever claims something of every step.
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
