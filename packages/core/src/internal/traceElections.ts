/**
 * The elections in a trace: who looked, whom each decided for and why, and what came
 * of it.
 */
import type * as Election from "../Election.ts"
import type { ElectedReason, Output } from "../ElectionOutput.ts"
import * as Explain from "../Explain.ts"
import type { SettledState } from "../ServerState.ts"
import type { Sid } from "../Sid.ts"
import type * as Trace from "../Trace.ts"
import type { Vote } from "../Vote.ts"

/** When something was, by both clocks of a peer. */
export type Time = Omit<Trace.Stamp, "sid">

/** One peer looking for a leader, to its decision if there is one. */
export interface Search {
  readonly sid: Sid
  readonly began: Time
  firstVote: number | null
  quorum: number | null
  readonly minds: Array<Output & { readonly _tag: "Adopted" }>
  notJoined: (Output & { readonly _tag: "NotJoined" }) | null
  decision: Decision | null
}

/** How a search ended. */
export interface Decision {
  readonly time: Time
  readonly vote: Vote
  readonly state: SettledState
  readonly reason: ElectedReason
}

/** Something that a peer tells of a leader. */
export interface News {
  readonly time: Time
  readonly sid: Sid
  readonly text: string
}

/** One election, and the time in which its leader had the office. */
export interface Term {
  readonly leader: Sid
  readonly began: Time
  /** What each peer came to it by, in order. */
  readonly searches: Array<Search & { readonly decision: Decision }>
  /** Epoch, followers, ends. */
  readonly news: Array<News>
  isOver: boolean
}

/** What a trace tells of elections. */
export interface Told {
  readonly terms: ReadonlyArray<Term>
  /** Searches without a decision. */
  readonly vain: ReadonlyArray<Search>
}

/** Collects the elections of lines in order of time. */
export const collect = (lines: Iterable<Trace.Line>): Told => {
  const self: Self = { terms: [], searches: new Map(), current: new Map(), vain: [] }
  for (const line of lines) {
    if (line._tag === "Start" && line.reducer === "election") restarted(self, line.sid)
    else if (line._tag === "Step") take(self, line)
  }
  return { terms: self.terms, vain: [...self.vain, ...self.searches.values()] }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self {
  readonly terms: Array<Term>
  readonly searches: Map<Sid, Search>
  /** The term in which each peer is. */
  readonly current: Map<Sid, Term>
  readonly vain: Array<Search>
}

const take = (self: Self, step: Trace.Step): void => {
  switch (step.reducer) {
    case "election":
      onEvent(self, step, step.event)
      for (const output of step.outputs) onOutput(self, step, output)
      return
    case "leader":
      for (const output of step.outputs) {
        const text = Explain.leader(output)
        if (text !== null) (output._tag === "SteppedDown" ? end : tell)(self, step, text)
      }
      return
    case "learner":
      for (const output of step.outputs) {
        const text = Explain.learner(output)
        if (text !== null) (output._tag === "Left" ? end : tell)(self, step, text)
      }
  }
}

const onEvent = (self: Self, time: Trace.Step, event: Election.Event): void => {
  if (event._tag === "LeaderLost") return end(self, time, "gave its leader up")
  if (event._tag !== "LookForLeader" && event._tag !== "Designated") return
  const before = self.searches.get(time.sid)
  if (before !== undefined) self.vain.push(before)
  self.searches.set(time.sid, {
    sid: time.sid,
    began: time,
    firstVote: null,
    quorum: null,
    minds: [],
    notJoined: null,
    decision: null
  })
}

const onOutput = (self: Self, time: Trace.Step, output: Output): void => {
  const search = self.searches.get(time.sid)
  if (search === undefined) return
  const since = time.ms - search.began.ms
  switch (output._tag) {
    case "Adopted":
      search.minds.push(output)
      return heard(search, output.from, since)
    case "Kept":
      return heard(search, output.from, since)
    case "NotJoined":
      search.notJoined = output
      return heard(search, output.from, since)
    case "QuorumReached":
      search.quorum = since
      return
    case "Elected":
      return onElected(self, time, search, output)
  }
}

const heard = (search: Search, from: Sid, since: number): void => {
  if (from !== search.sid) search.firstVote ??= since
}

type Elected = Output & { readonly _tag: "Elected" }

const onElected = (self: Self, time: Trace.Step, search: Search, elected: Elected): void => {
  const { reason, state, vote } = elected
  const decision: Decision = { time, vote, state, reason }
  self.searches.delete(search.sid)
  const known = self.terms.findLast((term) => belongs(term, search.sid, decision))
  const term: Term = known ?? { leader: vote.leader, began: time, searches: [], news: [], isOver: false }
  if (known === undefined) self.terms.push(term)
  term.searches.push({ ...search, decision })
  self.current.set(search.sid, term)
}

// Rounds are counted in memory, so that the same leader may win the same round twice; but nobody elects it there twice.
const belongs = ({ isOver, leader, searches }: Term, sid: Sid, { reason, vote }: Decision): boolean => {
  if (leader !== vote.leader || isOver) return false
  if (reason._tag === "Joined" || reason._tag === "Oracle") return true
  return searches.every((search) => search.sid !== sid) && searches.some(({ decision }) =>
    decision.reason._tag === "Joined" || (decision.reason._tag === reason._tag &&
      decision.vote.electionEpoch === vote.electionEpoch)
  )
}

const tell = ({ current }: Self, time: Trace.Step, text: string): void => {
  current.get(time.sid)?.news.push({ time, sid: time.sid, text })
}

const end = (self: Self, time: Trace.Step, text: string): void => {
  const term = self.current.get(time.sid)
  if (term === undefined) return
  tell(self, time, text)
  self.current.delete(time.sid)
  if (term.leader === time.sid) term.isOver = true
}

// What was running there ended with its process, and said nothing.
const restarted = (self: Self, sid: Sid): void => {
  const search = self.searches.get(sid)
  if (search !== undefined) self.vain.push(search)
  self.searches.delete(sid)
  const term = self.current.get(sid)
  if (term?.leader === sid) term.isOver = true
  self.current.delete(sid)
}
