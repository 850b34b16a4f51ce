/**
 * What a peer must be told: who it is, who the others are, how patient to be.
 */
import * as Ensemble from "@conclave/core/Ensemble"
import * as Lease from "@conclave/core/Lease"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** What makes an elected server a leader. */
export interface Activation {
  readonly ticks: Ensemble.Ticks
  /** The lease; `null` for leadership that only the epoch protects. */
  readonly lease: Lease.Lease | null
  /** Are real ZooKeeper servers led? They would wait for data that is not here. */
  readonly acceptForeign: boolean
  /**
   * How long who has resigned, or was elected and not activated, proposes nobody: time for another to be elected and
   * activated. Counted from when office is left; by chance up to half as long again. Ours.
   */
  readonly abstainFor: Ensemble.Millis
  /**
   * Does it end a lease when the leader's host refuses connections at the election port? Its process is gone then,
   * unless something else answers for that address.
   */
  readonly refusedIsEvidence: boolean
}

/** The configuration of one peer. Times are in milliseconds. */
export class QuorumConfig extends Context.Service<QuorumConfig, {
  readonly ensemble: Ensemble.Ensemble
  readonly membership: Ensemble.Membership
  /** How leaders are activated; `null` for elections alone, in which nobody connects to a quorum port. */
  readonly activation: Activation | null
  /** Which election algorithm; only 3, FastLeaderElection, exists. Java: electionAlg. */
  readonly electionAlg: number
  /** How long a dial may take. Java: zookeeper.cnxTimeout. */
  readonly cnxTimeout: Ensemble.Millis
  /** How long a handshake may take. Java: quorumCnxnTimeoutMs, or else tickTime * syncLimit. */
  readonly handshakeTimeout: Ensemble.Millis
  /** Listen on every interface rather than on the own entry's addresses? Java: quorumListenOnAllIPs. */
  readonly listenOnAllIPs: boolean
  /** How often to try to bind an election address, a second apart; 0 is for ever. Java: electionPortBindRetry. */
  readonly electionPortBindRetry: number
  /** How many handshakes may be in progress at a time. Java: quorum.cnxn.threads.size. */
  readonly quorumCnxnThreadsSize: number
  /** With several addresses per server: is it asked whether that of a live connection still answers? */
  readonly reachabilityCheckEnabled: boolean
  /** How long the answer may take. Java: multiAddress.reachabilityCheckTimeoutMs. */
  readonly reachabilityCheckTimeout: Ensemble.Millis
}>()("@conclave/quorum/QuorumConfig") {}

/** Leadership without a lease, with ZooKeeper's ticks. */
export const defaultActivation: Activation = {
  ticks: Ensemble.defaultTicks,
  lease: null,
  acceptForeign: false,
  abstainFor: 5_000,
  refusedIsEvidence: true
}

/** What may be said about activation; a lease needs its duration alone. */
export interface ActivationOptions extends Partial<Omit<Activation, "lease" | "ticks">> {
  readonly ticks?: Partial<Ensemble.Ticks>
  readonly lease?: Partial<Lease.Lease> & Pick<Lease.Lease, "duration"> | null
}

/** How leaders are activated, with defaults for what is not given. */
export const activation = ({ lease = null, ticks, ...options }: ActivationOptions = {}): Activation => ({
  ...defaultActivation,
  ...options,
  ticks: { ...Ensemble.defaultTicks, ...ticks },
  lease: lease === null ? null : Lease.make(lease.duration, lease)
})

/** ZooKeeper's defaults; the handshake has tickTime 2000 * syncLimit 5 of its sample configuration. */
export const defaults = {
  activation: defaultActivation,
  electionAlg: 3,
  cnxTimeout: 5_000,
  handshakeTimeout: 10_000,
  listenOnAllIPs: false,
  electionPortBindRetry: 3,
  quorumCnxnThreadsSize: 20,
  reachabilityCheckEnabled: true,
  reachabilityCheckTimeout: 1_000
} as const

/** Where the servers of an ensemble listen unless told otherwise. Java: the ports of every sample configuration. */
export const defaultPorts = { quorumPort: 2888, electionPort: 3888 } as const

/** Where a voter is. */
export interface Voter {
  readonly host: string
  readonly quorumPort?: number
  readonly electionPort?: number
}

/** What has no default. */
export type Required = Pick<QuorumConfig["Service"], "ensemble" | "membership">

/** The configuration of a peer, with ZooKeeper's defaults for what is not given. */
export const layer = (config: Required & Partial<QuorumConfig["Service"]>): Layer.Layer<QuorumConfig> =>
  Layer.succeed(QuorumConfig, QuorumConfig.of({ ...defaults, ...config }))

/**
 * An ensemble of voters by sid: the short way for services that have no `zoo.cfg`. At the election port they find out
 * who is to lead, at the quorum port the leader keeps in touch with the others.
 */
export const layerVoters = (
  mySid: bigint,
  voters: Readonly<Record<string, Voter>>,
  options?: Partial<Omit<Ensemble.Ensemble, "mySid"> & Omit<QuorumConfig["Service"], "ensemble" | "membership">>
): Layer.Layer<QuorumConfig> => {
  const servers = Object.entries(voters).map(([sid, voter]) =>
    QuorumServer.make(BigInt(sid), { ...defaultPorts, ...voter })
  )
  return layer({
    ...options,
    ensemble: Ensemble.make({ ...options, mySid }),
    membership: Ensemble.membership({ mySid, committed: QuorumVerifier.majority({ servers }) })
  })
}
