/**
 * Values by numbers: equal values have the same number, so that a state of many is a few words, and what was computed
 * of a value once is known by its number.
 */

/** A numbering; the first value is number 0. */
export interface Interner<A> {
  readonly id: (value: A) => number
  readonly get: (id: number) => A
  readonly size: () => number
}

/** An empty numbering; two values are the same if their keys are. */
export const make = <A>(key: (value: A) => string): Interner<A> => {
  const ids = new Map<string, number>()
  const values: Array<A> = []
  // A value is often met again as the very same object, and its key is dear.
  const known = new WeakMap<object, number>()
  const numbered = (value: A): number => {
    const text = key(value)
    const found = ids.get(text)
    if (found !== undefined) return found
    ids.set(text, values.length)
    return values.push(value) - 1
  }
  return {
    id: (value) => {
      if (typeof value !== "object" || value === null) return numbered(value)
      const met = known.get(value)
      if (met !== undefined) return met
      const id = numbered(value)
      known.set(value, id)
      return id
    },
    get: (id) => values[id]!,
    size: () => values.length
  }
}
