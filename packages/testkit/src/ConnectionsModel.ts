/**
 * Everything that the connections of a few peers can come to within bounds: a model for `Explorer`.
 *
 * What decides is the shipped `Connections.step` of each. Around it is what the shell does, and a network that does
 * what TCP promises and no more: a dial takes its time, and ends with a connection, a refusal or silence; a handshake
 * is on its way; an end is learned after what was said before.
 *
 * What is explored, what is left out and why that changes nothing, and what is checked: `EXPLORER-CONNECTIONS.md`.
 *
 * Java: QuorumCnxManager.
 */
import type * as Explorer from "./Explorer.ts"
import * as Actions from "./internal/explorer/connections/Actions.ts"
import * as Chase from "./internal/explorer/connections/Chase.ts"
import * as Claims from "./internal/explorer/connections/Claims.ts"
import * as Machine from "./internal/explorer/connections/Machine.ts"
import * as Progress from "./internal/explorer/connections/Progress.ts"
import * as Properties from "./internal/explorer/connections/Properties.ts"
import * as Setting from "./internal/explorer/connections/Setting.ts"
import * as Tale from "./internal/explorer/connections/Tale.ts"
import * as Words from "./internal/explorer/connections/Words.ts"

export type { Claim, PeerView, View } from "./internal/explorer/connections/Claims.ts"
export type { Bounds, Options, Peer } from "./internal/explorer/connections/Setting.ts"
export { explain } from "./internal/explorer/connections/Properties.ts"
export { CAPACITY, none, voters } from "./internal/explorer/connections/Setting.ts"

/** A model, and how much there was to compute. */
export interface ConnectionsModel extends Explorer.Model {
  readonly counts: () => Counts
}

/** How many parts the states have. */
export interface Counts {
  /** Different states of peers, and contents of all that is between two. */
  readonly peers: number
  readonly bundles: number
  /** Steps of the reducer that were taken. */
  readonly steps: number
  /** States on the courses that were followed until connections came to rest. */
  readonly followed: number
}

/** The model of these peers within these bounds. */
export const make = (options: Setting.Options): ConnectionsModel => {
  const setting = Setting.make(options)
  const machine = Machine.make(setting)
  const progress = Progress.make(machine)
  const { layout } = machine
  const next = new Uint32Array(layout.size)
  const first = initial(machine)
  const check = (state: Words.Words): Explorer.Broken | null => {
    if (setting.asks === "Rest") return restOf(machine, state) ?? (layout.peers === 2 ? progress.check(state) : null)
    return setting.asks === "Chase" && state.join() === first.join() ? Chase.find(machine, state) : null
  }
  return {
    words: layout.size,
    initial: [first],
    expand: (state, emit) => {
      const stuck = check(state)
      if (stuck !== null) emit(Actions.encode("Calm"), state, stuck)
      Actions.each(machine, state, (action) => {
        next.set(state)
        const { broken } = Machine.act(machine, next, action)
        emit(action, next, broken ?? refuted(machine, state, next))
      })
    },
    describe: (before, action) => Tale.tell(machine, before, action),
    counts: () => ({
      peers: machine.peers.size(),
      bundles: machine.bundles.size(),
      steps: machine.peers.steps(),
      followed: progress.followed()
    })
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const refuted = (machine: Machine.Machine, before: Words.Words, after: Words.Words): Explorer.Broken | null => {
  const { claims } = machine.setting
  if (claims.length === 0) return null
  const [was, is] = [Claims.view(machine, before), Claims.view(machine, after)]
  const claim = claims.find(({ refutes }) => refutes(was, is))
  return claim === undefined ? null : { property: claim.name, detail: "refuted" }
}

// Where nothing is left to happen, unless something is done to somebody.
const restOf = (machine: Machine.Machine, state: Words.Words): Explorer.Broken | null => {
  let isAtRest = true
  Actions.eachLeft(machine, state, () => void (isAtRest = false))
  return isAtRest ? Properties.ofRest(machine, state) : null
}

const initial = (machine: Machine.Machine): Words.Words => {
  const { layout, peers, setting } = machine
  const words = new Uint32Array(layout.size)
  words[0] = Words.budgetWord(setting.bounds)
  for (let peer = 0; peer < layout.peers; peer++) words[Words.peerAt(peer)] = peers.fresh(peer, "Down")
  if (setting.starts === "Separately") return words
  for (let peer = 0; peer < layout.peers; peer++) Machine.act(machine, words, Actions.encode("Start", peer))
  return words
}
