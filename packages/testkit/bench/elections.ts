/** How many elections one core simulates in a second, and how many it decides with nothing around them. */
import * as Election from "@conclave/core/Election"
import type { Notification } from "@conclave/core/Notification"
import * as Profile from "../src/Profile.ts"
import * as Random from "../src/Random.ts"
import * as Reducers from "../src/Reducers.ts"
import type { Fault, Member, Scenario } from "../src/Scenario.ts"
import * as Simulator from "../src/Simulator.ts"

/** What so much processor time brought, in seconds. */
export interface Figures {
  readonly simulations: number
  readonly elections: number
  /** Searches that ended with a leader; an election of five peers is five of them. */
  readonly searches: number
  readonly steps: number
  readonly seconds: number
}

/** How long is measured, in milliseconds of processor time. */
const MILLIS = 2_500

/** And how long before that: an engine goes on compiling during the first ten thousand simulations. */
const WARM_UP = 12_000

/** What is measured, by name: simulations of five voters with all checks, and last the reducer without any. */
export const kinds = {
  calm: () => simulate("calm"),
  lossy: () => simulate("lossy"),
  partitions: () => simulate("partitions"),
  crashes: () => simulate("crashes"),
  chaos: () => simulate("chaos"),
  "in a row, all look at once": () => inARow("AtOnce"),
  "the same, by the original's rules": () => inARow("AtOnce", "zookeeper"),
  "in a row, one looks after another": () => inARow("OneByOne"),
  "in a row, the leader is killed": () => inARow("Killed"),
  "the reducer alone": () => bare()
} satisfies Record<string, () => Figures>

/** The name of something that is measured. */
export type Kind = keyof typeof kinds

const simulate = (profile: Profile.ProfileName): Figures => run((seed) => Profile.draw(profile, 5, seed))

// How each of the elections in a row begins: all five look again at the same moment; or one 3 ms after the other, when
// who has not yet begun answers with the leader it has; or the leader is killed, and started again 200 ms later.
type Beginning = "AtOnce" | "OneByOne" | "Killed"

// One a second, with all checks, and nothing between them: while messages are lost and doubled, and connections break.
const inARow = (beginning: Beginning, rules: Member["rules"] = "conclave"): Figures =>
  run((seed) => {
    const scenario = Profile.draw("lossy", 5, seed)
    const faults = Array.from({ length: ELECTIONS }, (_, index) => [
      ...beginningOf(beginning, scenario, index, (index + 1) * PERIOD),
      ...(index % 2 === 0 ? [reset(index)] : [])
    ])
    // Where nobody knows more the two highest ids lead in turn.
    const facts = beginning === "Killed" ? { zxid: 0, epoch: 0 } : {}
    return {
      ...scenario,
      members: scenario.members.map((member) => ({ ...member, ...facts, rules })),
      latency: [1, 20],
      loss: 5,
      duplication: 5,
      activation: false,
      faultsUntil: (ELECTIONS + 2) * PERIOD,
      faults: faults.flat().sort((a, b) => a.at - b.at)
    }
  })

const ELECTIONS = 60
const PERIOD = 1_000

const beginningOf = (
  beginning: Beginning,
  { members }: Scenario,
  index: number,
  at: number
): ReadonlyArray<Fault> =>
  beginning === "Killed"
    ? [{ _tag: "Crash", at, for: 200, sid: index % 2 === 0 ? 5 : 4, power: false }]
    : members.map(({ sid }) => ({ _tag: "Look", at: beginning === "AtOnce" ? at : at + sid * 3, sid }))

const reset = (index: number): Fault =>
  ({ _tag: "Reset", at: index * PERIOD + 100, between: [index % 5 + 1, (index + 1) % 5 + 1] })

const run = (draw: (seed: number) => Scenario): Figures => {
  let seed = 1
  return measure((figures) => {
    const { stats, violation } = Simulator.run(draw(seed++))
    if (violation !== null) throw new Error(`seed ${seed - 1}: ${violation.property}, ${violation.detail}`)
    figures.elections += stats.elections
    figures.searches += stats.searches
    figures.steps += stats.steps
  })
}

// Cold starts of five peers, messages handed over in any order and in no time: what the reducer alone allows.
const bare = (): Figures => {
  const random = Random.make(1)
  // Somebody who is there in every calm scenario is asked for the peers: before anything happened.
  const states = new Map<bigint, Election.State>()
  const ensembles = new Map<bigint, Parameters<typeof Election.step>[0]>()
  const capture: typeof Election.step = (ensemble, state, event) => {
    if (!states.has(ensemble.mySid)) states.set(ensemble.mySid, state)
    ensembles.set(ensemble.mySid, ensemble)
    return Election.step(ensemble, state, event)
  }
  const reducers = { ...Reducers.shipped, Election: { ...Election, step: capture } }
  Simulator.run(Profile.draw("calm", 5, 1), { reducers })
  return measure((figures) => coldStart(random, ensembles, states, figures))
}

type Mutable = { -readonly [key in keyof Figures]: Figures[key] }

const measure = (once: (figures: Mutable) => void): Figures => {
  const round = (millis: number) => {
    const figures: Mutable = { simulations: 0, elections: 0, searches: 0, steps: 0, seconds: 0 }
    const start = process.cpuUsage()
    while (figures.seconds * 1_000 < millis) {
      for (let i = 0; i < 20; i++) once(figures)
      figures.simulations += 20
      const { system, user } = process.cpuUsage(start)
      figures.seconds = (system + user) / 1e6
    }
    return figures
  }
  round(WARM_UP)
  return round(MILLIS)
}

const coldStart = (
  random: Random.Random,
  ensembles: ReadonlyMap<bigint, Parameters<typeof Election.step>[0]>,
  initial: ReadonlyMap<bigint, Election.State>,
  figures: Mutable
): void => {
  const states = new Map(initial)
  const sent: Array<readonly [to: bigint, notification: Notification]> = []
  const finalizing = new Set<bigint>()
  const step = (sid: bigint, event: Election.Event) => {
    const [state, outputs] = Election.step(ensembles.get(sid)!, states.get(sid)!, event)
    states.set(sid, state)
    figures.steps++
    for (const output of outputs) {
      if (output._tag === "Send") {
        const { config, electionEpoch, leader, peerEpoch, state, to, zxid } = output.toSend
        sent.push([to, { from: sid, version: 2, state, leader, zxid, electionEpoch, peerEpoch, config }])
      } else if (output._tag === "SetTimer" && output.timer === "Finalize") finalizing.add(sid)
      else if (output._tag === "SetTimer" || output._tag === "CancelTimer") finalizing.delete(sid)
      else if (output._tag === "Elected") figures.searches++
    }
  }
  for (const sid of states.keys()) step(sid, { _tag: "LookForLeader", lastLoggedZxid: 0n, currentEpoch: 0n })
  for (let next = 0; next < sent.length; next++) {
    const other = next + random.below(Math.min(8, sent.length - next))
    const [to, notification] = sent[other]!
    sent[other] = sent[next]!
    step(to, { _tag: "Received", notification })
    if (next + 1 === sent.length) for (const sid of Array.from(finalizing)) step(sid, { _tag: "FinalizeTimeout" })
  }
  figures.elections++
}
