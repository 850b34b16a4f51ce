/**
 * Faults of leadership put into the core on purpose, one at a time, and where the explorer is to look for each.
 */
import * as LeadershipModel from "../../src/LeadershipModel.ts"
import type { Defect } from "./Defects.ts"

/** A fault, and the smallest setting in which it is known to show. */
export interface LeadershipDefect extends Defect {
  readonly setting: Omit<LeadershipModel.Options, "reducers">
  /** What it breaks first. */
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

const hunt = { profile: "crashes", peers: 3 } as const
const discovery = { ...hunt, file: "internal/discovery.ts" }
const pings = { ...hunt, file: "internal/pings.ts" }
const learner = { ...hunt, file: "Learner.ts" }
const leader = { ...hunt, file: "Leader.ts" }
const lease = { ...hunt, file: "Lease.ts" }

/** Of epochs, and of what is durable. */
const aboutEpochs: ReadonlyArray<LeadershipDefect> = [
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
    ...learner,
    ...fenced({ terms: 1, dials: 1 }),
    name: "a learner accepts an epoch before it is durable",
    property: "durable",
    origin: "ZOOKEEPER-2307",
    text: "[{ ...next, ackEpoch: currentEpoch }, [{ _tag: \"StoreAcceptedEpoch\", epoch }]]",
    instead: "onAcceptedEpochStored({ ...next, ackEpoch: currentEpoch })"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 1 }),
    name: "a learner is in sync before its current epoch is durable",
    property: "durable",
    origin: slip,
    text: "return [{ ...state, stage: \"Acknowledging\" }, [",
    instead: "return [{ ...state, stage: \"Activating\" }, [send(\"ACK\", Zxid.make(state.epoch, 0n)), "
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
    ...discovery,
    ...fenced({ terms: 2, dials: 2 }),
    name: "an epoch is no higher than what others have accepted",
    property: "progress",
    origin: "ZOOKEEPER-1343",
    text: "lastAccepted + 1n : state.epoch",
    instead: "lastAccepted : state.epoch"
  },
  {
    ...leader,
    ...fenced({ terms: 2, dials: 2 }),
    name: "an epoch is no higher than what the leader has accepted",
    property: "higher",
    origin: slip,
    text: "epoch: history.acceptedEpoch + 1n",
    instead: "epoch: history.acceptedEpoch"
  },
  {
    ...learner,
    ...fenced({ terms: 2, dials: 3 }),
    name: "a lower epoch is accepted",
    property: "back",
    origin: slip,
    text: "if (epoch < acceptedEpoch) return leave(state, \"LowerEpoch\")",
    instead: ""
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 2 }),
    name: "who comes back to its leader does not accept its epoch again",
    property: "progress",
    origin: "ZOOKEEPER-1343",
    text: "if (epoch < acceptedEpoch) return",
    instead: "if (epoch <= acceptedEpoch) return"
  },
  {
    ...learner,
    ...fenced({ terms: 1, dials: 2 }),
    name: "an epoch counts each time that it is accepted",
    property: "once",
    origin: slip,
    text: ": onAcceptedEpochStored(next)",
    instead: ": onAcceptedEpochStored({ ...next, ackEpoch: currentEpoch })"
  },
  {
    ...discovery,
    ...fenced({ terms: 2, dials: 3 }),
    name: "an epoch counts that had been accepted before",
    property: "quorum",
    origin: slip,
    text: "!state.elected && currentEpoch !== -1n",
    instead: "!state.elected"
  }
]

