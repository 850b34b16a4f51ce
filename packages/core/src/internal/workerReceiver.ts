/**
 * What a peer does with a notification before its election sees it: look at the
 * configuration, answer those who need an answer, and drop what has no place.
 *
 * Java: `FastLeaderElection.Messenger.WorkerReceiver`. Spec: ReceiveNotmsg.
 */
import * as Result from "effect/Result"
import type { Common, State, Step } from "../Election.ts"
import type { ConfigVerdict, IgnoredReason, Output, SendCause } from "../ElectionOutput.ts"
import type { Ensemble, Membership } from "../Ensemble.ts"
import { adopt } from "../Ensemble.ts"
import type { InvalidConfig } from "../InvalidConfig.ts"
import type { Notification } from "../Notification.ts"
import * as QuorumVerifier from "../QuorumVerifier.ts"
import type { ServerState } from "../ServerState.ts"
import type { Sid } from "../Sid.ts"
import type { Vote } from "../Vote.ts"
import * as VoteTracker from "../VoteTracker.ts"
import { abstention } from "./history.ts"
import * as ParsedConfigs from "./parsedConfigs.ts"
import * as SidMap from "./sidMap.ts"

/** What became of a notification. */
export interface Received {
  readonly state: State
  /** Its own, to be added to. */
  readonly outputs: Array<Output>
  /** Does the election get to see it? */
  readonly forElection: boolean
}

/** Handles one notification up to the point where the election takes it. */
export const receive = (ensemble: Ensemble, state: State, notification: Notification): Received => {
  if (state._tag === "Idle" && state.restarting) return dropped(state, [], notification, "Restarting")
  if (state._tag === "Settled" || isInForce(state, notification)) return answer(ensemble, state, [], notification)
  const [next, seen] = seeConfig(ensemble, state, notification)
  const outputs = [...seen]
  if (next._tag === "Idle" && next.restarting) return { state: next, outputs, forElection: false }
  return answer(ensemble, next, outputs, notification)
}

// -----------------------------------------------------------------------------
// answers
// -----------------------------------------------------------------------------

const answer = (
  ensemble: Ensemble,
  state: State,
  outputs: Array<Output>,
  notification: Notification
): Received => {
  const { rules } = ensemble
  const { from } = notification
  const { voters } = state.membership
  const serverState = state._tag === "Settled" ? state.state : "LOOKING"
  if (!voters.has(from)) {
    if (mayAnswer(ensemble, voters) && (!rules.answerQuestionsOnly || asks(state, notification))) {
      // The settled or initial vote, not the proposal under discussion, but with the clock of now.
      const vote = { ...state.currentVote, electionEpoch: state.logicalClock }
      outputs.push(reply(state, from, serverState, vote, "AnswerNonVoter"))
    }
    return dropped(state, outputs, notification, "SenderNotVoter")
  }
  if (notification.state === "UNKNOWN") return dropped(state, outputs, notification, "UnknownState")
  if (state._tag !== "Settled") {
    if (notification.state === "LOOKING") answerVoter(ensemble, state, outputs, notification)
    return { state, outputs, forElection: true }
  }
  if (notification.state === "LOOKING" && mayAnswer(ensemble, voters)) {
    if (state.state === "LEADING") {
      const elector = VoteTracker.hasSid(state.membership, state.supporters, from)
      outputs.push({ _tag: "VoterLooking", sid: from, elector })
    }
    // The round of the election that ended, not the clock.
    outputs.push(reply(state, from, serverState, state.currentVote, "AnswerSettled"))
  }
  return dropped(state, outputs, notification, "Settled")
}

// Who votes for us, who may not be proposed and have voted for another since, is told so again; in its own round, in
// which nobody answers.
const answerVoter = (
  ensemble: Ensemble,
  state: State,
  outputs: Array<Output>,
  { electionEpoch, from, leader }: Notification
): void => {
  const { electable, mySid, rules } = ensemble
  const { logicalClock, membership, proposal } = state
  if (!mayAnswer(ensemble, membership.voters)) return
  if (electionEpoch < logicalClock) {
    outputs.push(reply(state, from, "LOOKING", { ...proposal, electionEpoch: logicalClock }, "AnswerLagging"))
  } else if (!electable && leader === mySid && from !== mySid && proposal.leader !== mySid && rules.leaveWhoAbstains) {
    outputs.push(reply(state, from, "LOOKING", { ...abstention(mySid), electionEpoch }, "AnswerMisled"))
  }
}

const mayAnswer = ({ mySid, rules }: Ensemble, voters: Membership["voters"]): boolean =>
  !rules.answerQuestionsOnly || voters.has(mySid)

