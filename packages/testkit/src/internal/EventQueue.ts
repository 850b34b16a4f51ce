/**
 * What is due, in order of time, and of arrival among what is due at the same time.
 *
 * A binary heap in two arrays: keys that are compared as plain numbers, and what they stand for.
 */

/** A queue of things due. */
export interface EventQueue<A> {
  readonly push: (at: number, item: A) => void
  /** When the next thing is due; infinity if nothing is. */
  readonly nextAt: () => number
  /** Takes the next thing; the queue must not be empty. */
  readonly pop: () => A
}

/** Room for the order of arrival beside the time within the 53 bits of a number: 2^32 things, 35 minutes. */
const ARRIVALS = 2 ** 32

/** Times that fit beside it, in milliseconds. */
export const TIME_MAX = 2 ** 21 - 1

/** An empty queue. Times are whole milliseconds from 0 to `TIME_MAX`. */
export const make = <A>(): EventQueue<A> => {
  const keys: Array<number> = []
  const items: Array<A> = []
  let arrivals = 0

  const push = (at: number, item: A): void => {
    const key = at * ARRIVALS + arrivals++
    let place = keys.length
    keys.push(key)
    items.push(item)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (keys[parent]! < key) break
      keys[place] = keys[parent]!
      items[place] = items[parent]!
      place = parent
    }
    keys[place] = key
    items[place] = item
  }

  const pop = (): A => {
    const first = items[0]!
    const key = keys.pop()!
    const item = items.pop()!
    const length = keys.length
    if (length === 0) return first
    let place = 0
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && keys[child + 1]! < keys[child]!) child++
      if (key < keys[child]!) break
      keys[place] = keys[child]!
      items[place] = items[child]!
      place = child
    }
    keys[place] = key
    items[place] = item
    return first
  }

  return { push, pop, nextAt: () => (keys.length === 0 ? Infinity : Math.floor(keys[0]! / ARRIVALS)) }
}
