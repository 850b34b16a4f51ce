/**
 * How a scenario draws what leaders promise, and what they need for it: ticks, a lease or none, a disk.
 */
import * as Lease from "@conclave/core/Lease"
import type { Random } from "../Random.ts"
import type { Member, Scenario } from "../Scenario.ts"

/** What is drawn; with a lease the members' clocks, too. */
export type Contract =
  & Pick<Scenario, "lease" | "storing" | "storingFails" | "ticks">
  & Partial<Pick<Scenario, "members">>

/**
 * Every other scenario has a lease: one that can be kept with such delays, and clocks as slow and as fast as it allows
 * for. Where the original's rules are among them clocks are equal, for its finalize wait needs that.
 */
export const draw = (random: Random, members: ReadonlyArray<Member>, latency: number): Contract => {
  // With clocks that differ by a factor of 2.8 a leader still pings before its followers lose patience.
  const ticks = { tickTime: random.pick([1_000, 2_000]), initLimit: 5, syncLimit: 2 }
  const disk = { ticks, storing: random.pick([1, 10, 30]), storingFails: random.percent(30) ? 2 : 0 }
  if (!random.percent(50)) return { ...disk, lease: null }
  const wanted = random.between(2 * ticks.tickTime, ticks.initLimit * ticks.tickTime) + 2 * latency
  const clockDrift = random.pick([0.01, 0.05, 0.1])
  const duration = Math.min(wanted, Lease.bounds(ticks, { clockDrift, grace: 0 }).longest)
  const [fastest, slowest] = [Math.ceil(100 / (1 + clockDrift)), Math.floor(100 / (1 - clockDrift))]
  const isEqual = members.some(({ rules }) => rules !== "conclave")
  return {
    ...disk,
    lease: { duration, grace: Math.floor(duration / 5), clockDrift },
    members: members.map((member) => ({ ...member, clock: isEqual ? 100 : random.between(fastest, slowest) }))
  }
}
