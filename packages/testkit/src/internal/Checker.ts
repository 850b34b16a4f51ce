/**
 * What must hold after every step, whatever happened: seen from outside, from events, outputs and states alone.
 *
 * The numbers are those of "What holds" in the README of the core.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import type { Notification } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import type { Proposal } from "@conclave/core/Vote"
import * as ElectedChecks from "./ElectedChecks.ts"
import * as Judge from "./Judge.ts"
import { broken, isHeavier, keyOf } from "./Properties.ts"
import type { End, Node, World } from "./World.ts"

/** Looks at one step of an election. The state before is given; that after is the node's. */
export const afterStep = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  outputs: ReadonlyArray<Output>
): void => {
  const { book, election: after } = node
  if (event._tag === "LookForLeader") book.own = { peerEpoch: event.currentEpoch, zxid: event.lastLoggedZxid }
  let told = 0
  let said: Sent | null = null
  let tells = false
  let moved = false
  for (const output of outputs) {
    switch (output._tag) {
      case "Send":
        // What is told to all is looked at once.
        if (said === null || !isAlike(said, output)) {
          onSend(world, node, output)
          tells = isTold(output, node)
        }
        said = output
        if (tells) told++
        break
      case "SetTimer":
        book.timer = output.timer
        break
      case "CancelTimer":
        book.timer = null
        break
      case "RoundStarted":
        moved = true
        book.initial = output.initial
        if (output.from === null) onSearch(world, node, before, output)
        if (world.honest) remember(world, node, output)
        break
      case "Adopted":
        onAdoption(world, node, event, output)
        break
      case "Kept":
        onKept(world, node, event, output)
        break
      case "Elected":
        moved = true
        ElectedChecks.check(world, node, before, event, output)
        break
      case "Restart":
        moved = true
    }
  }
  if (event._tag === "EpochEstablished" && after.currentVote.peerEpoch !== event.peerEpoch) {
    broken(world, node, "told", `is in epoch ${event.peerEpoch}, says ${after.currentVote.peerEpoch}`)
  }
  if (event._tag === "Received") onReceived(world, node, before, event.notification, outputs)
  if (isChanged(before, after) && told < after.membership.voters.size) {
    broken(world, node, "news", `${told} are told of ${keyOf(after.proposal)} in round ${after.logicalClock}`)
  }
  const due = after._tag !== "Looking" ? null : after.finalizing ? "Finalize" : "Notification"
  if (book.timer !== due) broken(world, node, "timer", `${book.timer} runs, ${due} is due`)
  if (after._tag === "Looking" && after.finalizing && isNews(before, after)) ElectedChecks.counted(world, node, after)
  if (after.logicalClock !== before.logicalClock) onClock(world, node, before, event, moved)
}

/** A connection was taken into use. */
export const onAdopted = (world: World, node: Node, end: End | undefined, sid: Sid): void => {
  if (end === undefined) return broken(world, node, "link", `the connection with ${sid} is gone`)
  const dialer = end.dialed ? node.sid : sid
  const other = end.dialed ? sid : node.sid
  if (dialer <= other) broken(world, node, "link", `${dialer} dialled ${other} and the connection is kept`)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// Was anything counted in this step?
const isNews = (before: Election.State, after: Election.Looking): boolean =>
  before._tag !== "Looking" || !before.finalizing || before.recvSet !== after.recvSet ||
  before.proposal !== after.proposal || before.logicalClock !== after.logicalClock

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)

const isLong = (value: bigint): boolean => value <= LONG_MAX && value >= LONG_MIN

// A new search is a new round; a new election object counts from 0 again.
const onSearch = (world: World, node: Node, before: Election.State, { logicalClock }: Round): void => {
  const last = before._tag === "Idle" && before.restarting ? 0n : before.logicalClock
  if (logicalClock === BigInt.asIntN(64, last + 1n)) return
  broken(world, node, "clock", `begins a search in round ${logicalClock} after ${last}`)
}

// A node that has started anew may be in the same round again, with a history that has grown since.
const remember = (world: World, { book, ensemble }: Node, { initial, logicalClock }: Round): void => {
  Judge.remember(world, initial)
  const known = book.rounds.get(logicalClock)
  if (known === "Joined") return
  // Who may not be proposed votes for whom it likes, but for nobody who knows less.
  const least = ensemble.electable || book.own === null ? initial : { ...book.own, leader: LONG_MIN }
  if (known === undefined || Judge.isBetter(known, least)) book.rounds.set(logicalClock, least)
}

type Round = Output & { readonly _tag: "RoundStarted" }

type Sent = Output & { readonly _tag: "Send" }

// The numbers are compared here, as in `counted`: in a function that sees proposals, votes and messages of all shapes
// an engine takes several times as long.
const isAlike = ({ cause, toSend: self }: Sent, { cause: other, toSend: that }: Sent): boolean =>
  cause === other && self.state === that.state && self.electionEpoch === that.electionEpoch &&
  self.leader === that.leader && self.zxid === that.zxid && self.peerEpoch === that.peerEpoch

const onSend = (world: World, node: Node, { toSend }: Sent): void => {
  const { electionEpoch, leader, peerEpoch, state, zxid } = toSend
  if (!isLong(electionEpoch) || !isLong(leader) || !isLong(zxid) || !isLong(peerEpoch)) {
    broken(world, node, "range", `${electionEpoch} ${leader} ${zxid} ${peerEpoch}`)
  }
  const { election } = node
  if (election._tag === "Settled" && state !== "LOOKING") {
    const { currentVote } = election
    if (state !== election.state || leader !== currentVote.leader || peerEpoch !== currentVote.peerEpoch) {
      broken(world, node, "told", `says ${state} of ${leader}, and is ${election.state} of ${currentVote.leader}`)
    }
  }
}

