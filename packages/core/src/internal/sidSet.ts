/**
 * Sets of a few server ids, in the order in which they came, that never change.
 *
 * An election asks of every message whether its sender is one of a handful of servers, and who of them agree. Ids are
 * 64 bits wide: to find one of five in a hash table takes twice as long as in an array, and to copy the table takes ten
 * times as long as to copy the array. Of more than `FEW` ids a `Set` is made after all.
 */
import type { Sid } from "../Sid.ts"

class SidSet implements ReadonlySet<Sid> {
  declare readonly sids: ReadonlyArray<Sid>

  constructor(sids: ReadonlyArray<Sid>) {
    this.sids = sids
  }

  get size(): number {
    return this.sids.length
  }

  has(sid: Sid): boolean {
    return indexOf(this.sids, sid) >= 0
  }

  forEach(each: (sid: Sid, same: Sid, set: ReadonlySet<Sid>) => void, self?: unknown): void {
    this.sids.forEach((sid) => each.call(self, sid, sid, this))
  }

  keys(): SetIterator<Sid> {
    return this.sids.values()
  }

  values(): SetIterator<Sid> {
    return this.sids.values()
  }

  [Symbol.iterator](): SetIterator<Sid> {
    return this.sids.values()
  }

  // What is rarely asked is left to a set that knows how.

  entries(): SetIterator<[Sid, Sid]> {
    return new Set(this.sids).entries()
  }

  union<A>(other: ReadonlySetLike<A>): Set<Sid | A> {
    return new Set(this.sids).union(other)
  }

  intersection<A>(other: ReadonlySetLike<A>): Set<Sid & A> {
    return new Set(this.sids).intersection(other)
  }

  difference<A>(other: ReadonlySetLike<A>): Set<Sid> {
    return new Set(this.sids).difference(other)
  }

  symmetricDifference<A>(other: ReadonlySetLike<A>): Set<Sid | A> {
    return new Set(this.sids).symmetricDifference(other)
  }

  isSubsetOf(other: ReadonlySetLike<unknown>): boolean {
    return new Set(this.sids).isSubsetOf(other)
  }

  isSupersetOf(other: ReadonlySetLike<unknown>): boolean {
    return new Set(this.sids).isSupersetOf(other)
  }

  isDisjointFrom(other: ReadonlySetLike<unknown>): boolean {
    return new Set(this.sids).isDisjointFrom(other)
  }
}

// Schemas and printers ask whether something is `instanceof Set`. This one is, but for `add` and its like, which throw.
Object.setPrototypeOf(SidSet.prototype, Set.prototype)

/** The most ids that are kept in an array. Ours: for so many a hash table takes as long to find one. */
export const FEW = 16

/** No ids. */
export const empty: ReadonlySet<Sid> = new SidSet([])

/** These ids, each once. */
export const from = (sids: Iterable<Sid>): ReadonlySet<Sid> => of(Array.from(new Set(sids)))

/** These ids, of which none is there twice. */
export const of = (sids: ReadonlyArray<Sid>): ReadonlySet<Sid> => sids.length > FEW ? new Set(sids) : new SidSet(sids)

/** The set with this id, last if it is new; the same set if it has it. */
export const add = (set: ReadonlySet<Sid>, sid: Sid): ReadonlySet<Sid> => {
  if (set.has(sid)) return set
  return of([...(set instanceof SidSet ? set.sids : set), sid])
}

/** The set without this id; the same set if it has none. */
export const remove = (set: ReadonlySet<Sid>, sid: Sid): ReadonlySet<Sid> => {
  if (!set.has(sid)) return set
  const sids = set instanceof SidSet ? set.sids : Array.from(set)
  return of(sids.toSpliced(indexOf(sids, sid), 1))
}

/** Where the id is, counted from 0; -1 if it is not there. */
export const indexOf = (sids: ReadonlyArray<Sid>, sid: Sid): number => {
  for (let index = 0; index < sids.length; index++) if (sids[index] === sid) return index
  return -1
}
