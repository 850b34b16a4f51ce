/**
 * How a scenario draws its faults.
 */
import type { Profile } from "../Profile.ts"
import type { Random } from "../Random.ts"
import type { Fault, Member } from "../Scenario.ts"

/** By how much leaders oversleep, in milliseconds. As long as from ping to ping: no answer counts later. */
const OVERSLEEP_MAX = 500

/** The faults of a scenario of this kind, in their order. */
export const draw = (
  random: Random,
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
  times(profile.storeCrashes, (at) => ({ _tag: "CrashAtStore", at, for: long(), power: random.percent(40) }))
  times(profile.oversleeps, (at) => ({ _tag: "Oversleep", at, by: random.below(OVERSLEEP_MAX) }))
  return faults.sort((a, b) => a.at - b.at)
}
