/**
 * The executable: its commands, and the services of Node that they need.
 */
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ConformCommand from "./ConformCommand.ts"
import * as ElectCommand from "./ElectCommand.ts"
import * as EnsembleCommand from "./EnsembleCommand.ts"
import * as ExplainCommand from "./ExplainCommand.ts"
import * as ExploreCommand from "./ExploreCommand.ts"
import * as PeerCommand from "./PeerCommand.ts"
import * as Process from "./Process.ts"
import * as SimulateCommand from "./SimulateCommand.ts"

const conclave = Command.make("conclave", EnsembleCommand.flags, EnsembleCommand.run).pipe(
  Command.withDescription("Leader election, compatible with ZooKeeper. Without a command: an ensemble on loopback."),
  Command.withSubcommands([
    EnsembleCommand.command,
    PeerCommand.command,
    ElectCommand.command,
    SimulateCommand.command,
    ExploreCommand.command,
    ExplainCommand.command,
    ConformCommand.command
  ])
)

const services = NodeChildProcessSpawner.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer, NodeTerminal.layer))
)

Process.runMain(Command.run(conclave, { version: "0.1.0" }).pipe(Effect.provide(services)))
