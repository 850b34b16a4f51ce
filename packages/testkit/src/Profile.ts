/**
 * Kinds of trouble, and how a scenario of a kind is drawn from a seed.
 */
import * as Rules from "@conclave/core/Rules"
import * as Random from "./Random.ts"
import type { Fault, Member, Scenario } from "./Scenario.ts"
import * as Contract from "./internal/Contract.ts"

/** How much of each kind of trouble there is. Faults are so many in ten seconds, on average. */
export interface Profile {
  readonly description: string
  /** Upper bounds of what is drawn: per hundred messages. */
  readonly loss: number
  readonly duplication: number
  /** Upper bound of the slowest message, in milliseconds. */
  readonly latency: number
  readonly crashes: number
  readonly pauses: number
  readonly cuts: number
  readonly resets: number
  readonly clogs: number
  readonly looks: number
  readonly resignations: number
  readonly jumps: number
  readonly lies: number
  readonly reconfigurations: number
  /** Clocks run at between so many hundredths of the right speed and its inverse. */
  readonly skew: number
  /** Of a hundred scenarios so many have weighted groups, observers, members that may not be elected, mixed rules. */
  readonly variety: number
  /** Of a hundred scenarios so many have a stranger that believes it is a member. */
  readonly strangers: number
  /** Members start within so many milliseconds. */
  readonly starts: number
}

const calm: Profile = {
  description: "nothing but delays; members start one after another",
  loss: 0,
  duplication: 0,
  latency: 20,
  crashes: 0,
  pauses: 0,
  cuts: 0,
  resets: 0,
  clogs: 0,
  looks: 0,
  resignations: 0,
  jumps: 0,
  lies: 0,
  reconfigurations: 0,
  skew: 100,
  variety: 0,
  strangers: 0,
  starts: 500
}

/** The kinds of trouble, by name. */
export const profiles = {
  calm,
  lossy: {
    ...calm,
    description: "messages are lost, doubled and late, and connections break",
    loss: 40,
    duplication: 20,
    latency: 300,
    resets: 6,
    looks: 2,
    resignations: 2
  },
  partitions: {
    ...calm,
    description: "cuts one way and both ways, connections that break or do not take anything",
    loss: 5,
    latency: 60,
    cuts: 6,
    resets: 4,
    clogs: 3,
    crashes: 1,
    resignations: 1
  },
  crashes: {
    ...calm,
    description: "processes are killed or lose power with what is not synced, and come late",
    latency: 40,
    crashes: 8,
    resets: 1,
    resignations: 1,
    starts: 8_000
  },
  skew: {
    ...calm,
    description: "clocks differ by up to a factor of 2.8, processes stand still",
    latency: 60,
    pauses: 8,
    crashes: 2,
    resignations: 1,
    jumps: 2,
    skew: 60,
    starts: 2_000
  },
  hostile: {
    ...calm,
    description: "somebody connects as anybody and lies; strangers take themselves for members",
    latency: 40,
    lies: 12,
    looks: 4,
    crashes: 3,
    resets: 3,
    strangers: 50,
    variety: 30
  },
  weights: {
    ...calm,
    description: "weighted groups, observers, two voters with an oracle, members that may not be elected, mixed rules",
    latency: 60,
    loss: 10,
    crashes: 5,
    cuts: 2,
    resets: 3,
    resignations: 1,
    variety: 100,
    starts: 2_000
  },
  reconfig: {
    ...calm,
    description: "newer configurations come up while members look",
    latency: 60,
    crashes: 3,
    resets: 2,
    resignations: 1,
    reconfigurations: 3,
    starts: 2_000
  },
  chaos: {
    description: "all of it",
    loss: 20,
    duplication: 10,
    latency: 120,
    crashes: 4,
    pauses: 3,
    cuts: 3,
    resets: 3,
    clogs: 2,
    looks: 1,
    resignations: 1,
    jumps: 1,
    lies: 1,
    reconfigurations: 0,
    skew: 60,
    variety: 40,
    strangers: 5,
    starts: 3_000
  }
} as const satisfies Record<string, Profile>

/** The name of a kind of trouble. */
export type ProfileName = keyof typeof profiles

/** The length of the phase in which there are faults, in milliseconds. */
const FAULTS_MIN = 5_000
const FAULTS_MAX = 20_000

