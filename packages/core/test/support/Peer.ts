/**
 * One peer to be driven by hand: what happens to it goes in, its outputs come
 * back, its state can be looked at. Small numbers stand for 64-bit ones.
 */
import { assert } from "@effect/vitest"
import * as Election from "../../src/Election.ts"
import type { Output, SendCause, Timer } from "../../src/ElectionOutput.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import type { Notification } from "../../src/Notification.ts"
import * as QuorumServer from "../../src/QuorumServer.ts"
import * as QuorumVerifier from "../../src/QuorumVerifier.ts"
import * as Rules from "../../src/Rules.ts"
import type { ServerState } from "../../src/ServerState.ts"
import * as Vote from "../../src/Vote.ts"

type Long = number | bigint

/** A proposal in short. */
export const p = (leader: Long, zxid: Long = 0, peerEpoch: Long = 0): Vote.Proposal => ({
  leader: BigInt(leader),
  zxid: BigInt(zxid),
  peerEpoch: BigInt(peerEpoch)
})

/** A vote of a round, as the election makes it. */
export const vote = (proposal: Vote.Proposal, round: Long): Vote.Vote => Vote.make(proposal, BigInt(round))

/** Server ids. */
export const sids = (...list: ReadonlyArray<Long>): ReadonlySet<bigint> => new Set(list.map(BigInt))

/** A member at an address made from its id. */
export const server = (sid: Long, role: QuorumServer.LearnerType = "participant"): QuorumServer.QuorumServer =>
  QuorumServer.make(BigInt(sid), { host: `10.0.0.${sid}`, quorumPort: 2888, electionPort: 3888 }, role)

/** Voters and observers. */
export const members = (voters: ReadonlyArray<Long>, observers: ReadonlyArray<Long> = []) => [
  ...voters.map((sid) => server(sid)),
  ...observers.map((sid) => server(sid, "observer"))
]

/** A majority of these voters. */
export const majority = (
  voters: ReadonlyArray<Long>,
  options: { readonly version?: Long; readonly observers?: ReadonlyArray<Long> } = {}
): QuorumVerifier.Majority =>
  QuorumVerifier.majority({ servers: members(voters, options.observers), version: BigInt(options.version ?? 0) })

/** A majority of these voters, or an oracle. */
export const oracle = (voters: ReadonlyArray<Long>): QuorumVerifier.Oracle =>
  QuorumVerifier.oracle({ servers: members(voters), oraclePath: "oracle" })

/** What a peer is made from; all but the id and the verifier has a default. */
export interface Options extends Partial<Omit<Ensemble.Ensemble, "mySid">> {
  readonly mySid: Long
  readonly verifier: QuorumVerifier.QuorumVerifier
  readonly lastSeen?: QuorumVerifier.QuorumVerifier
  readonly learnerType?: QuorumServer.LearnerType
  readonly zxid?: Long
  readonly epoch?: Long
}

/** What else a notification may say. */
export type More = Partial<Pick<Notification, "version" | "config">> & { readonly oracle?: boolean }

/** A peer under test, by default under the rules of the original. */
export interface Peer {
  readonly ensemble: Ensemble.Ensemble
  readonly state: () => Election.State
  /** The state of a search; fails if none runs. */
  readonly looking: () => Election.Looking
  /** The state after a search; fails if there is none. */
  readonly settled: () => Election.Settled
  readonly event: (event: Election.Event) => ReadonlyArray<Output>
  readonly look: (facts?: { readonly zxid?: Long; readonly epoch?: Long; readonly oracle?: boolean }) =>
    ReadonlyArray<Output>
  readonly hears: (
    from: Long,
    state: Notification["state"],
    proposal: Vote.Proposal,
    round: Long,
    more?: More
  ) => ReadonlyArray<Output>
  readonly silence: (facts?: {
    readonly delivered?: boolean
    readonly undelivered?: ReadonlyArray<Long>
    readonly oracle?: boolean
  }) => ReadonlyArray<Output>
  readonly finalize: () => ReadonlyArray<Output>
  /** Votes sent to these, as this peer sends them. */
  readonly sends: (
    to: ReadonlyArray<Long>,
    proposal: Vote.Proposal,
    round: Long,
    cause: SendCause,
    state?: ServerState
  ) => ReadonlyArray<Output>
}

