/**
 * Everything that leaders and learners can come to within bounds, whatever an election says: a model for `Explorer`.
 *
 * What decides are the shipped reducers `Leader` and `Learner`, with `Lease` beneath them. Around them is as little as
 * there can be: disks that take their time, links that break, processes that crash, clocks that are wrong. In place of
 * an election is everything it could say: who has no role may take itself for the leader or follow anybody who does,
 * at any time. So what holds here holds whatever elections do.
 */
import * as Explorer from "./Explorer.ts"
import * as Actions from "./internal/explorer/leadership/Actions.ts"
import * as Claims from "./internal/explorer/leadership/Claims.ts"
import * as Machine from "./internal/explorer/leadership/Machine.ts"
import * as Progress from "./internal/explorer/leadership/Progress.ts"
import * as Properties from "./internal/explorer/leadership/Properties.ts"
import * as Roles from "./internal/explorer/leadership/Roles.ts"
import * as Setting from "./internal/explorer/leadership/Setting.ts"
import * as Symmetry from "./internal/explorer/leadership/Symmetry.ts"
import * as Tale from "./internal/explorer/leadership/Tale.ts"
import * as Words from "./internal/explorer/leadership/Words.ts"

export type { Claim, PeerView, View } from "./internal/explorer/leadership/Claims.ts"
export type { Bounds, Clocks, Options, Peer } from "./internal/explorer/leadership/Setting.ts"
export { explain } from "./internal/explorer/leadership/Properties.ts"
export { alike, defaultLease, none, shortLease } from "./internal/explorer/leadership/Setting.ts"

/** The model of these peers within these bounds. */
export const make = (options: Setting.Options): Explorer.Model => {
  const setting = Setting.make(options)
  const machine = Machine.make(setting)
  const fold = Symmetry.make(machine)
  const wrongWith = check(machine)
  const next = new Uint32Array(machine.layout.size)
  const stuck = setting.progress ? Progress.make(machine) : () => null
  const folded = (words: Words.Words) => {
    fold(words)
    return words
  }
  return {
    words: machine.layout.size,
    initial: initial(setting, machine).map(folded),
    expand: (state, emit) => {
      const reason = stuck(state)
      if (reason !== null) emit(Actions.encode("Calm"), state, { property: "progress", detail: reason })
      Actions.each(machine, state, (action) => {
        next.set(state)
        const { broken } = Machine.act(machine, next, action)
        const wrong = broken ?? Properties.ofState(machine, next) ?? wrongWith(state, next)
        if (wrong !== null) emit(action, next, wrong)
        else if (next.some((word, at) => word !== state[at])) emit(action, folded(next))
      })
    },
    describe: (before, action) => Tale.tell(machine, before, action)
  }
}

/**
 * Explores the model. If something is broken, the path that leads there is told of peers that keep their names: it is
 * looked for once more without exchanging those that are alike.
 */
export const explore = (options: Setting.Options, exploration: Explorer.ExploreOptions = {}): Explorer.Outcome => {
  const outcome = Explorer.explore(make(options), exploration)
  if (outcome.violation === null || options.folded === false) return outcome
  const { violation } = Explorer.explore(make({ ...options, folded: false }), exploration)
  return { ...outcome, violation: violation ?? outcome.violation }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const check = (machine: Machine.Machine) => (before: Words.Words, after: Words.Words): Explorer.Broken | null => {
  const { claims } = machine.setting
  if (claims.length === 0) return null
  const [was, is] = [Claims.view(machine, before), Claims.view(machine, after)]
  const refuted = claims.find(({ refutes }) => refutes(was, is))
  return refuted === undefined ? null : { property: refuted.name, detail: "refuted" }
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