/** A scenario of this kind for so many voters: the same seed, the same scenario. */
export const draw = (name: ProfileName, voters: number, seed: number): Scenario => {
  const profile: Profile = profiles[name]
  const random = Random.make(seed)
  const faultsUntil = random.between(FAULTS_MIN, FAULTS_MAX)
  const quorum = quorumOf(random, profile, voters)
  const members = membersOf(random, profile, voters, quorum)
  const least = random.between(1, 5)
  const latency = [least, least + random.below(profile.latency)] as const
  return {
    seed,
    quorum,
    members,
    pending: pendingOf(random, profile, members, quorum),
    latency,
    loopback: random.percent(30) ? random.below(profile.latency) : 0,
    loss: upTo(random, profile.loss),
    duplication: upTo(random, profile.duplication),
    bytes: random.percent(5),
    activation: true,
    maxNotificationInterval: random.pick([3_200, 60_000]),
    faultsUntil,
    faults: faultsOf(random, profile, members, faultsUntil),
    ...Contract.draw(random, members, latency[1])
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const upTo = (random: Random.Random, most: number): number => (most === 0 ? 0 : random.below(most + 1))

const quorumOf = (random: Random.Random, { variety }: Profile, voters: number): Scenario["quorum"] => {
  if (!random.percent(variety)) return "Majority"
  return voters === 2 && random.percent(70) ? "Oracle" : random.percent(60) ? "Weighted" : "Majority"
}

const membersOf = (
  random: Random.Random,
  profile: Profile,
  voters: number,
  quorum: Scenario["quorum"]
): ReadonlyArray<Member> => {
  const { lies, skew, starts, strangers, variety } = profile
  const groups = random.percent(50) ? 1 : 3
  // Somebody of weight in each group must be left who may be elected, whatever else is drawn.
  const chosen = random.between(1, voters)
  // Who knows more than all who may lead would keep them from leading: so who may not be proposed knows nothing.
  const member = (sid: number, role: Member["role"]): Member => {
    const drawn = draw(sid, role)
    return drawn.electable ? drawn : { ...drawn, zxid: 0, epoch: 0 }
  }
  const draw = (sid: number, role: Member["role"]): Member => ({
    sid,
    role,
    weight: quorum === "Weighted" && sid > groups && sid !== chosen ? random.below(3) : 1 + random.below(3),
    group: sid % groups,
    electable: role !== "Voter" || sid === chosen || !random.percent(variety / 4),
    // One lie is enough to propose who may not be proposed. By the original's rules that may be for ever; one is enough
    // that leaves. With clocks that differ a lot its finalize wait need never end: who was faster asks again and again.
    rules: sid === chosen && lies > 0 ? "conclave" : rulesOf(random, skew === 100 ? variety : 0),
    // One may have a database that it does not trust; of less than five it might be missed.
    zxid: sid === 1 && sid !== chosen && voters > 4 && quorum === "Majority" && random.percent(variety / 5)
      ? -1
      : random.below(4),
    epoch: random.below(2),
    clock: skew === 100 ? 100 : random.percent(50) ? random.between(skew, 100) : random.between(100, 10_000 / skew),
    starts: random.below(starts)
  })
  const members = Array.from({ length: voters }, (_, index) => member(index + 1, "Voter"))
  const observers = random.percent(variety / 2) ? random.between(1, 2) : 0
  for (let index = 0; index < observers; index++) members.push(member(voters + 1 + index, "Observer"))
  if (random.percent(strangers)) members.push(member(voters + 3, "Stranger"))
  return members
}

// One of the voters leaves. Not of three: two that both must agree could never be joined by one of them that was away.
const pendingOf = (
  random: Random.Random,
  { variety }: Profile,
  members: ReadonlyArray<Member>,
  quorum: Scenario["quorum"]
): Scenario["pending"] => {
  const voters = members.filter(({ role }) => role === "Voter").map(({ sid }) => sid)
  return random.percent(variety / 3) && quorum === "Majority" && voters.length > 3 ? voters.slice(1) : null
}

const rulesOf = (random: Random.Random, variety: number): Member["rules"] => {
  if (!random.percent(variety)) return "conclave"
  const draw = random.below(3)
  if (draw < 2) return draw === 0 ? "conclave" : "zookeeper"
  return (Object.keys(Rules.zookeeper) as Array<keyof Rules.Rules>).filter(() => random.percent(50))
}

const faultsOf = (
  random: Random.Random,
  profile: Profile,
  members: ReadonlyArray<Member>,
  until: number
): ReadonlyArray<Fault> => {
  const sid = () => random.pick(members).sid
  const some = () => members.map((member) => member.sid).filter(() => random.percent(40))
  const long = () => random.between(100, random.percent(30) ? 10_000 : 1_500)
  const faults: Array<Fault> = []
  const times = (rate: number, make: (at: number) => Fault) => {
    if (rate === 0) return
    const most = Math.round(2 * rate * until / 10_000)
    for (let count = random.below(most + 1); count > 0; count--) faults.push(make(random.below(until)))
  }
  times(profile.crashes, (at) => ({ _tag: "Crash", at, for: long(), sid: sid(), power: random.percent(40) }))
  times(profile.pauses, (at) => ({ _tag: "Pause", at, for: long(), sid: sid() }))
  times(profile.cuts, (at) => {
    const from = random.percent(40) ? [sid()] : some()
    return { _tag: "Cut", at, for: long(), from, both: random.percent(60) }
  })
  times(profile.resets, (at) => ({ _tag: "Reset", at, between: [sid(), sid()] }))
  times(profile.clogs, (at) => ({ _tag: "Clog", at, for: long(), from: sid(), to: sid() }))
  times(profile.looks, (at) => ({ _tag: "Look", at, sid: sid() }))
  times(profile.resignations, (at) => ({ _tag: "Resign", at, to: random.percent(50) ? sid() : null }))
  times(profile.jumps, (at) => ({ _tag: "Jump", at, sid: sid(), by: random.between(1, 5_000) }))
  times(profile.lies, (at) => {
    const as = random.percent(80) ? sid() : members.length + 50
    return { _tag: "Lie", at, for: long(), as, to: sid(), words: random.between(1, 5) }
  })
  const voters = members.filter(({ role }) => role !== "Stranger").map((member) => member.sid)
  times(profile.reconfigurations, (at) => {
    // One leaves, or all are back; and most know it, because they have agreed on it. Of less than five always the same
    // one leaves: `configKeepsQuorum` keeps out who missed a change and finds most voters it knew gone.
    const out = random.percent(60) ? (voters.length < 5 ? voters[0]! : random.pick(voters)) : 0
    const most = Math.floor(voters.length / 2) + 1 + random.below(2)
    const first = random.below(voters.length)
    const on = voters.map((_, index) => voters[(first + index) % voters.length]!).slice(0, most)
    return { _tag: "Reconfigure", at, on, voters: voters.filter((voter) => voter !== out) }
  })
  return faults.sort((a, b) => a.at - b.at)
}
