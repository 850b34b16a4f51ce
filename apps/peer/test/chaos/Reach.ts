/** Who can still lead when processes and links fail. */

/** What works. */
export interface Reach {
  /** Processes that run. */
  readonly running: ReadonlyArray<bigint>
  /** Can packets get from the one to the other? Asked of processes that run. */
  readonly passes: (from: bigint, to: bigint) => boolean
}

/**
 * Who is in touch, both ways, with a majority of so many servers; nobody unless there is a majority that are all in
 * touch with each other, for votes are exchanged by everybody with everybody.
 */
export const able = (size: number, { passes, running }: Reach): ReadonlyArray<bigint> => {
  const inTouch = (self: bigint, that: bigint) => self === that || (passes(self, that) && passes(that, self))
  const isMajority = (count: number) => count * 2 > size
  const circles = subsets(running).filter((members) =>
    isMajority(members.length) && members.every((self) => members.every((that) => inTouch(self, that)))
  )
  if (circles.length === 0) return []
  return running.filter((self) => isMajority(running.filter((that) => inTouch(self, that)).length))
}

const subsets = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.reduce<ReadonlyArray<ReadonlyArray<A>>>((all, item) => [...all, ...all.map((some) => [...some, item])], [[]])
