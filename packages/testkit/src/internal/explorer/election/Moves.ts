/**
 * Everything that can happen in a state, each with the action of FastLeaderElection.tla that it is.
 */
import type { Settled } from "@conclave/core/Election"
import type { Broken } from "../../../Explorer.ts"
import * as Bounds from "./Bounds.ts"
import * as Channels from "./Channels.ts"
import * as Moment from "./Moment.ts"
import * as Network from "./Network.ts"
import type * as PeerKey from "./PeerKey.ts"
import * as Turns from "./Turns.ts"
import { dueOf } from "./Verdict.ts"

/** What may happen, and when. */
export interface Rules {
  /** The last round in which anybody may give its leader up. */
  readonly rounds: bigint
  /** Is what changes nothing for anybody done at once, and not at any time? */
  readonly reduces: boolean
  /** Who may give its leader up, as bits. */
  readonly restless: number
  /** Does who gives its leader up look again at once? Otherwise what depends on it may take a while to end. */
  readonly leaves: "AtOnce" | "Slowly"
  /** Where is looked whether a leader is found in the end: where nothing is on its way, or everywhere. */
  readonly asks: "Quiet" | "All"
  /** The highest epoch in the beginning: a higher one is told by a leader to its followers. */
  readonly epoch: bigint
  /** `Patient`: a timer fires only when nothing is on its way, as if the network were fast. */
  readonly timers: "Any" | "Patient"
  /** Are those of whom this is true a quorum? */
  readonly isQuorum: (isPresent: (peer: number) => boolean) => boolean
}

/** What can happen, as a number: what, to whom, from whom or with whom, and which of what is lost. */
export const Move = {
  Deliver: 0,
  Lose: 1,
  Start: 2,
  Crash: 3,
  Break: 4,
  Notification: 5,
  Finalize: 6,
  Leave: 7,
  Look: 8,
  Activate: 9,
  Learn: 10
} as const

/** A move by number. */
export interface Decoded {
  readonly kind: number
  readonly peer: number
  readonly other: number
  /** How much of what a process sent outlives it; see `Network.kept`. */
  readonly kept: number
}

/** The move of this number. */
export const decode = (move: number): Decoded => ({
  kind: move & 15,
  peer: move >>> 4 & 15,
  other: move >>> 8 & 15,
  kept: move >>> 12
})

const encode = (kind: number, peer: number, other = 0, kept = 0): number =>
  (kind | peer << 4 | other << 8 | kept << 12) >>> 0

/** Does one move. */
export const perform = (
  rules: Rules,
  store: Network.Store,
  moment: Moment.Moment,
  move: number
): Broken | null => {
  const { kept, kind, other, peer } = decode(move)
  switch (kind) {
    case Move.Deliver:
      return Network.deliver(store, moment, other, peer)
    case Move.Lose:
      moment.bounds = Bounds.spend(moment.bounds, "losses")
      Network.drop(store, moment, other, peer)
      return null
    case Move.Start:
      return Network.start(store, moment, peer)
    case Move.Crash:
      Network.crash(store, moment, peer, kept)
      return null
    case Move.Break:
      Network.reconnect(store, moment, peer, other)
      return null
    case Move.Notification:
      moment.bounds = Bounds.spend(moment.bounds, "timeouts")
      return notify(store, moment, peer)
    case Move.Finalize:
      return Network.happen(store, moment, peer, Turns.code("Finalize"))
    case Move.Leave:
      moment.bounds = Bounds.spend(moment.bounds, "looks")
      if (rules.leaves === "Slowly") return Network.happen(store, moment, peer, Turns.code("Lost"))
      return Network.happen(store, moment, peer, Turns.code("Lost")) ??
        Network.happen(store, moment, peer, Turns.code("Look"))
    case Move.Look:
      return Network.happen(store, moment, peer, Turns.code("Look"))
    case Move.Activate: {
      moment.bounds = Bounds.spend(moment.bounds, "epochs")
      const epochs = Array.from(moment.peers, (number) => Number(store.turns.peers.get(number).history.currentEpoch))
      return Network.happen(store, moment, peer, Turns.code("Epoch", Math.max(...epochs) + 1))
    }
    default: {
      const { currentEpoch } = store.turns.peers.get(moment.peers[other]!).history
      return Network.happen(store, moment, peer, Turns.code("Epoch", Number(currentEpoch)))
    }
  }
}

/** Nothing was heard for a while; who is down cannot be reached. */
export const notify = (store: Network.Store, moment: Moment.Moment, peer: number): Broken | null => {
  let undelivered = 0
  for (let other = 0; other < moment.size; other++) {
    if (!Network.isUp(store, moment, other)) undelivered |= 1 << other
  }
  return Network.happen(store, moment, peer, Turns.code("Notification", undelivered))
}

/** Tells every move that is possible. */
export const each = (
  rules: Rules,
  store: Network.Store,
  moment: Moment.Moment,
  tell: (move: number) => void
): void => {
  const { size } = moment
  const harmless = rules.reduces ? harmlessOne(rules, store, moment) : NOTHING
  if (harmless !== NOTHING) return tell(harmless)
  const quiet = rules.timers === "Any" || isQuiet(store, moment)
  for (let peer = 0; peer < size; peer++) {
    const { election, up } = store.turns.peers.get(moment.peers[peer]!)
    if (!up) {
      tell(encode(Move.Start, peer))
      continue
    }
    eachMessage(store, moment, peer, tell)
    if (Network.mayCrash(store, moment.bounds, peer)) eachCrash(store, moment, peer, tell)
    const due = quiet ? dueOf(election) : null
    if (due === "Finalize") tell(encode(Move.Finalize, peer))
    if (due === "Notification" && Bounds.left(moment.bounds, "timeouts") > 0) tell(encode(Move.Notification, peer))
    if (election._tag === "Idle") tell(encode(Move.Look, peer))
    if (election._tag === "Settled") eachOfSettled(rules, store, moment, peer, tell)
  }
  if (Bounds.left(moment.bounds, "breaks") > 0) eachBreak(store, moment, tell)
}

