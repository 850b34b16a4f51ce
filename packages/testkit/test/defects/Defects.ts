/**
 * Faults put into the core on purpose, one at a time, to see that they are found.
 *
 * Each is a change of a piece of text that occurs once in one source file, made in a copy. What is shipped is
 * untouched, and no hook in it waits for a fault: so any line may have one. A defect whose text is not there any more
 * is a test that fails; it has to follow the code.
 */
import type { ProfileName } from "../../src/Profile.ts"
import * as LeadershipDefects from "./LeadershipDefects.ts"

/** A fault. */
export interface Defect {
  readonly name: string
  /** Where it comes from: an issue of ZooKeeper, or a slip that anybody might make. */
  readonly origin: string
  /** The source file below packages/core/src. */
  readonly file: string
  /** What stands there once, and what instead. */
  readonly text: string
  readonly instead: string
  /** Under which trouble it shows, among how many voters. */
  readonly profile: ProfileName
  readonly peers: number
}

const slip = "slip"

const votes = { file: "Vote.ts", profile: "crashes", peers: 5 } as const
const search = { file: "internal/lookForLeader.ts", profile: "lossy", peers: 5 } as const
const round = { file: "internal/round.ts", profile: "lossy", peers: 5 } as const
const receiver = { file: "internal/workerReceiver.ts", profile: "crashes", peers: 5 } as const
const join = { file: "internal/join.ts", profile: "crashes", peers: 5 } as const
const judge = { file: "internal/judge.ts", profile: "lossy", peers: 5 } as const
const quorum = { file: "QuorumVerifier.ts", profile: "weights", peers: 5 } as const
const links = { file: "Connections.ts", profile: "crashes", peers: 3 } as const

/** Of what is better, and what counts together. */
const aboutVotes: ReadonlyArray<Defect> = [
  {
    ...votes,
    name: "a lower epoch wins by its zxid",
    origin: "ZOOKEEPER-1419",
    text: "return candidate.peerEpoch > current.peerEpoch ? better.peerEpoch : worse.peerEpoch",
    instead: "if (candidate.peerEpoch > current.peerEpoch) return better.peerEpoch"
  },
  {
    ...votes,
    name: "epochs are not compared",
    origin: "ZOOKEEPER-1154",
    text: "if (candidate.peerEpoch !== current.peerEpoch) {",
    instead: "if (candidate.peerEpoch === -7n) {"
  },
  {
    ...votes,
    name: "the smaller id wins a tie",
    origin: slip,
    text: "candidate.leader > current.leader ? better.sid",
    instead: "candidate.leader < current.leader ? better.sid"
  },
  {
    ...votes,
    name: "an older history is preferred",
    origin: slip,
    text: "candidate.zxid > current.zxid ? better.zxid",
    instead: "candidate.zxid < current.zxid ? better.zxid"
  },
  {
    ...votes,
    name: "a server without weight is adopted",
    origin: "ZOOKEEPER-498",
    text: "if (candidateWeight === 0n) return zeroWeight",
    instead: "",
    profile: "weights"
  },
  {
    ...votes,
    name: "votes of who looks count together by the leader alone",
    origin: "ZOOKEEPER-1732",
    text: "if (self.state === \"LOOKING\" || that.state === \"LOOKING\") {",
    instead: "if (self.version === -7) {"
  },
  {
    ...quorum,
    name: "half of the voters are a majority",
    origin: slip,
    text: "let missing = Math.floor(voters.size / 2) + 1",
    instead: "let missing = Math.floor(voters.size / 2)",
    profile: "crashes"
  },
  {
    ...quorum,
    name: "half of a group's weight carries it",
    origin: slip,
    text: "if (sum > (self.groupWeights.get(group) ?? 0n) / 2n) carried++",
    instead: "if (sum >= (self.groupWeights.get(group) ?? 0n) / 2n) carried++"
  },
  {
    ...quorum,
    name: "observers vote",
    origin: "ZOOKEEPER-599, 764, 769",
    text: ".filter(({ role }) => role === \"participant\")",
    instead: ".filter(() => true)",
    profile: "hostile"
  },
  {
    ...quorum,
    name: "votes of who may not vote make up a quorum",
    origin: "ZOOKEEPER-2959",
    text: "if (voters.has(sid) && --missing === 0)",
    instead: "if (--missing === 0)"
  }
]

