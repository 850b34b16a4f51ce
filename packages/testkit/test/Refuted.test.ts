/**
 * What looks true of an election and is not: each is refuted by a simulation of the core as shipped.
 *
 * Whoever builds on elections must not rely on any of it. If one of these ever comes to hold, this test fails, and the
 * README has to say so.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import type * as Vote from "@conclave/core/Vote"
import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../src/Profile.ts"
import * as Simulator from "../src/Simulator.ts"

const SEEDS = 600

interface Claim {
  readonly name: string
  readonly profile: Profile.ProfileName
  /** Does this moment refute it, after all those before? */
  readonly refutes: (moment: Simulator.Moment, entries: Entries) => boolean
}

/** What each has entered each round with, the least if it did so more than once. */
type Entries = ReadonlyMap<string, Vote.Proposal>

type Elected = Output & { readonly _tag: "Elected" }

const electedIn = ({ outputs }: Simulator.Moment): Elected | undefined =>
  outputs.find((output): output is Elected => output._tag === "Elected")

const leaders = ({ states }: Simulator.Moment): ReadonlyArray<Election.Settled> =>
  Array.from(states().values()).filter((state): state is Election.Settled =>
    state._tag === "Settled" && state.state === "LEADING")

const isFresher = (self: Vote.Proposal, that: Vote.Proposal): boolean =>
  self.peerEpoch > that.peerEpoch || (self.peerEpoch === that.peerEpoch && self.zxid > that.zxid)

const roundsOf = (settled: ReadonlyArray<Election.Settled>): ReadonlySet<bigint> =>
  new Set(settled.map(({ currentVote }) => currentVote.electionEpoch))

const claims: ReadonlyArray<Claim> = [
  {
    name: "one leader at a time",
    profile: "partitions",
    refutes: (moment) => electedIn(moment) !== undefined && leaders(moment).length > 1
  },
  {
    name: "one leader in a round",
    profile: "crashes",
    refutes: (moment) => {
      if (electedIn(moment) === undefined) return false
      const found = leaders(moment)
      return roundsOf(found).size < found.length
    }
  },
  {
    name: "a clock never goes back while its process lives",
    profile: "partitions",
    refutes: ({ before, sid, states }) => {
      const after = states().get(sid)
      return before._tag !== "Idle" && after !== undefined && after.logicalClock < before.logicalClock
    }
  },
  {
    name: "who is followed is at least as fresh as its followers",
    profile: "crashes",
    refutes: (moment) => {
      const { before } = moment
      const elected = electedIn(moment)
      if (elected === undefined || elected.reason._tag !== "Joined" || before._tag !== "Looking") return false
      return isFresher(before.initial, elected.vote)
    }
  },
  {
    name: "who finalises leads those who voted for it, at that moment",
    profile: "lossy",
    refutes: (moment) => {
      const elected = electedIn(moment)
      if (elected?.state !== "LEADING" || elected.reason._tag !== "Quorum") return false
      const states = moment.states()
      return Array.from(elected.reason.supporters).some((sid) => {
        const state = states.get(sid)
        return state !== undefined && state.proposal.leader !== elected.vote.leader &&
          (state._tag === "Settled" ? state.currentVote : state.proposal).leader !== elected.vote.leader
      })
    }
  },
  {
    name: "a higher round means a later election",
    profile: "crashes",
    refutes: (moment) => {
      const elected = electedIn(moment)
      const { before } = moment
      return elected?.reason._tag === "Joined" && before.logicalClock > elected.vote.electionEpoch
    }
  },
  {
    name: "an observer elects who was a candidate in this round",
    profile: "weights",
    refutes: (moment, entries) => {
      const elected = electedIn(moment)
      if (elected?.state !== "OBSERVING" || elected.reason._tag !== "Quorum") return false
      const { electionEpoch, leader } = elected.vote
      return entries.get(`${leader} ${electionEpoch}`) === undefined
    }
  }
]

const entriesOf = (moment: Simulator.Moment, entries: Map<string, Vote.Proposal>): void => {
  for (const output of moment.outputs) {
    if (output._tag !== "RoundStarted") continue
    const key = `${moment.sid} ${output.logicalClock}`
    const known = entries.get(key)
    if (known === undefined || isFresher(known, output.initial)) entries.set(key, output.initial)
  }
}

const refutation = ({ profile, refutes }: Claim): { readonly seed: number; readonly at: number } | null => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    let at: number | null = null
    const entries = new Map<string, Vote.Proposal>()
    const observe = (moment: Simulator.Moment) => {
      entriesOf(moment, entries)
      if (at === null && refutes(moment, entries)) at = moment.at
    }
    Simulator.run(Profile.draw(profile, 5, seed), { observe })
    if (at !== null) return { seed, at }
  }
  return null
}

interface LeadershipClaim {
  readonly name: string
  readonly profile: Profile.ProfileName
  /** Does a leader that is activated in this epoch refute it, given who is in office and the highest epoch before? */
  readonly refutes: (epoch: bigint, others: number, highest: bigint) => boolean
}

const leadershipClaims: ReadonlyArray<LeadershipClaim> = [
  {
    name: "one activated leader at a time",
    profile: "partitions",
    refutes: (_, others) => others > 0
  },
  {
    name: "who is activated later has the higher epoch",
    profile: "skew",
    refutes: (epoch, _, highest) => epoch < highest
  }
]

const leadershipRefutation = ({ profile, refutes }: LeadershipClaim): number | null => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const inOffice = new Set<bigint>()
    let highest = -1n
    let isRefuted = false
    const observeLeadership = ({ outputs, reducer, sid }: Simulator.LeadershipMoment) => {
      if (reducer === "learner") inOffice.delete(sid)
      for (const output of outputs) {
        if (output._tag === "SteppedDown") inOffice.delete(sid)
        if (output._tag !== "Activated") continue
        inOffice.delete(sid)
        isRefuted ||= refutes(output.epoch, inOffice.size, highest)
        inOffice.add(sid)
        if (output.epoch > highest) highest = output.epoch
      }
    }
    Simulator.run(Profile.draw(profile, 5, seed), { observeLeadership })
    if (isRefuted) return seed
  }
  return null
}

describe("does not hold, although it looks as if it did", () => {
  it.each(claims)("$name", (claim) => {
    const found = refutation(claim)
    assert.isNotNull(found, `no seed from 1 to ${SEEDS} refutes it`)
  })

  it.each(leadershipClaims)("$name", (claim) => {
    assert.isNotNull(leadershipRefutation(claim), `no seed from 1 to ${SEEDS} refutes it`)
  })

  it("without anything that follows an election, two leaders need not notice each other", () => {
    const scenarios = Array.from({ length: SEEDS }, (_, seed) => Profile.draw("crashes", 5, seed + 1))
    const stuck = scenarios.find((scenario) =>
      Simulator.run({ ...scenario, activation: false }).violation?.property === "live")
    assert.isDefined(stuck)
  })
})
