/** Who reaches whom, and how soon, by the ids of replicas. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Setup from "./Setup.ts"
import * as Stage from "./Stage.ts"

type Group = ReadonlyArray<bigint>

/** From now on only replicas of the same group reach each other; who is in none is in one more group. */
export const partition = Effect.fnUntraced(function*(stage: Stage.Stage, groups: ReadonlyArray<Group>) {
  const named = yield* checked(stage, groups.flat())
  if (new Set(named).size < named.length) return yield* Stage.misuse("a replica is in two groups of a partition")
  const rest = Array.from(stage.replicas.keys()).filter((sid) => !named.includes(sid))
  const all = [...groups, rest].filter((group) => group.length > 0)
  stage.journal.write(null, `the network falls apart: ${all.map(told).join(" ")}`)
  yield* stage.network.heal
  for (const [index, group] of all.entries()) {
    yield* stage.network.partition(group.map(Setup.host), all.slice(index + 1).flat().map(Setup.host))
  }
})

/** Nothing gets from these to those. */
export const partitionOneWay = Effect.fnUntraced(function*(stage: Stage.Stage, from: Group, to: Group) {
  yield* checked(stage, [...from, ...to])
  stage.journal.write(null, `nothing gets from ${told(from)} to ${told(to)} any more`)
  yield* stage.network.partitionOneWay(from.map(Setup.host), to.map(Setup.host))
})

/** What these send to those takes so long from now on. */
export const delay = Effect.fnUntraced(function*(stage: Stage.Stage, from: Group, to: Group, latency: Duration.Input) {
  yield* checked(stage, [...from, ...to])
  const millis = Duration.toMillis(Duration.fromInputUnsafe(latency))
  stage.journal.write(null, `from ${told(from)} to ${told(to)} it takes ${millis} ms`)
  for (const one of from) for (const other of to) stage.latency.set(Setup.host(one), Setup.host(other), latency)
})

/** Ends every fault. */
export const heal = ({ journal, latency, network }: Stage.Stage) =>
  Effect.suspend(() => {
    journal.write(null, "the network heals")
    latency.reset()
    return network.heal
  })

const checked = (stage: Stage.Stage, sids: Group) =>
  Effect.as(Effect.forEach(sids, (sid) => Stage.replicaOf(stage, sid)), sids)

const told = (group: Group): string => `{${group.join(", ")}}`
