/**
 * The traces of simulations: whatever happens there can be written down, read, and decided again.
 */
import * as Conformance from "@conclave/core/Conformance"
import * as Trace from "@conclave/core/Trace"
import * as TraceStory from "@conclave/core/TraceStory"
import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import * as Reducers from "../src/Reducers.ts"
import * as Simulator from "../src/Simulator.ts"

const names = Object.keys(Profile.profiles) as Array<Profile.ProfileName>

const SEEDS = 2

const traced = (name: Profile.ProfileName, seed: number, options: Simulator.RunOptions = {}) => {
  const lines: Array<Trace.Line> = []
  const outcome = Simulator.run(Profile.draw(name, 5, seed), { ...options, trace: (line) => lines.push(line) })
  return { lines, texts: lines.map(Trace.encode), outcome }
}

describe.each(names)("a trace of %s", (name) => {
  it("has every step that was taken, and each is the one that the core takes", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { outcome: { stats }, texts } = traced(name, seed)
      const { fault, lost, steps, unchecked } = Conformance.check(texts)
      assert.strictEqual(fault === null ? "" : Conformance.describe(fault), "", `seed ${seed}`)
      assert.deepStrictEqual([steps, lost, unchecked], [stats.steps + stats.decisions + stats.leaderSteps, 0, 0])
    }
  })

  it("is the same for the same seed, and its writing changes nothing", () => {
    const first = traced(name, 11)
    assert.deepStrictEqual(traced(name, 11).texts, first.texts)
    const untraced = Simulator.run(Profile.draw(name, 5, 11))
    assert.deepStrictEqual([first.outcome.healed, first.outcome.stats], [untraced.healed, untraced.stats])
  })
})

describe("a trace", () => {
  it("tells each process of a member as one of its own, in order of time", () => {
    const { lines } = traced("crashes", 1)
    const starts = lines.flatMap((line) => (line._tag === "Start" && line.reducer === "election" ? [line] : []))
    const ofThree = starts.filter(({ sid }) => sid === 3n).map(({ instance }) => instance)
    assert.isAbove(ofThree.length, 1)
    assert.deepStrictEqual(ofThree, ofThree.map((_, index) => index + 1))
    const times = lines.flatMap((line) => (line._tag === "Trace" ? [] : [line.wall]))
    assert.deepStrictEqual(times, times.toSorted((self, that) => self - that))
  })

  it("tells who won and why, who changed its mind, who was late, and what came of it", () => {
    const story = TraceStory.tell(traced("crashes", 1).lines, { verbose: false }).join("\n")
    assert.match(story, /^\d\d:\d\d:\d\d\.\d{3} election of server \d\n {2}why {3}server \d won: /m)
    assert.match(story, /changed its mind from server \d to \d, because of server \d: /)
    assert.match(story, /began to look \d+ ms after the first decision/)
    assert.match(story, /gave its leader up/)
  })

  it("shows the step of a core that decides otherwise", () => {
    const { Election } = Reducers.shipped
    const step: typeof Election.step = (ensemble, state, event) => {
      const [next, outputs] = Election.step(ensemble, state, event)
      return [next, event._tag === "FinalizeTimeout" ? [...outputs, { _tag: "CancelTimer" }] : outputs]
    }
    const reducers = { ...Reducers.shipped, Election: { ...Election, step } }
    const { fault } = Conformance.check(traced("calm", 1, { reducers }).texts)
    assert.strictEqual(fault?._tag, "Differs")
    assert.match(Conformance.describe(fault!), /event {4}{"_tag":"FinalizeTimeout"}\n.*\n.*nothing more\n.*CancelTimer/)
  })
})
