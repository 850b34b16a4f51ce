/** What is to happen when, in true time; what was entered first comes first. */
export interface Agenda {
  readonly now: () => number
  /** Enters something; a time that has passed is now. */
  readonly at: (time: number, what: () => void) => void
  /** Does everything until then. */
  readonly run: (until: number) => void
}

interface Entry {
  readonly time: number
  readonly order: number
  readonly what: () => void
}

const isBefore = (self: Entry, that: Entry): boolean =>
  self.time < that.time || (self.time === that.time && self.order < that.order)

/** An empty agenda at time 0: a binary heap. */
export const make = (): Agenda => {
  const heap: Array<Entry> = []
  let now = 0
  let order = 0
  const push = (entry: Entry) => {
    let place = heap.push(entry) - 1
    for (; place > 0; ) {
      const parent = (place - 1) >> 1
      if (!isBefore(entry, heap[parent]!)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = entry
  }
  const pop = (): Entry => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
    return first
  }
  return {
    now: () => now,
    at: (time, what) => push({ time: Math.max(time, now), order: order++, what }),
    run: (until) => {
      while (heap.length > 0 && heap[0]!.time <= until) {
        const { time, what } = pop()
        now = time
        what()
      }
    }
  }
}
