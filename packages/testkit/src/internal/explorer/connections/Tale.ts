/**
 * A step, for people. A connection is told by who dialled it, and by its place among those that the two have.
 */
import type { Output } from "@conclave/core/ConnectionsOutput"
import * as Explain from "@conclave/core/Explain"
import * as Actions from "./Actions.ts"
import * as Bundles from "./Bundles.ts"
import * as Machine from "./Machine.ts"
import { OUTSIDE } from "./Setting.ts"
import type * as Words from "./Words.ts"

/** What happens, and after arrows what is decided because of it. */
export const tell = (machine: Machine.Machine, before: Words.Words, action: number): string => {
  const happens = what(machine, before, action)
  if (Actions.decode(action).kind === "Calm") return happens
  const { decisions } = Machine.act(machine, before.slice(), action)
  const decided = decisions.flatMap(({ outputs }) => outputs.map(output))
  return decided.length === 0 ? happens : `${happens} -> ${decided.join("; ")}`
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const what = (machine: Machine.Machine, words: Words.Words, action: number): string => {
  const { kind, what, which } = Actions.decode(action)
  const { peers, sids } = machine.setting
  const name = `server ${peers[what]?.sid}`
  switch (kind) {
    case "Start":
      return `${name} starts`
    case "Crash":
      return `${name} crashes`
    case "Outage":
      return `${name} is gone with its host`
    case "Made":
      return `${name} reaches ${sids[which]}`
    case "Refused":
      return `the call of ${name} to ${sids[which]} is refused`
    case "DialFails":
      return `${name} learns that it does not reach ${sids[which]}`
    case "Silence":
      return `${name} gets no answer from ${sids[which]}`
    case "Redial":
      return `${name} is to try ${sids[which]} again`
    case "Request":
      return `${name} has something to say to ${sids[which]}`
    case "Change":
      return `${name} wants ${Explain.sids(Machine.wantedBy(machine.setting, what, which))}`
    case "Stranger":
      return `a stranger calls ${name} as ${sids[which]}`
    case "Calm":
      return "nothing more is done to anybody"
    default:
      return onConnection(machine, words, Actions.decode(action))
  }
}

const onConnection = (
  machine: Machine.Machine,
  words: Words.Words,
  { kind, side, what, which }: Actions.Action
): string => {
  const connection = Machine.connectionAt(machine, words, what, which)
  if (connection === undefined) return kind
  const { far, near } = connection
  const { peers } = machine.setting
  const nameOf = ({ peer }: Bundles.End) => (peer === OUTSIDE ? "a stranger" : `server ${peers[peer]!.sid}`)
  const called = near.peer === OUTSIDE ? ` as ${far.sid}` : ""
  const it = `the call of ${nameOf(near)}${called} to ${nameOf(far)} (${which + 1})`
  const self = nameOf(Bundles.end(connection, side))
  switch (kind) {
    case "Greeted":
      return `${self} has said who it is in ${it}`
    case "NotGreeted":
      return `${self} cannot say who it is in ${it}`
    case "Read":
      return `${self} reads who it is in ${it}`
    case "HelloLost":
      return `${self} never reads who it is in ${it}`
    case "Break":
      return `${it} breaks`
    case "Probe":
      return `${self} gets no answer at the far address of ${it}`
    case "HangsUp":
      return `a stranger ends ${it}`
    case "Lingered":
      return `${self} has waited long enough for the end of ${it}`
    default:
      return `${self} learns the end of ${it}${kind.endsWith("Useless") ? ", which was of no use" : ""}`
  }
}

const output = (output: Output): string => {
  switch (output._tag) {
    case "Dial":
      return `dials ${output.sid}`
    case "Adopt":
      return `keeps it`
    case "Close":
      return `${output.linger ? "leaves to close" : "closes"} (${output.reason})`
    case "RedialLater":
      return `will try ${output.sid} again`
    default:
      return `${output._tag} ${output.sid}`
  }
}
