import { assert, describe, it } from "@effect/vitest"
import * as Ensemble from "../src/Ensemble.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Rules from "../src/Rules.ts"
import * as Vote from "../src/Vote.ts"
import * as Chaos from "./support/Chaos.ts"
import * as Net from "./support/Net.ts"
import * as Peer from "./support/Peer.ts"
import * as Random from "./support/Random.ts"

const COLD_SEEDS = 150
const FAULTY_SEEDS = 120

/** An ensemble of three to seven, each by its own rules, of which some may not be proposed, but not all. */
const ensemble = (random: Random.Random): ReadonlyArray<Net.Member> => {
  const voters = Array.from({ length: 3 + random.below(5) }, (_, index) => index + 1)
  const observers = random.percent(30) ? [8] : []
  const committed = random.percent(40) ? Chaos.hierarchical(random, voters) : Peer.majority(voters, { observers })
  // Whoever weighs something may be the one that is left.
  const chosen = random.pick(voters.filter((sid) => QuorumVerifier.weight(committed, BigInt(sid)) > 0n))
  return Array.from(committed.servers.keys(), (mySid) => {
    return {
      ensemble: Ensemble.make({
        mySid,
        rules: random.pick([Rules.zookeeper, Rules.conclave, Chaos.rules(random)]),
        timing: { ...Ensemble.defaultTiming, maxNotificationInterval: 3200 },
        electable: mySid === BigInt(chosen) || random.percent(70)
      }),
      membership: Ensemble.membership({ mySid, committed }),
      lastLoggedZxid: BigInt(random.below(4)),
      currentEpoch: BigInt(random.below(2))
    }
  })
}

/** Those who may win: electable, and not without weight. */
const candidates = (members: ReadonlyArray<Net.Member>): ReadonlyArray<Vote.Proposal> =>
  members
    .filter(({ ensemble, membership }) =>
      ensemble.electable && membership.voters.has(ensemble.mySid) &&
      QuorumVerifier.weight(membership.committed, ensemble.mySid) > 0n
    )
    .map(({ currentEpoch, ensemble, lastLoggedZxid }) => Peer.p(ensemble.mySid, lastLoggedZxid, currentEpoch))

const faults = (random: Random.Random): Net.Faults => {
  const until = 2000 + random.below(12_000)
  const seed = random.below(1000)
  // Each link is up or down for a second at a time.
  const broken: Net.Faults["broken"] = (from, to, now) => {
    const [low, high] = from < to ? [from, to] : [to, from]
    return Random.make(seed + Number(low * 100n + high) + Math.floor(now / 1000) * 10_007).percent(30)
  }
  return { until, loss: random.below(60), duplication: random.below(30), restart: random.below(6), broken }
}

describe("an ensemble", () => {
  it("on a cold start without loss elects the best who may win, within seconds", () => {
    for (let seed = 1; seed <= COLD_SEEDS; seed++) {
      const random = Random.make(seed)
      const members = ensemble(random)
      const net = Net.make(random, members, Net.lossless)
      while (net.agreed() === null && net.now() < 5000) net.run(100)
      const best = candidates(members).toSorted(Vote.ProposalOrder).at(-1)!
      assert.strictEqual(net.agreed(), best.leader, `seed ${seed}`)
    }
  })

  it("whatever is lost, torn or restarted, agrees once that is over, and stays agreed", () => {
    let elections = 0
    let peers = 0
    for (let seed = 1; seed <= FAULTY_SEEDS; seed++) {
      const random = Random.make(seed)
      const members = ensemble(random)
      const mayWin = candidates(members).map(({ leader }) => leader)
      const fault = faults(random)
      const net = Net.make(random, members, fault, ({ ensemble }, output) => {
        if (output._tag !== "Elected") return
        elections++
        assert.include(mayWin, output.vote.leader, `seed ${seed}: ${ensemble.mySid} elected somebody else`)
      })
      net.run(fault.until)
      while (net.agreed() === null && net.now() < fault.until + 30_000) net.run(500)
      const leader = net.agreed()
      assert.isNotNull(leader, `seed ${seed}: no agreement after ${net.steps()} steps`)
      net.run(10_000)
      assert.strictEqual(net.agreed(), leader, `seed ${seed}: agreement did not last`)
      peers += members.length
    }
    // The faults were faults: on average a peer needed more than one election.
    assert.isAbove(elections, peers * 1.5)
  })

  it("of which a majority is gone agrees on nobody", () => {
    const random = Random.make(1)
    const members = ensemble(random).map((member) => ({
      ...member,
      membership: Ensemble.membership({ mySid: member.ensemble.mySid, committed: Peer.majority([1, 2, 3, 4, 5, 6, 7]) })
    }))
    const net = Net.make(random, members.slice(0, 3), Net.lossless)
    net.run(30_000)
    assert.deepStrictEqual(net.states().map(({ _tag }) => _tag), ["Looking", "Looking", "Looking"])
  })
})