/** Of histories and quorums. */
const aboutQuorums: ReadonlyArray<LeadershipDefect> = [
  {
    ...discovery,
    setting: { ...unequal.setting, peers },
    name: "the histories of followers are not compared",
    property: "fresh",
    origin: "ZOOKEEPER-1154",
    text: "if (counts && isAhead(summary, state.summary)) return Learners.close(state, id, \"AheadOfLeader\")",
    instead: ""
  },
  {
    ...hunt,
    file: "QuorumVerifier.ts",
    setting: { ...fenced({ terms: 1, dials: 2 }).setting, peers: LeadershipModel.alike(2, 2) },
    name: "observers make up a quorum",
    property: "quorum",
    origin: "ZOOKEEPER-599, 764, 769",
    text: "role === \"participant\"",
    instead: "role !== null"
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "UPTODATE is said before a quorum is in sync",
    property: "quorum",
    origin: slip,
    text: "return acked.has(options.mySid) && VoteTracker.hasAllQuorums(options.membership, acked, false)",
    instead: "return acked.has(options.mySid)"
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "whoever asks decides the epoch alone",
    property: "quorum",
    origin: slip,
    text: "if (!isQuorum(membership.committed, state.connecting)) return [state, []]",
    instead: ""
  },
  {
    ...discovery,
    ...fenced({ terms: 1, dials: 1 }),
    name: "an epoch is agreed on before a quorum has accepted it",
    property: "quorum",
    origin: slip,
    text: "!state.electing.has(mySid) || !isQuorum(membership.committed, state.electing)",
    instead: "!state.electing.has(mySid)"
  },
  {
    ...pings,
    ...fenced({ terms: 1, dials: 2 }),
    name: "a leader that nobody answers stays in office",
    property: "progress",
    origin: slip,
    text: "if (isWhole && !isQuorumThere(options, state, oracle)) return",
    instead: "if (isWhole && state.halfTicks < 0) return"
  },
  {
    ...pings,
    ...fenced({ terms: 1, dials: 1 }),
    name: "who is silent counts on",
    property: "progress",
    origin: slip,
    text: "(deadline !== null && tick > deadline) || pings.length > pingsMax",
    instead: "pings.length > 10 * pingsMax"
  }
]

/** Of leases and pledges. */
const aboutLeases: ReadonlyArray<LeadershipDefect> = [
  {
    ...pings,
    ...leased({ terms: 2, dials: 2 }),
    name: "a lease counts from the answer",
    property: "overlap",
    origin: slip,
    text: "new Map(next.answered).set(sid, sent)",
    instead: "new Map(next.answered).set(sid, at)"
  },
  {
    ...pings,
    setting: { ...leased({ terms: 2, dials: 2, ticks: 1 }).setting, progress: false },
    name: "an answer counts for the newest ping",
    property: "overlap",
    origin: slip,
    text: "const [sent, ...pings] = learner.pings",
    instead: "const pings = learner.pings.slice(1), sent = learner.pings.at(-1)"
  },
  {
    ...learner,
    setting: { ...leased({ terms: 2, dials: 2, ticks: 1 }).setting, progress: false },
    name: "a pledge is not renewed",
    property: "overlap",
    origin: slip,
    text: "const pledge = Lease.pledge(",
    instead: "const pledge = state.pledge?.leader === leader ? state.pledge : Lease.pledge("
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
    ...lease,
    ...leased({ terms: 2, dials: 2 }),
    name: "a pledge makes no allowance for clocks",
    property: "overlap",
    origin: slip,
    text: "until: now + duration * (1 + clockDrift) / (1 - clockDrift)",
    instead: "until: now + duration"
  },
  {
    ...lease,
    setting: restarted({ terms: 1, dials: 1, crashes: 1 }),
    name: "a pledge from before a restart does not bind",
    property: "pledge",
    origin: slip,
    text: "pledge === null || pledge.leader === leader ? 0",
    instead: "pledge === null || pledge.leader === null || pledge.leader === leader ? 0"
  },
  {
    ...learner,
    setting: restarted({ terms: 1, dials: 1, crashes: 1 }),
    name: "a learner supports a leader in spite of a pledge to another",
    property: "pledge",
    origin: slip,
    text: "if (remaining > 0) return",
    instead: "if (remaining > Infinity) return"
  },
  {
    ...leader,
    ...leased({ terms: 2, dials: 2 }),
    name: "a leader forgets its own pledge",
    property: "pledge",
    origin: slip,
    text: "  pledge,\n  epoch:",
    instead: "  pledge: null,\n  epoch:"
  },
  {
    ...discovery,
    ...leased({ terms: 2, dials: 2 }),
    name: "a leader judges its pledge by the clock of its lease",
    property: "pledge",
    origin: slip,
    text: "options.mySid, pledgeAt)",
    instead: "options.mySid, at)"
  },
  {
    ...discovery,
    setting: restarted({ terms: 1, dials: 2, crashes: 1 }),
    name: "a leader is activated without its own word",
    property: "pledge",
    origin: slip,
    text: "return acked.has(options.mySid) && VoteTracker",
    instead: "return VoteTracker"
  },
  {
    ...lease,
    setting: { ...leased({ terms: 1, dials: 2, ticks: 1 }).setting, peers: LeadershipModel.alike(5) },
    name: "the newest answer extends the lease alone",
    property: "grant",
    origin: slip,
    text: "return sent + duration",
    instead: "return newestFirst[0]![1] + duration"
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
    instead: "if (state.leaseUntil === Infinity) return"
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
export const all: ReadonlyArray<LeadershipDefect> = [...aboutEpochs, ...aboutQuorums, ...aboutLeases]
