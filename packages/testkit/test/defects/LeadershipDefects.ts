/**
 * Faults in what makes an elected server a leader: epochs, histories, quorums, leases and pledges.
 */
import type { Defect } from "./Defects.ts"

const slip = "slip"

const discovery = { file: "internal/discovery.ts", profile: "crashes", peers: 5 } as const
const pings = { file: "internal/pings.ts", profile: "partitions", peers: 5 } as const
const learner = { file: "Learner.ts", profile: "crashes", peers: 5 } as const
const lease = { file: "Lease.ts", profile: "partitions", peers: 5 } as const

/** Of epochs, and of who has accepted which. */
const aboutEpochs: ReadonlyArray<Defect> = [
  {
    ...discovery,
    name: "a leader tells an epoch that it has not stored",
    origin: "ZOOKEEPER-2307",
    text: "{ _tag: \"StoreAcceptedEpoch\", epoch: state.epoch }",
    instead: "{ _tag: \"StoreAcceptedEpoch\", epoch: state.epoch - 1n }"
  },
  {
    ...learner,
    name: "an epoch is accepted before that is durable",
    origin: "ZOOKEEPER-2307",
    text: "? [{ ...next, ackEpoch: currentEpoch }, [{ _tag: \"StoreAcceptedEpoch\", epoch }]]",
    instead: "? onAcceptedEpochStored({ ...next, ackEpoch: currentEpoch })"
  },
  {
    ...learner,
    name: "a learner is in sync in an epoch that it has not stored",
    origin: "ZOOKEEPER-4643",
    text: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch }",
    instead: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch - 1n }"
  },
  {
    ...discovery,
    name: "a leader leads in an epoch that it has not stored",
    origin: slip,
    text: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch }",
    instead: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch - 1n }"
  },
  {
    ...learner,
    name: "an epoch that was accepted before counts again",
    origin: slip,
    text: "    : onAcceptedEpochStored(next)",
    instead: "    : onAcceptedEpochStored({ ...next, ackEpoch: currentEpoch })"
  },
  {
    ...discovery,
    name: "who says that its word does not count is counted",
    origin: slip,
    text: "const counts = !state.elected && currentEpoch !== -1n",
    instead: "const counts = !state.elected",
    profile: "partitions",
    peers: 3
  },
  {
    ...discovery,
    name: "an epoch that somebody has accepted is proposed again",
    origin: "ZOOKEEPER-1343",
    text: "isMember && lastAccepted >= state.epoch ? lastAccepted + 1n",
    instead: "isMember && lastAccepted > state.epoch ? lastAccepted"
  },
  {
    file: "Leader.ts",
    name: "a leader proposes the epoch that it has accepted",
    origin: "ZOOKEEPER-1343",
    text: "epoch: history.acceptedEpoch + 1n",
    instead: "epoch: history.acceptedEpoch",
    profile: "crashes",
    peers: 5
  },
  {
    ...learner,
    name: "who comes back to its leader does not accept its epoch again",
    origin: "ZOOKEEPER-1343",
    text: "if (epoch < acceptedEpoch) return leave(state, \"LowerEpoch\")",
    instead: "if (epoch <= acceptedEpoch) return leave(state, \"LowerEpoch\")"
  },
  {
    ...learner,
    name: "who accepts an epoch says that it knows as much",
    origin: slip,
    text: "? [{ ...next, ackEpoch: currentEpoch }",
    instead: "? [{ ...next, ackEpoch: acceptedEpoch }"
  }
]

