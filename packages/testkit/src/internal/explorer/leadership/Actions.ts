/**
 * Everything that may happen in a state, as numbers, and in words.
 *
 * The election is replaced by all that it could say: who has no role may take itself for the leader, or follow anybody
 * who does. Timers that are set may fire at any moment, since a clock may stand still and the core has to ask it.
 */
import type { Machine } from "./Machine.ts"
import { LINKS } from "./Setting.ts"
import * as Words from "./Words.ts"

/** What can happen; in an action with who or which link it happens to, and one detail more. */
export const kinds = [
  "Lead",
  "Follow",
  "Restart",
  "Crash",
  "Written",
  "Stored",
  "NotStored",
  "TimedOut",
  "HalfTick",
  "Resign",
  "Released",
  "WorkEnded",
  "GiveUp",
  "ToLeader",
  "ToLearner",
  "LeaderNotices",
  "LearnerNotices",
  "Break",
  "TimePasses",
  /** Not a step: from here on nothing more goes wrong. */
  "Calm"
] as const

/** The name of what happens. */
export type Kind = typeof kinds[number]

/** The waits of leaders, then of learners. */
export const timers = ["Quorum", "Pledge", "Lease", "Silence"] as const

const codes = Object.fromEntries(kinds.map((kind, code) => [kind, code])) as Record<Kind, number>

/** The number of an action; `what` is a peer or a link, below 32. */
export const encode = (kind: Kind, what = 0, detail = 0): number => codes[kind] | what << 5 | detail << 10

/** What a number says. */
export const decode = (action: number) => ({
  kind: kinds[action & 31]!,
  what: action >>> 5 & 31,
  detail: action >>> 10
})

/** Tells every action that is possible; some of them change nothing. */
export const each = (machine: Machine, words: Words.Words, tell: (action: number) => void): void => {
  const { layout, setting } = machine
  for (let peer = 0; peer < layout.peers; peer++) eachOfPeer(machine, words, peer, tell)
  for (let link = 0; link < layout.links; link++) {
    const word = words[Words.linkAt(layout, link)]!
    if (word !== 0) eachOfLink(words, link, word, tell)
  }
  if (setting.lease !== null) tell(encode("TimePasses"))
}

const eachOfPeer = (machine: Machine, words: Words.Words, peer: number, tell: (action: number) => void): void => {
  const role = machine.roles.get(words[Words.roleAt(peer)]!)
  if (role._tag === "Down") return tell(encode("Restart", peer))
  if (Words.left(words, "crashes") > 0) tell(encode("Crash", peer))
  if (role._tag === "Following") tell(encode("GiveUp", peer))
  const [write] = "storing" in role ? role.storing : []
  if (write !== undefined) {
    tell(encode(write.isDone ? "Stored" : "Written", peer))
    if (Words.left(words, "failures") > 0) tell(encode("NotStored", peer))
  }
  if (machine.pledges.get(Words.pledgeOf(words[Words.diskAt(peer)]!)).isGone) tell(encode("Released", peer))
  switch (role._tag) {
    case "Idle":
      return eachOfIdle(machine, words, peer, tell)
    case "Leaving":
      return tell(encode("WorkEnded", peer))
    case "Following":
    case "Leading": {
      for (const timer of role.timers) tell(encode("TimedOut", peer, timers.indexOf(timer)))
      if (role._tag === "Following") return
      if (Words.left(words, "ticks") > 0) tell(encode("HalfTick", peer))
      if (Words.left(words, "resignations") > 0) {
        tell(encode("Resign", peer))
        const successors = machine.leaders.successors(words[Words.roleAt(peer)]!)
        for (const successor of successors) tell(encode("Resign", peer, successor + 1))
      }
    }
  }
}

const eachOfIdle = (machine: Machine, words: Words.Words, peer: number, tell: (action: number) => void): void => {
  const { layout, roles, setting } = machine
  if (!setting.peers[peer]!.observes && Words.left(words, "terms") > 0) tell(encode("Lead", peer))
  const oldest = words[Words.linkAt(layout, peer * LINKS + LINKS - 1)]
  if (oldest !== 0 || Words.left(words, "dials") === 0) return
  for (let other = 0; other < layout.peers; other++) {
    if (other !== peer && roles.get(words[Words.roleAt(other)]!)._tag === "Leading") tell(encode("Follow", peer, other))
  }
}

const eachOfLink = (words: Words.Words, link: number, word: number, tell: (action: number) => void): void => {
  const isLeaderOpen = (word & Words.LEADER_OPEN) !== 0
  const isLearnerOpen = (word & Words.LEARNER_OPEN) !== 0
  const isBroken = (word & Words.BROKEN) !== 0
  if (isLeaderOpen) {
    if (Words.up(word) !== 0) tell(encode("ToLeader", link))
    else if (isBroken || !isLearnerOpen) tell(encode("LeaderNotices", link))
  }
  if (isLearnerOpen) {
    if (Words.down(word) !== 0) tell(encode("ToLearner", link))
    else if (isBroken || !isLeaderOpen) tell(encode("LearnerNotices", link))
  }
  if (!isBroken && Words.left(words, "losses") > 0) tell(encode("Break", link))
}
