/**
 * What a peer must be told: who it is, who the others are, how patient to be.
 */
import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** The configuration of one peer. Times are in milliseconds. */
export class QuorumConfig extends Context.Service<QuorumConfig, {
  readonly ensemble: Ensemble.Ensemble
  readonly membership: Ensemble.Membership
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

/** ZooKeeper's defaults; the handshake has tickTime 2000 * syncLimit 5 of its sample configuration. */
export const defaults = {
  electionAlg: 3,
  cnxTimeout: 5_000,
  handshakeTimeout: 10_000,
  listenOnAllIPs: false,
  electionPortBindRetry: 3,
  quorumCnxnThreadsSize: 20,
  reachabilityCheckEnabled: true,
  reachabilityCheckTimeout: 1_000
} as const

/** What has no default. */
export type Required = Pick<QuorumConfig["Service"], "ensemble" | "membership">

/** The configuration of a peer, with ZooKeeper's defaults for what is not given. */
export const layer = (config: Required & Partial<QuorumConfig["Service"]>): Layer.Layer<QuorumConfig> =>
  Layer.succeed(QuorumConfig, QuorumConfig.of({ ...defaults, ...config }))

/**
 * An ensemble of voters that know each other by their election addresses, as
 * `host:port` by sid: the short way for services that have no `zoo.cfg`.
 */
export const layerVoters = (
  mySid: bigint,
  voters: Readonly<Record<string, { readonly host: string; readonly port: number }>>,
  options?: Partial<Omit<Ensemble.Ensemble, "mySid"> & Omit<QuorumConfig["Service"], "ensemble" | "membership">>
): Layer.Layer<QuorumConfig> => {
  const servers = Object.entries(voters).map(([sid, { host, port }]) =>
    // Nobody listens at the quorum port yet; 0 says so in the configuration text.
    QuorumServer.make(BigInt(sid), { host, quorumPort: 0, electionPort: port })
  )
  return layer({
    ...options,
    ensemble: Ensemble.make({ ...options, mySid }),
    membership: Ensemble.membership({ mySid, committed: QuorumVerifier.majority({ servers }) })
  })
}
