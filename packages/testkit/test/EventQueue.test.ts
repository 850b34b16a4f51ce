import { assert, describe, it } from "@effect/vitest"
import * as EventQueue from "../src/internal/EventQueue.ts"
import * as Random from "../src/Random.ts"

describe("EventQueue", () => {
  it("gives things in order of time, and of arrival among what is due at the same time", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = Random.make(seed)
      const queue = EventQueue.make<readonly [at: number, arrival: number]>()
      const waiting: Array<readonly [number, number]> = []
      let now = 0
      for (let arrival = 0; arrival < 300; arrival++) {
        if (random.percent(55) || waiting.length === 0) {
          const thing = [now + random.below(20), arrival] as const
          queue.push(thing[0], thing)
          waiting.push(thing)
        } else {
          const next = waiting.toSorted(([a, i], [b, j]) => a - b || i - j)[0]!
          assert.strictEqual(queue.nextAt(), next[0])
          assert.strictEqual(queue.pop(), next)
          waiting.splice(waiting.indexOf(next), 1)
          now = next[0]
        }
      }
    }
  })

  it("knows no next thing when it is empty, and keeps the last time apart from the first", () => {
    const queue = EventQueue.make<string>()
    assert.strictEqual(queue.nextAt(), Infinity)
    queue.push(EventQueue.TIME_MAX, "last")
    queue.push(0, "first")
    assert.deepStrictEqual([queue.pop(), queue.nextAt(), queue.pop(), queue.nextAt()], [
      "first",
      EventQueue.TIME_MAX,
      "last",
      Infinity
    ])
  })
})
