/**
 * A state of the whole ensemble, taken apart: peers, channels, and what may still happen; and put together again.
 */
import * as Channels from "./Channels.ts"

/** A state of the ensemble, by the numbers of its parts. To be changed at will. */
export interface Moment {
  readonly size: number
  readonly peers: Int32Array
  /** From each to each, its own channel included: `from * size + to`. */
  readonly channels: Int32Array
  /** As `Bounds` packs it. */
  bounds: number
}

/** An ensemble of which nothing is known. */
export const make = (size: number): Moment => ({
  size,
  peers: new Int32Array(size),
  channels: new Int32Array(size * size),
  bounds: 0
})

/** How many words a state has: a word a peer, one of bounds, half a word a channel. */
export const words = (size: number): number => size + 1 + Math.ceil(size * size / 2)

/** Takes words apart. */
export const read = (from: Uint32Array, into: Moment): void => {
  const { channels, peers, size } = into
  for (let peer = 0; peer < size; peer++) peers[peer] = from[peer]!
  into.bounds = from[size]!
  for (let at = 0; at < channels.length; at++) {
    channels[at] = from[size + 1 + (at >>> 1)]! >>> (at % 2 * 16) & 0xffff
  }
}

/** Puts words together. Throws if there are more channels than 16 bits have numbers for. */
export const write = ({ bounds, channels, peers, size }: Moment, into: Uint32Array): Uint32Array => {
  into.fill(0)
  for (let peer = 0; peer < size; peer++) into[peer] = peers[peer]!
  into[size] = bounds
  for (let at = 0; at < channels.length; at++) {
    const channel = channels[at]!
    if (channel > 0xffff) throw new Error("more than 65,536 different channels: the bounds are too large")
    into[size + 1 + (at >>> 1)]! |= channel << (at % 2 * 16)
  }
  return into
}

/** Copies one moment into another of the same size. */
export const copy = (from: Moment, into: Moment): void => {
  into.peers.set(from.peers)
  into.channels.set(from.channels)
  into.bounds = from.bounds
}

/** The channel from one to another. */
export const channel = ({ channels, size }: Moment, from: number, to: number): number => channels[from * size + to]!

/** Puts another in its place. */
export const setChannel = ({ channels, size }: Moment, from: number, to: number, channel: number): void => {
  channels[from * size + to] = channel
}

/** Is anything on its way to this peer? */
export const isAddressed = (moment: Moment, store: Channels.Channels, to: number): boolean => {
  for (let from = 0; from < moment.size; from++) {
    if (store.head(channel(moment, from, to)) !== Channels.NONE) return true
  }
  return false
}
