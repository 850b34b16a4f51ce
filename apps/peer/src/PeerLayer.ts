/**
 * A peer from its configuration: which Layers, put together how.
 */
import * as Ensemble from "@conclave/core/Ensemble"
import * as Rules from "@conclave/core/Rules"
import * as NodeTransport from "@conclave/quorum-node/NodeTransport"
import * as EpochFiles from "@conclave/quorum/EpochFiles"
import * as FileHistory from "@conclave/quorum/FileHistory"
import * as History from "@conclave/quorum/History"
import * as Oracle from "@conclave/quorum/Oracle"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as DataDirectory from "./DataDirectory.ts"
import * as DynamicFiles from "./DynamicFiles.ts"
import * as ZooActivation from "./ZooActivation.ts"
import * as ZooAuth from "./ZooAuth.ts"
import type { ZooConfig } from "./ZooConfig.ts"

/** Facts about the history that count instead of the stored ones. */
export type Facts = Partial<History.Facts>

/**
 * The peer that a `zoo.cfg` describes, over TCP or TLS, with the history in its data
 * directory and the credentials in the login configuration `jaas`.
 */
export const layer = (config: ZooConfig, facts: Facts, jaas: Option.Option<string>) => {
  const configured = quorumConfig(config)
  return QuorumPeer.layer.pipe(
    Layer.provide([
      configured,
      history(config, facts),
      Layer.provide(ZooAuth.layer(config.auth, jaas), configured),
      DynamicFiles.layer(config),
      config.verifier._tag === "Oracle" ? Oracle.layerFile(config.verifier.oraclePath) : Layer.empty,
      transport(config)
    ])
  )
}

const transport = ({ tcpKeepAlive: keepAlive, tls }: ZooConfig) =>
  tls === null ? NodeTransport.layerTcp({ keepAlive }) : NodeTransport.layerSecure({ ...tls, keepAlive })

const quorumConfig = (config: ZooConfig) =>
  QuorumConfig.layer({
    ensemble: Ensemble.make({
      mySid: config.mySid,
      rules: Rules.named[config.rules],
      electable: config.electable,
      reconfigEnabled: config.reconfigEnabled,
      standaloneEnabled: config.standaloneEnabled,
      multiAddress: config.multiAddressEnabled,
      timing: {
        ...Ensemble.defaultTiming,
        minNotificationInterval: config.minNotificationInterval,
        maxNotificationInterval: config.maxNotificationInterval
      }
    }),
    membership: membership(config),
    activation: ZooActivation.activation(config.activation, config),
    electionAlg: config.electionAlg,
    cnxTimeout: config.cnxTimeout,
    handshakeTimeout: config.quorumCnxnTimeout,
    listenOnAllIPs: config.quorumListenOnAllIPs,
    electionPortBindRetry: config.electionPortBindRetry,
    quorumCnxnThreadsSize: config.quorumCnxnThreadsSize,
    reachabilityCheckEnabled: config.reachabilityCheckEnabled,
    reachabilityCheckTimeout: config.reachabilityCheckTimeout
  })

const membership = ({ lastSeen, mySid, verifier }: ZooConfig): Ensemble.Membership => {
  const committed = Ensemble.membership({ mySid, committed: verifier })
  return lastSeen === null ? committed : Ensemble.see(committed, mySid, lastSeen)
}

/**
 * Facts of an experiment are in no file, so with them what is promised is not written either: the files are read, and
 * stay as they are.
 */
const history = (config: ZooConfig, facts: Facts) =>
  Layer.effect(
    History.History,
    Effect.gen(function*() {
      const path = yield* Path.Path
      const lastLoggedZxid = yield* DataDirectory.lastLoggedZxid(config)
      if (Object.keys(facts).length === 0) {
        const { autocreatesDirectories: autocreate, dataDir } = config
        return yield* FileHistory.make({ dataDir, lastLoggedZxid, autocreate })
      }
      const epochs = yield* EpochFiles.load(EpochFiles.directoryOf(path, config.dataDir), lastLoggedZxid)
      return yield* History.make({ ...epochs, lastLoggedZxid, ...facts })
    })
  )
