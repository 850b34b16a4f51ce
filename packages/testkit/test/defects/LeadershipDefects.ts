/**
 * Faults in what makes an elected server a leader: epochs, histories, quorums, leases and pledges. Each with the
 * trouble among which simulations show it, and the setting in which exploring does.
 */
import * as LeadershipModel from "../../src/LeadershipModel.ts"
import type { Defect } from "./Defects.ts"

/** A fault, and the smallest setting in which it is known to show. */
export interface LeadershipDefect extends Defect {
  readonly setting: Omit<LeadershipModel.Options, "reducers">
  /** What it breaks first there. */
  readonly property: string
}

const slip = "slip"

const fenced = (bounds: Partial<LeadershipModel.Bounds>) => ({
  setting: { peers: LeadershipModel.alike(3), lease: null, bounds: { ...LeadershipModel.none, ...bounds } }
})

const leased = (bounds: Partial<LeadershipModel.Bounds>) => ({
  setting: { ...fenced(bounds).setting, lease: LeadershipModel.defaultLease }
})

/** Peers that have been led before, so that one that starts again may have pledged itself. */
const restarted = (bounds: Partial<LeadershipModel.Bounds>) => ({
  ...leased(bounds).setting,
  peers: LeadershipModel.alike(3).map((peer) => ({ ...peer, acceptedEpoch: 1n, currentEpoch: 1n }))
})

/** Two with an empty history, and one that knows more. */
const unequal = fenced({ terms: 1, dials: 2 })
const peers = unequal.setting.peers.map((peer) => (peer.sid === 3n ? { ...peer, lastLoggedZxid: 5n } : peer))

const discovery = { file: "internal/discovery.ts", profile: "crashes", peers: 5 } as const
const pings = { file: "internal/pings.ts", profile: "partitions", peers: 5 } as const
const learner = { file: "Learner.ts", profile: "crashes", peers: 5 } as const
const lease = { file: "Lease.ts", profile: "partitions", peers: 5 } as const

/** Of epochs, and of who has accepted which. */
const aboutEpochs: ReadonlyArray<LeadershipDefect> = [
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "a leader tells an epoch that it has not stored",
    property: "durable",
    origin: "ZOOKEEPER-2307",
    text: "{ _tag: \"StoreAcceptedEpoch\", epoch: state.epoch }",
    instead: "{ _tag: \"StoreAcceptedEpoch\", epoch: state.epoch - 1n }"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 1 }),
    name: "an epoch is accepted before that is durable",
    property: "durable",
    origin: "ZOOKEEPER-2307",
    text: "? [{ ...next, ackEpoch: currentEpoch }, [{ _tag: \"StoreAcceptedEpoch\", epoch }]]",
    instead: "? onAcceptedEpochStored({ ...next, ackEpoch: currentEpoch })"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 1 }),
    name: "a learner is in sync in an epoch that it has not stored",
    property: "back",
    origin: "ZOOKEEPER-4643",
    text: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch }",
    instead: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch - 1n }"
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "a leader leads in an epoch that it has not stored",
    property: "back",
    origin: slip,
    text: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch }",
    instead: "{ _tag: \"StoreCurrentEpoch\", epoch: state.epoch - 1n }"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 2 }),
    name: "an epoch that was accepted before counts again",
    property: "once",
    origin: slip,
    text: "    : onAcceptedEpochStored(next)",
    instead: "    : onAcceptedEpochStored({ ...next, ackEpoch: currentEpoch })"
  },
  {
    ...discovery,
    ...fenced({ terms: 2, dials: 3 }),
    name: "who says that its word does not count is counted",
    property: "quorum",
    origin: slip,
    text: "const counts = !state.elected && currentEpoch !== -1n",
    instead: "const counts = !state.elected",
    profile: "partitions",
    peers: 3
  },
  {
    ...discovery,
    ...fenced({ terms: 2, dials: 2 }),
    name: "an epoch that somebody has accepted is proposed again",
    property: "progress",
    origin: "ZOOKEEPER-1343",
    text: "isMember && lastAccepted >= state.epoch ? lastAccepted + 1n",
    instead: "isMember && lastAccepted > state.epoch ? lastAccepted"
  },
  {
    file: "Leader.ts",
    ...fenced({ terms: 2, dials: 2 }),
    name: "a leader proposes the epoch that it has accepted",
    property: "higher",
    origin: "ZOOKEEPER-1343",
    text: "epoch: history.acceptedEpoch + 1n",
    instead: "epoch: history.acceptedEpoch",
    profile: "crashes",
    peers: 5
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 2 }),
    name: "who comes back to its leader does not accept its epoch again",
    property: "progress",
    origin: "ZOOKEEPER-1343",
    text: "if (epoch < acceptedEpoch) return leave(state, \"LowerEpoch\")",
    instead: "if (epoch <= acceptedEpoch) return leave(state, \"LowerEpoch\")"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 1 }),
    name: "who accepts an epoch says that it knows as much",
    property: "progress",
    origin: slip,
    text: "? [{ ...next, ackEpoch: currentEpoch }",
    instead: "? [{ ...next, ackEpoch: acceptedEpoch }"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 1 }),
    name: "a learner is in sync before its current epoch is durable",
    property: "durable",
    origin: slip,
    text: "return [{ ...state, stage: \"Acknowledging\" }, [",
    instead: "return [{ ...state, stage: \"Activating\" }, [send(\"ACK\", Zxid.make(state.epoch, 0n)), "
  }
]

