/**
 * The states that were reached, each once, in the order in which they were found: a hash table over words, with who
 * comes after whom. Compared word for word, so that no two states are ever taken for one.
 */

/** States as rows of 32-bit words. */
export interface StateTable {
  readonly size: () => number
  /** Adds a state unless it is known, and tells whether it was new; `parent` and `action` tell how it was found. */
  readonly add: (state: Uint32Array, parent: number, action: number) => boolean
  /** The place of a state in that order; -1 if it is not known. */
  readonly indexOf: (state: Uint32Array) => number
  /** Copies a state. */
  readonly read: (index: number, into: Uint32Array) => void
  readonly parent: (index: number) => number
  readonly action: (index: number) => number
}

/** States that a chunk has room for; one chunk is allocated at a time. */
const CHUNK = 1 << 16

/** The first number of places; there are twice as many as states at least. */
const PLACES = 1 << 16

/** An empty table of states of so many words. */
export const make = (words: number): StateTable => {
  // A row is the state, then its parent and its action.
  const row = words + 2
  const chunks: Array<Uint32Array> = []
  let places = new Uint32Array(PLACES)
  let size = 0

  const isAt = (index: number, state: Uint32Array): boolean => {
    const chunk = chunks[Math.floor(index / CHUNK)]!
    const start = (index % CHUNK) * row
    for (let word = 0; word < words; word++) if (chunk[start + word] !== state[word]) return false
    return true
  }

  const hashAt = (index: number): number =>
    hash(chunks[Math.floor(index / CHUNK)]!, (index % CHUNK) * row, words)

  const grow = (): void => {
    const mask = places.length * 2 - 1
    places = new Uint32Array(places.length * 2)
    for (let index = 0; index < size; index++) {
      let place = hashAt(index) & mask
      while (places[place] !== 0) place = (place + 1) & mask
      places[place] = index + 1
    }
  }

  const append = (state: Uint32Array, parent: number, action: number): void => {
    if (size % CHUNK === 0) chunks.push(new Uint32Array(CHUNK * row))
    const chunk = chunks[chunks.length - 1]!
    const start = (size % CHUNK) * row
    chunk.set(state, start)
    chunk[start + words] = parent
    chunk[start + words + 1] = action
    size++
  }

  return {
    size: () => size,
    add: (state, parent, action) => {
      const mask = places.length - 1
      let place = hash(state, 0, words) & mask
      for (let entry = places[place]!; entry !== 0; entry = places[place]!) {
        if (isAt(entry - 1, state)) return false
        place = (place + 1) & mask
      }
      append(state, parent, action)
      places[place] = size
      if (size * 2 > places.length) grow()
      return true
    },
    indexOf: (state) => {
      const mask = places.length - 1
      let place = hash(state, 0, words) & mask
      while (places[place] !== 0 && !isAt(places[place]! - 1, state)) place = (place + 1) & mask
      return places[place]! - 1
    },
    read: (index, into) => {
      const start = (index % CHUNK) * row
      into.set(chunks[Math.floor(index / CHUNK)]!.subarray(start, start + words))
    },
    parent: (index) => chunks[Math.floor(index / CHUNK)]![(index % CHUNK) * row + words]!,
    action: (index) => chunks[Math.floor(index / CHUNK)]![(index % CHUNK) * row + words + 1]!
  }
}

// A multiplication and a shift a word, as in FNV, and the last mix of MurmurHash3.
const hash = (from: Uint32Array, start: number, words: number): number => {
  let mixed = 0x811c9dc5
  for (let word = start; word < start + words; word++) {
    mixed = Math.imul(mixed ^ from[word]!, 0x01000193)
    mixed ^= mixed >>> 15
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
