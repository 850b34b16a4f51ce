/**
 * Takes one step: something happens, the reducers decide, and what they decide is done to connections.
 */
import type * as Connections from "@conclave/core/Connections"
import type { Output } from "@conclave/core/ConnectionsOutput"
import type { Sid } from "@conclave/core/Sid"
import type { Broken } from "../../../Explorer.ts"
import * as Actions from "./Actions.ts"
import * as Asked from "./Asked.ts"
import * as Bundles from "./Bundles.ts"
import * as Peers from "./Peers.ts"
import * as Processes from "./Processes.ts"
import * as Properties from "./Properties.ts"
import { OUTSIDE, type Setting, strange } from "./Setting.ts"
import * as Words from "./Words.ts"

/** All that is numbered and computed once. */
export interface Machine {
  readonly setting: Setting
  readonly layout: Words.Layout
  readonly peers: Peers.Peers
  readonly bundles: Bundles.Bundles
}

/** A machine that has not moved. */
export const make = (setting: Setting): Machine => ({
  setting,
  layout: Words.layout(setting.peers.length, setting.bounds.strangers > 0),
  peers: Peers.make(setting),
  bundles: Bundles.make()
})

/** What was decided, by whom, and why. */
export interface Decision {
  readonly peer: number
  readonly event: Connections.Event
  readonly outputs: ReadonlyArray<Output>
}

/** What a step came to. */
export interface Done {
  readonly broken: Broken | null
  readonly decisions: ReadonlyArray<Decision>
  /** From which place of which bundle on connections have moved up. */
  readonly moved: ReadonlyArray<Omit<Where, "side">>
}

/** Does an action to a state in place; tells what was decided, and what that breaks. */
export const act = (machine: Machine, words: Words.Words, action: number): Done => {
  const turn: Turn = { machine, words, broken: null, decisions: [] }
  happen(turn, Actions.decode(action))
  const broken = turn.broken ?? Properties.ofState(machine, words)
  return { broken, decisions: turn.decisions, moved: broken === null ? sweep(machine, words) : [] }
}

/** The connection at this place. */
export const connectionAt = (
  { bundles, layout }: Machine,
  words: Words.Words,
  bundle: number,
  place: number
): Bundles.Connection | undefined => bundles.get(words[Words.bundleAt(layout, bundle)]!)[place]

