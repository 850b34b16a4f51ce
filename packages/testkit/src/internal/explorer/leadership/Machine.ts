/**
 * Takes one step: the reducers decide, and what they decide is done to disks and links.
 */
import type { Broken } from "../../../Explorer.ts"
import * as Actions from "./Actions.ts"
import * as Disks from "./Disks.ts"
import * as Leaders from "./Leaders.ts"
import * as Learners from "./Learners.ts"
import * as Links from "./Links.ts"
import * as Outcome from "./Outcome.ts"
import * as Packets from "./Packets.ts"
import * as Pledges from "./Pledges.ts"
import * as Properties from "./Properties.ts"
import * as Roles from "./Roles.ts"
import { LINKS, type Setting } from "./Setting.ts"
import * as Words from "./Words.ts"

/** All that is numbered and computed once. */
export interface Machine {
  readonly setting: Setting
  readonly layout: Words.Layout
  readonly roles: Roles.Roles
  readonly packets: Packets.Packets
  readonly pledges: Pledges.Pledges
  readonly leaders: Leaders.Leaders
  readonly learners: Learners.Learners
  /** Steps of roles that were taken before, by role and event. */
  readonly taken: Array<Map<number, Outcome.Outcome>>
  /** How much time passes by a slow, and by a fast peer's clocks while a unit of true time passes. */
  readonly rates: readonly [slow: Roles.Elapsed, fast: Roles.Elapsed]
  /** Roles and pledges after a unit of time, by clock. */
  readonly passed: readonly [Array<number>, Array<number>]
  readonly pledgesPassed: readonly [Array<number>, Array<number>]
}

/** A unit of true time, in milliseconds. Ours: as short as a lease of one or two needs; see `Setting.defaultLease`. */
export const TIME_UNIT = 2

/** A machine that has not moved. */
export const make = (setting: Setting): Machine => {
  const packets = Packets.make()
  const roles = Roles.make(setting)
  const drift = setting.lease?.clockDrift ?? 0
  const slow = TIME_UNIT * (1 - drift)
  const fast = TIME_UNIT * (1 + drift)
  return {
    setting,
    layout: Words.layout(setting.peers.length),
    roles,
    packets,
    pledges: Pledges.make(),
    leaders: Leaders.make(setting, packets, roles),
    learners: Learners.make(setting, packets, roles),
    taken: [],
    rates: [
      { lease: slow, pledge: setting.clocks === "Worst" ? fast : slow },
      { lease: fast, pledge: fast }
    ],
    passed: [[], []],
    pledgesPassed: [[], []]
  }
}

/** Does an action to a state in place; tells what was decided, and what that breaks. */
export const act = (machine: Machine, words: Words.Words, action: number): Done => {
  const done = actOnPeer(machine, words, action)
  // Only now, for what was decided told links by the numbers that they had.
  Links.sweep(machine, words)
  return done
}