/** Has a leader an epoch that began since, which this follower has not heard of? */
export const isNews = ({ epoch }: Rules, leader: PeerKey.History, follower: PeerKey.History): boolean =>
  leader.currentEpoch > epoch && leader.currentEpoch > follower.currentEpoch

/** Is nothing on its way to anybody? */
export const isQuiet = (store: Network.Store, moment: Moment.Moment): boolean => {
  for (let peer = 0; peer < moment.size; peer++) {
    if (Network.isUp(store, moment, peer) && Moment.isAddressed(moment, store.channels, peer)) return false
  }
  return true
}

/** Whom does a peer follow, or is it itself that leads? -1 while it looks, or is down. */
export const leaderOf = (
  { turns }: Network.Store,
  moment: Moment.Moment,
  sids: ReadonlyArray<bigint>,
  peer: number
): number => {
  const { election, up } = turns.peers.get(moment.peers[peer]!)
  return up && election._tag === "Settled" ? sids.indexOf(election.currentVote.leader) : -1
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const mayLeave = ({ restless, rounds }: Rules, { bounds }: Moment.Moment, peer: number, { logicalClock }: Settled) =>
  Bounds.left(bounds, "looks") > 0 && (restless >> peer & 1) === 1 && logicalClock < rounds

// Whoever has a leader and will not look again answers those who look, always the same, and hears nothing else. So its
// messages may as well arrive at once: whatever else happens, nobody can tell the difference. Not so where a connection
// may break, or its sender be killed, which would bring what was said before that answer once more; nor where the
// answer would take the place of something else.
const harmlessOne = (rules: Rules, store: Network.Store, moment: Moment.Moment): number => {
  if (Bounds.left(moment.bounds, "breaks") + Bounds.left(moment.bounds, "epochs") > 0) return NOTHING
  for (let peer = 0; peer < moment.size; peer++) {
    const { election, up } = store.turns.peers.get(moment.peers[peer]!)
    if (!up || election._tag !== "Settled" || mayLeave(rules, moment, peer, election)) continue
    for (let from = 0; from < moment.size; from++) {
      if (!Network.isUp(store, moment, from) || Network.mayCrash(store, moment.bounds, from)) continue
      if (store.channels.head(Moment.channel(moment, from, peer)) === Channels.NONE) continue
      if (!store.channels.isFull(Moment.channel(moment, peer, from))) return encode(Move.Deliver, peer, from)
    }
  }
  return NOTHING
}

const NOTHING = -1

type Tell = (move: number) => void

// ReceiveNotmsg, HandleNotmsg, WaitNewNotmsg.
const eachMessage = (store: Network.Store, moment: Moment.Moment, peer: number, tell: Tell): void => {
  const mayLose = Bounds.left(moment.bounds, "losses") > 0
  for (let from = 0; from < moment.size; from++) {
    if (store.channels.head(Moment.channel(moment, from, peer)) === Channels.NONE) continue
    tell(encode(Move.Deliver, peer, from))
    if (mayLose && from !== peer) tell(encode(Move.Lose, peer, from))
  }
}

// Of what is on its way from it to each, so much arrives, and the rest is lost with it. Of more than `KEPT_MAX` all do,
// or two at most.
const eachCrash = (store: Network.Store, moment: Moment.Moment, peer: number, tell: Tell): void => {
  let kept: ReadonlyArray<number> = [0]
  for (let to = 0; to < moment.size; to++) {
    if (to === peer || !Network.isUp(store, moment, to)) continue
    const sent = store.channels.messages(Moment.channel(moment, peer, to)).length
    const lengths = Array.from({ length: Math.min(sent, Network.KEPT_MAX) + 1 }, (_, length) => length)
    kept = kept.flatMap((others) => lengths.map((length) => Network.keep(others, to, length)))
  }
  for (const lengths of kept) tell(encode(Move.Crash, peer, 0, lengths))
}

const eachBreak = (store: Network.Store, moment: Moment.Moment, tell: Tell): void => {
  for (let self = 0; self < moment.size; self++) {
    for (let that = self + 1; that < moment.size; that++) {
      if (Network.isUp(store, moment, self) && Network.isUp(store, moment, that)) tell(encode(Move.Break, self, that))
    }
  }
}

// ZabTimeout, in two steps as in the shell; LeaderAdvanceEpoch, FollowerUpdateEpoch.
const eachOfSettled = (
  rules: Rules,
  store: Network.Store,
  moment: Moment.Moment,
  peer: number,
  tell: Tell
): void => {
  const { peers } = store.turns
  const { election, history } = peers.get(moment.peers[peer]!)
  if (election._tag !== "Settled") return
  if (mayLeave(rules, moment, peer, election)) tell(encode(Move.Leave, peer))
  const { leader } = election.currentVote
  if (election.state === "LEADING") {
    const follows = (other: number) => {
      const that = peers.get(moment.peers[other]!)
      return that.up && that.election._tag === "Settled" && that.election.currentVote.leader === leader
    }
    if (Bounds.left(moment.bounds, "epochs") > 0 && rules.isQuorum(follows)) tell(encode(Move.Activate, peer))
    return
  }
  for (let other = 0; other < moment.size; other++) {
    const that = peers.get(moment.peers[other]!)
    const leads = that.up && that.election._tag === "Settled" && that.election.state === "LEADING" &&
      that.election.currentVote.leader === leader
    if (leads && isNews(rules, that.history, history)) tell(encode(Move.Learn, peer, other))
  }
}