/** A peer before anything happened. */
export const make = (options: Options): Peer => {
  const { epoch = 0, lastSeen, learnerType, verifier, zxid = 0, ...rest } = options
  const mySid = BigInt(options.mySid)
  const ensemble = Ensemble.make({ rules: Rules.zookeeper, ...rest, mySid })
  const membership = Ensemble.membership({ mySid, committed: verifier, lastSeen, learnerType })
  const facts = { lastLoggedZxid: BigInt(zxid), currentEpoch: BigInt(epoch) }
  let state: Election.State = Election.make(ensemble, membership, facts)
  const event: Peer["event"] = (event) => {
    const [next, outputs] = Election.step(ensemble, state, event)
    state = next
    return outputs
  }
  return {
    ensemble,
    state: () => state,
    looking: () => {
      assert(state._tag === "Looking", `${state._tag}, no search runs`)
      return state
    },
    settled: () => {
      assert(state._tag === "Settled", `${state._tag}, no search has ended`)
      return state
    },
    event,
    look: (now = {}) =>
      event({
        _tag: "LookForLeader",
        lastLoggedZxid: BigInt(now.zxid ?? zxid),
        currentEpoch: BigInt(now.epoch ?? epoch),
        ...(now.oracle === undefined ? {} : { oracle: now.oracle })
      }),
    hears: (from, state, proposal, round, more) => event(received(from, state, proposal, round, more)),
    silence: ({ delivered = true, oracle, undelivered = [] } = {}) =>
      event({
        _tag: "NotificationTimeout",
        haveDelivered: delivered,
        undelivered: sids(...undelivered),
        ...(oracle === undefined ? {} : { oracle })
      }),
    finalize: () => event({ _tag: "FinalizeTimeout" }),
    sends: (to, { leader, peerEpoch, zxid }, round, cause, serverState = "LOOKING") =>
      to.map((sid) => ({
        _tag: "Send",
        toSend: {
          to: BigInt(sid),
          state: serverState,
          leader,
          zxid,
          electionEpoch: BigInt(round),
          peerEpoch,
          config: state.membership.committed.text
        },
        cause
      }))
  }
}

/** A notification. */
export const notification = (
  from: Long,
  state: Notification["state"],
  proposal: Vote.Proposal,
  round: Long,
  { config = null, version = 2 }: More = {}
): Notification => ({
  from: BigInt(from),
  version,
  state,
  ...Vote.proposalOf(proposal),
  electionEpoch: BigInt(round),
  config
})

const received = (
  from: Long,
  state: Notification["state"],
  proposal: Vote.Proposal,
  round: Long,
  more: More = {}
): Election.Event => ({
  _tag: "Received",
  notification: notification(from, state, proposal, round, more),
  ...(more.oracle === undefined ? {} : { oracle: more.oracle })
})

/** The one timer, started anew. */
export const timer = (timer: Timer, after: number): Output => ({ _tag: "SetTimer", timer, after })

/** The timer, stopped. */
export const cancelTimer: Output = { _tag: "CancelTimer" }

/** What came to nothing, and why. */
export const ignored = (
  reason: (Output & { readonly _tag: "Ignored" })["reason"],
  ...of: Parameters<typeof notification>
): Output => ({ _tag: "Ignored", notification: notification(...of), reason })

/** A round that began. */
export const roundStarted = (round: Long, initial: Vote.Proposal, from: Long | null = null): Output => ({
  _tag: "RoundStarted",
  logicalClock: BigInt(round),
  initial,
  from: from === null ? null : BigInt(from)
})

/** A better proposal. */
export const adopted = (from: Long, previous: Vote.Proposal, proposal: Vote.Proposal, ground: Vote.Ground): Output => ({
  _tag: "Adopted",
  from: BigInt(from),
  previous,
  proposal,
  ground
})

/** A proposal no better than ours. */
export const kept = (
  from: Long,
  offered: Vote.Proposal,
  proposal: Vote.Proposal,
  ground: (Output & { readonly _tag: "Kept" })["ground"]
): Output => ({ _tag: "Kept", from: BigInt(from), offered, proposal, ground })

/** A quorum that votes as we do. */
export const quorumReached = (proposal: Vote.Proposal, ...supporters: ReadonlyArray<Long>): Output => ({
  _tag: "QuorumReached",
  proposal,
  supporters: sids(...supporters)
})

/** A leader that cannot be joined yet. */
export const notJoined = (
  from: Long,
  leader: Long,
  reason: (Output & { readonly _tag: "NotJoined" })["reason"],
  ...supporters: ReadonlyArray<Long>
): Output => ({
  _tag: "NotJoined",
  from: BigInt(from),
  leader: BigInt(leader),
  reason,
  supporters: sids(...supporters)
})