/** What a step came to. */
export interface Done {
  readonly broken: Broken | null
  readonly told: ReadonlyArray<string>
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const quiet: Done = { broken: null, told: [] }

const actOnPeer = (machine: Machine, words: Words.Words, action: number): Done => {
  const { detail, kind, what } = Actions.decode(action)
  switch (kind) {
    case "Lead":
      Words.spend(words, "terms")
      return perform(machine, words, what, machine.leaders.begin(what, Disks.past(machine, words, what)))
    case "Follow":
      return follow(machine, words, what, detail)
    case "Restart":
      Disks.restart(machine, words, what)
      return quiet
    case "Crash":
      Words.spend(words, "crashes")
      Links.closeAll(machine, words, what, true)
      Disks.lose(machine, words, what)
      return quiet
    case "GiveUp":
      Links.closeAll(machine, words, what, false)
      words[Words.roleAt(what)] = Roles.IDLE
      return quiet
    case "Written":
      return { broken: Disks.write(machine, words, what), told: [] }
    case "Stored":
      return take(machine, words, what, { _tag: "Stored" })
    case "NotStored":
      Words.spend(words, "failures")
      return take(machine, words, what, { _tag: "NotStored" })
    case "TimedOut":
      return take(machine, words, what, { _tag: "TimedOut", timer: Actions.timers[detail]! })
    case "HalfTick":
      Words.spend(words, "ticks")
      return take(machine, words, what, { _tag: "HalfTick" })
    case "Resign":
      Words.spend(words, "resignations")
      return take(machine, words, what, { _tag: "Resign", successor: detail === 0 ? null : detail - 1 })
    case "Released":
      return release(machine, words, what)
    case "WorkEnded":
      words[Words.roleAt(what)] = Roles.IDLE
      return quiet
    case "TimePasses":
      Disks.pass(machine, words)
      return quiet
    default:
      return actOnLink(machine, words, kind, what)
  }
}

const actOnLink = (machine: Machine, words: Words.Words, kind: Actions.Kind, link: number): Done => {
  const at = Words.linkAt(machine.layout, link)
  const word = words[at]!
  const learner = Math.floor(link / LINKS)
  const leader = Words.leaderOf(word)
  switch (kind) {
    case "ToLeader": {
      const packet = machine.packets.queue(Words.up(word))[0]!
      words[at] = Words.withUp(word, machine.packets.shift(Words.up(word)))
      return take(machine, words, leader, { _tag: "Received", link, packet })
    }
    case "ToLearner": {
      const packet = machine.packets.queue(Words.down(word))[0]!
      words[at] = Words.withDown(word, machine.packets.shift(Words.down(word)))
      return take(machine, words, learner, { _tag: "Received", packet }, (word & Words.GONE) !== 0)
    }
    case "LeaderNotices":
      Links.closeLeaderEnd(machine, words, link)
      return take(machine, words, leader, { _tag: "Disconnected", link })
    case "LearnerNotices":
      return take(machine, words, learner, { _tag: "Disconnected" })
    default:
      Words.spend(words, "losses")
      Links.sever(machine, words, link)
      return quiet
  }
}

const follow = (machine: Machine, words: Words.Words, peer: number, leader: number): Done => {
  Words.spend(words, "dials")
  const link = Links.open(machine, words, peer, leader)
  const connected = take(machine, words, leader, { _tag: "Connected", link })
  const done = perform(machine, words, peer, machine.learners.begin(peer, leader, Disks.past(machine, words, peer)))
  return { broken: connected.broken ?? done.broken, told: done.told }
}

const release = (machine: Machine, words: Words.Words, peer: number): Done => {
  const role = machine.roles.get(words[Words.roleAt(peer)]!)
  const at = Words.diskAt(peer)
  words[at] = Words.withPledge(words[at]!, 0)
  return "state" in role ? take(machine, words, peer, { _tag: "Released" }) : quiet
}

type Event = Leaders.Event | Learners.Event

// Each event of a role by a number of its own.
const keyOf = (event: Event): number => {
  switch (event._tag) {
    case "Received":
      return ("link" in event ? event.link + 1 : 0) + 64 * (event.packet + 1)
    case "Connected":
      return -1 - event.link
    case "Disconnected":
      return -33 - ("link" in event ? event.link + 1 : 0)
    case "TimedOut":
      return -100 - Actions.timers.indexOf(event.timer)
    case "Resign":
      return -110 - ((event.successor ?? -1) + 1)
    default:
      return -120 - ["Stored", "NotStored", "HalfTick", "Released"].indexOf(event._tag)
  }
}

const take = (machine: Machine, words: Words.Words, peer: number, event: Event, isGone = false): Done => {
  const id = words[Words.roleAt(peer)]!
  const known = machine.taken[id] ??= new Map()
  const key = keyOf(event)
  let outcome = known.get(key)
  if (outcome === undefined) {
    outcome = step(machine, id, event)
    known.set(key, outcome)
  }
  return perform(machine, words, peer, outcome, isGone)
}

const step = ({ leaders, learners, roles }: Machine, id: number, event: Event): Outcome.Outcome => {
  try {
    return roles.get(id)._tag === "Leading"
      ? leaders.step(id, event as Leaders.Event)
      : learners.step(id, event as Learners.Event)
  } catch (error) {
    return { ...Outcome.draft(id), broken: { property: "total", detail: `${event._tag}: ${error}` } }
  }
}

const perform = (
  machine: Machine,
  words: Words.Words,
  peer: number,
  outcome: Outcome.Outcome,
  isGone = false
): Done => {
  const broken = outcome.broken ?? Properties.ofOutcome(machine, words, peer, outcome)
  words[Words.roleAt(peer)] = outcome.role
  if (outcome.pledge !== undefined) Disks.pledge(machine, words, peer, { pledge: outcome.pledge, isGone })
  if (outcome.accepts > 0) words[Words.diskAt(peer)] = Words.withCounted(words[Words.diskAt(peer)]!, outcome.accepts)
  if (outcome.activated > 0) words[0] = words[0]! | 1 << outcome.activated - 1
  for (const [link, packet] of outcome.sends) Links.send(machine, words, peer, link, packet)
  for (const link of outcome.closes) Links.closeLeaderEnd(machine, words, link)
  if (outcome.over) Links.closeAll(machine, words, peer, false)
  return { broken, told: outcome.told }
}
