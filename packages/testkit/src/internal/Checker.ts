/**
 * What must hold after every step, whatever happened: seen from outside, from events, outputs and states alone.
 *
 * The numbers are those of "What holds" in the README of the core.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import * as Explain from "@conclave/core/Explain"
import type { Notification } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import type { Proposal, Vote } from "@conclave/core/Vote"
import * as Judge from "./Judge.ts"
import { type End, fail, type Node, type World } from "./World.ts"

/** What can be broken, by name. */
export const properties = {
  timer: "5. while a search runs exactly one timer runs, the one its state asks for",
  order: "2. proposals are totally ordered by epoch, zxid and id; only a better one with weight is adopted",
  voters: "4. only voters count, as senders and as leaders",
  quorum: "4. who says that a quorum agrees has one, counted once more",
  own: "a finalised round never elects a proposal below one's own",
  fresh: "who is elected is at least as fresh as everybody who voted for it was",
  real: "who is elected has proposed itself with this history",
  heard: "6. nobody joins a leader that has not said itself that it leads",
  round: "6. nobody takes office on votes of another round",
  clock: "a round is left only for a later one, or for that of a leader that is joined",
  told: "what is told is what is believed: proposal, round and state",
  range: "7. numbers that are 64 bits wide on the wire stay so",
  office: "who leads may lead: it votes, has weight and is electable",
  link: "a connection is kept by the larger id, and is there",
  answer: "a voter that looks is answered by whoever is settled, and by whoever is in a later round"
} as const

/** A property of one step. */
export type Property = keyof typeof properties