/** Of histories, and of quorums. */
const aboutQuorums: ReadonlyArray<LeadershipDefect> = [
  {
    ...discovery,
    setting: { ...unequal.setting, peers },
    name: "a leader may know less than its followers",
    property: "fresh",
    origin: "ZOOKEEPER-1154, 1156",
    text: "if (counts && isAhead(summary, state.summary)) return Learners.close(state, id, \"AheadOfLeader\")",
    instead: ""
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "an epoch is decided without a quorum",
    property: "quorum",
    origin: "ZOOKEEPER-1192",
    text: "if (!isQuorum(membership.committed, state.connecting)) return [state, []]",
    instead: ""
  },
  {
    ...discovery,
    setting: { ...fenced({ terms: 1, dials: 2 }).setting, peers: LeadershipModel.alike(5) },
    name: "two who accept an epoch are enough",
    property: "quorum",
    origin: slip,
    text: "!isQuorum(membership.committed, state.electing)",
    instead: "state.electing.size < 2"
  },
  {
    ...discovery,
    setting: { ...fenced({ terms: 1, dials: 2 }).setting, peers: LeadershipModel.alike(5) },
    name: "two who are in sync are enough",
    property: "quorum",
    origin: slip,
    text: "VoteTracker.hasAllQuorums(options.membership, acked, false)",
    instead: "acked.size > 1"
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "followers are told to go ahead before a quorum is in sync",
    property: "progress",
    origin: slip,
    text: "  return state.zabState === \"BROADCAST\"\n",
    instead: "  return state.zabState !== \"DISCOVERY\"\n"
  },
  {
    ...pings,
    ...fenced({ terms: 1, dials: 2 }),
    name: "a leader that lost its quorum stays",
    property: "progress",
    origin: slip,
    text: "if (isWhole && !isQuorumThere(options, state, oracle)) return Learners.stepDown(state, \"QuorumLost\")",
    instead: ""
  },
  {
    ...pings,
    ...fenced({ terms: 2, dials: 2 }),
    name: "a leader forgets to count itself",
    property: "progress",
    origin: slip,
    text: "let there = SidSet.of([mySid])",
    instead: "let there = SidSet.empty",
    profile: "crashes",
    peers: 3
  },
  {
    ...pings,
    ...fenced({ terms: 1, dials: 1 }),
    name: "who is silent counts on",
    property: "progress",
    origin: slip,
    text: "(deadline !== null && tick > deadline) || pings.length > pingsMax",
    instead: "pings.length > 10 * pingsMax"
  },
  {
    ...discovery,
    setting: restarted({ terms: 1, dials: 2, crashes: 1 }),
    name: "a leader is activated without its own word",
    property: "pledge",
    origin: slip,
    text: "return acked.has(options.mySid) && VoteTracker",
    instead: "return VoteTracker"
  }
]

