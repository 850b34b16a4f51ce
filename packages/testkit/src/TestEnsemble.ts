/**
 * An ensemble in memory for the tests of a service: replicas that run its code as it
 * is, a clock that the test moves, and everything that can go wrong.
 *
 * Each replica is the production code over the in-memory network, with a clock and a
 * scheduler of its own. All fibers of a test take their turns from one queue, so the
 * same test has the same course, whatever the machine is busy with.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import type { Sid } from "@conclave/core/Sid"
import type { LeadershipStatus } from "@conclave/quorum/LeadershipStatus"
import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import type * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import type * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import type { TransferRefused } from "@conclave/quorum/Tenure"
import * as Leaders from "./internal/ensemble/Leaders.ts"
import * as Partitions from "./internal/ensemble/Partitions.ts"
import * as Lives from "./internal/ensemble/Lives.ts"
import type * as Replica from "./internal/ensemble/Replica.ts"
import * as Setup from "./internal/ensemble/Setup.ts"
import * as Stage from "./internal/ensemble/Stage.ts"
import type { NotReached } from "./NotReached.ts"

/** How an ensemble is made up. Lease, ticks and so on are given as to `NodeLeadership.layer`, and default as there. */
export interface Options extends QuorumConfig.ActivationOptions {
  /** How many replicas vote; they are 1, 2 and so on. 3 unless given. */
  readonly voters?: number
  /** How many replicas follow without a vote, with the ids after those. None unless given. */
  readonly observers?: number
  /** Which replicas run at the beginning; all unless given. */
  readonly started?: ReadonlyArray<Sid>
  /** How far a replica's own log goes, asked at each election; see `History.withPosition` and `Preference`. */
  readonly position?: (sid: Sid) => Effect.Effect<bigint>
  /** How long a replica's disk takes to write an epoch, in milliseconds; at a crash, what is under way is lost. 1. */
  readonly syncTime?: number
  /** How long bytes take from one replica to another, one way; 0 unless given. */
  readonly latency?: Duration.Input
  /** Decides what `Random` draws on each replica. */
  readonly seed?: string
}

/** What code on a replica finds there, besides what the test provides. */
export type Services = Replica.Services

/** Who leads, and its fencing token. */
export type Leader = Stage.Leader

