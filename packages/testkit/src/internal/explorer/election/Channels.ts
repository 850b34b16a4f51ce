/**
 * What is on its way from one peer to another, in order, by number.
 *
 * The shell has a queue of one (newest wins), a connection that keeps the order, and the message that was handed to it
 * last, which a new connection brings again. All three are one list here: what is queued last is at its end, and when
 * nothing is on its way the last one is remembered as long as it may come again. The sender is prompt as long as there
 * is room: that a newer message replaces one which waited nevertheless is the loss of that one, since nobody can tell
 * when it was lost.
 *
 * Shell: Outboxes, SendWorker.
 */
import * as Interner from "../Interner.ts"

/** Channels by numbers, and what becomes of them. */
export interface Channels {
  /** The next message, or `NONE`. */
  readonly head: (channel: number) => number
  /** After one more was sent, in place of the last one if there is no room. */
  readonly push: (channel: number, message: number) => number
  /** After the next message has left it; the last one is remembered if it may come again. */
  readonly pop: (channel: number, remembers: boolean) => number
  /** After what was on its way is lost with the connection; the last one is remembered. */
  readonly cut: (channel: number) => number
  /** What a new connection brings again is on its way. */
  readonly renew: (channel: number) => number
  /** After all but the next so many are lost. */
  readonly keep: (channel: number, length: number) => number
  /** What was only remembered is forgotten. */
  readonly forget: (channel: number) => number
  /** Everything on its way, next one first. */
  readonly messages: (channel: number) => ReadonlyArray<number>
  /** Would the next message take the place of another? */
  readonly isFull: (channel: number) => boolean
  readonly size: () => number
}

/** The channel on which nothing was ever sent. */
export const EMPTY = 0

/** No message. */
export const NONE = -1

interface Channel {
  readonly messages: ReadonlyArray<number>
  /** Of an empty channel: what it brought last, if that may come again. */
  readonly last: number
}

/** No channels but the `EMPTY` one; in each so many messages are on their way at most. */
export const make = (capacity: number): Channels => {
  const channels = Interner.make<Channel>(({ last, messages }) => messages.length > 0 ? messages.join() : `~${last}`)
  channels.id({ messages: [], last: NONE })
  // What became of a channel before is found by its number.
  const pushed: Array<Array<number | undefined>> = []
  const known: readonly [Memo, Memo, Memo] = [[], [], []]
  const once = (memo: Memo, channel: number, made: (channel: Channel) => Channel): number =>
    memo[channel] ??= channels.id(made(channels.get(channel)))
  const lastOf = ({ last, messages }: Channel): number => messages.at(-1) ?? last
  const cut = (channel: number): number =>
    once(known[0], channel, (from) => ({ messages: [], last: lastOf(from) }))
  const forget = (channel: number): number =>
    channels.get(channel).messages.length > 0 ? channel : EMPTY
  return {
    head: (channel) => channels.get(channel).messages[0] ?? NONE,
    push: (channel, message) => {
      const row = pushed[channel] ??= []
      return row[message] ??= channels.id({
        messages: [...channels.get(channel).messages.slice(0, capacity - 1), message],
        last: NONE
      })
    },
    pop: (channel, remembers) => {
      const popped = once(known[1], channel, (from) => {
        const messages = from.messages.slice(1)
        return { messages, last: messages.length > 0 ? NONE : lastOf(from) }
      })
      return remembers ? popped : forget(popped)
    },
    cut,
    keep: (channel, length) => {
      const messages = channels.get(channel).messages.slice(0, length)
      return channels.id({ messages, last: NONE })
    },
    renew: (channel) =>
      once(known[2], channel, (from) => {
        const last = lastOf(from)
        return { messages: last === NONE ? [] : [last], last: NONE }
      }),
    forget,
    isFull: (channel) => channels.get(channel).messages.length >= capacity,
    messages: (channel) => channels.get(channel).messages,
    size: channels.size
  }
}

type Memo = Array<number | undefined>
