/**
 * What messages, crashes and broken connections do to an ensemble.
 */
import * as Bounds from "./Bounds.ts"
import * as Channels from "./Channels.ts"
import * as Moment from "./Moment.ts"
import * as Turns from "./Turns.ts"
import type { Broken } from "../../../Explorer.ts"

/** Everything by its number. */
export interface Store {
  readonly turns: Turns.Turns
  readonly channels: Channels.Channels
  /** Every peer's state in which it is down, as it starts when it has been up. */
  readonly down: (peer: number) => number
  /** Do our own messages reach us before anything else does? */
  readonly loopback: "AtOnce" | "AnyTime"
  /** Who may be killed at all, as bits. */
  readonly mortal: number
}

/** Is the process there? */
export const isUp = ({ turns }: Store, moment: Moment.Moment, peer: number): boolean =>
  turns.peers.get(moment.peers[peer]!).up

/** May this peer be killed yet? */
export const mayCrash = ({ mortal }: Store, bounds: number, peer: number): boolean =>
  (mortal >> peer & 1) === 1 && Bounds.left(bounds, "crashes") > 0

/** Lets something happen to a peer, and sends what it sends. */
export const happen = (store: Store, moment: Moment.Moment, peer: number, code: number): Broken | null => {
  const { broken, peer: next, sends } = store.turns.take(moment.peers[peer]!, code)
  moment.peers[peer] = next
  for (let at = 0; at < sends.length; at += 2) send(store, moment, peer, sends[at]!, sends[at + 1]!)
  if (broken !== null || store.loopback === "AnyTime") return broken
  const isDone = store.channels.head(Moment.channel(moment, peer, peer)) === Channels.NONE
  return isDone ? null : deliver(store, moment, peer, peer)
}

/** The next message from one to another arrives. */
export const deliver = (store: Store, moment: Moment.Moment, from: number, to: number): Broken | null => {
  const message = store.channels.head(Moment.channel(moment, from, to))
  drop(store, moment, from, to)
  return happen(store, moment, to, Turns.code("Received", message))
}

/** The next message from one to another is on its way no more. */
export const drop = (store: Store, moment: Moment.Moment, from: number, to: number): void => {
  const mayComeAgain = from !== to && isUp(store, moment, from) && mayEnd(store, moment.bounds, to)
  Moment.setChannel(moment, from, to, store.channels.pop(Moment.channel(moment, from, to), mayComeAgain))
}

/** A peer starts: everybody connects with it, and brings it what was said last. */
export const start = (store: Store, moment: Moment.Moment, peer: number): Broken | null => {
  for (let from = 0; from < moment.size; from++) {
    if (from === peer) continue
    const { channels } = store
    const channel = Moment.channel(moment, from, peer)
    Moment.setChannel(moment, from, peer, isUp(store, moment, from) ? channels.renew(channel) : Channels.EMPTY)
  }
  return happen(store, moment, peer, Turns.code("Started"))
}

/** How much may be kept for one receiver: two bits each, so that eight fit beside the rest of a move. */
export const KEPT_MAX = 3

/** Numbers of messages, one a receiver, as one number. */
export const keep = (numbers: number, to: number, length: number): number => numbers | length << 2 * to

/** How many messages for this one; `KEPT_MAX` means all. */
export const kept = (numbers: number, to: number): number => numbers >>> 2 * to & KEPT_MAX

/** A process ends. Of what it sent to each so many may yet arrive; the rest is lost with it. */
export const crash = (store: Store, moment: Moment.Moment, peer: number, numbers: number): void => {
  const { channels } = store
  moment.peers[peer] = store.down(moment.peers[peer]!)
  moment.bounds = Bounds.spend(moment.bounds, "crashes")
  Moment.setChannel(moment, peer, peer, Channels.EMPTY)
  for (let other = 0; other < moment.size; other++) {
    if (other === peer) continue
    Moment.setChannel(moment, other, peer, channels.cut(Moment.channel(moment, other, peer)))
    const length = kept(numbers, other)
    const sent = Moment.channel(moment, peer, other)
    Moment.setChannel(moment, peer, other, length === KEPT_MAX ? channels.forget(sent) : channels.keep(sent, length))
  }
  forget(store, moment)
}

/** The connection of two breaks and is made again: of what was on its way only the last message comes, both ways. */
export const reconnect = (store: Store, moment: Moment.Moment, self: number, that: number): void => {
  const { channels } = store
  moment.bounds = Bounds.spend(moment.bounds, "breaks")
  Moment.setChannel(moment, self, that, channels.renew(Moment.channel(moment, self, that)))
  Moment.setChannel(moment, that, self, channels.renew(Moment.channel(moment, that, self)))
  forget(store, moment)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Sends a message; to who is down only the newest waits. */
export const send = (store: Store, moment: Moment.Moment, from: number, to: number, message: number): void => {
  const { channels } = store
  const pushed = channels.push(Moment.channel(moment, from, to), message)
  Moment.setChannel(moment, from, to, isUp(store, moment, to) ? pushed : channels.cut(pushed))
}

// What came last comes again over a new connection: after a break, or when the receiver has started anew.
const mayEnd = (store: Store, bounds: number, to: number): boolean =>
  Bounds.left(bounds, "breaks") > 0 || mayCrash(store, bounds, to)

// When no connection will end any more, nothing that was delivered comes again but to who is down.
const forget = (store: Store, moment: Moment.Moment): void => {
  for (let to = 0; to < moment.size; to++) {
    if (!isUp(store, moment, to) || mayEnd(store, moment.bounds, to)) continue
    for (let from = 0; from < moment.size; from++) {
      Moment.setChannel(moment, from, to, store.channels.forget(Moment.channel(moment, from, to)))
    }
  }
}