/** How effects are run on a replica that has these services. */
export interface On<Provided> {
  /** Runs an effect on a replica, moves time until it has ended, and gives its result. */
  readonly run: <A, E, R>(
    sid: Sid,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | NotReached, Exclude<R, Provided>>
  /** Starts an effect on a replica. It ends with the process, and is never heard of again if that crashes. */
  readonly fork: <A, E, R>(
    sid: Sid,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<Fiber.Fiber<A, E>, never, Exclude<R, Provided>>
}

/** The ensemble of a test. To ask for a replica that there is not, or that is down, is a defect. */
export class TestEnsemble extends Context.Service<TestEnsemble, On<Services> & {
  /** Every replica, up or down. */
  readonly sids: ReadonlyArray<Sid>
  /**
   * Starts a service on every replica that runs, and from now on whenever one starts. It is the Layer that is deployed,
   * over `Leadership`; what else it needs is taken from the test and shared by all replicas, as a database is. Returns
   * once it is up everywhere, and gives access to what it provides.
   */
  readonly deploy: <A, E, R>(
    service: Layer.Layer<A, E, R>
  ) => Effect.Effect<On<A | Services>, E | NotReached, Exclude<R, Services>>

  /** Starts a replica that is down, with the epochs that its disk has, and what is deployed. */
  readonly start: (sid: Sid) => Effect.Effect<void, QuorumPeer.StartError | NotReached>
  /** Stops a replica in good order, as SIGTERM does, and waits until it is down. */
  readonly stop: (sid: Sid) => Effect.Effect<void, NotReached>
  /**
   * Ends a replica as SIGKILL does: no fiber of it takes another step, no finalizer runs, its connections break, and
   * who dials it is refused. Its disk keeps the epochs that were written.
   */
  readonly crash: (sid: Sid) => Effect.Effect<void>
  /** As `crash`, but the machine is gone, too: nobody hears anything of it, until `heal`. */
  readonly vanish: (sid: Sid) => Effect.Effect<void>
  /** Crashes a replica if it runs, and starts it again. */
  readonly restart: (sid: Sid) => Effect.Effect<void, QuorumPeer.StartError | NotReached>
  /**
   * Stops a replica as SIGSTOP does, or a long pause of its virtual machine: no fiber of it takes another step, while
   * time goes on. Code of the service may call this on its own replica; it stops before one of its next steps.
   */
  readonly pause: (sid: Sid) => Effect.Effect<void>
  /** Lets a paused replica go on; what it waited for has happened, and its clock is as far as all others. */
  readonly resume: (sid: Sid) => Effect.Effect<void>
  /** Makes the clock of a replica, up or down, run at this rate from now on: 1.01 is one per cent fast. */
  readonly skewClock: (sid: Sid, rate: number) => Effect.Effect<void>

  /** From now on only replicas of the same group reach each other, and earlier faults are over. The rest is a group. */
  readonly partition: (...groups: ReadonlyArray<ReadonlyArray<Sid>>) => Effect.Effect<void>
  /** Besides, nothing gets from these to those; the other way it does. No connection can be made in either. */
  readonly partitionOneWay: (from: ReadonlyArray<Sid>, to: ReadonlyArray<Sid>) => Effect.Effect<void>
  /** From now on what these send to those takes so long, one way, until `heal`. */
  readonly delay: (from: ReadonlyArray<Sid>, to: ReadonlyArray<Sid>, latency: Duration.Input) => Effect.Effect<void>
  /** Ends every fault of the network; what waited arrives. */
  readonly heal: Effect.Effect<void>
  /** The network, for other faults; a replica's host is `host(sid)`. */
  readonly network: MemoryNetwork.MemoryNetwork["Service"]

  /** Makes every replica that runs look for a leader again, and waits for one in a new epoch; it may be the same. */
  readonly elect: Effect.Effect<Leader, NotReached>
  /** Waits for a leader, asks it to make room for this replica, and waits until that leads. */
  readonly transferTo: (sid: Sid) => Effect.Effect<Leader, TransferRefused | NotReached>
  /** The leader of the highest epoch that a majority has, as they see it now; `null` if there is none. */
  readonly leader: Effect.Effect<Leader | null>
  /** Waits for such a leader, and for who is about to join it; `after` another, for one of a later epoch. */
  readonly awaitLeader: (options?: {
    readonly after?: Leader
    readonly within?: Duration.Input
  }) => Effect.Effect<Leader, NotReached>

  /** Moves time by so much; all that is due until then has happened when it returns. */
  readonly advance: (duration: Duration.Input) => Effect.Effect<void>
  /** Moves time until the condition holds; it is asked after whatever happens. Fails after 2 min, or `within`. */
  readonly until: <E = never, R = never>(
    condition: Stage.Condition<E, R>,
    options?: { readonly what?: string; readonly within?: Duration.Input }
  ) => Effect.Effect<void, E | NotReached, R>

  /** How the replicas stand that are up. */
  readonly statuses: Effect.Effect<ReadonlyMap<Sid, LeadershipStatus>>
  /** What has happened: faults, changes of status, and what replicas log, with the time. The last 10,000 lines. */
  readonly log: Effect.Effect<ReadonlyArray<string>>
  /**
   * Why it has happened, as `conclave explain` tells it: who won each election on what ground, who changed its mind
   * because of whom, who was late, what came of it, and among that what the test did. A replica is a server here.
   */
  readonly story: Effect.Effect<ReadonlyArray<string>>
  /**
   * Every decision of every replica with its reason: the text of a trace as a peer writes it, for `conclave explain`
   * and `conclave conform`. The last 20,000 lines at least, which is an hour with ticks of 2 s; times are the test's.
   */
  readonly trace: Effect.Effect<string>
}>()("@conclave/testkit/TestEnsemble") {}

/** The host of a replica in the network. */
export const host: (sid: Sid) => string = Setup.host

/**
 * An ensemble that starts with the Layer. When its scope closes, replicas that run stop in good order, within 10 s of
 * their time.
 *
 * It takes the place of the test's clock: whoever has the Layer lives in its time, which `TestClock.adjust` moves as
 * `advance` does. Services that stand for the world outside, such as a table, belong above it.
 */
export const layer = (options: Options = {}): Layer.Layer<TestEnsemble, QuorumPeer.StartError | NotReached> =>
  Layer.effectContext(Effect.gen(function*() {
    const stage = yield* Setup.make(options, yield* Effect.context<never>())
    const clock = yield* Setup.testClock(stage)
    yield* Effect.addFinalizer(() => Lives.shutdown(stage))
    const ensemble = make(stage)
    yield* Lives.start(stage, options.started ?? ensemble.sids)
    return Context.make(TestEnsemble, ensemble).pipe(
      Context.add(Clock.Clock, clock),
      Context.add(Scheduler.Scheduler, stage.time.scheduler)
    )
  }))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const make = (stage: Stage.Stage): TestEnsemble["Service"] => TestEnsemble.of({
  ...on<Services>(stage),
  sids: Array.from(stage.replicas.keys()),
  deploy: (service) => deploy(stage, service),
  start: (sid) => Lives.start(stage, [sid]),
  stop: (sid) => Lives.stop(stage, sid),
  crash: (sid) => Lives.crash(stage, sid),
  vanish: (sid) => Lives.vanish(stage, sid),
  restart: (sid) => Lives.restart(stage, sid),
  pause: (sid) => Lives.pause(stage, sid),
  resume: (sid) => Lives.resume(stage, sid),
  skewClock: (sid, rate) => Lives.skewClock(stage, sid, rate),
  partition: (...groups) => Partitions.partition(stage, groups),
  partitionOneWay: (from, to) => Partitions.partitionOneWay(stage, from, to),
  delay: (from, to, latency) => Partitions.delay(stage, from, to, latency),
  heal: Partitions.heal(stage),
  network: stage.network,
  elect: Leaders.elect(stage),
  transferTo: (sid) => Leaders.transferTo(stage, sid),
  leader: Stage.leader(stage),
  awaitLeader: (options) => Leaders.awaitLeader(stage, options),
  advance: (duration) => Stage.advance(stage, duration),
  until: (condition, options) => Stage.until(stage, options?.what ?? "a condition", condition, options?.within),
  statuses: Effect.map(Stage.statuses(stage), (all) => new Map(all)),
  log: Effect.sync(() => stage.journal.lines.slice()),
  story: Effect.sync(() => Stage.story(stage)),
  trace: Effect.sync(stage.chronicle.trace)
})

const deploy = Effect.fnUntraced(function*<A, E, R>(stage: Stage.Stage, service: Layer.Layer<A, E, R>) {
  // What it needs is in the context, or in the process on which it is built.
  const program: Replica.Program<E> = {
    layer: service as unknown as Layer.Layer<never, E>,
    context: yield* Effect.context<Exclude<R, Services>>()
  }
  stage.programs.push(program)
  const running = Array.from(stage.replicas.values()).flatMap(({ life }) => life ?? [])
  yield* Lives.install(stage, program, running)
  return on<A | Services>(stage)
})

const on = <Provided>(stage: Stage.Stage): On<Provided> => {
  const fork: On<Provided>["fork"] = Effect.fnUntraced(function*<A, E, R>(sid: Sid, effect: Effect.Effect<A, E, R>) {
    const life = yield* Stage.lifeOf(stage, sid)
    const context = yield* Effect.context<Exclude<R, Provided>>()
    return life.fork(effect as Effect.Effect<A, E>, context as Context.Context<never>)
  })
  return {
    fork,
    run: (sid, effect) =>
      Effect.flatMap(fork(sid, effect), (fiber) =>
        Effect.andThen(Stage.ended(stage, `the end of an effect on replica ${sid}`, [fiber]), Fiber.join(fiber)))
  }
}