/** Whom a peer wants after a change. */
export const wantedBy = ({ peers, sids }: Setting, peer: number, which: number): ReadonlyArray<Sid> => {
  if (which === Actions.ALL) return peers[peer]!.wants
  return which === Actions.NOBODY ? [] : [sids[which - 2]!]
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** An end of a connection. */
interface Where {
  readonly bundle: number
  readonly place: number
  readonly side: Bundles.Side
}

interface Turn {
  readonly machine: Machine
  readonly words: Words.Words
  broken: Broken | null
  readonly decisions: Array<Decision>
}

const happen = (turn: Turn, { kind, side, what, which }: Actions.Action): void => {
  const { machine, words } = turn
  switch (kind) {
    case "Start":
      Processes.start(machine, words, what)
      return want(turn, what, machine.setting.peers[what]!.wants)
    case "Crash":
      return Processes.crash(machine, words, what)
    case "Outage":
      return Processes.vanish(machine, words, what)
    case "Made":
      return connect(turn, what, machine.setting.sids[which]!)
    case "Refused":
      return refuse(turn, what, machine.setting.sids[which]!)
    case "Silence":
      Words.spend(words, "failures")
      Asked.forgiveBoth(machine, words, what, which)
      return fail(turn, what, which)
    case "DialFails":
      return fail(turn, what, which)
    case "Redial":
      return take(turn, what, { _tag: "RedialDue", sid: machine.setting.sids[which]! })
    case "Request":
      Words.spend(words, "requests")
      Asked.note(machine, words, what, which)
      return take(turn, what, { _tag: "ConnectRequested", sid: machine.setting.sids[which]! })
    case "Change":
      Words.spend(words, "changes")
      return want(turn, what, wantedBy(machine.setting, what, which))
    case "Stranger":
      return call(turn, what, machine.setting.sids[which]!)
    case "Calm":
      return
    default:
      return happenTo(turn, kind, { bundle: what, place: which, side })
  }
}

const happenTo = (turn: Turn, kind: Actions.Kind, where: Where): void => {
  const connection = connectionAt(turn.machine, turn.words, where.bundle, where.place)
  if (connection === undefined) return
  const { peer, sid, stage } = Bundles.end(connection, where.side)
  const link = Bundles.linkOf(where.place, where.side)
  switch (kind) {
    case "Greeted":
      change(turn, where, { stage: "Open" })
      return take(turn, peer, { _tag: "Dialed", link, sid }, where)
    case "NotGreeted":
      change(turn, where, { stage: "Closed" })
      return fail(turn, peer, turn.machine.setting.indexOf(sid))
    case "Read": {
      change(turn, where, { stage: "Open" })
      const { addresses } = turn.machine.setting
      const announced = connection.near.peer === OUTSIDE ? strange : addresses[connection.near.peer]!
      return take(turn, peer, { _tag: "Accepted", link, sid, announced }, where)
    }
    case "HelloLost":
      Asked.forgiveAll(turn.machine, turn.words, where.bundle)
      return change(turn, where, { stage: "Closed" })
    case "Break":
      Words.spend(turn.words, "breaks")
      return sever(turn, where)
    case "Probe":
      Words.spend(turn.words, "probes")
      return take(turn, peer, { _tag: "ProbeFailed", link, sid }, where)
    case "HangsUp":
      return change(turn, where, { stage: "Closed", spoke: true })
    default: {
      // What was asked of a connection that broke afterwards was in vain.
      if (connection.isBroken && stage === "Adopted") Asked.forgive(turn.machine, turn.words, peer, sid)
      change(turn, where, { stage: "Closed", spoke: true })
      const useful = kind === "Ended" || kind === "OwnEnd"
      return take(turn, peer, { _tag: "Closed", link, sid, useful }, where)
    }
  }
}

// One step of a reducer, at an end of a connection or at none.
const take = (turn: Turn, peer: number, event: Connections.Event, where: Where | null = null): void => {
  const { decisions, machine: { peers }, words } = turn
  const { broken, outputs, peer: after } = peers.step(words[Words.peerAt(peer)]!, event)
  words[Words.peerAt(peer)] = after
  turn.broken ??= broken
  decisions.push({ peer, event, outputs })
  for (const output of outputs) {
    if (output._tag !== "Adopt" && output._tag !== "Close") continue
    // An observer without an id is given one, so that its connection is found by its number.
    const isSame = "link" in event && event.link === output.link
    const at = isSame && where !== null ? where : whereIs(turn, peer, output.sid, output.link)
    if (output._tag === "Adopt") adopt(turn, at, output.sid)
    else close(turn, at, output)
  }
  if (where === null) return
  const connection = connectionAt(turn.machine, words, where.bundle, where.place)
  if (connection !== undefined && Bundles.end(connection, where.side).stage === "Open") {
    turn.broken ??= { property: "leak", detail: `server ${sidOf(turn, peer)} neither keeps nor closes a connection` }
  }
}

const adopt = (turn: Turn, where: Where, sid: Sid): void => {
  const connection = connectionAt(turn.machine, turn.words, where.bundle, where.place)
  turn.broken ??= connection === undefined
    ? { property: "link", detail: `a connection with ${sid} is kept that is gone` }
    : Properties.ofAdoption(turn.machine, connection, where.side, sid)
  change(turn, where, { stage: "Adopted", sid, spoke: true })
}

const close = (turn: Turn, where: Where, { link, linger, reason, sid }: Output & { readonly _tag: "Close" }): void => {
  const connection = connectionAt(turn.machine, turn.words, where.bundle, where.place)
  if (connection === undefined) return
  const { peer, stage } = Bundles.end(connection, where.side)
  if (stage === "Open") return change(turn, where, { stage: "Closed", sid })
  if (stage !== "Adopted") return
  if (linger) return change(turn, where, { stage: "Lingering" })
  if (reason === "Unreachable") sever(turn, where)
  const { state } = turn.machine.peers.get(turn.words[Words.peerAt(peer)]!)
  // The news of it comes later; to whom it does not matter any more, at once.
  if (state.links.get(sid) === link) return change(turn, where, { stage: "Closing" })
  change(turn, where, { stage: "Closed", spoke: true })
  take(turn, peer, { _tag: "Closed", link, sid, useful: true }, where)
}

const change = ({ machine: { bundles, layout }, words }: Turn, where: Where, change: Bundles.Change): void => {
  const at = Words.bundleAt(layout, where.bundle)
  words[at] = bundles.change(words[at]!, where.place, where.side, change)
}

const sever = ({ machine, words }: Turn, { bundle, place }: Where): void => {
  const at = Words.bundleAt(machine.layout, bundle)
  words[at] = machine.bundles.sever(words[at]!, place)
  Asked.forgiveAll(machine, words, bundle)
}

const add = ({ machine: { bundles, layout }, words }: Turn, bundle: number, ends: Pick<Bundles.Connection, Ends>) => {
  const at = Words.bundleAt(layout, bundle)
  words[at] = bundles.id([...bundles.get(words[at]!), { ...ends, isBroken: false }])
}

type Ends = "near" | "far"

const atWork = { stage: "Adopted", spoke: true } as const

// The connection is there; the other side is told by our handshake who we are.
const connect = (turn: Turn, peer: number, sid: Sid): void => {
  const { machine: { layout, peers, setting }, words } = turn
  const at = Words.peerAt(peer)
  const dial = peers.get(words[at]!).dials.get(sid)
  if (dial === undefined) return
  words[at] = peers.withDial(words[at]!, sid, { ...dial, stage: "Greeting" })
  const mine = sidOf(turn, peer)
  const far = dial.to === OUTSIDE ? atWork : { stage: "Unread", spoke: false } as const
  add(turn, layout.bundle(peer, setting.indexOf(sid)), {
    near: { peer, sid, stage: "Greeting", spoke: false },
    far: { peer: dial.to, sid: mine, ...far }
  })
}

const call = (turn: Turn, peer: number, sid: Sid): void => {
  const { machine: { layout, setting }, words } = turn
  Words.spend(words, "strangers")
  add(turn, layout.bundle(peer, setting.indexOf(sid)), {
    near: { peer: OUTSIDE, sid: sidOf(turn, peer), ...atWork },
    far: { peer, sid, stage: "Unread", spoke: false }
  })
}

const refuse = ({ machine: { peers }, words }: Turn, peer: number, sid: Sid): void => {
  const at = Words.peerAt(peer)
  const dial = peers.get(words[at]!).dials.get(sid)
  if (dial !== undefined) words[at] = peers.withDial(words[at]!, sid, { ...dial, stage: "Refused" })
}

const fail = (turn: Turn, peer: number, place: number): void => {
  const sid = turn.machine.setting.sids[place]!
  Asked.forgive(turn.machine, turn.words, peer, sid)
  take(turn, peer, { _tag: "DialFailed", sid })
}

const want = (turn: Turn, peer: number, sids: ReadonlyArray<Sid>): void => {
  const { peers } = turn.machine
  // Who has never wanted anybody does not say so.
  if (sids.length === 0 && peers.get(turn.words[Words.peerAt(peer)]!).state.wanted.size === 0) return
  take(turn, peer, { _tag: "Wanted", sids: new Set(sids) })
}

const sidOf = ({ machine: { setting } }: Turn, peer: number): Sid => setting.peers[peer]!.sid

const whereIs = ({ machine: { layout, setting } }: Turn, peer: number, sid: Sid, link: number): Where => ({
  bundle: layout.bundle(peer, setting.indexOf(sid)),
  place: Bundles.placeOf(link),
  side: Bundles.sideOf(link)
})

// Connections that are over on both sides are history, and those behind them move up.
const sweep = ({ bundles, layout, peers }: Machine, words: Words.Words): Done["moved"] => {
  const moved: Array<Done["moved"][number]> = []
  for (let bundle = 0; bundle < layout.bundles; bundle++) {
    const at = Words.bundleAt(layout, bundle)
    const swept = bundles.sweep(words[at]!)
    if (swept === null) continue
    moved.push({ bundle, place: swept.place })
    words[at] = swept.id
    const [low, high] = layout.ends[bundle]!
    words[Words.peerAt(low)] = peers.moveUp(words[Words.peerAt(low)]!, high, swept.gone)
    if (high !== low) words[Words.peerAt(high)] = peers.moveUp(words[Words.peerAt(high)]!, low, swept.gone)
  }
  return moved
}