/** Of rounds and of what is told to whom. */
const aboutSearches: ReadonlyArray<Defect> = [
  {
    ...round,
    name: "what was proposed in an older round stays proposed",
    origin: "ZOOKEEPER-569",
    text: "recvSet: SidMap.empty, proposal: state.initial, runnerUp: null",
    instead: "recvSet: SidMap.empty, proposal: state.proposal, runnerUp: null",
    profile: "crashes"
  },
  {
    ...search,
    name: "nobody is told of a round that was entered",
    origin: slip,
    text: "if (!sameRound) Round.broadcast(search, voted, \"NewRound\")",
    instead: "if (!sameRound) void 0",
    profile: "partitions"
  },
  {
    ...search,
    name: "nobody is told of a change of mind",
    origin: "ZOOKEEPER-275, 512",
    text: "else if (voted.proposal !== base.proposal) Round.broadcast(search, voted, \"Adopted\")",
    instead: ""
  },
  {
    ...round,
    name: "a vote that was given up is sent again",
    origin: "ZOOKEEPER-3340",
    text: "const { leader, peerEpoch, zxid } = state.proposal",
    instead: "const { leader, peerEpoch, zxid } = state.initial"
  },
  {
    ...search,
    name: "a new search stays in the round of the last",
    origin: slip,
    text: "BigInt.asIntN(64, state.logicalClock + 1n)",
    instead: "state.logicalClock"
  },
  {
    ...search,
    name: "rounds grow beyond 64 bits",
    origin: slip,
    text: "BigInt.asIntN(64, state.logicalClock + 1n)",
    instead: "state.logicalClock + 1n",
    profile: "hostile",
    peers: 3
  },
  {
    ...search,
    name: "silence is answered with silence",
    origin: "ZOOKEEPER-481",
    text: "Round.broadcast(search, next, \"Silence\", event.undelivered)",
    instead: ""
  },
  {
    ...search,
    name: "a quorum once reached is believed whatever comes",
    origin: slip,
    text: "  if (ground !== null) {",
    instead: "  if (ground !== null && Number.isNaN(0)) {",
    profile: "weights"
  },
  {
    ...search,
    name: "the wait before a quorum is believed is not timed",
    origin: slip,
    text: "timer: \"Finalize\", after: isUnanimous",
    instead: "timer: \"Notification\", after: isUnanimous"
  },
  {
    ...search,
    name: "somebody may lead for whom only a few voted",
    origin: slip,
    text: "VoteTracker.hasAllQuorums(state.membership, supporters, search.oracle) &&\n",
    instead: "supporters.size > 1 &&\n"
  },
  {
    ...judge,
    name: "votes of older rounds count",
    origin: "ZOOKEEPER-275",
    text: "const isOver = notification.electionEpoch < state.logicalClock",
    instead: "const isOver = notification.electionEpoch < -7n"
  },
  {
    ...judge,
    name: "anybody may be proposed",
    origin: "ZOOKEEPER-769",
    text: "if (!voters.has(notification.leader)) return \"LeaderNotVoter\"",
    instead: "",
    profile: "hostile"
  },
  {
    ...judge,
    name: "who may not be proposed votes for who knows less",
    origin: slip,
    text: "if (!electable && Vote.isOlder(candidate, own)) return knowsLess",
    instead: "",
    profile: "weights",
    peers: 3
  },
  {
    ...judge,
    name: "who votes for nobody is proposed again",
    origin: slip,
    text: "if (abstaining.has(candidate.leader)) return abstains",
    instead: "",
    profile: "weights",
    peers: 3
  },
  {
    ...judge,
    name: "who may not be proposed adopts itself",
    origin: slip,
    text: "if (!electable && candidate.leader === mySid) return notElectable",
    instead: "",
    profile: "hostile",
    peers: 3
  }
]

