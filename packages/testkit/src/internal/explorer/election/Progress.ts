/**
 * Does an ensemble find its leader from here if nothing bad happens any more?
 *
 * It is enough to ask where nothing is on its way and nobody waits for a quorum to be believed: from every state some
 * deliveries lead to such a one, which is explored too. That they do not go on for ever is seen where every state is
 * asked. There follows one fair course of things, in which timers fire, messages arrive, followers learn the epoch of
 * their leader, and who leads nobody or follows nobody looks again, as what follows an election has it (Spec:
 * ZabTimeout). Where fewer are up than a quorum, those that are down start.
 */
import type { Broken } from "../../../Explorer.ts"
import * as Channels from "./Channels.ts"
import * as Moment from "./Moment.ts"
import * as Moves from "./Moves.ts"
import * as Network from "./Network.ts"
import * as Turns from "./Turns.ts"
import { dueOf } from "./Verdict.ts"

/** Looks at quiet states, each once. */
export interface Progress {
  /** Says what is wrong with a state from which nothing leads on; `null` if all is well, or the state is not asked. */
  readonly check: (moment: Moment.Moment) => Broken | null
  /** How many quiet states were followed to their end. */
  readonly followed: () => number
}

/** No state is known yet. */
export const make = (rules: Moves.Rules, store: Network.Store, sids: ReadonlyArray<bigint>): Progress => {
  const good = new Set<string>()
  const follow = (from: Moment.Moment): Broken | null => {
    const moment = Moment.make(from.size)
    Moment.copy(from, moment)
    const met: Array<string> = []
    const restless = isCalm(store, moment) ? null : settle(store, moment)
    if (restless !== null) return restless
    for (let patience = 0; patience < PATIENCE; patience++) {
      const key = `${moment.peers.join()}|${moment.channels.join()}`
      if (good.has(key)) break
      met.push(key)
      if (isAgreed(rules, store, moment, sids)) break
      const broken = advance(rules, store, moment, sids)
      if (broken !== null) return broken
      if (patience === PATIENCE - 1) return { property: "live", detail: describe(store, moment) }
    }
    for (const key of met) good.add(key)
    return null
  }
  return {
    check: (moment) => (rules.asks === "All" || isCalm(store, moment) ? follow(moment) : null),
    followed: () => good.size
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** How often timers fire before nobody believes any more that it leads anywhere. */
const PATIENCE = 12

/** How many messages arrive before nobody believes that they end; many times as many as there are in any election. */
const MESSAGES_MAX = 10_000

const electionOf = ({ turns }: Network.Store, moment: Moment.Moment, peer: number) =>
  turns.peers.get(moment.peers[peer]!).election

const isCalm = (store: Network.Store, moment: Moment.Moment): boolean => {
  if (!Moves.isQuiet(store, moment)) return false
  for (let peer = 0; peer < moment.size; peer++) {
    const election = electionOf(store, moment, peer)
    if (Network.isUp(store, moment, peer) && (election._tag === "Idle" || dueOf(election) === "Finalize")) return false
  }
  return true
}

/** Has everybody that is up the same leader, which says that it leads, and a quorum? */
const isAgreed = (
  { isQuorum }: Moves.Rules,
  store: Network.Store,
  moment: Moment.Moment,
  sids: ReadonlyArray<bigint>
): boolean => {
  if (!isQuorum((peer) => Network.isUp(store, moment, peer))) return false
  let leader = -1
  for (let peer = 0; peer < moment.size; peer++) {
    if (!Network.isUp(store, moment, peer)) continue
    const mine = Moves.leaderOf(store, moment, sids, peer)
    if (mine === -1 || (leader !== -1 && mine !== leader)) return false
    leader = mine
  }
  return Moves.leaderOf(store, moment, sids, leader) === leader
}

// First whoever is missing starts, then timers fire; only where that changes nothing are leaders given up.
const advance = (
  rules: Moves.Rules,
  store: Network.Store,
  moment: Moment.Moment,
  sids: ReadonlyArray<bigint>
): Broken | null => {
  if (!rules.isQuorum((peer) => Network.isUp(store, moment, peer))) {
    for (let peer = 0; peer < moment.size; peer++) {
      const broken = Network.isUp(store, moment, peer) ? null : Network.start(store, moment, peer)
      if (broken !== null) return broken
    }
    return settle(store, moment)
  }
  const untaught = learn(rules, store, moment, sids)
  if (untaught !== null) return untaught
  const before = moment.peers.join()
  for (let peer = 0; peer < moment.size; peer++) {
    if (dueOf(electionOf(store, moment, peer)) === null || !Network.isUp(store, moment, peer)) continue
    const broken = Moves.notify(store, moment, peer)
    if (broken !== null) return broken
  }
  const broken = settle(store, moment)
  if (broken !== null || moment.peers.join() !== before) return broken
  const unserved = Array.from(sids.keys()).filter((peer) => isUnserved(rules, store, moment, sids, peer))
  for (const peer of unserved) {
    for (const what of ["Lost", "Look"] as const) {
      const wrong = Network.happen(store, moment, peer, Turns.code(what))
      if (wrong !== null) return wrong
    }
  }
  return settle(store, moment)
}

// Who leads, or follows a leader, is known by its epoch: who comes back to lead may have been made leader by an older
// vote for it. Spec: FollowerUpdateEpoch.
const learn = (
  rules: Moves.Rules,
  store: Network.Store,
  moment: Moment.Moment,
  sids: ReadonlyArray<bigint>
): Broken | null => {
  for (let peer = 0; peer < moment.size; peer++) {
    const leader = Moves.leaderOf(store, moment, sids, peer)
    if (leader === -1 || Moves.leaderOf(store, moment, sids, leader) !== leader) continue
    const { history: told } = store.turns.peers.get(moment.peers[leader]!)
    const { history } = store.turns.peers.get(moment.peers[peer]!)
    const { peerEpoch } = electionOf(store, moment, peer).currentVote
    if (peerEpoch === told.currentEpoch && !Moves.isNews(rules, told, history)) continue
    const broken = Network.happen(store, moment, peer, Turns.code("Epoch", Number(told.currentEpoch)))
    if (broken !== null) return broken
  }
  return null
}

// Who leads needs a quorum of followers, who follows a leader.
const isUnserved = (
  { isQuorum }: Moves.Rules,
  store: Network.Store,
  moment: Moment.Moment,
  sids: ReadonlyArray<bigint>,
  peer: number
): boolean => {
  const leader = Moves.leaderOf(store, moment, sids, peer)
  if (leader === -1) return false
  if (leader !== peer) return Moves.leaderOf(store, moment, sids, leader) !== leader
  return !isQuorum((other) => Moves.leaderOf(store, moment, sids, other) === peer)
}

// All that is said arrives, and then whoever waits believes its quorum, or begins to look; until neither happens.
const settle = (store: Network.Store, moment: Moment.Moment): Broken | null => {
  let arrived = 0
  for (let more = true; more;) {
    more = false
    for (let to = 0; to < moment.size; to++) {
      if (!Network.isUp(store, moment, to)) continue
      for (let from = 0; from < moment.size; from++) {
        while (store.channels.head(Moment.channel(moment, from, to)) !== Channels.NONE) {
          const broken = Network.deliver(store, moment, from, to)
          if (broken !== null) return broken
          if (arrived++ > MESSAGES_MAX) return { property: "endless", detail: `${MESSAGES_MAX} messages, and no end` }
          more = true
        }
      }
    }
    if (more) continue
    for (let peer = 0; peer < moment.size; peer++) {
      const election = electionOf(store, moment, peer)
      const due = dueOf(election) === "Finalize" ? "Finalize" : election._tag === "Idle" ? "Look" : null
      if (due === null || !Network.isUp(store, moment, peer)) continue
      const broken = Network.happen(store, moment, peer, Turns.code(due))
      if (broken !== null) return broken
      more = true
    }
  }
  return null
}

const describe = (store: Network.Store, moment: Moment.Moment): string =>
  `${PATIENCE} silences later: ${
    Array.from(moment.peers, (number) => {
      const { election, index, up } = store.turns.peers.get(number)
      const stands = election._tag === "Settled" ? `${election.state} of ${election.currentVote.leader}` : election._tag
      return `peer ${index + 1} ${up ? `${stands} (round ${election.logicalClock})` : "down"}`
    }).join(", ")
  }`