/** Of leases, and of pledges. */
const aboutLeases: ReadonlyArray<LeadershipDefect> = [
  {
    ...pings,
    ...leased({ terms: 2, dials: 2 }),
    name: "a lease counts from the answer",
    property: "overlap",
    origin: slip,
    text: "SidMap.set(next.answered, sid, sent)",
    instead: "SidMap.set(next.answered, sid, at)"
  },
  {
    ...pings,
    setting: { ...leased({ terms: 2, dials: 2, ticks: 1 }).setting, progress: false },
    name: "an answer is taken for that to the last ping",
    property: "overlap",
    origin: slip,
    text: "const [sent, ...pings] = learner.pings",
    instead: "const [sent, pings] = [learner.pings.at(-1), learner.pings.slice(1)]",
    profile: "lossy"
  },
  {
    ...lease,
    setting: { ...leased({ terms: 1, dials: 2, ticks: 1 }).setting, peers: LeadershipModel.alike(5) },
    name: "the first who answers extends the lease",
    property: "grant",
    origin: slip,
    text: "return sent + duration",
    instead: "return newestFirst[0]![1] + duration"
  },
  {
    ...lease,
    ...leased({ terms: 2, dials: 2 }),
    name: "clocks are thought to be right",
    property: "overlap",
    origin: slip,
    text: "until: now + duration * (1 + clockDrift) / (1 - clockDrift)",
    instead: "until: now + duration"
  },
  {
    ...learner,
    setting: { ...leased({ terms: 2, dials: 2, ticks: 1 }).setting, progress: false },
    name: "a pledge is given once and not renewed",
    property: "overlap",
    origin: slip,
    text: "const pledge = Lease.pledge(leader, at, state.lease, lease.clockDrift)",
    instead: "const pledge = state.pledge ?? Lease.pledge(leader, at, state.lease, lease.clockDrift)"
  },
  {
    ...learner,
    ...leased({ terms: 2, dials: 2 }),
    name: "pings are answered without a pledge",
    property: "token",
    origin: slip,
    text: "return [{ ...state, pledge }, [{ _tag: \"Pledged\", pledge }, answer]]",
    instead: "return [state, [answer]]"
  },
  {
    ...learner,
    setting: restarted({ terms: 1, dials: 1, crashes: 1 }),
    name: "a leader is acknowledged in spite of a pledge to another",
    property: "pledge",
    origin: slip,
    text: "if (remaining > 0) return [state, [{ _tag: \"SetTimer\", timer: \"Pledge\", after: remaining }]]",
    instead: ""
  },
  {
    ...discovery,
    ...leased({ terms: 2, dials: 2 }),
    name: "a leader forgets its own pledge",
    property: "pledge",
    origin: slip,
    text: "const remaining = Lease.remaining(state.pledge, options.mySid, pledgeAt)",
    instead: "const remaining = 0"
  },
  {
    ...discovery,
    ...leased({ terms: 2, dials: 2 }),
    name: "a pledge is timed by the clock of leases",
    property: "pledge",
    origin: slip,
    text: "Lease.remaining(state.pledge, options.mySid, pledgeAt)",
    instead: "Lease.remaining(state.pledge, options.mySid, at)",
    profile: "skew"
  },
  {
    ...lease,
    setting: restarted({ terms: 1, dials: 1, crashes: 1 }),
    name: "who starts anew has promised nothing",
    property: "pledge",
    origin: slip,
    text: "pledge === null || pledge.leader === leader ? 0",
    instead: "pledge === null || pledge.leader === null || pledge.leader === leader ? 0",
    profile: "crashes"
  }
]

/** Of what matters only if the moment is right. */
const aboutMoments: ReadonlyArray<LeadershipDefect> = [
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 2 }),
    name: "a leader tells its epoch before it is durable",
    property: "durable",
    origin: slip,
    text: "if (state.decided) return state.epochStored ? inform(options, known, id) : [known, []]",
    instead: "if (state.decided) return inform(options, known, id)"
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 2 }),
    name: "a leader brings others in sync before its current epoch is durable",
    property: "durable",
    origin: slip,
    text: "if (state.zabState !== \"DISCOVERY\") return synchronize(options, known, id)",
    instead: "if (state.elected) return synchronize(options, known, id)"
  },
  {
    ...learner,
    ...fenced({ terms: 2, dials: 3 }),
    name: "a lower epoch is accepted",
    property: "back",
    origin: slip,
    text: "if (epoch < acceptedEpoch) return leave(state, \"LowerEpoch\")",
    instead: "",
    profile: "moments"
  },
  {
    ...pings,
    ...leased({ terms: 1, dials: 1 }),
    name: "the grace is forgotten",
    property: "grace",
    origin: slip,
    text: "const after = until - lease.grace - at",
    instead: "const after = until - at"
  },
  {
    ...pings,
    ...leased({ terms: 1, dials: 1, ticks: 1 }),
    name: "a lease that ran out is taken up again",
    property: "lapse",
    origin: slip,
    text: "if (state.leaseUntil !== null && at >= state.leaseUntil) return",
    instead: "if (state.leaseUntil === Infinity) return",
    profile: "moments"
  },
  {
    ...learner,
    setting: { ...leased({ terms: 1, dials: 1, crashes: 1 }).setting, peers: LeadershipModel.alike(2) },
    name: "who waits for the end of a pledge sets no timer",
    property: "progress",
    origin: slip,
    text: "return [state, [{ _tag: \"SetTimer\", timer: \"Pledge\", after: remaining }]]",
    instead: "return [state, []]"
  }
]

/** All of them. */
export const all: ReadonlyArray<LeadershipDefect> = [...aboutEpochs, ...aboutQuorums, ...aboutLeases, ...aboutMoments]