// Can somebody without a vote use our answer? While we look it does not hear us if it is in a later round.
const asks = (state: State, { electionEpoch, state: sender }: Notification): boolean =>
  sender === "LOOKING" && (state._tag === "Settled" || electionEpoch <= state.logicalClock)

const reply = (
  state: Common,
  to: Sid,
  serverState: ServerState,
  { electionEpoch, leader, peerEpoch, zxid }: Pick<Vote, "leader" | "zxid" | "electionEpoch" | "peerEpoch">,
  cause: SendCause
): Output => ({
  _tag: "Send",
  toSend: { to, state: serverState, leader, zxid, electionEpoch, peerEpoch, config: state.membership.committed.text },
  cause
})

const dropped = (
  state: State,
  outputs: Array<Output>,
  notification: Notification,
  reason: IgnoredReason
): Received => {
  outputs.push({ _tag: "Ignored", notification, reason })
  return { state, outputs, forElection: false }
}

// -----------------------------------------------------------------------------
// configuration
// -----------------------------------------------------------------------------

/** Takes a configuration that somebody sent: adopts it, which ends what runs, or says why not. */
export const seeConfig = (
  ensemble: Ensemble,
  state: State,
  { config, from }: Pick<Notification, "config" | "from">
): Step =>
  config === null || isInForce(state, { config }) ? [state, []] : takeConfig(ensemble, state, config, from)

// Nearly every message carries the text that is in force, and those of old formats none.
const isInForce = ({ membership }: State, { config }: Pick<Notification, "config">): boolean =>
  config === null || config === membership.committed.text

const takeConfig = (ensemble: Ensemble, state: State, config: string, from: Sid): Step => {
  const { committed } = state.membership
  const parsed = ParsedConfigs.parse(ensemble, config, committed._tag === "Oracle" ? committed.oraclePath : undefined)
  const seen = (version: bigint | null, verdict: ConfigVerdict, problem: InvalidConfig | null): Output => ({
    _tag: "ConfigSeen",
    from,
    version,
    verdict,
    problem
  })
  if (Result.isFailure(parsed)) {
    return [state, [seen(null, "Unparsable", parsed.failure)]]
  }
  const verifier = parsed.success
  if (verifier.version <= committed.version) return [state, []]
  const refusal = refuse(ensemble, state.membership, from, verifier)
  if (refusal !== null) return [state, [seen(verifier.version, refusal, null)]]

  const outputs: Array<Output> = []
  let next: State = state
  if (ensemble.reconfigEnabled) {
    outputs.push(seen(verifier.version, "Adopted", null), { _tag: "AdoptConfig", from, verifier })
    next = withMembership(state, adopt(state.membership, ensemble.mySid, verifier))
  } else {
    outputs.push(seen(verifier.version, "ReconfigDisabled", null))
  }
  if (QuorumVerifier.equals(verifier, committed)) return [next, outputs]
  return [restarting(next), [...outputs, ...restart]]
}

const withMembership = (state: State, membership: Membership): State => {
  const gone = Array.from(state.absent.keys()).filter((sid) => !membership.voters.has(sid))
  const absent = gone.reduce(SidMap.remove, state.absent)
  return { ...state, membership, absent }
}

const restart: ReadonlyArray<Output> = [{ _tag: "CancelTimer" }, { _tag: "Restart", reason: "ConfigChanged" }]

// The election object is gone with its queue and its proposal. Java: FastLeaderElection.shutdown.
const restarting = ({ absent, currentVote, logicalClock, membership, proposal }: State): State => ({
  _tag: "Idle",
  membership,
  absent,
  logicalClock,
  proposal: { ...proposal, leader: -1n, zxid: -1n },
  currentVote,
  recvQueue: [],
  restarting: true
})

const refuse = (
  { reconfigEnabled, rules }: Ensemble,
  { committed, voters }: Membership,
  from: Sid,
  verifier: QuorumVerifier.QuorumVerifier
): ConfigVerdict | null => {
  if (rules.configOnlyIfEnabled && !reconfigEnabled) return "ReconfigDisabled"
  if (rules.configFromVotersOnly && !voters.has(from)) return "SenderNotVoter"
  if (!rules.configKeepsQuorum) return null
  if (verifier.voters.size === 0) return "NoVoters"
  // That we are in it is not asked: who was removed must stop voting, and who is about to be added is not in it yet.
  const kept = verifier.voters.intersection(committed.voters)
  return kept.size * 2 > committed.voters.size ? null : "LosesMajority"
}
