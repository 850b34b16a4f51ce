/**
 * What an election does, in words: those of `Explain` where it has any, and for what
 * only a conversation tells, the words here.
 */
import type { IgnoredReason, KeptGround, Output, SendCause } from "../../src/ElectionOutput.ts"
import * as Explain from "../../src/Explain.ts"
import type { Notification } from "../../src/Notification.ts"
import * as Vote from "../../src/Vote.ts"

type Message = Pick<Notification, "state" | "electionEpoch" | "leader" | "zxid" | "peerEpoch">

/** What a notification says. */
export const message = ({ electionEpoch, leader, peerEpoch, state, zxid }: Message): string =>
  `${state} in round ${electionEpoch}, for ${Explain.proposal({ leader, peerEpoch, zxid })}`

/** Sends the same to all of these. */
export const sends = (cause: SendCause, to: ReadonlyArray<bigint>, said: Message): string =>
  `${causes[cause](Explain.sids(to))}: ${message(said)}`

/** One decision that sends nothing; `null` for what another line tells. */
export const decision = (mySid: bigint, output: Exclude<Output, { readonly _tag: "Send" }>): string | null => {
  switch (output._tag) {
    case "ConnectAll":
      return "asks for a connection with everybody it has none with"
    case "SetTimer":
      if (output.after === 0) return "waits for nothing: nobody is left who could bring a better vote"
      return `waits ${Explain.millis(output.after)} for ${output.timer === "Finalize" ? "a better vote" : "votes"}`
    case "CancelTimer":
      return null
    case "RoundStarted":
      return output.from === null
        ? `begins round ${output.logicalClock}, and proposes ${Explain.proposal(output.initial)}`
        : `enters round ${output.logicalClock}, in which server ${output.from} is, ` +
          `and proposes ${Explain.proposal(output.initial)}`
    case "Elected":
      return `is ${output.state}: ${Explain.elected(output.vote, output.reason)}`
    case "Restart":
      return "begins anew, because the configuration has changed"
    case "AdoptConfig":
      return Explain.configAdopted(mySid, output)
    case "ConfigSeen":
      return Explain.configRefused(output)
    case "Adopted":
      return `changes its mind ${Explain.adopted(output)}`
    case "Kept":
      return `counts the vote, and keeps server ${output.proposal.leader}: ${keptGround(output)}`
    case "QuorumReached":
      return `finds a quorum for server ${output.proposal.leader}: ${Explain.sids(output.supporters)}`
    case "Reopened":
      return `is not done yet: ${reopened(output)}`
    case "NotJoined":
      return Explain.notJoined(output)
    case "Ignored":
      return `does not count it: ${ignoredReasons[output.reason]}`
    case "VoterLooking":
      return `learns that server ${output.sid} looks${output.elector ? ", which had elected it" : ""}`
    case "IntervalReset":
      return `will not be silent for long: server ${output.from} is heard for the first time`
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const causes: Record<SendCause, (to: string) => string> = {
  NewRound: (to) => `tells ${to}`,
  Adopted: (to) => `tells ${to}`,
  Silence: (to) => `says it again to ${to}, because nobody spoke`,
  AnswerNonVoter: (to) => `answers ${to}, which has no vote`,
  AnswerLagging: (to) => `answers ${to}, which is in an older round`,
  AnswerSettled: (to) => `answers ${to}, which looks`,
  AnswerMisled: (to) => `answers ${to}, which votes for it, that it may not be proposed`
}

const keptGround = ({ ground, offered, proposal }: Output & { readonly _tag: "Kept" }): string =>
  isGround(ground) ? Explain.better(proposal, offered, ground) : keptGrounds[ground](offered)

const isGround = (ground: KeptGround): ground is Vote.Ground =>
  ground === "peerEpoch" || ground === "zxid" || ground === "sid"

const keptGrounds: Record<Exclude<KeptGround, Vote.Ground>, (offered: Vote.Proposal) => string> = {
  Equal: () => "it is for the same",
  ZeroWeight: ({ leader }) => `server ${leader} weighs nothing and may not lead`,
  NotElectable: ({ leader }) => `server ${leader} is not electable`,
  KnowsLess: ({ leader }) => `server ${leader} knows less than this server, which is not electable`,
  Abstains: ({ leader }) => `server ${leader} votes for nobody itself`
}

const reopened = ({ from, ground, offered }: Output & { readonly _tag: "Reopened" }): string => {
  switch (ground) {
    case "HigherRound":
      return `server ${from} is in a later round`
    case "QuorumLost":
      return `server ${from} votes for server ${offered.leader} now, and the others are no quorum`
    default:
      return `server ${from} offers ${Explain.proposal(offered)}, which is better`
  }
}

const ignoredReasons: Record<IgnoredReason, string> = {
  UnknownState: "its state is none that there is",
  SenderNotVoter: "the sender has no vote",
  LeaderNotVoter: "it is for a server that has no vote",
  Settled: "there is a leader",
  SenderObserving: "the sender only observes",
  OwnZxidUntrusted: "its own database is not trusted",
  ZxidUntrusted: "the database of the proposed server is not trusted",
  LowerRound: "it is of an older round",
  NothingToVoteFor: "it is of a later round, and for a server that cannot be voted for",
  NotBetterWhileFinalizing: "a quorum has agreed on something as good",
  Restarting: "the election is about to begin anew"
}
