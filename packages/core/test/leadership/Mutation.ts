/**
 * The ways in which leader, learner or the shell around them could be wrong, one at
 * a time. A simulation that does not notice them shows nothing.
 */
import * as Leader from "../../src/Leader.ts"
import * as Learner from "../../src/Learner.ts"

/** What is done wrong. */
export type Mutation =
  /** The leader counts its lease from when the answer arrived. */
  | "LeaseFromAnswer"
  /** A learner pledges itself once, and answers every ping as if it did so each time. */
  | "PledgeNotRenewed"
  /** A learner answers pings and pledges nothing. */
  | "NoPledge"
  /** Clocks run at rates that differ by more than is allowed for. */
  | "DriftIgnored"
  /** A process that starts does not suppose that it had pledged itself before. */
  | "NoPledgeAtStart"
  /** A learner acknowledges NEWLEADER in spite of a pledge. */
  | "AckedInSpiteOfPledge"
  /** A leader counts itself in spite of its own pledge. */
  | "LeaderForgetsPledge"
  /** A leader judges its own pledge by the clock of its lease, which may run ahead. */
  | "PledgeByLeaseClock"
  /** A pledge is thought to be over when the connection is. */
  | "ReleasedByClose"
  /** A leader that steps down supports another before what depended on its lease has ended. */
  | "LooksBeforeEnd"
  /** An epoch is promised before it is durable. */
  | "ToldBeforeStored"

/** `Leader.step`, or wrong. */
export const leaderStep = (
  mutation: Mutation | null,
  options: Leader.Options,
  state: Leader.State,
  event: Leader.Event
): Leader.Step => {
  if (mutation === "PledgeByLeaseClock" && "pledgeAt" in event) {
    return Leader.step(options, state, { ...event, pledgeAt: event.at })
  }
  if (mutation !== "LeaseFromAnswer" || event._tag !== "Received") return Leader.step(options, state, event)
  const learner = state.learners.get(event.learner)
  if (learner === undefined || learner.pings.length === 0) return Leader.step(options, state, event)
  const pings = [event.at, ...learner.pings.slice(1)]
  const learners = new Map(state.learners).set(event.learner, { ...learner, pings })
  return Leader.step(options, { ...state, learners }, event)
}

/** `Learner.step`, or wrong. */
export const learnerStep = (
  mutation: Mutation | null,
  options: Learner.Options,
  state: Learner.State,
  event: Learner.Event
): Learner.Step => {
  if (mutation === "AckedInSpiteOfPledge") {
    return Learner.step(options, state.stage === "Acknowledging" ? { ...state, pledge: null } : state, event)
  }
  const [next, outputs] = Learner.step(options, state, event)
  const isMute = mutation === "NoPledge" || (mutation === "PledgeNotRenewed" && state.pledge?.leader === options.leader)
  if (!isMute) return [next, outputs]
  return [{ ...next, pledge: state.pledge }, outputs.filter(({ _tag }) => _tag !== "Pledged")]
}
