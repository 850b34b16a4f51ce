/**
 * Can there be a leader again, from here on, if nothing more goes wrong?
 *
 * One fair course is tried. What is under way arrives, disks go on, processes start again. If that ends in no leader
 * that a quorum follows, timers end every role; they have to be set for that. Then the election picks the best, all
 * others follow, and in time that one must come into office. A leader that there is has to stay, and to take in whoever
 * has no role. Only what the reducers ask for happens, so a timer or an
 * answer that is forgotten shows here.
 */
import * as StateTable from "../StateTable.ts"
import * as Actions from "./Actions.ts"
import * as Machine from "./Machine.ts"
import * as Roles from "./Roles.ts"
import { isQuorum } from "./Setting.ts"
import * as Words from "./Words.ts"

/** Why there can be no leader; `null` if there can. */
export type Check = (words: Words.Words) => string | null

/** No state is known to be good. */
export const make = (machine: Machine.Machine): Check => {
  const { layout } = machine
  const self: Self = {
    machine,
    good: StateTable.make(layout.size),
    elections: new Map(),
    trial: new Uint32Array(layout.size),
    walked: new Set()
  }
  const at = new Uint32Array(layout.size)
  return (words) => {
    at.set(words)
    at[0] = 0
    const found = settleOnce(self, at)
    if (found === "Known") return null
    return found === "Led" ? lasts(self, at) : dissolve(self, at) ?? electAgain(self, at)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self {
  readonly machine: Machine.Machine
  /** States from which there can be a leader; what was activated before plays no part. */
  readonly good: StateTable.StateTable
  /** What came of elections, by disks and pledges. */
  readonly elections: Map<string, string | null>
  readonly trial: Words.Words
  /** States on the way at present. */
  readonly walked: Set<string>
}

/** No bound limits what has to happen for a leader. */
const UNBOUNDED = 0xfffffff

/** More half ticks than any leader waits for an answer. */
const HALF_TICKS = 32

const fair: ReadonlySet<Actions.Kind> = new Set([
  "Restart",
  "Written",
  "Stored",
  "ToLeader",
  "ToLearner",
  "LeaderNotices",
  "LearnerNotices",
  "Released",
  "WorkEnded"
])

const isFair = (action: number): boolean => {
  const { detail, kind } = Actions.decode(action)
  return fair.has(kind) || (kind === "TimedOut" && Actions.timers[detail] === "Pledge")
}

// Takes the action if that changes anything.
const takes = ({ machine, trial }: Self, words: Words.Words, action: number): boolean => {
  trial.set(words)
  trial[1] = UNBOUNDED
  Machine.act(machine, trial, action)
  trial[0] = 0
  trial[1] = words[1]!
  if (trial.every((word, at) => word === words[at])) return false
  words.set(trial)
  return true
}

const takesFairStep = (self: Self, words: Words.Words): boolean => {
  let taken = false
  Actions.each(self.machine, words, (action) => {
    if (!taken && isFair(action)) taken = takes(self, words, action)
  })
  return taken
}

const arrive = (self: Self, words: Words.Words): void => {
  let more = true
  while (more) more = takesFairStep(self, words)
}

// To the first state with a leader, or to the end.
const settle = (self: Self, words: Words.Words): boolean => {
  words[1] = UNBOUNDED
  do if (ledBy(self.machine, words) !== -1) return true
  while (takesFairStep(self, words))
  return false
}

// The same, but what was found before is not looked for again.
const settleOnce = (self: Self, words: Words.Words): "Led" | "Known" | "Stuck" => {
  const { good, machine, walked } = self
  words[1] = UNBOUNDED
  walked.clear()
  do {
    const name = words.join()
    if (walked.has(name)) return "Stuck"
    walked.add(name)
    if (!good.add(words, 0, 0)) return "Known"
    if (ledBy(machine, words) !== -1) return "Led"
  } while (takesFairStep(self, words))
  return "Stuck"
}

// The same, and clocks go for as long as that changes anything.
const settleInTime = (self: Self, words: Words.Words): boolean => {
  const { lease } = self.machine.setting
  do if (settle(self, words)) return true
  while (lease !== null && takes(self, words, Actions.encode("TimePasses")))
  return false
}

// The leader that may act and that a quorum follows; -1 if there is none. In fenced mode another may be in office, too.
const ledBy = ({ layout, roles, setting }: Machine.Machine, words: Words.Words): number => {
  const support: Array<number> = []
  for (let peer = 0; peer < layout.peers; peer++) {
    const role = roles.get(words[Words.roleAt(peer)]!)
    if (role._tag === "Following" && role.state.stage === "Following") {
      support[role.leader] = (support[role.leader] ?? 0) | 1 << peer
    }
  }
  return setting.peers.findIndex((_, peer) =>
    isActing(roles, words, peer) && isQuorum(setting, 1 << peer | (support[peer] ?? 0)))
}

const isActing = (roles: Roles.Roles, words: Words.Words, peer: number): boolean =>
  roles.acting(words[Words.roleAt(peer)]!) > 0 && roles.get(words[Words.roleAt(peer)]!)._tag === "Leading"

// Whoever has no role comes to follow the leader, unless it has accepted a later epoch or is pledged to another; and
// the leader stays as long as a quorum answers, and no longer.
const lasts = (self: Self, words: Words.Words): string | null => {
  const { machine } = self
  const { layout, pledges, roles, setting } = machine
  const roleOf = (peer: number): Roles.Role => roles.get(words[Words.roleAt(peer)]!)
  arrive(self, words)
  const leader = ledBy(machine, words)
  if (leader === -1) return null
  const role = roleOf(leader)
  if (role._tag !== "Leading") return null
  for (let peer = 0; peer < layout.peers; peer++) {
    const disk = words[Words.diskAt(peer)]!
    const mayFollow = Words.accepted(disk) <= Number(role.state.epoch) &&
      pledges.get(Words.pledgeOf(disk)).pledge === null
    if (roleOf(peer)._tag !== "Idle" || !mayFollow) continue
    takes(self, words, Actions.encode("Follow", peer, leader))
    arrive(self, words)
    const now = roleOf(peer)
    const follows = now._tag === "Following" && now.state.stage === "Following"
    if (!follows) return `server ${setting.peers[peer]!.sid} cannot follow server ${setting.peers[leader]!.sid}`
  }
  for (let halfTick = 0; halfTick < 4; halfTick++) {
    takes(self, words, Actions.encode("HalfTick", leader))
    arrive(self, words)
  }
  const { sid } = setting.peers[leader]!
  if (!isActing(roles, words, leader)) return `server ${sid} leaves office though a quorum answers`
  for (let halfTick = 0; halfTick < HALF_TICKS && roleOf(leader)._tag === "Leading"; halfTick++) {
    takes(self, words, Actions.encode("HalfTick", leader))
  }
  const mayStay = isQuorum(setting, 1 << leader)
  return mayStay || roleOf(leader)._tag !== "Leading" ? null : `server ${sid} stays in office though nobody answers`
}

// Everybody gives up by its own timers, learners first.
const dissolve = (self: Self, words: Words.Words): string | null => {
  const { layout, roles, setting } = self.machine
  const peers = Array.from({ length: layout.peers }, (_, peer) => peer)
  const roleOf = (peer: number): Roles.Role => roles.get(words[Words.roleAt(peer)]!)
  const fires = (peer: number, timer: typeof Actions.timers[number]): boolean => {
    const role = roleOf(peer)
    const isSet = "timers" in role && (role.timers as ReadonlySet<string>).has(timer)
    return isSet && takes(self, words, Actions.encode("TimedOut", peer, Actions.timers.indexOf(timer)))
  }
  for (const peer of peers) {
    if (roleOf(peer)._tag !== "Following") continue
    if (!fires(peer, "Silence")) return `server ${setting.peers[peer]!.sid} waits for its leader for ever`
    settle(self, words)
  }
  for (const peer of peers) {
    if (roleOf(peer)._tag !== "Leading") continue
    fires(peer, "Quorum")
    for (let halfTick = 0; halfTick < HALF_TICKS && roleOf(peer)._tag === "Leading"; halfTick++) {
      takes(self, words, Actions.encode("HalfTick", peer))
    }
    if (roleOf(peer)._tag === "Leading") return `server ${setting.peers[peer]!.sid} waits for a quorum for ever`
    settle(self, words)
  }
  return null
}

const electAgain = (self: Self, words: Words.Words): string | null => {
  const name = words.join()
  const known = self.elections.get(name)
  if (known !== undefined) return known
  const found = elect(self, words)
  self.elections.set(name, found)
  return found
}

// Ids decide between those whose histories are the same; here each of them may have the highest.
const elect = (self: Self, before: Words.Words): string | null => {
  const { layout, setting } = self.machine
  const candidates = setting.peers
    .map(({ lastLoggedZxid, observes }, peer) =>
      ({ peer, observes, zxid: lastLoggedZxid, epoch: Words.current(before[Words.diskAt(peer)]!) }))
    .filter(({ observes }) => !observes)
  const isBetter = (self: typeof candidates[number], that: typeof self) =>
    self.epoch > that.epoch || (self.epoch === that.epoch && self.zxid > that.zxid)
  for (const candidate of candidates) {
    if (candidates.some((other) => isBetter(other, candidate))) continue
    const words = before.slice()
    const best = candidate.peer
    takes(self, words, Actions.encode("Lead", best))
    for (let peer = 0; peer < layout.peers; peer++) {
      if (peer !== best) takes(self, words, Actions.encode("Follow", peer, best))
    }
    if (settleInTime(self, words)) continue
    return `server ${setting.peers[best]!.sid} is the best, and is not activated though all follow it`
  }
  return null
}
