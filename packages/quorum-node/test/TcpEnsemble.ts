/** Ensembles of real peers over TCP on loopback, all in this process. */
import * as History from "@conclave/quorum/History"
import type { ElectionReport, PeerStatus } from "@conclave/quorum/PeerStatus"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import type { Transport } from "@conclave/quorum/Transport"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { randomInt } from "node:crypto"
import * as NodeTransport from "../src/NodeTransport.ts"

/** A running peer, and how to end it. */
export interface Member {
  readonly sid: bigint
  readonly peer: QuorumPeer.QuorumPeer["Service"]
  readonly stop: Effect.Effect<void>
}

/** Where the voters of an ensemble listen, by sid. */
export type Voters = Parameters<typeof QuorumConfig.layerVoters>[1]

/** The election port of every peer; each has a host of its own. */
export const PORT = 3888

/** A network that nothing else binds: all of 127.0.0.0/8 is this host, and what dials has its ports elsewhere. */
export const randomNet = (): string => `127.${randomInt(1, 255)}.${randomInt(0, 256)}`

/** The voters 1 to `size` of an ensemble, on a network of their own. */
export const voters = (size: number, net = randomNet()): Voters =>
  Object.fromEntries(sids(size).map((sid) => [`${sid}`, { host: `${net}.${sid}`, electionPort: PORT }]))

/** The election address of one of them. */
export const address = (voters: Voters, sid: bigint) => ({ host: voters[`${sid}`]!.host, port: PORT })

/** The ids 1 to `size`. */
export const sids = (size: number): ReadonlyArray<bigint> =>
  Array.from({ length: size }, (_, index) => BigInt(index + 1))

/** What a peer may be told beyond who it is. */
export type Options = Parameters<typeof QuorumConfig.layerVoters>[2]

/**
 * Starts one of the voters, for elections alone and in the clear unless told otherwise. It runs until it is stopped or
 * the scope closes.
 */
export const start = Effect.fnUntraced(function*<E = never>(
  voters: Voters,
  sid: bigint,
  options?: Options,
  transport: Layer.Layer<Transport, E> = NodeTransport.layerTcp()
) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const layer = QuorumPeer.layer.pipe(
    Layer.provide([QuorumConfig.layerVoters(sid, voters, { activation: null, ...options }), History.layer(), transport])
  )
  const context = yield* Layer.buildWithMemoMap(layer, yield* Layer.makeMemoMap, scope)
  const member: Member = {
    sid,
    peer: Context.get(context, QuorumPeer.QuorumPeer),
    stop: Scope.close(scope, Exit.void)
  }
  return member
})

/**
 * Waits until all of these, and nobody else, have one of them as their leader, and it knows that it leads; gives their
 * reports, in the same order. Every change of status is looked at, so none can pass by unseen. An agreement of a round
 * before `sinceRound` does not count.
 */
export const agreement = (
  members: ReadonlyArray<Member>,
  sinceRound = 0n
): Effect.Effect<ReadonlyArray<ElectionReport>> =>
  Effect.scoped(Effect.gen(function*() {
    const agreed = yield* Deferred.make<ReadonlyArray<ElectionReport>>()
    const latest = new Map<bigint, PeerStatus>()
    for (const { peer, sid } of members) {
      yield* Effect.forkScoped(Stream.runForEach(peer.changes, (status) => {
        latest.set(sid, status)
        const reports = agreedReports(members, latest)
        const late = reports?.every(({ vote }) => vote.electionEpoch >= sinceRound) === true
        return late ? Deferred.succeed(agreed, reports) : Effect.void
      }))
    }
    return yield* Deferred.await(agreed)
  }))

const agreedReports = (members: ReadonlyArray<Member>, latest: ReadonlyMap<bigint, PeerStatus>) => {
  const reports = members.flatMap(({ sid }) => {
    const status = latest.get(sid)
    return status?._tag === "Settled" ? [status.report] : []
  })
  const leader = reports.find(({ state }) => state === "LEADING")?.sid
  const agree = reports.length === members.length && leader !== undefined && reports.every(({ sid, state, vote }) =>
    vote.leader === leader && state === (sid === leader ? "LEADING" : "FOLLOWING"))
  return agree ? reports : undefined
}
