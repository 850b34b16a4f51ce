/**
 * States as people see them, for whoever claims something of every step.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Bundles from "./Bundles.ts"
import type { Machine } from "./Machine.ts"
import type * as Peers from "./Peers.ts"
import { OUTSIDE } from "./Setting.ts"
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
}

/** A peer of a state. */
export interface PeerView {
  readonly sid: Sid
  readonly status: Peers.Peer["status"]
  readonly state: Peers.Peer["state"]
  /** Who has the other end of each connection that it has: that peer has it, too; or has not, or not any more. */
  readonly links: ReadonlyMap<Sid, "Shared" | "Alone" | "Stranger">
  /** How many connections there are with each peer that it has not closed. */
  readonly open: ReadonlyMap<Sid, number>
}

/** A state, read. */
export const view = (machine: Machine, words: Words.Words): View => ({
  peers: machine.setting.peers.map(({ sid }, index): PeerView => {
    const { state, status } = machine.peers.get(words[Words.peerAt(index)]!)
    const links = new Map(Array.from(state.links, ([other, link]) =>
      [other, standingOf(machine, words, index, other, link)]))
    return { sid, status, state, links, open: openOf(machine, words, index) }
  })
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const standingOf = (
  { bundles, layout, peers, setting }: Machine,
  words: Words.Words,
  peer: number,
  sid: Sid,
  link: number
): "Shared" | "Alone" | "Stranger" => {
  const bundle = bundles.get(words[Words.bundleAt(layout, layout.bundle(peer, setting.indexOf(sid)))]!)
  const side = Bundles.other(Bundles.sideOf(link))
  const place = Bundles.placeOf(link)
  const that = Bundles.end(bundle[place]!, side)
  if (that.peer === OUTSIDE) return "Stranger"
  const { state } = peers.get(words[Words.peerAt(that.peer)]!)
  return state.links.get(setting.peers[peer]!.sid) === Bundles.linkOf(place, side) ? "Shared" : "Alone"
}

const openOf = ({ bundles, layout }: Machine, words: Words.Words, peer: number): ReadonlyMap<Sid, number> => {
  const open = new Map<Sid, number>()
  for (let bundle = 0; bundle < layout.bundles; bundle++) {
    for (const { far, near } of bundles.get(words[Words.bundleAt(layout, bundle)]!)) {
      for (const end of [near, far]) {
        if (end.peer !== peer || Bundles.isOver(end)) continue
        open.set(end.sid, (open.get(end.sid) ?? 0) + 1)
      }
    }
  }
  return open
}