/** Of histories, and of quorums. */
const aboutQuorums: ReadonlyArray<Defect> = [
  {
    ...discovery,
    name: "a leader may know less than its followers",
    origin: "ZOOKEEPER-1154, 1156",
    text: "if (counts && isAhead(summary, state.summary)) return Learners.close(state, id, \"AheadOfLeader\")",
    instead: ""
  },
  {
    ...discovery,
    name: "an epoch is decided without a quorum",
    origin: "ZOOKEEPER-1192",
    text: "if (!isQuorum(membership.committed, state.connecting)) return [state, []]",
    instead: ""
  },
  {
    ...discovery,
    name: "two who accept an epoch are enough",
    origin: slip,
    text: "!isQuorum(membership.committed, state.electing)",
    instead: "state.electing.size < 2"
  },
  {
    ...discovery,
    name: "two who are in sync are enough",
    origin: slip,
    text: "VoteTracker.hasAllQuorums(options.membership, acked, false)",
    instead: "acked.size > 1"
  },
  {
    ...discovery,
    name: "followers are told to go ahead before a quorum is in sync",
    origin: slip,
    text: "  return state.zabState === \"BROADCAST\"\n",
    instead: "  return state.zabState !== \"DISCOVERY\"\n"
  },
  {
    ...pings,
    name: "a leader that lost its quorum stays",
    origin: slip,
    text: "if (isWhole && !isQuorumThere(options, state, oracle)) return Learners.stepDown(state, \"QuorumLost\")",
    instead: ""
  },
  {
    ...pings,
    name: "a leader forgets to count itself",
    origin: slip,
    text: "const there = new Set([mySid])",
    instead: "const there = new Set()",
    profile: "crashes",
    peers: 3
  },
  {
    ...pings,
    name: "who is silent counts on",
    origin: slip,
    text: "(deadline !== null && tick > deadline) || pings.length > pingsMax",
    instead: "pings.length > 10 * pingsMax"
  }
]

/** Of leases, and of pledges. */
const aboutLeases: ReadonlyArray<Defect> = [
  {
    ...pings,
    name: "a lease counts from the answer",
    origin: slip,
    text: "new Map(next.answered).set(sid, sent)",
    instead: "new Map(next.answered).set(sid, at)"
  },
  {
    ...pings,
    name: "an answer is taken for that to the last ping",
    origin: slip,
    text: "const [sent, ...pings] = learner.pings",
    instead: "const [sent, pings] = [learner.pings.at(-1), learner.pings.slice(1)]",
    profile: "lossy"
  },
  {
    ...lease,
    name: "the first who answers extends the lease",
    origin: slip,
    text: "return sent + duration",
    instead: "return newestFirst[0]![1] + duration"
  },
  {
    ...lease,
    name: "clocks are thought to be right",
    origin: slip,
    text: "until: now + duration * (1 + clockDrift) / (1 - clockDrift)",
    instead: "until: now + duration"
  },
  {
    ...learner,
    name: "a pledge is given once and not renewed",
    origin: slip,
    text: "const pledge = Lease.pledge(leader, at, state.lease, lease.clockDrift)",
    instead: "const pledge = state.pledge ?? Lease.pledge(leader, at, state.lease, lease.clockDrift)"
  },
  {
    ...learner,
    name: "pings are answered without a pledge",
    origin: slip,
    text: "return [{ ...state, pledge }, [{ _tag: \"Pledged\", pledge }, answer]]",
    instead: "return [state, [answer]]"
  },
  {
    ...learner,
    name: "a leader is acknowledged in spite of a pledge to another",
    origin: slip,
    text: "if (remaining > 0) return [state, [{ _tag: \"SetTimer\", timer: \"Pledge\", after: remaining }]]",
    instead: ""
  },
  {
    ...discovery,
    name: "a leader forgets its own pledge",
    origin: slip,
    text: "const remaining = Lease.remaining(state.pledge, options.mySid, pledgeAt)",
    instead: "const remaining = 0"
  },
  {
    ...discovery,
    name: "a pledge is timed by the clock of leases",
    origin: slip,
    text: "Lease.remaining(state.pledge, options.mySid, pledgeAt)",
    instead: "Lease.remaining(state.pledge, options.mySid, at)",
    profile: "skew"
  },
  {
    ...lease,
    name: "who starts anew has promised nothing",
    origin: slip,
    text: "pledge === null || pledge.leader === leader ? 0",
    instead: "pledge === null || pledge.leader === null || pledge.leader === leader ? 0",
    profile: "crashes"
  }
]

/** All of them. */
export const all: ReadonlyArray<Defect> = [...aboutEpochs, ...aboutQuorums, ...aboutLeases]