// Who abstains asks in round 0, which whoever looks answers.
const isTold = ({ cause, toSend }: Sent, { election, ensemble, sid }: Node): boolean => {
  const abstains = !ensemble.electable && toSend.leader === sid
  return (cause === "NewRound" || cause === "Adopted") && Judge.isSame(toSend, election.proposal) &&
    toSend.electionEpoch === (abstains ? 0n : election.logicalClock)
}

const isChanged = (before: Election.State, after: Election.State): boolean =>
  after._tag === "Looking" && (before._tag !== "Looking" || before.initial !== after.initial ||
    before.logicalClock !== after.logicalClock ||
    (before.proposal !== after.proposal && !Judge.isSame(before.proposal, after.proposal)))

type Adopted = Output & { readonly _tag: "Adopted" }

const onAdoption = (world: World, node: Node, event: Election.Event, { previous, proposal }: Adopted): void => {
  if (!isHeavier(world, node, proposal, previous)) {
    broken(world, node, "order", `adopts ${keyOf(proposal)} in place of ${keyOf(previous)}`)
  }
  if (!Judge.isVoter(world, node, proposal.leader)) broken(world, node, "voters", `adopts server ${proposal.leader}`)
  // A search may begin with several notifications, in one step.
  if (event._tag === "Received" && isRefuted(node.election, proposal)) {
    broken(world, node, "order", `adopts ${keyOf(proposal)}, which votes for nobody`)
  }
}

type Kept = Output & { readonly _tag: "Kept" }

const onKept = (world: World, node: Node, event: Election.Event, { ground, offered, proposal }: Kept): void => {
  const refuted = event._tag === "Received" ? isRefuted(node.election, offered) : ground === "Abstains"
  if (!refuted && isHeavier(world, node, offered, proposal)) {
    broken(world, node, "order", `keeps ${keyOf(proposal)} although ${keyOf(offered)} was offered`)
  }
}

const isRefuted = (election: Election.State, { leader }: Proposal): boolean =>
  election._tag === "Looking" && election.abstaining.has(leader)

const onClock = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  moved: boolean
): void => {
  const { election: after } = node
  if (!isLong(after.logicalClock)) broken(world, node, "range", `round ${after.logicalClock}`)
  if (!moved) broken(world, node, "clock", `is in round ${after.logicalClock} without a word`)
  // A new search after the last round there is begins with the first one.
  const searching = after._tag === "Looking" && before._tag === "Looking" && event._tag !== "LookForLeader"
  const back = searching && after.logicalClock < before.logicalClock
  // Who abstains is like one just started, and takes up any round.
  if (back && node.ensemble.electable) broken(world, node, "clock", `goes back to round ${after.logicalClock}`)
}

const onReceived = (
  world: World,
  node: Node,
  before: Election.State,
  notification: Notification,
  outputs: ReadonlyArray<Output>
): void => {
  if (notification.state !== "LOOKING") return
  const { election: after } = node
  if (before._tag === "Looking" && after._tag === "Looking") heeded(world, node, before, after, notification)
  if (!answers(before, notification) || after._tag === "Idle") return
  if (!Judge.isVoter(world, node, notification.from) || !Judge.isVoter(world, node, node.sid)) return
  if (!isAnswered(notification.from, outputs)) {
    broken(world, node, "answer", `does not answer server ${notification.from} in round ${notification.electionEpoch}`)
  }
}

const isAnswered = (from: Sid, outputs: ReadonlyArray<Output>): boolean =>
  outputs.some((output) => output._tag === "Send" && output.toSend.to === from)

// Rule 2 of the compatibility must-haves: without such answers nobody who lags or comes late would ever catch up.
const answers = (before: Election.State, { electionEpoch }: Notification): boolean =>
  before._tag === "Settled" || (before._tag === "Looking" && electionEpoch < before.logicalClock)

const UNTRUSTED = -1n

const heeded = (
  world: World,
  node: Node,
  before: Election.Looking,
  after: Election.Looking,
  notification: Notification
): void => {
  const { electionEpoch, from, leader, zxid } = notification
  const abstains = leader === from && zxid === UNTRUSTED && from !== node.sid
  if (after.abstaining.has(from) && !abstains && (leader === from || !before.abstaining.has(from))) {
    return broken(world, node, "heed", `takes ${from} for one that abstains, which votes for ${keyOf(notification)}`)
  }
  if (after.logicalClock !== before.logicalClock) {
    if (Judge.isSame(after.proposal, after.initial) || Judge.isSame(after.proposal, notification)) return
    return broken(world, node, "entry", `enters round ${after.logicalClock} with ${keyOf(after.proposal)}`)
  }
  if (electionEpoch !== after.logicalClock || !Judge.isBetter(notification, after.proposal)) return
  if (zxid === UNTRUSTED || !after.trusted || isRefuted(after, notification)) return
  if (!isHeavier(world, node, notification, after.proposal)) return
  if (Judge.isVoter(world, node, from) && Judge.isVoter(world, node, leader)) {
    broken(world, node, "heed", `keeps ${keyOf(after.proposal)} although ${from} votes for ${keyOf(notification)}`)
  }
}