/** Looks at one step of an election. The state before is given; that after is the node's. */
export const afterStep = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  outputs: ReadonlyArray<Output>
): void => {
  const { book, election: after } = node
  let broadcast: Output & { readonly _tag: "Send" } | null = null
  let moved = false
  for (const output of outputs) {
    switch (output._tag) {
      case "Send":
        if (output.cause === "NewRound" || output.cause === "Adopted") broadcast = output
        onSend(world, node, output)
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
        if (world.honest) remember(world, node, output)
        break
      case "Adopted":
        onAdoption(world, node, output)
        break
      case "Kept":
        onKept(world, node, output)
        break
      case "Elected":
        moved = true
        onElected(world, node, before, event, output)
        break
      case "Restart":
        moved = true
    }
  }
  if (event._tag === "Received") answered(world, node, before, event.notification, outputs)
  if (broadcast !== null) said(world, node, broadcast)
  const due = after._tag !== "Looking" ? null : after.finalizing ? "Finalize" : "Notification"
  if (book.timer !== due) broken(world, node, "timer", `${book.timer} runs, ${due} is due`)
  if (after._tag === "Looking" && after.finalizing && isNews(before, after)) counted(world, node, after)
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

const broken = (world: World, node: Node, property: Property, detail: string): void =>
  fail(world, property, `server ${node.sid}: ${detail}`)

// Was anything counted in this step?
const isNews = (before: Election.State, after: Election.Looking): boolean =>
  before._tag !== "Looking" || !before.finalizing || before.recvSet !== after.recvSet

const LONG_MAX = 2n ** 63n - 1n

const isLong = (value: bigint): boolean => value <= LONG_MAX && value >= -LONG_MAX - 1n

const keyOf = ({ leader, peerEpoch, zxid }: Proposal): string => `${leader}/${peerEpoch}/${zxid}`

const isHeavier = (world: World, node: Node, candidate: Proposal, current: Proposal): boolean =>
  Judge.hasWeight(world, candidate.leader) && Judge.isBetter(candidate, current) &&
  (node.ensemble.electable || candidate.leader !== node.sid)

// A node that has started anew may be in the same round again, with a history that has grown since.
const remember = (world: World, { book }: Node, { initial, logicalClock }: Round): void => {
  world.proposals.add(keyOf(initial))
  const known = book.entries.get(logicalClock)
  if (known === undefined || Judge.isBetter(known, initial)) book.entries.set(logicalClock, initial)
}

type Round = Output & { readonly _tag: "RoundStarted" }

const onSend = (world: World, node: Node, { toSend }: Output & { readonly _tag: "Send" }): void => {
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

// The last word to everybody in a step is what we believe after it.
const said = (world: World, node: Node, { toSend }: Output & { readonly _tag: "Send" }): void => {
  const { election } = node
  if (election._tag !== "Looking") return
  if (Judge.isSame(toSend, election.proposal) && toSend.electionEpoch === election.logicalClock) return
  broken(world, node, "told", `says ${keyOf(toSend)} in round ${toSend.electionEpoch}, believes ${
    keyOf(election.proposal)} in round ${election.logicalClock}`)
}

const onAdoption = (world: World, node: Node, { previous, proposal }: Output & { readonly _tag: "Adopted" }): void => {
  if (!isHeavier(world, node, proposal, previous)) {
    broken(world, node, "order", `adopts ${keyOf(proposal)} in place of ${keyOf(previous)}`)
  }
  if (!Judge.isVoter(world, node, proposal.leader)) broken(world, node, "voters", `adopts server ${proposal.leader}`)
}

const onKept = (world: World, node: Node, { offered, proposal }: Output & { readonly _tag: "Kept" }): void => {
  if (isHeavier(world, node, offered, proposal)) {
    broken(world, node, "order", `keeps ${keyOf(proposal)} although ${keyOf(offered)} was offered`)
  }
}

// Votes are compared by all four numbers while somebody looks.
const counted = (world: World, node: Node, { logicalClock, proposal, recvSet }: Election.Looking): void => {
  const vote: Vote = { ...proposal, version: 0, electionEpoch: logicalClock, state: "LOOKING" }
  if (!isCarried(world, node, recvSet, vote)) {
    broken(world, node, "quorum", `believes in server ${proposal.leader}; ${votesOf(recvSet)}`)
  }
}

const isCarried = (world: World, node: Node, votes: ReadonlyMap<Sid, Vote>, vote: Vote): boolean =>
  world.scenario.quorum === "Oracle" || Judge.isQuorum(world, node, (sid) => {
    const cast = votes.get(sid)
    return cast !== undefined && Judge.agree(cast, vote)
  })

const votesOf = (votes: ReadonlyMap<Sid, Vote>): string =>
  `the votes are ${Array.from(votes, ([sid, vote]) => `${sid} for ${keyOf(vote)}`).join(", ")}`

type Elected = Output & { readonly _tag: "Elected" }

const onElected = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  elected: Elected
): void => {
  const { reason, state, vote } = elected
  if (!Judge.isVoter(world, node, vote.leader)) broken(world, node, "voters", `elects server ${vote.leader}`)
  if ((state === "LEADING") !== (vote.leader === node.sid)) broken(world, node, "office", `${state} of ${vote.leader}`)
  if (state === "LEADING" && !(node.ensemble.electable && Judge.hasWeight(world, node.sid))) {
    broken(world, node, "office", "leads, and may not")
  }
  if (reason._tag === "Oracle") return
  const quorum = world.scenario.quorum === "Oracle" || Judge.isQuorum(world, node, (sid) => reason.supporters.has(sid))
  if (!quorum) {
    broken(world, node, "quorum", `elects server ${vote.leader} by ${Explain.sids(reason.supporters)}`)
  }
  if (reason._tag === "Quorum") onFinalised(world, node, before, elected)
  else onJoined(world, node, before, event, elected)
}

const onFinalised = (world: World, node: Node, before: Election.State, { reason, vote }: Elected): void => {
  if (before._tag !== "Looking") return broken(world, node, "quorum", "ends a search that does not run")
  counted(world, node, before)
  if (vote.electionEpoch !== before.logicalClock) broken(world, node, "round", `elects in round ${vote.electionEpoch}`)
  if (!Judge.hasWeight(world, vote.leader)) broken(world, node, "office", `elects server ${vote.leader}, of no weight`)
  if (!Judge.isSame(vote, before.proposal)) broken(world, node, "told", `elects ${keyOf(vote)}, did not propose it`)
  const { initial } = node.book
  if (initial !== null && node.member.role === "Voter" && isHeavier(world, node, initial, vote)) {
    broken(world, node, "own", `elects ${keyOf(vote)}, was itself ${keyOf(initial)}`)
  }
  // Who does not vote is answered with the vote of the last election, and may count those as votes of this one.
  if (!world.honest || !world.static || node.member.role !== "Voter") return
  if (!world.proposals.has(keyOf(vote))) broken(world, node, "real", `elects ${keyOf(vote)}, which nobody ever was`)
  for (const sid of reason.supporters) {
    const { book, ensemble } = world.bySid.get(sid) ?? node
    // Who has joined a leader supports it in that leader's round, whatever its own history is.
    if (book.joined.has(vote.electionEpoch)) continue
    const least = book.entries.get(vote.electionEpoch)
    if (least === undefined) broken(world, node, "real", `counts server ${sid}, which was never in this round`)
    else if (ensemble.electable && Judge.hasWeight(world, sid) && Judge.isBetter(least, vote)) {
      broken(world, node, "fresh", `elects ${keyOf(vote)}, and ${keyOf(least)} voted for it`)
    }
  }
}

const onJoined = (
  world: World,
  node: Node,
  before: Election.State,
  event: Election.Event,
  { reason, state, vote }: Elected
): void => {
  node.book.joined.add(vote.electionEpoch)
  // What waited for a search to begin is not known here.
  if (event._tag !== "Received" || before._tag !== "Looking") return
  const { notification } = event
  const sameRound = reason._tag === "Joined" && reason.round === "Same"
  const votes = new Map(sameRound ? before.recvSet : before.outOfElection)
  const { version } = notification
  const cast = { ...notification, version: sameRound ? 0 : version, state: stateOf(notification) }
  votes.set(notification.from, cast)
  if (!isCarried(world, node, votes, { ...cast, version })) {
    broken(world, node, "quorum", `joins server ${vote.leader}; ${votesOf(votes)}`)
  }
  if (state === "LEADING") {
    const clock = before.logicalClock
    if (vote.electionEpoch !== clock) broken(world, node, "round", `leads in round ${vote.electionEpoch} of ${clock}`)
  } else if (votes.get(vote.leader)?.state !== "LEADING") {
    broken(world, node, "heard", `joins server ${vote.leader}, which has not said that it leads`)
  }
}

const stateOf = ({ state }: Notification): Vote["state"] => (state === "UNKNOWN" ? "LOOKING" : state)

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

// Rule 2 of the compatibility must-haves: without such answers nobody who lags or comes late would ever catch up.
const answered = (
  world: World,
  node: Node,
  before: Election.State,
  { electionEpoch, from, state }: Notification,
  outputs: ReadonlyArray<Output>
): void => {
  const isDue = before._tag === "Settled" || (before._tag === "Looking" && electionEpoch < before.logicalClock)
  if (state !== "LOOKING" || !isDue || node.election._tag === "Idle") return
  if (!Judge.isVoter(world, node, from) || !Judge.isVoter(world, node, node.sid)) return
  if (!outputs.some((output) => output._tag === "Send" && output.toSend.to === from)) {
    broken(world, node, "answer", `does not answer server ${from}, which looks in round ${electionEpoch}`)
  }
}
