/**
 * Does every course come to rest that is left to itself?
 *
 * From here on nothing more is done to anybody. What is on its way arrives in any order, processes start again,
 * strangers hang up; timers fire, in any order, when nothing else is left to happen. Every such course is followed to
 * its end, and there has to be one. What is wrong on the way, or at rest, is found where the states of it are explored.
 */
import type { Broken } from "../../../Explorer.ts"
import * as StateTable from "../StateTable.ts"
import * as Actions from "./Actions.ts"
import * as Machine from "./Machine.ts"
import * as Tale from "./Tale.ts"
import type * as Words from "./Words.ts"

/** Follows courses, each state once. */
export interface Progress {
  /** Tells of a course that has no end; `null` if all have one. */
  readonly check: (words: Words.Words) => Broken | null
  /** How many states there are on all courses that were followed. */
  readonly followed: () => number
}

/** No course is known to end. */
export const make = (machine: Machine.Machine): Progress => {
  const { size } = machine.layout
  const known = StateTable.make(size)
  // Where on the course each state is that it has come through.
  const walked = new Map<number, number>()
  const course: Array<Taken> = []

  const follow = (words: Words.Words): Broken | null => {
    if (!known.add(words, 0, 0)) {
      const since = walked.get(known.indexOf(words))
      return since === undefined ? null : tell(machine, course, endless, since)
    }
    const number = known.size() - 1
    const actions: Array<number> = []
    Actions.eachLeft(machine, words, (action) => actions.push(action))
    walked.set(number, course.length)
    for (const action of actions) {
      const next = words.slice()
      course.push({ words, action })
      const { broken } = Machine.act(machine, next, action)
      const found = broken === null ? follow(next) : null
      if (found !== null) return found
      course.pop()
    }
    walked.delete(number)
    return null
  }

  const at = new Uint32Array(size)
  return {
    check: (words) => {
      at.set(words)
      at[0] = 0
      course.length = 0
      return follow(at.slice())
    },
    followed: () => known.size()
  }
}

/** A step of a course, and the state in which it was taken. */
export interface Taken {
  readonly words: Words.Words
  readonly action: number
}

/** That a course has no end. */
export const endless: Broken = { property: "endless", detail: "connections never come to rest" }

/** What is broken, and how it comes about from here; what comes `since` then is repeated without end. */
export const tell = (
  machine: Machine.Machine,
  course: ReadonlyArray<Taken>,
  { detail, property }: Broken,
  since: number = course.length
): Broken => {
  const steps = course.map(({ action, words }) => Tale.tell(machine, words, action))
  const again = steps.slice(since)
  const lines = [detail, ...steps.slice(0, since), ...(again.length === 0 ? [] : ["and again and again:", ...again])]
  return { property, detail: lines.join("\n     ") }
}
