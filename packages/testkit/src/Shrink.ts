/**
 * Makes a scenario that breaks something smaller, as long as it still breaks the same.
 *
 * First whole blocks of faults go, then single ones, then everything that is out of the ordinary is made ordinary, one
 * thing at a time, until nothing more can go. What is tried is in a fixed order: the result is the same every time.
 */
import type { Fault, Member, Scenario } from "./Scenario.ts"

/** Scenarios tried at most: a simulation takes about a millisecond, and who waits for this looks at a terminal. */
export const ATTEMPTS_MAX = 2_000

/** The smallest scenario found that is still bad. */
export const shrink = (scenario: Scenario, isBad: (scenario: Scenario) => boolean): Scenario => {
  let best = scenario
  let attempts = 0
  const accept = (candidate: Scenario): boolean => {
    if (attempts >= ATTEMPTS_MAX) return false
    attempts++
    if (!isBad(candidate)) return false
    best = candidate
    return true
  }
  for (let before: Scenario | null = null; before !== best && attempts < ATTEMPTS_MAX;) {
    before = best
    dropFaults(() => best, accept)
    for (const simplify of simplifications) simplify(best).forEach((change) => accept({ ...best, ...change }))
  }
  return best
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Accept = (candidate: Scenario) => boolean

// Blocks of half, a quarter, ... of the faults; then each alone.
const dropFaults = (best: () => Scenario, accept: Accept): void => {
  for (let size = Math.ceil(best().faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best().faults.length;) {
      const faults = best().faults.toSpliced(from, size)
      if (!accept({ ...best(), faults })) from += size
    }
  }
}

type Change = Partial<Scenario>

// Each gives what might be tried on its own, given the best so far.
const simplifications: ReadonlyArray<(scenario: Scenario) => ReadonlyArray<Change>> = [
  ({ loss }) => (loss > 0 ? [{ loss: 0 }] : []),
  ({ duplication }) => (duplication > 0 ? [{ duplication: 0 }] : []),
  ({ loopback }) => (loopback > 0 ? [{ loopback: 0 }] : []),
  ({ pending }) => (pending === null ? [] : [{ pending: null }]),
  ({ bytes }) => (bytes ? [{ bytes: false }] : []),
  ({ lease }) => (lease === null ? [] : [{ lease: null }]),
  ({ storing, storingFails }) => (storing > 1 || storingFails > 0 ? [{ storing: 1, storingFails: 0 }] : []),
  ({ latency: [least, most] }) => (most > least ? [{ latency: [least, least] }] : []),
  ({ quorum }) => (quorum === "Majority" ? [] : [{ quorum: "Majority" }]),
  ({ faults, faultsUntil }) => {
    const last = faults.reduce((end, fault) => Math.max(end, fault.at + ("for" in fault ? fault.for : 0) + 1), 1)
    return last < faultsUntil ? [{ faultsUntil: last }] : []
  },
  ({ members }) =>
    members.map((member) => ({ members: members.filter((other) => other !== member) })).filter(hasCandidate),
  (scenario) => scenario.members.flatMap((member, index) => memberChanges(scenario, member, index)),
  (scenario) => scenario.faults.flatMap((fault, index) => faultChanges(scenario, fault, index))
]

// Where nobody may lead nobody ever does, which says nothing about the fault that is looked for.
const hasCandidate = ({ members }: Pick<Scenario, "members">): boolean =>
  members.some(({ electable, role, weight }) => role === "Voter" && electable && weight > 0)

const memberChanges = ({ members }: Scenario, member: Member, index: number): ReadonlyArray<Change> => {
  const plain: Partial<Member> = { clock: 100, rules: "conclave", electable: true, starts: 0, zxid: 0, epoch: 0 }
  return Object.entries(plain)
    .filter(([key, value]) => member[key as keyof Member] !== value)
    .map(([key, value]) => ({ members: members.with(index, { ...member, [key]: value }) }))
}

const faultChanges = ({ faults }: Scenario, fault: Fault, index: number): ReadonlyArray<Change> =>
  "for" in fault && fault.for > 200 ? [{ faults: faults.with(index, { ...fault, for: fault.for >> 1 }) }] : []
