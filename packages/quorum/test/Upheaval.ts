/**
 * An ensemble under random faults and wishes, drawn from a seed: processes killed,
 * started again and stopped, machines taken away, the network cut, deaf and slow,
 * leaders asked to make room. What must never happen is looked for all the while.
 */
import type { Sid } from "@conclave/core/Sid"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Random from "../../core/test/support/Random.ts"
import { MemoryNetwork } from "../src/MemoryNetwork.ts"
import type { Activation } from "../src/QuorumConfig.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { host } = Cluster

/** What an upheaval is made of. */
export interface Options {
  readonly size: number
  /** How many things happen. */
  readonly events: number
  readonly activation: Partial<Activation>
}

/** What came of it. */
export interface Outcome {
  readonly ledger: Leaders.Ledger
  /** What happened, one line each, to tell of a failure. */
  readonly story: ReadonlyArray<string>
  /** How long it took until all agreed, from when the last fault was over; in milliseconds. */
  readonly settled: number
  /** The epoch in which they did. */
  readonly epoch: bigint
}

/** By then all have a leader once all run and can talk, in seconds. */
export const BOUND = 10

/** Runs one. Fails when two lead in one epoch, or when the rest do not agree afterwards. */
export const run = Effect.fnUntraced(function*(random: Random.Random, options: Options) {
  const { events, size } = options
  const everybody = Cluster.sids(1, size)
  const network = yield* MemoryNetwork
  const clock = yield* Clock.Clock
  const ledger = yield* Leaders.ledger
  const alive = new Map<Sid, Cluster.Member>()
  const last = new Map<Sid, Cluster.Member>()
  const leaders = new Map<bigint, Cluster.Member>()
  const story: Array<string> = []
  const tell = (line: string) => void story.push(`${clock.currentTimeMillisUnsafe()} ${line}`)
  const told = () => assert.fail(`${story.join("\n")}\n${ledger.overlaps.join("\n")}`)

  const start = Effect.fnUntraced(function*(sid: Sid) {
    const before = last.get(sid)
    const member = yield* Cluster.start(size, sid, {
      ...Leaders.activated(options.activation),
      ...(before === undefined ? {} : { history: before.history })
    })
    alive.set(sid, member)
    last.set(sid, member)
    yield* ledger.guard(member, Effect.sleep(random.below(40)))
    yield* Effect.forkScoped(Stream.runForEach(member.leadership.changes, (status) =>
      Effect.sync(() => {
        if (status._tag !== "LEADING") return
        tell(`server ${sid} leads in epoch ${status.epoch}`)
        if ((leaders.get(status.epoch) ?? member) !== member) told()
        leaders.set(status.epoch, member)
      })))
  })
  const pass = Effect.fnUntraced(function*(millis: number) {
    for (let step = 0; step < millis / 20; step++) yield* Cluster.tick
  })
  const someone = () => (alive.size === 0 ? undefined : random.pick(Array.from(alive.values())))
  const split = () => {
    const some = everybody.filter(() => random.percent(50)).map(host)
    return [some, everybody.map(host).filter((one) => !some.includes(one))] as const
  }

  const happenings: ReadonlyArray<() => Effect.Effect<unknown, unknown, never>> = [
    () => end("crash"),
    () => end("crash"),
    () => end("vanish"),
    () => end("stop"),
    () => Effect.suspend(() => {
      const [some, rest] = split()
      tell(`partition of ${some}`)
      return network.partition(some, rest)
    }),
    () => Effect.suspend(() => {
      const [some, rest] = split()
      tell(`nothing gets from ${some} to ${rest}`)
      return network.partitionOneWay(some, rest)
    }),
    () => Effect.suspend(() => {
      const [some, rest] = split()
      tell(`what ${some} say is late`)
      return network.hold(some, rest)
    }),
    () => Effect.suspend(() => {
      const [some, rest] = split()
      tell(`reset between ${some} and ${rest}`)
      return network.reset(some, rest)
    }),
    () => Effect.suspend(() => {
      tell("heal")
      return network.heal
    }),
    () => ask((member) => member.leadership.resign, "resign"),
    () => ask((member) => Effect.ignore(member.leadership.transferTo(random.pick(everybody))), "make room"),
    () => ask((member) => member.peer.lookForLeader, "look"),
    () => mutiny
  ]
  const end = (how: "crash" | "vanish" | "stop") =>
    Effect.suspend(() => {
      const member = someone()
      if (member === undefined) return Effect.void
      tell(`${how} of ${member.sid}`)
      alive.delete(member.sid)
      if (how === "stop") return Leaders.stopAll([member])
      return Effect.andThen(member[how], ledger.gone(member))
    })
  const ask = (what: (member: Cluster.Member) => Effect.Effect<void>, called: string) =>
    Effect.suspend(() => {
      const member = someone()
      if (member === undefined) return Effect.void
      tell(`${member.sid} is asked to ${called}`)
      return Effect.forkDetach(what(member))
    })
  // Followers that want another leader, while theirs hears nothing of it.
  const mutiny = Effect.suspend(() => {
    const one = random.pick(everybody)
    const others = everybody.filter((sid) => sid !== one)
    tell(`mutiny against ${one}`)
    const looking = Array.from(alive.values()).filter(({ sid }) => sid !== one)
    return Effect.andThen(
      network.partition(host(one), others.map(host)),
      Effect.forEach(looking, ({ peer }) => peer.lookForLeader)
    )
  })
  const startSome = Effect.fnUntraced(function*(percent: number) {
    for (const sid of everybody) {
      if (alive.has(sid) || !random.percent(percent)) continue
      tell(`start of ${sid}`)
      yield* start(sid)
    }
  })

  const happen = Effect.gen(function*() {
    yield* startSome(100)
    yield* pass(random.below(2_000))
    for (let event = 0; event < events; event++) {
      yield* random.pick(happenings)()
      yield* pass(random.below(random.pick([100, 400, 900])))
      yield* startSome(30)
    }
    yield* network.heal
    yield* startSome(100)
    tell("peace")
    const settling = yield* Clock.currentTimeMillis
    const members = Array.from(alive.values())
    const { epoch, since } = yield* Effect.catchDefect(Leaders.led(members, BOUND), (defect) => {
      story.push(String(defect))
      return Effect.sync(told)
    })
    yield* Effect.catchDefect(Leaders.stays(members, 1, Leaders.agree), (defect) => {
      story.push(String(defect))
      return Effect.sync(told)
    })
    const outcome: Outcome = { ledger, story, settled: since - settling, epoch }
    return outcome
  })
  // What still ends needs the clock: who stops, and what is left of the dead.
  const finish = Effect.suspend(() => Effect.andThen(Leaders.stopAll(Array.from(alive.values())), pass(2_000)))
  return yield* Effect.ensuring(happen, finish)
})
