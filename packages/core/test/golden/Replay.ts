/**
 * Plays a trace to a peer and compares, step by step, what it does with what was
 * recorded. What is sent is compared per recipient, in order, bytes included;
 * the proposal and the two sets of votes only while an election runs. A trace in
 * which the original crashes is compared up to the step before.
 */
import type * as Adapter from "./adapter.ts"
import * as Trace from "./Trace.ts"

/** Something that the peer did differently. */
export interface Difference {
  /** The field of the outcome, in words. */
  readonly what: string
  readonly want: string
  readonly got: string
}

/** What became of a trace: agreement, or the first step that differs (-1: the peer could not be made). */
export type Verdict =
  | { readonly agrees: true; readonly compared: number }
  | { readonly agrees: false; readonly at: number; readonly differences: ReadonlyArray<Difference> }

/** Whoever plays the peer. */
export type CreatePeer = (config: Adapter.Config) => { readonly step: (step: Adapter.Step) => Adapter.Outcome }

/** Plays one trace. Whatever throws on the way is a difference at that step. */
export const replay = (trace: Trace.Trace, createPeer: CreatePeer): Verdict => {
  let at = -1
  try {
    const wanted = Trace.outcomes(trace)
    const crash = wanted.findIndex(Trace.isBugcompat)
    const compared = crash < 0 ? wanted.length : crash
    const peer = createPeer(Trace.configOf(trace))
    for (at = 0; at < compared; at++) {
      const got = peer.step(Trace.inputOf(trace, trace.steps[at]!.in))
      const differences = compare(trace, wanted[at]!, got)
      if (differences.length > 0) return { agrees: false, at, differences }
    }
    return { agrees: true, compared }
  } catch (error) {
    const got = error instanceof Error ? error.stack ?? error.message : String(error)
    return { agrees: false, at, differences: [{ what: "the step", want: "an outcome", got: `it threw: ${got}` }] }
  }
}

/** Everything in which the two outcomes differ. */
export const compare = (
  trace: Trace.Trace,
  want: Trace.Outcome,
  got: Adapter.Outcome
): ReadonlyArray<Difference> => {
  const differences: Array<Difference> = []
  const same = (what: string, want: string, got: string): boolean => {
    if (want !== got) differences.push({ what, want, got })
    return want === got
  }
  compareSent(trace, want, got, same)
  if (want.waiting !== null) same("proposal", proposalText(want.proposal), proposalText(got.proposal))
  same("clock", `${want.clock}`, `${got.clock}`)
  same("state", want.state, got.state)
  same("returned", returnedText(want.returned), returnedText(got.returned))
  same("waiting", waitingText(want.waiting), waitingText(got.waiting))
  same("currentVote", voteText(want.currentVote), voteText(got.currentVote))
  if (want.waiting !== null) {
    if (got.recvset !== undefined) same("recvset", votesText(want.recvset), votesText(got.recvset))
    if (got.outofelection !== undefined) {
      same("outofelection", votesText(want.outofelection), votesText(got.outofelection))
    }
  }
  same("connectAll", `${want.connectAll ?? 0}`, `${got.connectAll}`)
  same("queued", `${want.queued ?? 0}`, `${got.queued}`)
  same("restarted", `${want.restarted ?? false}`, `${got.restarted}`)
  return differences
}

type Same = (what: string, want: string, got: string) => boolean

const compareSent = (trace: Trace.Trace, want: Trace.Outcome, got: Adapter.Outcome, same: Same): void => {
  const wanted = Map.groupBy(
    want.sent.flatMap((sent) => sent.to.map((to) => ({ to, sent }))),
    ({ to }) => to
  )
  const sent = Map.groupBy(got.sent, ({ to }) => `${to}`)
  for (const to of new Set([...wanted.keys(), ...sent.keys()])) {
    const theirs = wanted.get(to) ?? []
    const ours = sent.get(to) ?? []
    for (let i = 0; i < Math.max(theirs.length, ours.length); i++) {
      const a = theirs[i]?.sent
      const b = ours[i]
      const what = `message ${i + 1} to ${to}`
      if (!same(what, a === undefined ? "none" : sentText(a), b === undefined ? "none" : sentText(b))) break
      if (a === undefined || b === undefined) break
      const bytes = Trace.bytesOf(trace, a)
      if (Buffer.compare(bytes, b.hex) === 0) continue
      const from = bytes.findIndex((byte, index) => byte !== b.hex[index])
      const shown = (all: Uint8Array) => `${Buffer.from(all).toString("hex", Math.max(from, 0))} (${all.length} in all)`
      same(`bytes ${from < 0 ? bytes.length : from} and on of ${what}`, shown(bytes), shown(b.hex))
      break
    }
  }
}

// Decimal strings of the trace and bigints of the core print alike.
interface AnyProposal {
  readonly leader: unknown
  readonly zxid: unknown
  readonly peerEpoch: unknown
}

interface AnyVote extends AnyProposal {
  readonly electionEpoch: unknown
  readonly state: string
}

const proposalText = ({ leader, peerEpoch, zxid }: AnyProposal): string =>
  `leader=${leader} zxid=${zxid} peerEpoch=${peerEpoch}`

const voteText = (vote: AnyVote | null | undefined): string =>
  vote === null || vote === undefined ? "none" : `${proposalText(vote)} electionEpoch=${vote.electionEpoch}`

const sentText = (sent: AnyVote & { readonly version: number }): string =>
  `${sent.state} ${voteText(sent)} version=${sent.version}`

const votesText = (votes: Readonly<Record<string, AnyVote>> | ReadonlyMap<bigint, AnyVote> | undefined): string => {
  const entries: ReadonlyArray<readonly [unknown, AnyVote]> = votes instanceof Map
    ? Array.from(votes)
    : Object.entries(votes ?? {})
  return entries.map(([sid, vote]) => `${sid}: ${vote.state} ${voteText(vote)}`).sort().join("; ") || "empty"
}

const returnedText = (
  returned: { readonly vote?: AnyVote | null | undefined; readonly threw?: string | undefined } | null
): string => returned === null ? "not yet" : returned.threw ?? voteText(returned.vote)

const waitingText = (waiting: { readonly kind: string; readonly ms: number } | null): string =>
  waiting === null ? "for nothing" : `${waiting.kind} ${waiting.ms} ms`
