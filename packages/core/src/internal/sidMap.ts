/**
 * Maps by server id, of a few servers and in the order in which they came, that never change.
 *
 * As in `sidSet` few ids are in an array, and for the same reason; what belongs to them is in another one.
 */
import type { Sid } from "../Sid.ts"
import * as SidSet from "./sidSet.ts"

class SidMap<V> implements ReadonlyMap<Sid, V> {
  declare readonly sids: ReadonlyArray<Sid>
  declare readonly items: ReadonlyArray<V>

  constructor(sids: ReadonlyArray<Sid>, items: ReadonlyArray<V>) {
    this.sids = sids
    this.items = items
  }

  get size(): number {
    return this.sids.length
  }

  has(sid: Sid): boolean {
    return SidSet.indexOf(this.sids, sid) >= 0
  }

  get(sid: Sid): V | undefined {
    const index = SidSet.indexOf(this.sids, sid)
    return index < 0 ? undefined : this.items[index]
  }

  forEach(each: (item: V, sid: Sid, map: ReadonlyMap<Sid, V>) => void, self?: unknown): void {
    const { items, sids } = this
    for (let index = 0; index < sids.length; index++) each.call(self, items[index]!, sids[index]!, this)
  }

  keys(): MapIterator<Sid> {
    return this.sids.values()
  }

  values(): MapIterator<V> {
    return this.items.values()
  }

  entries(): MapIterator<[Sid, V]> {
    return this.sids.map((sid, index): [Sid, V] => [sid, this.items[index]!]).values()
  }

  [Symbol.iterator](): MapIterator<[Sid, V]> {
    return this.entries()
  }
}

// As a `SidSet` is a `Set`, for those who ask.
Object.setPrototypeOf(SidMap.prototype, Map.prototype)

/** No entries. */
export const empty: ReadonlyMap<Sid, never> = new SidMap([], [])

/** The same for each of these ids, of which none is there twice. */
export const fill = <V>(sids: ReadonlyArray<Sid>, item: V): ReadonlyMap<Sid, V> =>
  sids.length > SidSet.FEW ? new Map(sids.map((sid) => [sid, item])) : new SidMap(sids, sids.map(() => item))

/** The map with this entry, in place of the one with the same id. */
export const set = <V>(map: ReadonlyMap<Sid, V>, sid: Sid, item: V): ReadonlyMap<Sid, V> => {
  if (!(map instanceof SidMap)) return of(new Map(map).set(sid, item))
  const { items, sids }: SidMap<V> = map
  const index = SidSet.indexOf(sids, sid)
  if (index >= 0) return new SidMap(sids, replaced(items, index, item))
  return sids.length < SidSet.FEW
    ? new SidMap([...sids, sid], [...items, item])
    : new Map(map).set(sid, item)
}

/** The map without the entry of this id; the same map if it has none. */
export const remove = <V>(map: ReadonlyMap<Sid, V>, sid: Sid): ReadonlyMap<Sid, V> => {
  if (!map.has(sid)) return map
  if (map instanceof SidMap) {
    const { items, sids }: SidMap<V> = map
    const index = SidSet.indexOf(sids, sid)
    return new SidMap(sids.toSpliced(index, 1), items.toSpliced(index, 1))
  }
  const next = new Map(map)
  next.delete(sid)
  return of(next)
}

/** The ids of which this is true of what belongs to them. */
export const where = <V>(map: ReadonlyMap<Sid, V>, test: (item: V) => boolean): ReadonlySet<Sid> => {
  const found: Array<Sid> = []
  map.forEach((item, sid) => {
    if (test(item)) found.push(sid)
  })
  return SidSet.of(found)
}

const replaced = <A>(list: ReadonlyArray<A>, index: number, item: A): ReadonlyArray<A> => {
  const next = list.slice()
  next[index] = item
  return next
}

const of = <V>(map: ReadonlyMap<Sid, V>): ReadonlyMap<Sid, V> =>
  map.size > SidSet.FEW ? map : new SidMap(Array.from(map.keys()), Array.from(map.values()))
