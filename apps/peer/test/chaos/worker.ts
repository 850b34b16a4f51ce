/**
 * A small service as an author writes it, that runs on every replica and works on one: a process to be killed.
 *
 * Its work is to write down that it works, and to write to a resource if there is one. The argument are its `Settings`.
 */
import * as Ensemble from "@conclave/core/Ensemble"
import * as Lease from "@conclave/core/Lease"
import * as NodeTransport from "@conclave/quorum-node/NodeTransport"
import * as FileHistory from "@conclave/quorum/FileHistory"
import * as Leadership from "@conclave/quorum/Leadership"
import type * as LeadershipStatus from "@conclave/quorum/LeadershipStatus"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import type { Term } from "@conclave/quorum/Term"
import * as TraceFile from "@conclave/quorum/TraceFile"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { openSync } from "node:fs"
import * as Entry from "./Entry.ts"
import * as Resource from "./Resource.ts"
import type { Settings } from "./Settings.ts"

const settings: Settings = JSON.parse(process.argv[2] ?? "")
const { dataDir, resource, timing, trace, voters } = settings
const journal = openSync(settings.journal, "a")
const who = { sid: BigInt(settings.sid), process: settings.process }

/** Between two steps of the work. */
const BEAT = "5 millis"

const note = (kind: Entry.Work["kind"], { epoch }: Term) =>
  Effect.sync(() => Entry.append(journal, { kind, at: Entry.now(), ...who, epoch }))

const work = Effect.fnUntraced(function*(term: Term) {
  yield* Effect.addFinalizer(() => note("end", term))
  yield* note("start", term)
  return yield* Effect.forever(Effect.delay(note("beat", term), BEAT))
})

// It never asks whether it still leads, takes no refusal for an answer, and writes once more when it is over: the
// resource has to protect itself.
const writeTo = (path: string) => (term: Term) =>
  Effect.gen(function*() {
    const { write } = yield* Resource.connect(path)
    const next = write({ token: term.epoch, from: who.sid })
    yield* Effect.addFinalizer(() => next)
    return yield* Effect.forever(Effect.delay(next, BEAT))
  })

const writeDown = Effect.gen(function*() {
  const { changes } = yield* Leadership.Leadership
  const append = (status: LeadershipStatus.LeadershipStatus) => Effect.sync(() => Entry.append(journal, entry(status)))
  yield* Effect.forkScoped(Stream.runForEach(changes, append))
})

const entry = (status: LeadershipStatus.LeadershipStatus): Entry.Status => ({
  kind: "status",
  at: Entry.now(),
  ...who,
  state: status._tag,
  epoch: status._tag === "LOOKING" ? null : status.epoch,
  leader: status._tag === "LOOKING" ? null : status._tag === "LEADING" ? who.sid : status.leader,
  reason: status._tag === "LOOKING" ? status.reason._tag : ""
})

const { finalizeWait, lease, ...ticks } = timing
const activation = QuorumConfig.activation({ ticks, lease: lease === null ? null : Lease.make(lease) })

const peer = QuorumPeer.layer.pipe(Layer.provide([
  QuorumConfig.layerVoters(who.sid, voters, {
    activation,
    timing: { ...Ensemble.defaultTiming, finalizeWait },
    handshakeTimeout: ticks.syncLimit * ticks.tickTime
  }),
  FileHistory.layer({ dataDir }).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer])),
  TraceFile.layer(Option.fromNullOr(trace)).pipe(Layer.provide(NodeFileSystem.layer)),
  NodeTransport.layerTcp()
]))

const service = Layer.mergeAll(
  Layer.effectDiscard(writeDown),
  Leadership.singleton(work, { name: "work" }),
  resource === null ? Layer.empty : Leadership.singleton(writeTo(resource), { name: "writer" })
)

const logger = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

const main = Layer.launch(service.pipe(Layer.provide(Leadership.layer), Layer.provide(peer)))

main.pipe(
  Effect.tapCause((cause) => Effect.logFatal(cause)),
  Effect.provide(logger),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
