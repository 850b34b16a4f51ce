/**
 * Explores leadership: everything that leaders and learners can come to within bounds, whatever an election says.
 */
import type { Model } from "../Explorer.ts"
import * as Actions from "../internal/leadership/Actions.ts"
import * as Machine from "../internal/leadership/Machine.ts"
import * as Properties from "../internal/leadership/Properties.ts"
import * as Roles from "../internal/leadership/Roles.ts"
import * as Setting from "../internal/leadership/Setting.ts"
import * as Symmetry from "../internal/leadership/Symmetry.ts"
import * as Words from "../internal/leadership/Words.ts"

export type { Bounds, Options, Peer } from "../internal/leadership/Setting.ts"

/** The model of these peers within these bounds. */
export const make = (options: Setting.Options): Model => {
  const setting = Setting.make(options)
  const machine = Machine.make(setting)
  const fold = Symmetry.make(machine)
  const next = new Uint32Array(machine.layout.size)
  return {
    words: machine.layout.size,
    initial: initial(setting, machine).map((words) => {
      fold(words)
      return words
    }),
    expand: (state, emit) => {
      Actions.each(machine, state, (action) => {
        next.set(state)
        const { broken } = Machine.act(machine, next, action)
        const wrong = broken ?? Properties.ofState(machine, next)
        fold(next)
        if (wrong !== null || next.some((word, at) => word !== state[at])) emit(action, next, wrong)
      })
    },
    describe: (_, action) => JSON.stringify(Actions.decode(action))
  }
}

const initial = (
  { bounds, clocks, lease, peers }: Setting.Setting,
  { layout }: Machine.Machine
): ReadonlyArray<Words.Words> => {
  const isEvery = lease !== null && clocks === "Every"
  return Array.from({ length: isEvery ? 1 << peers.length : 1 }, (_, fast) => {
    const words = new Uint32Array(layout.size)
    words[1] = Words.budgetWord(bounds)
    for (const [index, { acceptedEpoch, currentEpoch }] of peers.entries()) {
      const clock = (fast >>> index & 1) << 12
      const counted = Number(acceptedEpoch)
      words[Words.roleAt(index)] = Roles.IDLE
      words[Words.diskAt(index)] = Words.withCounted(Words.withEpochs(clock, counted, Number(currentEpoch)), counted)
    }
    return words
  })
}
