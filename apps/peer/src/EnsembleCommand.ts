/**
 * `conclave ensemble`: a whole ensemble on loopback in one process.
 */
import * as Explain from "@conclave/core/Explain"
import * as NodeTransport from "@conclave/quorum-node/NodeTransport"
import * as History from "@conclave/quorum/History"
import type { ElectionReport } from "@conclave/quorum/PeerStatus"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import { Transport } from "@conclave/quorum/Transport"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Flags from "./Flags.ts"
import * as PeerLog from "./PeerLog.ts"

/** The largest ensemble in one process: each pair has a connection with two ends here, 930 sockets for 31 peers. */
const SIZE_MAX = 31

const HOST = "127.0.0.1"

/** The flags of the command. */
export const flags = {
  size: Flag.Int("size").pipe(
    Flag.withDescription(`How many peers, 1 to ${SIZE_MAX}`),
    Flag.filter((size) => size >= 1 && size <= SIZE_MAX, (size) => `${size} is not within 1 to ${SIZE_MAX}`),
    Flag.withDefault(3)
  ),
  ...Flags.log
}

/** Runs an ensemble until interrupted. */
export const run = (options: Command.Command.Config.Infer<typeof flags>) =>
  runEnsemble(options.size).pipe(
    Effect.scoped,
    Effect.provide([NodeTransport.layerTcp(), PeerLog.layer(options.logFormat, "stdout")])
  )

/** The command. */
export const command = Command.make("ensemble", flags, run).pipe(
  Command.withDescription("Run an ensemble on loopback over TCP, and say whom it elects and why")
)

const runEnsemble = Effect.fnUntraced(function*(size: number) {
  const ports = yield* freePorts(2 * size)
  const voters = Object.fromEntries(Array.from({ length: size }, (_, index) =>
    [`${index + 1}`, { host: HOST, quorumPort: ports[2 * index]!, electionPort: ports[2 * index + 1]! }]))
  yield* Effect.logInfo(`${size} ${size === 1 ? "peer" : "peers"} on loopback, over TCP`)
  // They end at the same time, or the last would elect and dial while the others are gone already.
  const scope = yield* Scope.fork(yield* Effect.scope, "parallel")
  const peers = yield* Effect.forEach(
    Object.keys(voters),
    (sid) => Scope.provide(startPeer(BigInt(sid), voters), scope),
    { concurrency: "unbounded" }
  )
  for (const peer of peers) yield* Effect.forkChild(PeerLog.elections(peer))
  const reports = yield* Effect.forEach(peers, ({ awaitLeader }) => awaitLeader, { concurrency: "unbounded" })
  const { reason, vote } = mostTelling(reports)
  yield* Effect.logInfo(`the ensemble has a leader, and runs until Ctrl-C: ${Explain.elected(vote, reason)}`)
  return yield* Effect.raceAllFirst(peers.map(({ join }) => join))
})

// Each tells what it heard. Who heard of another candidate knows on what ground it lost.
const mostTelling = (reports: ReadonlyArray<ElectionReport>): ElectionReport =>
  reports.find(({ reason }) => reason._tag === "Quorum" && reason.runnerUp !== null) ?? reports[0]!

const startPeer = Effect.fnUntraced(function*(sid: bigint, voters: Parameters<typeof QuorumConfig.layerVoters>[1]) {
  const layer = QuorumPeer.layer.pipe(
    Layer.provide([QuorumConfig.layerVoters(sid, voters), History.layer()])
  )
  // Fresh, because each peer of this process is one of its own.
  const context = yield* Layer.build(Layer.fresh(layer)).pipe(Effect.annotateLogs({ sid }))
  return Context.get(context, QuorumPeer.QuorumPeer)
})

// Ports that are free now: all are taken at once, so that they differ, and let go.
const freePorts = (count: number) =>
  Effect.scoped(Effect.gen(function*() {
    const { listen } = yield* Transport
    const listeners = yield* Effect.forEach(Array.from({ length: count }), () => listen({ host: HOST, port: 0 }))
    return listeners.map(({ address }) => address.port)
  }))