/** Of answers, and of joining a leader that others have. */
const aboutAnswers: ReadonlyArray<Defect> = [
  {
    ...receiver,
    name: "who lags behind is not told",
    origin: slip,
    text: "if (electionEpoch < logicalClock) {",
    instead: "if (electionEpoch < -7n) {"
  },
  {
    ...receiver,
    name: "who has a leader tells nobody",
    origin: "ZOOKEEPER-975",
    text: "  if (notification.state === \"LOOKING\" && mayAnswer(ensemble, voters)) {",
    instead: "  if (notification.state === \"OBSERVING\" && mayAnswer(ensemble, voters)) {"
  },
  {
    ...receiver,
    name: "who has a leader answers with its proposal of old",
    origin: "ZOOKEEPER-1805",
    text: "reply(state, from, serverState, state.currentVote, \"AnswerSettled\")",
    instead: "reply(state, from, serverState, { ...state.proposal, electionEpoch: -1n }, \"AnswerSettled\")"
  },
  {
    ...receiver,
    name: "who has no vote is not answered",
    origin: "ZOOKEEPER-1807",
    text: "outputs.push(reply(state, from, serverState, vote, \"AnswerNonVoter\"))",
    instead: "",
    profile: "weights"
  },
  {
    ...join,
    name: "a leader is joined that is not there",
    origin: "ZOOKEEPER-131",
    text: "votes.get(leader)?.state === \"LEADING\" ? null : \"LeaderNotHeard\"",
    instead: "votes.get(leader) === null ? \"LeaderNotHeard\" : null"
  },
  {
    ...join,
    name: "office is taken on votes of an earlier round",
    origin: "ZOOKEEPER-1514",
    text: "return logicalClock === electionEpoch ? null : \"OwnRoundDiffers\"",
    instead: "return null",
    profile: "lossy"
  },
  {
    ...join,
    name: "who joins stays in its own round",
    origin: "ZOOKEEPER-1732",
    text: "const there = { ...next, logicalClock: notification.electionEpoch }",
    instead: "const there = next"
  },
  {
    ...join,
    name: "a leader is joined that only some follow",
    origin: "ZOOKEEPER-975",
    text: "if (!VoteTracker.hasAllQuorums(state.membership, supporters, search.oracle)) {",
    instead: "if (supporters.size < 2) {"
  },
  {
    file: "Election.ts",
    name: "the epoch of the leader is not told",
    origin: "ZOOKEEPER-1732",
    text: "currentVote: { ...state.currentVote, peerEpoch: event.peerEpoch }",
    instead: "currentVote: state.currentVote",
    profile: "crashes",
    peers: 5
  },
  {
    file: "NotificationCodec.ts",
    name: "the round is read as the epoch",
    origin: slip,
    text: "view.getBigInt64(28),\n    config",
    instead: "view.getBigInt64(20),\n    config",
    profile: "crashes",
    peers: 3
  }
]

/** Of connections. */
const aboutLinks: ReadonlyArray<Defect> = [
  {
    ...links,
    file: "Challenge.ts",
    name: "whoever dials keeps the connection",
    origin: slip,
    text: "(sid > mySid ? \"Yield\" : \"Keep\")",
    instead: "\"Keep\""
  },
  {
    ...links,
    file: "Challenge.ts",
    name: "the tie-break is reversed for who is dialled",
    origin: slip,
    text: "sid > mySid ? \"Keep\" : sid < mySid ? \"DialBack\" : \"Self\"",
    instead: "sid < mySid ? \"Keep\" : sid > mySid ? \"DialBack\" : \"Self\""
  },
  {
    ...links,
    file: "Challenge.ts",
    name: "a connection with oneself is kept",
    origin: "ZOOKEEPER-2164",
    text: "sid < mySid ? \"DialBack\" : \"Self\"",
    instead: "sid < mySid ? \"DialBack\" : \"Keep\"",
    profile: "hostile"
  },
  {
    ...links,
    name: "a connection that was replaced stays open",
    origin: "ZOOKEEPER-880",
    text: "[...(older === undefined ? [] : [close(older, sid, \"Replaced\", linger)]), { _tag: \"Adopt\", link, sid }]",
    instead: "[{ _tag: \"Adopt\", link, sid }]"
  },
  {
    ...links,
    name: "a dial that is over is remembered",
    origin: "ZOOKEEPER-822",
    text: "return onDialed(view, dialOver(state, event.sid), event)",
    instead: "return onDialed(view, state, event)"
  },
  {
    ...links,
    name: "the end of an old connection ends the new one",
    origin: slip,
    text: "  if (!isLink(state, event)) return [state, []]",
    instead: ""
  },
  {
    ...links,
    name: "who could not be reached is not tried again",
    origin: "ZOOKEEPER-2164",
    text: "return [{ ...state, wanted }, [{ _tag: \"RedialLater\", sid, failures: failures + 1 }]]",
    instead: "return [{ ...state, wanted }, []]",
    profile: "partitions"
  },
  {
    ...links,
    name: "who is dialled by a smaller id does not dial back",
    origin: slip,
    text: "const [dialing, outputs] = dial(view, next, sid, announced)",
    instead: "const [dialing, outputs]: Step = [next, []]"
  }
]

/** One that shows in one of two thousand simulations, and in small explorations. It was in what was shipped once. */
export const rare: Defect = {
  ...judge,
  name: "who may not be proposed enters a round in which it has nobody to vote for",
  origin: slip,
  text: "return undecided || mayVote ? null : \"NothingToVoteFor\"",
  instead: "return null",
  profile: "weights"
}

/** Those of elections and connections, but the rare one. */
export const elections: ReadonlyArray<Defect> = [...aboutVotes, ...aboutSearches, ...aboutAnswers, ...aboutLinks]

/** All but the rare one. */
export const all: ReadonlyArray<Defect> = [...elections, ...LeadershipDefects.all]
