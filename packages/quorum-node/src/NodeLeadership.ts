/**
 * Leadership on Node, ready to use: a peer over TCP or TLS with its epochs on disk,
 * and the service on top of it.
 */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import type { EpochFileError } from "@conclave/quorum/EpochFiles"
import * as FileHistory from "@conclave/quorum/FileHistory"
import * as History from "@conclave/quorum/History"
import * as Leadership from "@conclave/quorum/Leadership"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import type { Tenure } from "@conclave/quorum/Tenure"
import type { Transport } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeTransport from "./NodeTransport.ts"

/** One replica of a service, and the ensemble that it is part of. */
export interface Options<E = never> extends QuorumConfig.ActivationOptions {
  /** Which of the voters this replica is. */
  readonly sid: bigint | number | string
  /** Every replica by its id, the same everywhere. Best an odd number: three survive the loss of one, five of two. */
  readonly voters: Readonly<Record<string, QuorumConfig.Voter>>
  /** Where the epochs are kept, a directory of this replica alone; the token increases as long as it is there. */
  readonly dataDir: string
  /**
   * How far the log of this replica goes, if it has one, as `Preference` writes it; whose goes furthest leads. What it
   * answers must be durable.
   */
  readonly position?: Effect.Effect<bigint>
  /** How the replicas talk; plain TCP unless given. */
  readonly transport?: Layer.Layer<Transport, E>
}

/** Leadership, and the peer that it is built on. */
export const layer = <E = never>(
  { dataDir, position, sid, transport, voters, ...activation }: Options<E>
): Layer.Layer<
  Leadership.Leadership | QuorumPeer.QuorumPeer | Tenure,
  QuorumPeer.StartError | EpochFileError | History.HistoryError | E
> =>
  Leadership.layer.pipe(
    Layer.provideMerge(QuorumPeer.layer),
    Layer.provide([
      QuorumConfig.layerVoters(BigInt(sid), voters, { activation: QuorumConfig.activation(activation) }),
      history(dataDir, position),
      transport ?? NodeTransport.layerTcp()
    ])
  )

const history = (dataDir: string, position: Effect.Effect<bigint> | undefined) =>
  Layer.effect(
    History.History,
    Effect.map(FileHistory.make({ dataDir }), (kept) =>
      position === undefined ? kept : History.withPosition(kept, position))
  ).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))
