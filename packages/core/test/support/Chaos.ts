/**
 * Peers of every kind, and anything at all that may happen to them.
 */
import * as Result from "effect/Result"
import type * as Election from "../../src/Election.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import * as QuorumVerifier from "../../src/QuorumVerifier.ts"
import * as Rules from "../../src/Rules.ts"
import * as Peer from "./Peer.ts"
import type { Random } from "./Random.ts"

/** Any mixture of rules. */
export const rules = (random: Random): Rules.Rules => {
  const named = random.below(3)
  if (named === 0) return Rules.zookeeper
  if (named === 1) return Rules.conclave
  const mixed = Object.keys(Rules.zookeeper).map((rule) => [rule, random.percent(50)])
  return Object.fromEntries(mixed) as Record<keyof Rules.Rules, boolean>
}

/** A hierarchy of these voters in up to three groups, in which at least one of each group weighs something. */
export const hierarchical = (
  random: Random,
  voters: ReadonlyArray<number>,
  version = 0n
): QuorumVerifier.Hierarchical => {
  const groups = Map.groupBy(voters.map((sid) => BigInt(sid)), (sid) => (sid % 3n) + 1n)
  const weights = new Map<bigint, bigint>()
  for (const sids of groups.values()) {
    for (const sid of sids) weights.set(sid, sid === sids[0] ? 1n + BigInt(random.below(3)) : BigInt(random.below(3)))
  }
  return Result.getOrThrow(QuorumVerifier.hierarchical({ servers: Peer.members(voters), version, groups, weights }))
}

const verifier = (random: Random, voters: ReadonlyArray<number>, version: number): QuorumVerifier.QuorumVerifier => {
  const kind = random.below(4)
  if (kind === 0) return hierarchical(random, voters, BigInt(version))
  if (kind === 1) return Peer.oracle(voters)
  return Peer.majority(voters, { version, observers: random.percent(50) ? [8] : [] })
}

/** One peer, and what it knows of itself. */
export interface Subject {
  readonly ensemble: Ensemble.Ensemble
  readonly membership: Ensemble.Membership
  readonly history: { readonly lastLoggedZxid: bigint; readonly currentEpoch: bigint }
}

/** A peer of any kind: voter, observer or stranger, of an ensemble of one to five. */
export const subject = (random: Random): Subject => {
  const voters = Array.from({ length: 1 + random.below(5) }, (_, index) => index + 1)
  const mySid = random.percent(80) ? BigInt(random.pick(voters)) : random.pick([8n, 9n])
  const committed = verifier(random, voters, random.below(3))
  const lastSeen = random.percent(20) ? verifier(random, [2, 3, 6], random.below(5)) : undefined
  return {
    ensemble: Ensemble.make({
      mySid,
      rules: rules(random),
      electable: random.percent(70),
      reconfigEnabled: random.percent(50),
      standaloneEnabled: random.percent(50)
    }),
    membership: Ensemble.membership({
      mySid,
      committed,
      lastSeen,
      learnerType: random.percent(10) ? random.pick(["observer", "participant"] as const) : undefined
    }),
    history: history(random)
  }
}

const history = (random: Random): Subject["history"] => ({
  lastLoggedZxid: random.percent(80) ? BigInt(random.below(3)) : random.long(),
  currentEpoch: random.percent(80) ? BigInt(random.below(3)) : random.long()
})

const configs = [
  "",
  "version=1",
  "version=7fffffff",
  "version=zz",
  "server.x=h:1:2",
  "server.1=h:1:99999",
  "group.1=1:2:9\nserver.1=h:1:2",
  "\\u12",
  "\u0000\ufffd",
  Peer.majority([1, 2, 3], { version: 4 }).text,
  Peer.majority([1, 2, 3, 4, 5], { version: 5 }).text,
  Peer.majority([2, 3], { version: 6, observers: [1] }).text
]

const states = ["LOOKING", "LOOKING", "LOOKING", "FOLLOWING", "LEADING", "OBSERVING", "UNKNOWN"] as const

/** Anything that may arrive; mostly what makes sense to the present state, so that something happens. */
const received = (random: Random, { membership }: Subject, state: Election.State): Election.Event => {
  const number = (usual: bigint) =>
    random.percent(85) ? BigInt.asIntN(64, usual + BigInt(random.below(3) - 1)) : random.long()
  const voters = Array.from(membership.voters)
  const someone = () => random.percent(90) ? random.pick(voters) : random.pick([0n, 7n, 8n, -1n, random.long()])
  const same = random.percent(40)
  return {
    _tag: "Received",
    notification: {
      from: someone(),
      version: random.pick([2, 2, 2, 1, 0, -5, 9]),
      state: random.pick(states),
      leader: same ? state.proposal.leader : someone(),
      zxid: same ? state.proposal.zxid : number(1n),
      peerEpoch: same ? state.proposal.peerEpoch : number(1n),
      electionEpoch: random.percent(60) ? state.logicalClock : number(state.logicalClock),
      config: random.percent(70) ? null : random.percent(50) ? membership.committed.text : random.pick(configs)
    },
    oracle: random.percent(30)
  }
}

const presence = (random: Random, { membership }: Subject): Election.Event => ({
  _tag: random.pick(["PeerConnected", "PeerRefused", "PeerUnreachable"] as const),
  sid: random.percent(80) ? random.pick(Array.from(membership.voters)) : random.long()
})

/** Anything that may happen next. */
export const event = (random: Random, subject: Subject, state: Election.State): Election.Event => {
  const draw = random.below(100)
  if (draw < 70) return received(random, subject, state)
  if (draw < 78 || (draw < 90 && state._tag !== "Looking")) return { _tag: "LookForLeader", ...history(random) }
  if (draw < 86) return { _tag: "FinalizeTimeout" }
  if (draw < 94) {
    const undelivered = new Set(Array.from(subject.membership.voters).filter(() => random.percent(50)))
    return { _tag: "NotificationTimeout", haveDelivered: random.percent(50), undelivered, oracle: random.percent(50) }
  }
  if (draw < 97) return presence(random, subject)
  return random.percent(50) ? { _tag: "LeaderLost" } : { _tag: "EpochEstablished", peerEpoch: random.long() }
}
