/**
 * Who has asked for a connection and must come to have it. Whoever wants a peer must anyway; who only has something to
 * say to it asks once, and what goes wrong afterwards may leave it without a connection until it asks again.
 */
import type { Sid } from "@conclave/core/Sid"
import * as Bundles from "./Bundles.ts"
import type { Machine } from "./Machine.ts"
import * as Words from "./Words.ts"

/** A peer has asked; in vain perhaps if something is broken or ends, or its call was made before, unknown to it. */
export const note = ({ bundles, layout, peers, setting }: Machine, words: Words.Words, peer: number, other: number) => {
  const bundle = bundles.get(words[Words.bundleAt(layout, layout.bundle(peer, other))]!)
  const dial = peers.get(words[Words.peerAt(peer)]!).dials.get(setting.sids[other]!)
  if (dial?.stage === "Greeting") return
  const isWhole = ({ far, isBroken, near }: Bundles.Connection): boolean =>
    !isBroken && !Bundles.isEnding(near) && !Bundles.isEnding(far)
  if (bundle.every(isWhole)) Words.ask(words, peer, other)
}

/** What a peer has asked for was in vain. */
export const forgive = ({ layout, setting }: Machine, words: Words.Words, peer: number, sid: Sid): void => {
  const other = setting.indexOf(sid)
  if (other < layout.peers) Words.forgive(words, peer, other)
}

/** What either of two has asked the other for was in vain. */
export const forgiveBoth = ({ layout }: Machine, words: Words.Words, peer: number, other: number): void => {
  if (other >= layout.peers) return
  Words.forgive(words, peer, other)
  Words.forgive(words, other, peer)
}

/** The same of the two whose connections these are. */
export const forgiveAll = (machine: Machine, words: Words.Words, bundle: number): void => {
  const [low, high] = machine.layout.ends[bundle]!
  forgiveBoth(machine, words, low, high)
}
