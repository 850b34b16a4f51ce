/**
 * One replica: a host with a clock and a disk, and at times a process on it, which
 * is the production code over the in-memory network.
 */
import * as Context from "effect/Context"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as History from "@conclave/quorum/History"
import * as Leadership from "@conclave/quorum/Leadership"
import * as LeadershipStatus from "@conclave/quorum/LeadershipStatus"
import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import type { QuorumConfig } from "@conclave/quorum/QuorumConfig"
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import type { Tenure } from "@conclave/quorum/Tenure"
import { TraceSink } from "@conclave/quorum/TraceSink"
import type { Chronicle } from "./Chronicle.ts"
import * as HostClock from "./HostClock.ts"
import type { Journal } from "./Journal.ts"
import * as Machine from "./Machine.ts"
import type { VirtualTime } from "./VirtualTime.ts"

/** What every process has, whatever is deployed on it. */
export type Services = Leadership.Leadership | QuorumPeer.QuorumPeer | Tenure

/** A Layer that runs on every replica, and what it gets from outside. */
export interface Program<out E = unknown> {
  readonly layer: Layer.Layer<never, E>
  readonly context: Context.Context<never>
}

/** A process. */
export interface Life {
  readonly machine: Machine.Machine
  /** Runs an effect in it. It has what the context has, but what the process has of its own comes first. */
  readonly fork: <A, E, R>(effect: Effect.Effect<A, E, R>, context: Context.Context<R>) => Fiber.Fiber<A, E>
  /** Ends when there is leadership. */
  readonly booting: Fiber.Fiber<void, QuorumPeer.StartError>
  /** Starts a program on it; ends when that is up. */
  readonly install: <E>(program: Program<E>) => Fiber.Fiber<unknown, E>
  /** Ends the process in good order. */
  readonly close: () => Fiber.Fiber<void>
  /** `null` while it boots. */
  readonly leadership: () => Leadership.Leadership["Service"] | null
  readonly peer: () => QuorumPeer.QuorumPeer["Service"] | null
}

/** A replica; mutable, as a test makes things happen to it. */
export interface Replica {
  readonly sid: bigint
  readonly host: string
  readonly clock: HostClock.HostClock
  readonly boot: () => Life
  life: Life | null
}

/** What replicas are made from. */
export interface Options {
  readonly time: VirtualTime
  readonly journal: Journal
  readonly chronicle: Chronicle
  readonly network: MemoryNetwork.MemoryNetwork["Service"]
  readonly host: string
  readonly config: Layer.Layer<QuorumConfig>
  readonly position: ((sid: bigint) => Effect.Effect<bigint>) | undefined
  /** How long the disk takes to write, in milliseconds. */
  readonly syncTime: number
  readonly seed: string
  /** What replicas have from outside. */
  readonly outside: Context.Context<never>
}

/** A replica that has never run. */
export const make = Effect.fnUntraced(function*(options: Options, sid: bigint) {
  const { host, network, syncTime, time } = options
  const clock = HostClock.make(time)
  const disk = withSyncTime(yield* History.make(), syncTime)
  const position = options.position?.(sid)
  const history = position === undefined ? disk : History.withPosition(disk, position)
  const base = Leadership.layer.pipe(
    Layer.provideMerge(QuorumPeer.layer),
    Layer.provide([
      options.config,
      Layer.succeed(History.History, history),
      MemoryNetwork.layerTransport(host)
    ]),
    Layer.provide(Layer.succeed(MemoryNetwork.MemoryNetwork, network))
  )
  let boots = 0
  const replica: Replica = {
    sid,
    host,
    clock,
    boot: () => {
      const seed = `${options.seed}, replica ${sid}, start ${++boots}`
      return start(options, sid, Machine.make(time, clock), seed, base)
    },
    life: null
  }
  return replica
})

// What is on its way to the disk when the process is killed does not get there.
const withSyncTime = (disk: History.History["Service"], millis: number): History.History["Service"] => ({
  read: disk.read,
  setAcceptedEpoch: (epoch) => Effect.delay(disk.setAcceptedEpoch(epoch), millis),
  setCurrentEpoch: (epoch) => Effect.delay(disk.setCurrentEpoch(epoch), millis)
})

const start = (
  { chronicle, journal, outside }: Options,
  sid: bigint,
  machine: Machine.Machine,
  seed: string,
  base: Layer.Layer<Services, QuorumPeer.StartError>
): Life => {
  const scope = Scope.makeUnsafe()
  const memoMap = Layer.makeMemoMapUnsafe()
  let own = ownServices(machine, seed, journal.logger(sid), chronicle.sink)
  let services: Context.Context<Services> | null = null
  const fork: Life["fork"] = (effect, context) => Effect.runForkWith(Context.merge(context, own))(effect)
  const build = <A, E>(layer: Layer.Layer<A, E>) =>
    Effect.tap(Layer.buildWithMemoMap(layer, memoMap, scope), (built) =>
      Effect.sync(() => {
        own = Context.merge(own, built)
      }))
  const boot = Effect.flatMap(build(base), (built) => {
    services = built
    const tell = (status: LeadershipStatus.LeadershipStatus) =>
      Effect.sync(() => journal.note(sid, LeadershipStatus.describe(status)))
    const { changes } = Context.get(built, Leadership.Leadership)
    return Effect.asVoid(Scope.provide(Effect.forkScoped(Stream.runForEach(changes, tell)), scope))
  })
  return {
    machine,
    fork,
    booting: fork(boot, outside),
    install: ({ context, layer }) => fork(build(layer), context),
    close: () => fork(Scope.close(scope, Exit.void), outside),
    leadership: () => services === null ? null : Context.get(services, Leadership.Leadership),
    peer: () => services === null ? null : Context.get(services, QuorumPeer.QuorumPeer)
  }
}

// What a process has whatever is deployed on it, and a test has otherwise.
const ownServices = (
  machine: Machine.Machine,
  seed: string,
  logger: Logger.Logger<unknown, void>,
  sink: TraceSink
) =>
  Context.empty().pipe(
    Context.add(Clock.Clock, machine.clock),
    Context.add(Scheduler.Scheduler, machine.scheduler),
    Context.add(Random.Random, Effect.runSync(Random.withSeed(Effect.service(Random.Random), seed))),
    Context.add(Logger.CurrentLoggers, new Set([logger])),
    Context.add(TraceSink, sink)
  )
