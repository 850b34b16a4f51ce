/**
 * `conclave peer`: runs one peer from its `zoo.cfg`.
 */
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import * as Pause from "@conclave/quorum/Pause"
import { Tenure } from "@conclave/quorum/Tenure"
import * as Address from "@conclave/core/Address"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as Effect from "effect/Effect"
import * as Control from "./Control.ts"
import * as Flags from "./Flags.ts"
import * as PeerLayer from "./PeerLayer.ts"
import * as PeerLog from "./PeerLog.ts"
import type { ZooConfig } from "./ZooConfig.ts"

const control = Flag.Boolean("control").pipe(
  Flag.withDescription("Print events as JSON lines and obey look, status and stop on stdin; the log goes to stderr"),
  Flag.withDefault(false)
)

/** The command. */
export const command = Command.make(
  "peer",
  { ...Flags.peer, ...Flags.log, control },
  (flags) =>
    runPeer(flags).pipe(
      Effect.scoped,
      Effect.provide(PeerLog.layer(flags.logFormat, flags.control ? "stderr" : "stdout"))
    )
).pipe(Command.withDescription("Run one peer from a zoo.cfg"))

const runPeer = Effect.fnUntraced(function*(flags: Flags.PeerFlags & { readonly control: boolean }) {
  const config = yield* Flags.loadConfig(flags)
  yield* welcome(config)
  yield* Effect.gen(function*() {
    const peer = yield* QuorumPeer.QuorumPeer
    yield* Effect.logInfo(`listening for elections at ${peer.addresses.map(Address.format).join(" and ")}`)
    const tenure = yield* Tenure
    yield* Effect.forkChild(PeerLog.elections(peer))
    yield* Effect.forkChild(PeerLog.leaders(tenure))
    const { pause } = config.activation
    if (pause.enabled) yield* Effect.forkChild(Pause.run(peer.sid, pause, tenure.office.inspect))
    yield* flags.control ? Effect.raceFirst(Control.run(peer, tenure), peer.join) : peer.join
  }).pipe(
    Effect.provide(PeerLayer.layer(config, Flags.facts(flags), flags.jaas)),
    Effect.annotateLogs({ sid: config.mySid })
  )
})

const welcome = Effect.fnUntraced(function*(config: ZooConfig) {
  for (const { line, message } of config.warnings) {
    yield* Effect.logWarning(line === null ? message : `line ${line}: ${message}`)
  }
  if (config.lastSeen !== null && config.lastSeen.version > config.verifier.version) {
    const { lastSeen } = config
    const version = QuorumVerifier.versionText(lastSeen)
    yield* Effect.logInfo(
      `configuration ${version} is pending: a leader needs a quorum of ${QuorumVerifier.describe(lastSeen)}, too`
    )
  }
  const electable = config.electable ? "" : "; this server is not electable"
  yield* Effect.logInfo(`server ${config.mySid} of ${QuorumVerifier.describe(config.verifier)}${electable}`)
})
