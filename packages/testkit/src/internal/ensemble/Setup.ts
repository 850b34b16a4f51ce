/** Makes up an ensemble: its members, their configurations, and the time they live in. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as TestClock from "effect/testing/TestClock"
import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import * as MemoryNetwork from "@conclave/quorum/MemoryNetwork"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import type { Options } from "../../TestEnsemble.ts"
import * as Chronicle from "./Chronicle.ts"
import * as HostClock from "./HostClock.ts"
import * as Journal from "./Journal.ts"
import * as Latency from "./Latency.ts"
import * as Machine from "./Machine.ts"
import * as Replica from "./Replica.ts"
import * as Stage from "./Stage.ts"
import * as VirtualTime from "./VirtualTime.ts"

/** The host of a replica. */
export const host = (sid: bigint): string => `replica${sid}`

/** How long a disk takes unless told otherwise, in milliseconds: an SSD's order of magnitude. Ours. */
const SYNC_TIME = 1

/** The replicas, none of which runs. What they need from outside they find in the context. */
export const make = Effect.fnUntraced(function*(options: Options, outside: Context.Context<never>) {
  const { latency: usual = 0, observers = 0, position, seed = "", syncTime = SYNC_TIME, voters = 3, ...rest } = options
  const { started: _, ...activation } = rest
  if (!(voters >= 1)) return yield* Stage.misuse(`an ensemble needs at least one voter, not ${voters}`)
  const time = VirtualTime.make()
  const journal = Journal.make(time.now)
  const chronicle = Chronicle.make(time.now)
  const latency = Latency.make(time, usual)
  const network = yield* Effect.provide(MemoryNetwork.MemoryNetwork, MemoryNetwork.layerTravel(latency.travel))
  const shared = { time, journal, chronicle, network }
  const servers = Array.from({ length: voters + observers }, (_, index) => {
    const sid = BigInt(index + 1)
    const address = { ...QuorumConfig.defaultPorts, host: host(sid) }
    return QuorumServer.make(sid, address, index < voters ? "participant" : "observer")
  })
  const committed = QuorumVerifier.majority({ servers })
  const config = (sid: bigint) =>
    QuorumConfig.layer({
      activation: QuorumConfig.activation(activation),
      ensemble: Ensemble.make({ mySid: sid }),
      membership: Ensemble.membership({ mySid: sid, committed })
    })
  const replicas = new Map<bigint, Replica.Replica>()
  for (const { sid } of servers) {
    const parts = { ...shared, host: host(sid), config: config(sid), position, syncTime, seed, outside }
    replicas.set(sid, yield* Replica.make(parts, sid))
  }
  const stage: Stage.Stage = { ...shared, latency, replicas, voters, programs: [] }
  return stage
})

/** The clock of the test itself: Effect's test clock, but for the time of an ensemble. */
export const testClock = (stage: Stage.Stage): Effect.Effect<TestClock.TestClock> =>
  Effect.map(Clock.Clock, (around) => {
    const { clock } = Machine.make(stage.time, HostClock.make(stage.time))
    const withLive: TestClock.TestClock["withLive"] = (effect) =>
      isTestClock(around) ? around.withLive(effect) : Effect.provideService(effect, Clock.Clock, around)
    return {
      ...clock,
      adjust: (duration) => Stage.advance(stage, duration),
      setTime: (timestamp) =>
        Effect.suspend(() => Stage.advance(stage, Duration.millis(timestamp - clock.currentTimeMillisUnsafe()))),
      withLive
    }
  })

const isTestClock = (clock: Clock.Clock): clock is TestClock.TestClock => "withLive" in clock
